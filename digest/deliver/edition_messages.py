"""Compose the messages of deliveries: the papers chosen for a subscriber, in the templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from threading import Lock

from digest.compose.composer import Composer
from digest.deliver.sentences import Sentences
from digest.ledger.ledger import Ledger
from digest.model.announcements import FIRST_NUMBER, Announced, Announcement
from digest.model.deliveries import Delivery
from digest.model.digests import Candidate, Digest, Edition, Pick, SkipReason
from digest.model.packed_picks import numbers_in, picks_of
from subscribers.model import Subscriber


class EditionMessages:
    """Reads the digests of a pass of sending. Threads may share it; they take turns.

    ``sentences`` adds what a language model says of their papers, if there is one.
    """

    def __init__(
        self, ledger: Ledger, composer: Composer, sentences: Sentences | None = None
    ) -> None:
        self._ledger = ledger
        self._sentences = sentences
        self._composer = composer
        self._editions: dict[int, _Ready] = {}
        self._announcements: dict[int, Announcement] = {}
        self._lock = Lock()

    def digests(
        self, block: Sequence[Delivery], people: Mapping[int, Subscriber]
    ) -> dict[int, Digest | Announced]:
        """Return the digests of deliveries to these people, or announcements, by the delivery's id.

        Raises TemplateError before there is any message of them if a template is to blame, so that
        nobody misses a digest because of it.
        """
        with self._lock:
            found: dict[int, Digest] = {}
            announced: dict[int, Announced] = {}
            for edition_id in sorted({delivery.edition_id for delivery in block}):
                its = [delivery for delivery in block if delivery.edition_id == edition_id]
                if edition_id >= FIRST_NUMBER:
                    announcement = self._announcement(edition_id)
                    for delivery in its:
                        locale = people[delivery.subscriber_id].preferences.locale
                        announced[delivery.id] = Announced(announcement, locale)
                    continue
                ready = self._ready(edition_id, its)
                for delivery in its:
                    picks = picks_of(delivery.picks, ready.papers)
                    person = people[delivery.subscriber_id]
                    found[delivery.id] = _digest(delivery, ready.edition, picks, person)
            digests = self._sentences.added(found) if self._sentences else found
            return {**digests, **announced}

    def _announcement(self, edition_id: int) -> Announcement:
        if edition_id not in self._announcements:
            found = self._ledger.announcements.get(edition_id)
            assert found, "a delivery refers to it"
            self._announcements[edition_id] = found
        return self._announcements[edition_id]

    def _ready(self, edition_id: int, block: Sequence[Delivery]) -> "_Ready":
        """Return an edition with the papers of these deliveries of it.

        All papers that it lists are tried out before its first message, those of earlier editions
        and notes before the first block that has them: others may still be planned.
        """
        if edition_id not in self._editions:
            edition = self._ledger.editions.get(edition_id)
            self._editions[edition_id] = _Ready(edition)
        ready = self._editions[edition_id]
        wanted = numbers_in(delivery.picks for delivery in block)
        notes = {delivery.note for delivery in block if delivery.note} - ready.notes
        if notes or not ready.papers or not wanted <= ready.papers.keys():
            papers = {**self._ledger.editions.papers_of(ready.edition, block), **ready.papers}
            new = sorted(papers.keys() - ready.papers.keys())
            self._composer.try_out(ready.edition, [papers[number] for number in new], sorted(notes))
            ready.papers, ready.notes = papers, ready.notes | notes
        return ready


@dataclass(slots=True)
class _Ready:
    """An edition of which messages can be made: with these papers, and notes for these reasons."""

    edition: Edition
    papers: dict[int, Candidate] = field(default_factory=dict)
    notes: set[SkipReason] = field(default_factory=set)


def digest_of(ledger: Ledger, subscriber: Subscriber, day: date) -> Digest | None:
    """Return a subscriber's digest or note of a day, sent or not; None if there is none."""
    edition = ledger.editions.on(day)
    delivery = ledger.deliveries.of(edition, subscriber.id) if edition else None
    if edition is None or delivery is None:
        return None
    digest = planned_digest(ledger, delivery, edition, subscriber)
    return digest if digest.picks or digest.why_nothing else None


def planned_digest(
    ledger: Ledger, delivery: Delivery, edition: Edition, person: Subscriber
) -> Digest:
    """Return the digest, or the note that there is none, as it was planned for a delivery."""
    return _digest(delivery, edition, ledger.editions.picks(edition, delivery), person)


def _digest(
    delivery: Delivery, edition: Edition, picks: tuple[Pick, ...], person: Subscriber
) -> Digest:
    return Digest(
        day=edition.day,
        topics=person.topics,
        picks=picks,
        pool_size=len(edition.candidates),
        missing=edition.missing,
        why_nothing=delivery.note,
        cadence=person.preferences.cadence,
        pictures=person.preferences.pictures,
        locale=person.preferences.locale,
        translated_titles=person.preferences.translated_titles,
    )
