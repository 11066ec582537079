"""The states of consent, in one table of transitions. Pure."""

from enum import StrEnum

from subscribers.errors import ConsentError
from subscribers.model import Consent


class ConsentEvent(StrEnum):
    ASKED = "asked"  # somebody filled in the form: an email asks the person to confirm
    CONFIRMED = "confirmed"  # the person pressed the button behind the link in that email
    VOUCHED = "vouched"  # the operator states that the person asked for it
    WITHDRAWN = "withdrawn"  # the person left
    UNDONE = "undone"  # the person came back by the page after leaving
    MOVED = "moved"  # the person confirmed a new address, by a link sent to it


# None is an unknown person. Transitions that are not listed are refused.
TRANSITIONS: dict[tuple[Consent | None, ConsentEvent], Consent] = {
    (None, ConsentEvent.ASKED): Consent.PENDING,
    (None, ConsentEvent.VOUCHED): Consent.CONFIRMED,
    (Consent.PENDING, ConsentEvent.ASKED): Consent.PENDING,
    (Consent.PENDING, ConsentEvent.CONFIRMED): Consent.CONFIRMED,
    (Consent.PENDING, ConsentEvent.VOUCHED): Consent.CONFIRMED,
    (Consent.PENDING, ConsentEvent.WITHDRAWN): Consent.WITHDRAWN,
    (Consent.CONFIRMED, ConsentEvent.ASKED): Consent.CONFIRMED,
    (Consent.CONFIRMED, ConsentEvent.CONFIRMED): Consent.CONFIRMED,
    (Consent.CONFIRMED, ConsentEvent.VOUCHED): Consent.CONFIRMED,
    (Consent.CONFIRMED, ConsentEvent.WITHDRAWN): Consent.WITHDRAWN,
    # Only the person can come back after leaving; the operator cannot vouch for them.
    (Consent.WITHDRAWN, ConsentEvent.ASKED): Consent.PENDING,
    (Consent.WITHDRAWN, ConsentEvent.WITHDRAWN): Consent.WITHDRAWN,
    (Consent.WITHDRAWN, ConsentEvent.UNDONE): Consent.CONFIRMED,
    (Consent.CONFIRMED, ConsentEvent.UNDONE): Consent.CONFIRMED,
    (Consent.CONFIRMED, ConsentEvent.MOVED): Consent.CONFIRMED,
}


def next_consent(consent: Consent | None, event: ConsentEvent) -> Consent:
    """Return the consent after an event. Raises ConsentError if the table does not list it."""
    try:
        return TRANSITIONS[consent, event]
    except KeyError:
        raise ConsentError(
            "consent is %(consent)s, and the event %(event)s is not allowed then",
            consent=consent or "unknown",
            event=event,
        ) from None
