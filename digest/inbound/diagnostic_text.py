"""What a report says of one address: the server's words, and what they mean. Pure."""

from digest.inbound.diagnostics import best_status, diagnose, phase_in
from digest.inbound.report import Recipient

LONGEST_DIAGNOSTIC = 500


def recipient(address: str, text: str, status: str = "", transcript: str = "") -> Recipient:
    """Read what a server has said of one address, and whether it means that the address is dead.

    ``status`` is what the report says itself; if it leaves the detail open, the server's words may
    hold a better one. ``transcript`` is what was said between servers, if anybody tells.
    """
    diagnostic = " ".join(text.split())[:LONGEST_DIAGNOSTIC]
    phase = phase_in(text) or phase_in(transcript)
    diagnosis = diagnose(text, status=status, phase=phase, reported=True)
    return Recipient(address, diagnosis.is_dead, best_status(status, diagnostic), diagnostic)
