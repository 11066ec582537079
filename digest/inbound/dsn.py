"""Delivery status notifications (RFC 3464). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from digest.inbound.addresses import typed_address
from digest.inbound.diagnostic_text import recipient
from digest.inbound.fields import Block, blocks_in, first
from digest.inbound.report import Recipient

# Who it was sent to counts: that is whom we know. Somebody else may have forwarded it from there.
_NAMES = ("original-recipient", "final-recipient", "x-actual-recipient")
# RFC 3464 section 2.3.3 has five actions; "error" and "expired" are what some programs say for
# the first.
_FAILED = ("failed", "failure", "error", "expired")
_DELAYED = "delayed"


@dataclass(frozen=True, slots=True)
class Statuses:
    """Whom a notification reports as failed, and whom as still waiting.

    ``actions`` are all that it reports: one may have failed whose address is none of e-mail.
    """

    failed: tuple[Recipient, ...]
    waiting: tuple[str, ...]
    actions: frozenset[str]

    @property
    def is_failure(self) -> bool:
        return not self.actions.isdisjoint(_FAILED)

    @property
    def is_delay(self) -> bool:
        return _DELAYED in self.actions


def statuses_in(texts: Iterable[str]) -> Statuses:
    """What these texts of fields report; recipients that got the mail are in neither list."""
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
    return Statuses(
        failed=tuple(failed.values()),
        waiting=tuple(each for key, each in waiting.items() if key not in failed),
        actions=frozenset(actions - {""}),
    )


def _action(block: Block) -> str:
    """The action without the comment that some put behind it; by the status if there is none."""
    said = first(block, "action").lower().replace("(", " ").replace(";", " ").split()
    if said:
        return said[0]
    permanent = first(block, "status").startswith("5")
    return "failed" if permanent and "final-recipient" in block else ""


def _address(block: Block) -> str:
    return next(filter(None, (typed_address(first(block, name)) for name in _NAMES)), "")


def _recipient(block: Block, address: str) -> Recipient:
    kind, _, said = first(block, "diagnostic-code").partition(";")
    return recipient(address, said or kind, first(block, "status"))
