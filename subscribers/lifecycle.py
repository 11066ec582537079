"""The life of a consent, as one table. Pure."""

from enum import StrEnum

from subscribers.errors import ConsentError
from subscribers.model import Consent


class ConsentEvent(StrEnum):
    ASKED = "asked"  # the person filled in the form: a confirmation is on its way
    CONFIRMED = "confirmed"  # the person pressed the button in that mail
    VOUCHED = "vouched"  # the operator states that the person asked for it
    WITHDRAWN = "withdrawn"  # the person left
    UNDONE = "undone"  # on the page after leaving, the person took it back
    MOVED = "moved"  # the person confirmed another address, at that address


# None is somebody we have never heard of. What is not listed is refused.
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
    # Whoever left comes back only by their own hand, never by being put back.
    (Consent.WITHDRAWN, ConsentEvent.ASKED): Consent.PENDING,
    (Consent.WITHDRAWN, ConsentEvent.WITHDRAWN): Consent.WITHDRAWN,
    (Consent.WITHDRAWN, ConsentEvent.UNDONE): Consent.CONFIRMED,
    (Consent.CONFIRMED, ConsentEvent.UNDONE): Consent.CONFIRMED,
    (Consent.CONFIRMED, ConsentEvent.MOVED): Consent.CONFIRMED,
}


def next_consent(consent: Consent | None, event: ConsentEvent) -> Consent:
    """Return the consent after an event.

    Raises ConsentError where the event may not happen: an operator cannot vouch for somebody who
    left, and a stale confirmation link does not bring anybody back.
    """
    try:
        return TRANSITIONS[consent, event]
    except KeyError:
        raise ConsentError(
            f"a consent that is {consent or 'unknown'} cannot become {event} this way"
        ) from None
