"""Mails that come back, as mail systems write them."""


def failure(
    to: str, status: str = "5.1.1", said: str = "no such user here", **headers: str
) -> bytes:
    """A delivery status notification (RFC 3464) about an address that its reader need not know."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return _crlf(f"""\
From: Mail Delivery System <MAILER-DAEMON@relay.example.net>
To: {to}
Subject: Undelivered mail
{more}Content-Type: multipart/report; report-type=delivery-status; boundary="one"

--one
Content-Type: text/plain

It could not be delivered.
--one
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example.net

Final-Recipient: rfc822; forwarded@elsewhere.example
Action: {"delayed" if status.startswith("4") and said == "delayed" else "failed"}
Status: {status}
Diagnostic-Code: smtp; 550 {status} {said}
--one--
""")


def delay(to: str) -> bytes:
    return failure(to, "4.4.1", "delayed")


def complaint(to: str, *, sender: str = "", return_path: str = "", unsubscribe: str = "") -> bytes:
    """A complaint (RFC 5965) that hides who complained."""
    field = f"Original-Mail-From: <{sender}>\n" if sender else ""
    path = f"Return-Path: <{return_path}>\n" if return_path else ""
    links = f"List-Unsubscribe: <https://digest.example.org/unsubscribe/{unsubscribe}>\n"
    return _crlf(f"""\
From: complaints@provider.example
To: {to}
Subject: FW: Papers
Content-Type: multipart/report; report-type=feedback-report; boundary=one

--one
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
{field}--one
Content-Type: message/rfc822

{path}From: Paper Digest <digest@example.org>
To: redacted@example.org
Subject: Papers
{links if unsubscribe else ""}
Papers, as every day.

--one--
""")


def answer(to: str) -> bytes:
    return _crlf(
        f"From: x@y.example\nTo: {to}\nAuto-Submitted: auto-replied\nSubject: Away\n\nBye\n"
    )


def by_person(to: str) -> bytes:
    return _crlf(f"From: x@y.example\nTo: {to}\nSubject: Thank you\n\nI like it.\n")


def _crlf(text: str) -> bytes:
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()
