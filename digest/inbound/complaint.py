"""Complaints: reports that somebody called one of our mails abuse (RFC 5965). Pure."""

from email.message import Message

from digest.inbound.addresses import addresses_in
from digest.inbound.fields import Block, blocks_in, first
from digest.inbound.mime_parts import feedback, header, returned
from digest.inbound.report import Kind, Recipient, Report

# "not-spam" is praise (RFC 6430), and "auth-failure" speaks of signatures (RFC 6591): nobody
# complained.
_NO_COMPLAINT = frozenset({"not-spam", "auth-failure", "dmarc"})
# Who complained, by what names it more surely.
_NAMES = ("original-rcpt-to", "removal-recipient", "x-original-rcpt-to")
# Microsoft's programme for senders wraps the message and adds its recipient, without any fields.
_MICROSOFT = "X-HmXmrOriginalRecipient"


def complaint_in(mail: Message) -> Report | None:
    """The complaint that a mail is; nothing if it is none.

    The addresses are those that complained; none if the reporter has hidden them.
    """
    blocks = [block for text in feedback(mail) for block in blocks_in(text)]
    kinds = {first(block, "feedback-type").lower() for block in blocks} - {""}
    inner = returned(mail)
    wrapped = header(inner, _MICROSOFT) if inner else ""
    if not kinds and not wrapped:
        return None
    if kinds and kinds <= _NO_COMPLAINT:
        return Report(Kind.UNKNOWN)
    found = _named(blocks) or addresses_in(wrapped) or _addressed(inner)
    why = ", ".join(sorted(kinds)) or "abuse"
    return Report(Kind.COMPLAINT, tuple(Recipient(each, diagnostic=why) for each in found))


def _named(blocks: list[Block]) -> list[str]:
    for name in _NAMES:
        values = [value for block in blocks for value in block.get(name, ())]
        if found := addresses_in("\n".join(values)):
            return found
    return []


def _addressed(inner: Message | None) -> list[str]:
    return addresses_in(header(inner, "To")) if inner else []
