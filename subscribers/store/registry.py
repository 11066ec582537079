"""The people of one database: their consent and preferences, and everything stored about them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, and_, delete, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from subscribers.addresses import address_key, normalise_address
from subscribers.errors import ConsentError
from subscribers.follows import Follow
from subscribers.lifecycle import ConsentEvent, next_consent
from subscribers.model import (
    Consent,
    ConsentChange,
    Evidence,
    PersonFile,
    Standing,
    Subscriber,
    Suppression,
    SuppressionReason,
)
from subscribers.own_papers import OwnPaper
from subscribers.preferences import Preferences
from subscribers.store import rows
from subscribers.store.address_changes import AddressChanges
from subscribers.store.bulk_changes import BulkChanges
from subscribers.store.directory import Directory
from subscribers.store.feed_links import FeedLinks
from subscribers.store.id_list import one_of
from subscribers.store.overview import Overview
from subscribers.store.own_papers import OwnPapers, own_paper_of
from subscribers.store.ratings import Ratings
from subscribers.store.retention import SIGN_UPS_KEPT_FOR, OldRows
from subscribers.store.store import Store
from subscribers.store.suppressions import Suppressions
from subscribers.store.tables import (
    address_changes,
    consents,
    feed_links,
    own_papers,
    ratings,
    signups,
    subscribers,
    suppressions,
)
from subscribers.topics import TopicFilter
from subscribers.transfer import ImportRow


class Registry(Store):
    """The subscribers of one database. Each method is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.address_changes = AddressChanges(engine)
        self.old_rows = OldRows(engine)
        self.own_papers = OwnPapers(engine)
        self.feed_links = FeedLinks(engine)
        self.ratings = Ratings(engine)
        self.overview = Overview(engine)
        self.directory = Directory(engine)
        self.bulk_changes = BulkChanges(engine)
        self.suppressions = Suppressions(engine)

    # ---- joining -----------------------------------------------------------------------------

    def is_within_limits(self, limits: Mapping[str, int], now: datetime) -> bool:
        """Count a sign-up request under each key; return whether none is over its limit per hour.

        A refused request counts as well.
        """
        with self._engine.begin() as connection:
            outdated = signups.c.at <= now - SIGN_UPS_KEPT_FOR
            connection.execute(delete(signups).where(outdated))
            connection.execute(insert(signups), [{"asker": key, "at": now} for key in limits])
        # Committed before it counts: simultaneous requests all see each other.
        return all(self._has_asked_at_most(key, limit) for key, limit in limits.items())

    def _has_asked_at_most(self, key: str, limit: int) -> bool:
        """Return whether no more requests than this count under a key; look at one more at most."""
        query = select(signups.c.id).where(signups.c.asker == key).limit(limit + 1)
        return len(self._values(query)) <= limit

    def add(
        self,
        address: str,
        topics: Sequence[TopicFilter],
        *,
        source: str,
        now: datetime,
    ) -> Subscriber:
        """Add a confirmed subscriber whose consent the operator vouches for.

        A known person gets the new topics, or keeps the old ones if none are given. Raises
        AddressError, and ConsentError for a person who left: only they can come back.
        """
        address = normalise_address(address)
        evidence = Evidence(ConsentEvent.VOUCHED, now, source)
        with self._engine.begin() as connection:
            known = rows.by_address(connection, address)
            try:
                consent = next_consent(known.consent if known else None, ConsentEvent.VOUCHED)
            except ConsentError:
                raise ConsentError(
                    "%(address)s has unsubscribed; only the person can subscribe again",
                    address=address,
                ) from None
            values: dict[str, object] = {"consent": consent}
            if topics or known is None:
                values["topics"] = [topic.text for topic in topics]
            return rows.save(connection, address, known, values, evidence)

    def ask(
        self,
        address: str,
        topics: Sequence[TopicFilter],
        preferences: Preferences | None = None,
        *,
        source: str,
        now: datetime,
        client: str = "",
    ) -> Subscriber | None:
        """Record a sign-up request; return the pending subscriber who must be asked to confirm.

        Return None if no email may go out: the address is confirmed, or blocked for another reason
        than bounces, or another request is recorded at this moment. ``client`` is the network
        address. Raises AddressError.
        """
        address = normalise_address(address)
        evidence = Evidence(ConsentEvent.ASKED, now, source, client)
        try:
            with self._engine.begin() as connection:
                known = rows.by_address(connection, address)
                consent = next_consent(known.consent if known else None, ConsentEvent.ASKED)
                block = rows.block_on(connection, address)
                if block and not block.reason.is_bounce:
                    return None
                if known and consent is Consent.CONFIRMED:  # the request changes nothing else
                    if block:
                        rows.record_evidence(connection, known.id, evidence)
                    return known if block else None
                values = {
                    "consent": consent,
                    "topics": [topic.text for topic in topics],
                    "preferences": (preferences or Preferences()).to_json(),
                }
                return rows.save(connection, address, known, values, evidence)
        except (IntegrityError, ConsentError):
            return None

    def confirm(
        self, public_id: str, *, source: str, now: datetime, client: str = ""
    ) -> ConsentChange | None:
        """Confirm a person; return None if they are unknown or have left. Idempotent.

        The link arrived by email, so a block for bounces that is older than the request is lifted.
        """
        evidence = Evidence(ConsentEvent.CONFIRMED, now, source, client)
        change = self._record(public_id, Consent.PENDING, evidence)
        if change is not None:
            asked = select(func.max(consents.c.at)).where(
                consents.c.subscriber_id == change.person.id,
                consents.c.event == ConsentEvent.ASKED,
            )
            with self._engine.begin() as connection:
                requested = connection.execute(asked).scalar()
                is_lifted = rows.lift_bounces(connection, change.person.address, requested)
                if is_lifted and not change.is_news:
                    rows.record_evidence(connection, change.person.id, evidence)
        return change

    def admit(self, people: Sequence[ImportRow], now: datetime) -> int:
        """Add some hundred people from a file, with evidence and blocks; return how many were new.

        Known people stay unchanged: an import can be repeated, and brings nobody back.
        """
        with self._engine.begin() as connection:
            return rows.admit(connection, people, now)

    # ---- leaving -----------------------------------------------------------------------------

    def withdraw(
        self, public_id: str, *, source: str, now: datetime, client: str = ""
    ) -> ConsentChange | None:
        """Withdraw a person's consent; return None if they are unknown. Idempotent."""
        with self._engine.begin() as connection:
            person = rows.by_public_id(connection, public_id)
            if person is None:
                return None
            if person.consent is Consent.WITHDRAWN:
                return ConsentChange(person, Consent.WITHDRAWN)
            was: Consent = person.consent
            consent = next_consent(person.consent, ConsentEvent.WITHDRAWN)
            # Leaving wins over anything else that is recorded at this moment, and counts once.
            still_here = (subscribers.c.id == person.id, subscribers.c.consent != consent)
            leave = update(subscribers).where(*still_here).values(consent=consent)
            if connection.execute(leave).rowcount:
                evidence = Evidence(ConsentEvent.WITHDRAWN, now, source, client)
                rows.record_evidence(connection, person.id, evidence)
                its_feed = feed_links.c.subscriber_id == person.id
                connection.execute(delete(feed_links).where(its_feed))
            else:
                was = Consent.WITHDRAWN
            person = rows.by_public_id(connection, public_id)
            return ConsentChange(person, was) if person else None

    def undo(
        self, public_id: str, *, source: str, now: datetime, client: str = ""
    ) -> ConsentChange | None:
        """Undo a withdrawal; return None if the person is unknown or not confirmed."""
        evidence = Evidence(ConsentEvent.UNDONE, now, source, client)
        return self._record(public_id, Consent.WITHDRAWN, evidence)

    def has_confirmed(self, person: Subscriber) -> bool:
        """Return whether there is evidence that a person has ever consented."""
        agreed = [ConsentEvent.CONFIRMED, ConsentEvent.VOUCHED]
        found = select(consents.c.id).where(
            consents.c.subscriber_id == person.id, consents.c.event.in_(agreed)
        )
        return self._value(found) is not None

    def remove(self, address: str) -> bool:
        """Delete a person and their data, but not a block; return whether there was one.

        Raises AddressError.
        """
        key = address_key(normalise_address(address))
        return self._write(delete(subscribers).where(subscribers.c.address_key == key)) > 0

    def _record(
        self, public_id: str, expected: Consent, evidence: Evidence
    ) -> ConsentChange | None:
        """Record an event if the consent is ``expected``; return the person if then confirmed."""
        was = Consent.CONFIRMED
        with self._engine.begin() as connection:
            person = rows.by_public_id(connection, public_id)
            if person is not None and person.consent is expected:
                with suppress(ConsentError):  # another request has changed it at this moment
                    consent = next_consent(person.consent, ConsentEvent(evidence.event))
                    rows.change(connection, person, consent=consent)
                    rows.record_evidence(connection, person.id, evidence)
                    was = expected
                person = rows.by_public_id(connection, public_id)
        if person is None or person.consent is not Consent.CONFIRMED:
            return None
        return ConsentChange(person, was)

    # ---- choosing ----------------------------------------------------------------------------

    def set_preferences(
        self, public_id: str, topics: Sequence[TopicFilter], preferences: Preferences
    ) -> Subscriber | None:
        """Replace a person's topics and preferences; return None if they are unknown."""
        with self._engine.begin() as connection:
            its_row = update(subscribers).where(subscribers.c.public_id == public_id)
            texts = [topic.text for topic in topics]
            connection.execute(its_row.values(topics=texts, preferences=preferences.to_json()))
            return rows.by_public_id(connection, public_id)

    def set_follow(self, public_id: str, follow: Follow, *, wanted: bool) -> Subscriber | None:
        """Follow an author or an organisation, or stop; return None if the person is unknown.

        Raises PreferenceError if they follow as many as anybody may.
        """
        its_row = update(subscribers).where(subscribers.c.public_id == public_id)
        with self._engine.begin() as connection:
            # It changes nothing, but whoever presses another button at this moment has to wait.
            connection.execute(its_row.values(public_id=public_id))
            person = rows.by_public_id(connection, public_id)
            if person is None:
                return None
            preferences = person.preferences.following(follow, wanted=wanted)
            connection.execute(its_row.values(preferences=preferences.to_json()))
            return replace(person, preferences=preferences)

    # ---- reading -----------------------------------------------------------------------------

    def get(self, subscriber_id: int) -> Subscriber | None:
        with self._engine.connect() as connection:
            return rows.one(connection, subscribers.c.id == subscriber_id)

    def by_public_id(self, public_id: str) -> Subscriber | None:
        with self._engine.connect() as connection:
            return rows.by_public_id(connection, public_id)

    def standing(self, subscriber_id: int) -> Standing:
        """Return whether this person may be mailed right now, or why not."""
        with self._engine.connect() as connection:
            standing, _ = rows.standings(connection, [subscriber_id]).get(
                subscriber_id, (Standing.REMOVED, "")
            )
            return standing

    def everybody(
        self, consent: Consent | None = None, among: range | None = None
    ) -> list[Subscriber]:
        """Return everybody, or those with one consent and an id in a range, as they came."""
        its = subscribers.c
        which = [] if consent is None else [its.consent == consent]
        if among is not None:
            which.append(its.id.between(among.start, among.stop - 1))
        with self._engine.connect() as connection:
            return rows.read_many(connection, and_(true(), *which))

    def some(self, ids: Collection[int]) -> list[Subscriber]:
        """Return the people with these ids, in the order they came."""
        with self._reading.connect() as connection:
            return rows.read_many(connection, one_of(subscribers.c.id, ids))

    def files(self) -> list[PersonFile]:
        """Return everything that is stored about everybody, in the order they came."""
        return self._files(true())

    def files_after(self, subscriber_id: int, most: int) -> list[PersonFile]:
        """Return up to ``most`` files of people with later ids."""
        later = select(subscribers.c.id).where(subscribers.c.id > subscriber_id)
        return self._files(subscribers.c.id.in_(later.order_by(subscribers.c.id).limit(most)))

    def files_of(self, ids: Collection[int]) -> list[PersonFile]:
        """Return everything that is stored about the people with these ids, as they came."""
        return self._files(one_of(subscribers.c.id, ids))

    def file_of(self, address: str) -> PersonFile | None:
        """Return everything that is stored about one person. Raises AddressError."""
        key = address_key(normalise_address(address))
        return next(iter(self._files(subscribers.c.address_key == key)), None)

    def file_by_id(self, subscriber_id: int) -> PersonFile | None:
        """Return the same, by the person's id."""
        return next(iter(self._files(subscribers.c.id == subscriber_id)), None)

    def _files(self, condition: ColumnElement[bool]) -> list[PersonFile]:
        whose = select(subscribers.c.id).where(condition)
        keys = select(subscribers.c.address_key).where(condition)
        with self._engine.connect() as connection:
            evidence: dict[int, list[Evidence]] = defaultdict(list)
            found = select(consents).where(consents.c.subscriber_id.in_(whose))
            for row in connection.execute(found.order_by(consents.c.at, consents.c.id)):
                evidence[row.subscriber_id].append(rows.evidence_of(row))
            rated = rows.ratings_by_person(connection, ratings.c.subscriber_id.in_(whose))
            own: dict[int, list[OwnPaper]] = defaultdict(list)
            named = select(own_papers).where(own_papers.c.subscriber_id.in_(whose))
            for row in connection.execute(named.order_by(own_papers.c.at, own_papers.c.paper)):
                own[row.subscriber_id].append(own_paper_of(row))
            is_open = address_changes.c.address != subscribers.c.address
            wanted = select(address_changes).join(subscribers).where(is_open)
            theirs = wanted.where(address_changes.c.subscriber_id.in_(whose))
            moving = {row.subscriber_id: row.address for row in connection.execute(theirs)}
            blocks = select(suppressions).where(suppressions.c.address_key.in_(keys))
            blocked = {
                row.address_key: Suppression(SuppressionReason(row.reason), row.at)
                for row in connection.execute(blocks)
            }
            people = select(subscribers).where(condition).order_by(subscribers.c.id)
            return [
                PersonFile(
                    subscriber=rows.subscriber_of(row),
                    evidence=tuple(evidence[row.id]),
                    ratings=tuple(rated[row.id]),
                    papers=tuple(own[row.id]),
                    moving_to=moving.get(row.id, ""),
                    suppression=blocked.get(row.address_key),
                )
                for row in connection.execute(people)
            ]
