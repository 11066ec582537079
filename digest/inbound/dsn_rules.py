"""Recognise notices of failure or delay, and answers by programs, by their words. Pure.

A person may write the same words, and a list may carry them. So they count only in mail that a
program has sent.
"""

import re
from email.message import Message

from digest.inbound.mime_parts import header, returned
from digest.inbound.phrases import phrases

_DAEMON = phrases("daemon")
_MACHINE = phrases("machine")
_ANSWER = re.compile(
    r"^\s*(?:re|aw|sv|vs|antw|rif|fwd?|wg|tr|rv|enc|回复|转发)\s*(?:\[\d+\])?\s*[:：]",
    re.IGNORECASE,
)
_FAILURE = phrases("failure")
_UNDELIVERED = phrases("undelivered")
_STATUS_NOTICE = re.compile(r"delivery (?:status )?(?:notification|report)", re.IGNORECASE)
_DELAY = phrases("delay")
_TRYING = phrases("trying")
_DELAY_TITLE = phrases("delay_title")
_GIVEN_UP = phrases("given_up")
_NO_SENDER = re.compile(r"^[^<]*<\s*>\s*$")
_LONGEST = 16_000

# What programs put beside RFC 3834's header, and before there was one.
_MARKS = "X-Autoreply X-Autorespond X-Autoresponder X-Auto-Reply-From X-Mail-Autoreply".split()
_PRECEDENCE = frozenset({"auto_reply", "auto-reply", "autoreply"})
_ABSENCE = phrases("absence")


def is_notice(mail: Message, text: str) -> bool:
    """Return whether an email without fields for programs is a notice that mail has not arrived."""
    subject, text = header(mail, "Subject"), _flat(text)
    if "X-Failed-Recipients" in mail:
        return True
    if _is_delivery_report(mail) or _is_from_daemon(mail):
        return says_failure(text) or bool(_DELAY.search(text)) or _is_titled(subject)
    is_from_program = _MACHINE.search(header(mail, "From")) or _is_returned(mail)
    is_answer = "In-Reply-To" in mail or "References" in mail or _ANSWER.match(subject)
    is_of_list = "List-Post" in mail or "List-Id" in mail
    if not is_from_program or is_answer or (is_of_list and not _is_titled(subject)):
        return False
    return bool(_UNDELIVERED.search(text) or _DELAY.search(text))


def is_delay(mail: Message, text: str) -> bool:
    """Return whether a notice says that the server is still trying, so that nothing has failed."""
    subject, text = header(mail, "Subject"), _flat(text)
    says_so = _DELAY.search(text) or _TRYING.search(text)
    is_titled = _DELAY.search(subject) or _DELAY_TITLE.search(subject)
    return bool(says_so or is_titled) and not _GIVEN_UP.search(text)


def _flat(text: str) -> str:
    """Return the text without its lines, since sentences run over their ends."""
    return " ".join(text[:_LONGEST].split())


def says_failure(text: str) -> bool:
    return bool(_FAILURE.search(text))


def _is_titled(subject: str) -> bool:
    return bool(_FAILURE.search(subject) or _STATUS_NOTICE.search(subject))


def _is_delivery_report(mail: Message) -> bool:
    """Return whether its type is a report of delivery, not of reading (RFC 8098)."""
    about = str(mail.get_param("report-type") or "delivery-status").lower()
    return mail.get_content_type() == "multipart/report" and about == "delivery-status"


def _is_from_daemon(mail: Message) -> bool:
    sender = header(mail, "From")
    return bool(_DAEMON.search(sender) or _NO_SENDER.match(sender))


def _is_returned(mail: Message) -> bool:
    """Return whether it has no sender and carries a message; answers to mail carry none."""
    return header(mail, "Return-Path") == "<>" and returned(mail) is not None


def is_marked(mail: Message) -> bool:
    """Return whether the headers say that a program answers (RFC 3834 section 5, older ways).

    Some servers mark their failure reports so as well.
    """
    submitted = header(mail, "Auto-Submitted").lower()
    return (
        submitted.startswith("auto-replied")
        or header(mail, "Precedence").lower() in _PRECEDENCE
        or any(name in mail for name in _MARKS)
        or header(mail, "X-POST-MessageClass").lower().startswith("9; autoresponder")
    )


def is_about_absence(subject: str) -> bool:
    """Return whether the subject is one that programs write for people on leave."""
    return bool(_ABSENCE.search(subject))
