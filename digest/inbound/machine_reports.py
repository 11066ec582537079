"""Read reports for programs: of delivery (RFC 3464) and of abuse (RFC 5965). Pure."""

import re
from collections.abc import Iterable
from email.message import Message

from digest.inbound.addresses import addresses_in, original_address, typed_address
from digest.inbound.diagnostic_text import recipient
from digest.inbound.mime_parts import Block, blocks_in, feedback, first, header, returned
from digest.inbound.report import Kind, Recipient, Report

# The address that we sent it to counts, because we know it. It may have been forwarded from there.
_REPORTED = ("final-recipient", "x-actual-recipient")
# RFC 3464 section 2.3.3 has five actions; "error" and "expired" are what some programs say for
# the first.
_FAILED = ("failed", "failure", "error", "expired")
_DELAYED = "delayed"


def status_in(texts: Iterable[str]) -> Report | None:
    """Return what some blocks of fields report; None if that is no failure of an email address.

    Recipients that got the mail are left out.
    """
    failed: dict[str, Recipient] = {}
    waiting: dict[str, str] = {}
    actions = set()
    for block in (block for text in texts for block in blocks_in(text)):
        action, address = _action(block), _address(block)
        actions.add(action)
        if address and action in _FAILED:
            failed.setdefault(address.lower(), _recipient(block, address))
        elif address and action == _DELAYED:
            waiting.setdefault(address.lower(), address)
    still_waiting = tuple(address for key, address in waiting.items() if key not in failed)
    if failed:
        return Report(Kind.SOFT, tuple(failed.values()), still_waiting)
    if not actions - {""} or not actions.isdisjoint(_FAILED):
        return None
    return Report(Kind.DELAYED if _DELAYED in actions else Kind.UNKNOWN, waiting=still_waiting)


def _action(block: Block) -> str:
    """Return the action without a comment behind it, or else what the status implies."""
    said = first(block, "action").lower().replace("(", " ").replace(";", " ").split()
    if said:
        return said[0]
    permanent = first(block, "status").startswith("5")
    return "failed" if permanent and "final-recipient" in block else ""


def _address(block: Block) -> str:
    original = original_address(first(block, "original-recipient"))
    others = (typed_address(first(block, name)) for name in _REPORTED)
    return original or next(filter(None, others), "")


def _recipient(block: Block, address: str) -> Recipient:
    kind, _, said = first(block, "diagnostic-code").partition(";")
    return recipient(address, said or kind, first(block, "status"))


# ---- complaints ------------------------------------------------------------------------------

# "not-spam" is praise (RFC 6430), and "auth-failure" speaks of signatures (RFC 6591): nobody
# complained.
_NO_COMPLAINT = frozenset({"not-spam", "auth-failure", "dmarc"})
# Who complained, by what names it more surely.
_COMPLAINED = ("original-rcpt-to", "removal-recipient", "x-original-rcpt-to")
# Microsoft's programme for senders wraps the message and adds its recipient, without any fields.
_MICROSOFT = "X-HmXmrOriginalRecipient"
# Its older form adds nothing at all.
_MICROSOFT_SENDER = re.compile(r"\bstaff@hotmail\.com>?$", re.IGNORECASE)
_MICROSOFT_TITLE = re.compile(r"^complaint about message from\b", re.IGNORECASE)


def complaint_in(mail: Message) -> Report | None:
    """Return the complaint in a message; None if it is not a complaint.

    The addresses are those that complained; none if the reporter has hidden them.
    """
    blocks = feedback(mail)
    kinds = {first(block, "feedback-type").lower() for block in blocks} - {""}
    inner = returned(mail) or Message()
    wrapped = header(inner, _MICROSOFT) or header(mail, _MICROSOFT)
    is_microsofts = wrapped or (
        _MICROSOFT_SENDER.search(header(mail, "From"))
        and _MICROSOFT_TITLE.match(header(mail, "Subject"))
    )
    if not kinds and not is_microsofts:
        return None
    if kinds and kinds <= _NO_COMPLAINT:
        return Report(Kind.UNKNOWN if "not-spam" in kinds else Kind.AUTHENTICATION)
    found = _named(blocks) or addresses_in(wrapped) or addresses_in(header(inner, "To"))
    why = ", ".join(sorted(kinds)) or "abuse"
    return Report(Kind.COMPLAINT, tuple(Recipient(address, diagnostic=why) for address in found))


def _named(blocks: list[Block]) -> list[str]:
    for name in _COMPLAINED:
        values = [value for block in blocks for value in block.get(name, ())]
        if found := addresses_in("\n".join(values)):
            return found
    return []
