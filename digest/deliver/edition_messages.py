"""The messages of deliveries: what was chosen for somebody, filled into the day's templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock

from digest.compose.composer import Composer
from digest.ledger.ledger import Ledger
from digest.model.deliveries import Delivery
from digest.model.digests import Candidate, Digest, Edition
from digest.model.messages import Message
from subscribers.model import Subscriber


class EditionMessages:
    """Makes the messages of one pass of sending. Threads may share it; they take turns."""

    def __init__(self, ledger: Ledger, composer: Composer) -> None:
        self._ledger = ledger
        self._composer = composer
        self._editions: dict[int, _Ready] = {}
        self._lock = Lock()

    def message(self, delivery: Delivery, person: Subscriber, now: datetime) -> Message:
        """The message of a delivery, dated ``now``.

        Raises TemplateError, before the first message of an edition, where a template is to blame:
        nobody is to miss a digest for that. Raises MessageTooLarge and NothingToShow for one.
        """
        with self._lock:
            ready = self._ready(delivery.edition_id)
            digest = self._digest(delivery, ready, person)
            to, public_id = person.address, person.public_id
            return self._composer.compose(digest, to=to, public_id=public_id, now=now)

    def _digest(self, delivery: Delivery, ready: "_Ready", person: Subscriber) -> Digest:
        try:
            return planned_digest(self._ledger, delivery, ready.edition, ready.papers, person)
        except KeyError:  # planned since, of papers of an edition before
            ready.papers = self._ledger.editions.papers_of(ready.edition)
            return planned_digest(self._ledger, delivery, ready.edition, ready.papers, person)

    def _ready(self, edition_id: int) -> "_Ready":
        if edition_id not in self._editions:
            edition = self._ledger.editions.get(edition_id)
            papers = self._ledger.editions.papers_of(edition)
            wanted = self._ledger.deliveries.papers_to_send(edition_id)
            notes = self._ledger.deliveries.notes_to_send(edition_id)
            candidates = [papers[number] for number in sorted(wanted)]
            self._composer.try_out(edition, candidates, sorted(notes))
            self._editions[edition_id] = _Ready(edition, papers)
        return self._editions[edition_id]


@dataclass(slots=True)
class _Ready:
    """An edition whose messages can be made."""

    edition: Edition
    papers: Mapping[int, Candidate]


def digest_of(ledger: Ledger, subscriber: Subscriber, day: date) -> Digest | None:
    """Return what a digest or note of a day is made of, sent or not; None if there is none."""
    edition = ledger.editions.on(day)
    delivery = ledger.deliveries.of(edition, subscriber.id) if edition else None
    if edition is None or delivery is None:
        return None
    papers = ledger.editions.papers_of(edition)
    digest = planned_digest(ledger, delivery, edition, papers, subscriber)
    return digest if digest.picks or digest.why_nothing else None


def planned_digest(
    ledger: Ledger,
    delivery: Delivery,
    edition: Edition,
    papers: Mapping[int, Candidate],
    person: Subscriber,
) -> Digest:
    """What was chosen for a delivery, of the papers of its edition (``Editions.papers_of``).

    Or the note that it is.
    """
    return Digest(
        day=edition.day,
        topics=person.topics,
        picks=ledger.deliveries.picks(delivery, papers),
        pool_size=len(edition.candidates),
        missing=edition.missing,
        why_nothing=delivery.note,
    )
