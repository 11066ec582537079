"""Read an inbound message. Pure: a message in, what it reports or asks for out.

Anybody can write us anything, so no content of a message raises an exception here.
"""

from collections.abc import Iterable
from email.message import Message

from digest.inbound.amazon import notification_in
from digest.inbound.answers import is_about_authentication, unsubscribe_tokens, wants_to_leave
from digest.inbound.diagnostic_text import diagnosed, recipient
from digest.inbound.diagnostics import Table, shipped_table
from digest.inbound.dsn_rules import is_about_absence, is_delay, is_marked, is_notice
from digest.inbound.machine_reports import complaint_in, status_in
from digest.inbound.mime_parts import delivery_status, header, notice, open_mail, returned
from digest.inbound.notice_text import detected_in, diagnostics_of, lines_of, named_in
from digest.inbound.report import Kind, Recipient, Report


def read_report(content: bytes, table: Table | None = None) -> Report:
    """Return what a message reports, if anything; ``table`` says what refusals mean.

    What is written for programs comes first (RFC 5965, RFC 3464, and what Amazon has instead); then
    the notices whose form is known, then any other that a mail system writes. Answers by programs,
    and mail by people, report nothing, whatever they quote.
    """
    mail = open_mail(content)
    report = (
        complaint_in(mail)
        or _from_fields(mail, delivery_status(mail))
        or notification_in(mail)
        or _answer(mail)
        or _from_notice(mail, content)
        or _from_person(mail)
    )
    return diagnosed(report, shipped_table() if table is None else table)


def _from_fields(mail: Message, texts: Iterable[str]) -> Report | None:
    """Return what fields of RFC 3464 report, with the notice's words about those that failed."""
    report = status_in(texts)
    if report is None or not report.recipients:
        return report
    return Report(Kind.SOFT, _explained(report.recipients, mail), report.waiting)


def _explained(failed: tuple[Recipient, ...], mail: Message) -> tuple[Recipient, ...]:
    """Add the words of the notice for people: the transcript, or all if the fields say nothing."""
    lines, _ = lines_of(notice(mail))
    texts = diagnostics_of([recipient.address for recipient in failed], lines)
    transcript = _transcript(lines, len(failed))
    return tuple(
        recipient(known.address, known.diagnostic or texts[known.address], known.status, transcript)
        for known in failed
    )


def _answer(mail: Message) -> Report | None:
    """Return an answer by somebody's program. Failures are sometimes marked as such too."""
    if is_about_authentication(mail):
        return Report(Kind.AUTHENTICATION)
    subject = header(mail, "Subject")
    if not is_about_absence(subject) and (not is_marked(mail) or is_notice(mail, notice(mail))):
        return None
    return Report(Kind.UNSUBSCRIBE if unsubscribe_tokens(mail) else Kind.AUTO_REPLY)


def _from_notice(mail: Message, content: bytes) -> Report | None:
    """Return what a notice for people reports; it may also wrap another server's report."""
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
    named = (recipient(address, texts[address], transcript=transcript) for address in found)
    return Report(Kind.SOFT, tuple(named))


def _from_person(mail: Message) -> Report:
    """Return whether a person asks to leave: by our link, or in their own words."""
    is_to_leave = unsubscribe_tokens(mail) or wants_to_leave(mail)
    return Report(Kind.UNSUBSCRIBE if is_to_leave else Kind.UNKNOWN)


def _transcript(lines: list[str], recipients: int) -> str:
    """Return the conversation of servers; empty with several recipients: it may be about any."""
    return "\n".join(lines) if recipients == 1 else ""
