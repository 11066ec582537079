"""What a mail to us says. Pure: a message in, what it says or asks for out.

Anybody can write to us, and anything: nothing here raises for what a mail holds.
"""

import re
from collections.abc import Iterable
from email.message import Message

from digest.inbound.amazon import notification_in
from digest.inbound.diagnostic_text import recipient
from digest.inbound.dsn_rules import is_about_absence, is_delay, is_marked, is_notice
from digest.inbound.machine_reports import complaint_in, status_in
from digest.inbound.mime_parts import delivery_status, header, notice, open_mail, returned
from digest.inbound.notice_text import detected_in, diagnostics_of, lines_of, named_in
from digest.inbound.report import Kind, Recipient, Report, failure

# Two parts of base64url with a full stop between them (see subscribers.tokens).
_TOKEN = re.compile(r"\.?[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}")


def read_report(content: bytes) -> Report:
    """Return what a mail reports, if anything.

    What is written for programs comes first (RFC 5965, RFC 3464, and what Amazon has instead); then
    the notices whose form is known, then any other that a mail system writes. Answers by programs,
    and mail by people, report nothing, whatever they quote.
    """
    mail = open_mail(content)
    return (
        complaint_in(mail)
        or _from_fields(mail, delivery_status(mail))
        or notification_in(mail)
        or _answer(mail)
        or _from_notice(mail, content)
        or Report(Kind.UNSUBSCRIBE if unsubscribe_tokens(mail) else Kind.UNKNOWN)
    )


def unsubscribe_tokens(mail: Message) -> list[str]:
    """Return the texts in a mail's subject that may be tokens: what our mailto: link has put there.

    Only the subject counts (RFC 2369 section 3.2): a report of failure or an answer may quote one
    of our mails, with its links, in the body.
    """
    return tokens_in(header(mail, "Subject"))


def tokens_in(text: str) -> list[str]:
    """Return what in a text may be tokens; only their signatures tell whether they are."""
    return _TOKEN.findall(text)


def _from_fields(mail: Message, texts: Iterable[str]) -> Report | None:
    """Return what fields of RFC 3464 report, with what the notice says of those that failed."""
    report = status_in(texts)
    if report is None or not report.recipients:
        return report
    return failure(_explained(report.recipients, mail), report.waiting)


def _explained(failed: tuple[Recipient, ...], mail: Message) -> tuple[Recipient, ...]:
    """Add what the notice for people says: the transcript, or all where fields are mute."""
    lines, _ = lines_of(notice(mail))
    texts = diagnostics_of([recipient.address for recipient in failed], lines)
    transcript = _transcript(lines, len(failed))
    return tuple(
        recipient(known.address, known.diagnostic or texts[known.address], known.status, transcript)
        for known in failed
    )


def _answer(mail: Message) -> Report | None:
    """An answer by somebody's program. Failures are sometimes marked as such too."""
    subject = header(mail, "Subject")
    if not is_about_absence(subject) and (not is_marked(mail) or is_notice(mail, notice(mail))):
        return None
    return Report(Kind.UNSUBSCRIBE if unsubscribe_tokens(mail) else Kind.AUTO_REPLY)


def _from_notice(mail: Message, content: bytes) -> Report | None:
    """What a notice for people reports; it may also wrap the report of another server."""
    text = notice(mail)
    if not is_notice(mail, text):
        return None
    lines, quoted = lines_of(text)
    inner = returned(mail)
    wrapped = _from_fields(inner, delivery_status(inner)) if inner else None
    if report := wrapped or _from_fields(mail, ["\n".join(lines)]):
        return report
    if is_delay(mail, "\n".join(lines)):
        return Report(Kind.DELAYED, waiting=tuple(named_in(mail, lines, quoted)))
    found = detected_in(content, lines) or named_in(mail, lines, quoted)
    texts, transcript = diagnostics_of(found, lines), _transcript(lines, len(found))
    return failure(
        tuple(recipient(address, texts[address], transcript=transcript) for address in found)
    )


def _transcript(lines: list[str], recipients: int) -> str:
    """What servers said to each other; with several recipients nobody knows of whom."""
    return "\n".join(lines) if recipients == 1 else ""
