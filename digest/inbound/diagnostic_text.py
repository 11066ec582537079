"""Read a server's reply about one address, and diagnose it. Pure."""

from dataclasses import replace

from digest.inbound.diagnostics import Table, best_status, diagnose, phase_in
from digest.inbound.report import Kind, Recipient, Report
from digest.model.providers import domain_of, provider_of

LONGEST_DIAGNOSTIC = 500
# A report is about one delivery; of more recipients than this nobody needs to know why.
_MOST_DIAGNOSED = 100


def recipient(address: str, text: str, status: str = "", transcript: str = "") -> Recipient:
    """Return what a server has said about one address, not yet diagnosed.

    ``status`` is what the report says itself; if it leaves the detail open, the server's words may
    hold a better one. ``transcript`` is what was said between servers, if anybody tells.
    """
    diagnostic = " ".join(text.split())[:LONGEST_DIAGNOSTIC]
    phase = phase_in(text) or phase_in(transcript)
    return Recipient(address, best_status(status, diagnostic), diagnostic, phase)


def diagnosed(report: Report, table: Table) -> Report:
    """Return a failure report with a diagnosis for each address; a dead address makes it hard."""
    if report.kind is not Kind.SOFT:
        return report
    recipients = tuple(
        _diagnosed(recipient, table) if number < _MOST_DIAGNOSED else recipient
        for number, recipient in enumerate(report.recipients)
    )
    kind = Kind.HARD if any(recipient.is_hard for recipient in recipients) else Kind.SOFT
    return replace(report, kind=kind, recipients=recipients)


def _diagnosed(recipient: Recipient, table: Table) -> Recipient:
    if recipient.diagnosis:
        return recipient
    diagnosis = diagnose(
        recipient.diagnostic,
        status=recipient.status,
        phase=recipient.phase,
        provider=provider_of(domain_of(recipient.address)),
        reported=True,
        table=table,
    )
    return replace(recipient, diagnosis=diagnosis)
