"""Consent under any order of events: the registry on a real database, beside a plain model of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, delete, select

from subscribers.errors import AddressError, ConsentError
from subscribers.model import (
    Consent,
    ConsentChange,
    Evidence,
    Standing,
    Suppression,
    SuppressionReason,
)
from subscribers.preferences import Preferences
from subscribers.store.registry import Registry
from subscribers.store.rows import evidence_of
from subscribers.store.tables import consents, metadata
from subscribers.topics import TopicFilter, parse_topics
from subscribers.transfer import ImportRow
from tests.support import NOW, examples


@dataclass(frozen=True)
class Spelling:
    """One way to write an address: whose mailbox it is, and how it is kept."""

    typed: str
    mailbox: str
    kept: str


SPELLINGS = [
    Spelling("ada@example.org", "ada", "ada@example.org"),
    Spelling(" ADA@Example.ORG", "ada", "ADA@example.org"),
    Spelling("bob@bücher.example", "bob", "bob@xn--bcher-kva.example"),
    Spelling("Bob@XN--BCHER-KVA.example", "bob", "Bob@xn--bcher-kva.example"),
    Spelling("jos\u00e9@example.org", "josé", "jos\u00e9@example.org"),
    Spelling("JOSE\u0301@example.org", "josé", "JOS\u00c9@example.org"),
]
MAILBOX_OF = {spelling.kept: spelling.mailbox for spelling in SPELLINGS}

# A consent as a file states it, with the evidence that it brings.
STATED = [
    ("pending", ("asked",)),
    ("confirmed", ("asked", "confirmed")),
    ("confirmed", ("vouched",)),
    ("withdrawn", ("vouched", "withdrawn")),
    ("withdrawn", ("withdrawn",)),
]

spellings = st.sampled_from(SPELLINGS)
reasons = st.sampled_from(SuppressionReason)
topics = st.sampled_from([(), parse_topics(["robots"]), parse_topics(["agents", "ducks"])])
preferences = st.sampled_from([Preferences(), Preferences(max_papers=3, trending=False)])
people_in_a_file = st.lists(
    st.tuples(spellings, st.sampled_from(STATED), topics, st.none() | reasons),
    min_size=1,
    max_size=3,
)


@dataclass(eq=False)
class Person:
    """Somebody, as the model has them; ``link`` is their public id."""

    link: str
    mailbox: str
    address: str
    consent: str
    topics: tuple[TopicFilter, ...]
    preferences: Preferences = field(default_factory=Preferences)
    said: list[Evidence] = field(default_factory=list)

    @property
    def has_agreed(self) -> bool:
        return any(item.event in {"confirmed", "vouched"} for item in self.said)


@dataclass
class Request:
    """A change of address that somebody asked for."""

    person: Person
    to: Spelling
    at: datetime


class ConsentMachine(RuleBasedStateMachine):
    """``left`` holds the mailboxes whose owners' last word was to leave.

    It follows what was done, not what became of anybody's consent, as the blocks do.
    """

    links: Bundle[str] = Bundle("links")
    address_changes: Bundle[str] = Bundle("moves")

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        with engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
        self.registry = Registry(engine)
        self.now = NOW
        self.people: dict[str, Person] = {}
        self.wanted: dict[str, Request] = {}
        self.blocks: dict[str, Suppression] = {}
        self.left: set[str] = set()
        self.evidence: dict[int, Evidence] = {}
        self.numbers: dict[int, str] = {}

    # ---- what happens ------------------------------------------------------------------------

    @initialize(target=links, file=people_in_a_file)
    def begin(self, file: list) -> object:
        return self.take_in(file)

    @rule(hours=st.sampled_from([1, 24, 72]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(target=links, spelling=spellings, topics=topics)
    def add(self, spelling: Spelling, topics: tuple[TopicFilter, ...]) -> object:
        person = self.at(spelling.mailbox)
        said = self.says("vouched")
        add = {"source": said.source, "now": said.at}
        if person and person.consent == "withdrawn":
            with pytest.raises(ConsentError, match="has unsubscribed"):
                self.registry.add(spelling.typed, topics, **add)
            return multiple()
        added = self.registry.add(spelling.typed, topics, **add)
        if person is None:
            person = self.arrives(added.public_id, spelling, "confirmed", topics)
        person.consent = "confirmed"
        person.topics = topics or person.topics
        person.said.append(said)
        assert added == self.registry.by_public_id(person.link)
        return added.public_id

    @rule(target=links, spelling=spellings, topics=topics, preferences=preferences)
    def ask(
        self, spelling: Spelling, topics: tuple[TopicFilter, ...], preferences: Preferences
    ) -> object:
        person = self.at(spelling.mailbox)
        said = self.says("asked")
        asked = self.registry.ask(spelling.typed, topics, preferences, **named(said))
        block = self.blocks.get(spelling.mailbox)
        if block and block.reason in ("complaint", "operator"):
            assert asked is None
            return multiple()
        if person and person.consent == "confirmed":
            if block is None:
                assert asked is None
                return multiple()
            person.said.append(said)
            assert asked == self.registry.by_public_id(person.link)
            return person.link
        if person is None:
            person = self.arrives(asked.public_id, spelling, "pending", topics)
        self.left.discard(spelling.mailbox)
        person.consent, person.topics, person.preferences = "pending", topics, preferences
        person.said.append(said)
        assert asked == self.registry.by_public_id(person.link)
        return asked.public_id

    @rule(link=links)
    def confirm(self, link: str) -> None:
        said = self.says("confirmed")
        confirmed = self.registry.confirm(link, **named(said))
        person = self.people.get(link)
        if person is None or person.consent == "withdrawn":
            assert confirmed is None
            return
        was = person.consent
        asked = max((item.at for item in person.said if item.event == "asked"), default=NOW)
        is_lifted = self.lifts_bounces(person.mailbox, asked)
        if was == "pending" or is_lifted:
            person.consent = "confirmed"
            person.said.append(said)
        assert confirmed == ConsentChange(self.registry.by_public_id(link), Consent(was))

    @rule(link=links)
    def withdraw(self, link: str) -> None:
        said = self.says("withdrawn")
        left = self.registry.withdraw(link, **named(said))
        person = self.people.get(link)
        if person is None:
            assert left is None
            return
        self.left.add(person.mailbox)
        was = person.consent
        if was != "withdrawn":
            person.consent = "withdrawn"
            person.said.append(said)
        assert left == ConsentChange(self.registry.by_public_id(link), Consent(was))

    @rule(link=links)
    def undo(self, link: str) -> None:
        """As the page does, which offers it only to those who once agreed."""
        said = self.says("undone")
        person = self.people.get(link)
        if person is None:
            assert self.registry.undo(link, **named(said)) is None
            return
        has_agreed = self.registry.has_confirmed(self.registry.by_public_id(link))
        assert has_agreed == person.has_agreed
        if not has_agreed:
            return
        undone = self.registry.undo(link, **named(said))
        if person.consent == "pending":
            assert undone is None
            return
        self.left.discard(person.mailbox)
        was = person.consent
        if was == "withdrawn":
            person.consent = "confirmed"
            person.said.append(said)
        assert undone == ConsentChange(self.registry.by_public_id(link), Consent(was))

    @rule(spelling=spellings)
    def remove(self, spelling: Spelling) -> None:
        person = self.at(spelling.mailbox)
        if person is None:
            assert not self.registry.remove(spelling.typed)
            return
        forgotten = self.evidence_rows(self.registry.by_public_id(person.link).id)
        assert self.registry.remove(spelling.typed)
        assert not forgotten.keys() & self.evidence_rows().keys()
        for number in forgotten:
            del self.evidence[number]
        self.forget(person)
        self.left.discard(spelling.mailbox)

    @rule(spelling=spellings, reason=reasons)
    def suppress(self, spelling: Spelling, reason: SuppressionReason) -> None:
        block = Suppression(reason, self.tick())
        self.registry.suppressions.add(spelling.kept, reason, now=block.at)
        self.block(spelling.mailbox, block)

    def block(self, mailbox: str, new: Suppression) -> None:
        if self.is_for_bounces(mailbox) and new.reason in ("complaint", "operator"):
            del self.blocks[mailbox]
        self.blocks.setdefault(mailbox, new)

    def is_for_bounces(self, mailbox: str) -> bool:
        block = self.blocks.get(mailbox)
        return block is not None and block.reason in ("hard-bounce", "soft-bounces")

    def lifts_bounces(self, mailbox: str, asked: datetime) -> bool:
        """Lift a block for bounces that is older than the request whose mail has arrived."""
        is_lifted = self.is_for_bounces(mailbox) and self.blocks[mailbox].at <= asked
        if is_lifted:
            del self.blocks[mailbox]
        return is_lifted

    @rule(spelling=spellings)
    def lift(self, spelling: Spelling) -> None:
        was_blocked = self.blocks.pop(spelling.mailbox, None) is not None
        assert self.registry.suppressions.lift(spelling.kept) is was_blocked

    @rule(target=links, file=people_in_a_file)
    def admit(self, file: list) -> object:
        return self.take_in(file)

    def take_in(self, file: list) -> object:
        arrived, new = [], []
        for spelling, (consent, events), topics, reason in file:
            said = [self.says(event) for event in events]
            block = Suppression(reason, self.tick()) if reason else None
            arrived.append(
                ImportRow(
                    spelling.kept,
                    topics,
                    Preferences(),
                    Consent(consent),
                    tuple(said),
                    (),
                    (),
                    block,
                )
            )
            if self.at(spelling.mailbox):
                continue
            person = self.arrives(f"import {len(new)}", spelling, consent, topics)
            person.said += said
            new.append(person)
            if consent == "withdrawn":
                self.left.add(spelling.mailbox)
            if block:
                self.block(spelling.mailbox, block)
        assert self.registry.admit(arrived, self.tick()) == len(new)
        for person in new:
            del self.people[person.link]
            person.link = self.registry.file_of(person.address).subscriber.public_id
            self.people[person.link] = person
        return multiple(*(person.link for person in new))

    @rule(target=address_changes, link=links, to=spellings)
    def ask_for_address_change(self, link: str, to: Spelling) -> object:
        change = self.want_to_move(link, to)
        return change or multiple()

    @rule(link=links, to=spellings)
    def change(self, link: str, to: Spelling) -> None:
        if change := self.want_to_move(link, to):
            self.confirm_an_address_change(change)

    @rule(link=address_changes)
    def complete_a_move(self, link: str) -> None:
        self.confirm_an_address_change(link)

    def want_to_move(self, link: str, to: Spelling) -> str | None:
        """As the page does it, which serves everybody but those who left."""
        person = self.people.get(link)
        if person is None or person.consent == "withdrawn":
            return None
        at = self.tick()
        change = self.registry.address_changes.ask(self.registry.by_public_id(link), to.kept, at)
        self.wanted = {
            link: request
            for link, request in self.wanted.items()
            if request.person is not person and at - request.at < timedelta(hours=72)
        }
        self.wanted[change.public_id] = Request(person, to, at)
        return change.public_id

    def confirm_an_address_change(self, link: str) -> None:
        said = self.says("moved")
        request = self.wanted.get(link)
        if request is None or request.person.consent != "confirmed":
            assert self.registry.address_changes.complete(link, **named(said)) is None
            return
        person, to = request.person, request.to
        other = self.at(to.mailbox)
        if other not in (None, person) and other.consent == "confirmed":
            with pytest.raises(AddressError, match="is already subscribed"):
                self.registry.address_changes.complete(link, **named(said))
            return
        change = self.registry.address_changes.complete(link, **named(said))
        assert (change.person.public_id, change.person.address) == (person.link, person.address)
        assert change.address == to.kept
        if person.address == to.kept:
            return
        self.lifts_bounces(to.mailbox, request.at)
        if other not in (None, person):
            person.said += other.said
            self.forget(other)
        self.left.discard(to.mailbox)
        person.mailbox, person.address = to.mailbox, to.kept
        person.said.append(said)

    @rule(link=links, topics=topics, preferences=preferences)
    def set_preferences(
        self, link: str, topics: tuple[TopicFilter, ...], preferences: Preferences
    ) -> None:
        changed = self.registry.set_preferences(link, topics, preferences)
        assert changed == self.registry.by_public_id(link)
        if person := self.people.get(link):
            person.topics, person.preferences = topics, preferences

    # ---- what holds ----------------------------------------------------------------------------

    @invariant()
    def everybody_is_as_in_the_model(self) -> None:
        files = {file.subscriber.public_id: file for file in self.registry.files()}
        assert files.keys() == self.people.keys()
        for link, person in self.people.items():
            file = files[link]
            found = file.subscriber
            assert (found.address, found.consent) == (person.address, person.consent)
            assert (found.topics, found.preferences) == (person.topics, person.preferences)
            assert list(file.evidence) == sorted(person.said, key=lambda item: item.at)
            assert file.suppression == self.blocks.get(person.mailbox)
            assert self.registry.standing(found.id) is self.standing(person)
        confirmed = [person.public_id for person in self.registry.everybody(Consent.CONFIRMED)]
        assert confirmed == [link for link in files if self.people[link].consent == "confirmed"]

    @invariant()
    def nobody_is_mailed_against_their_will(self) -> None:
        for person in self.registry.everybody():
            if self.registry.standing(person.id) is Standing.MAY_RECEIVE:
                mailbox = MAILBOX_OF[person.address]
                assert mailbox not in self.left
                assert mailbox not in self.blocks
                assert self.registry.has_confirmed(person)

    @invariant()
    def evidence_is_only_ever_added(self) -> None:
        rows = self.evidence_rows()
        assert self.evidence.items() <= rows.items()
        self.evidence = rows

    @invariant()
    def a_number_is_one_persons_for_ever(self) -> None:
        for person in self.registry.everybody():
            assert self.numbers.setdefault(person.id, person.public_id) == person.public_id
        for number, link in self.numbers.items():
            is_removed = self.registry.standing(number) is Standing.REMOVED
            assert is_removed is (link not in self.people)

    @invariant()
    def blocks_stay_with_or_without_a_person(self) -> None:
        for spelling in SPELLINGS[::2]:
            covered = self.registry.suppressions.covers(spelling.kept)
            assert covered is (spelling.mailbox in self.blocks)

    # ---- the model -----------------------------------------------------------------------------

    def tick(self) -> datetime:
        """The time, which is another each time."""
        self.now += timedelta(seconds=1)
        return self.now

    def says(self, event: str) -> Evidence:
        client = "" if event == "vouched" else "2001:db8::1"
        return Evidence(event, self.tick(), f"source of {event}", client)

    def at(self, mailbox: str) -> Person | None:
        return next((person for person in self.people.values() if person.mailbox == mailbox), None)

    def arrives(
        self, link: str, spelling: Spelling, consent: str, topics: tuple[TopicFilter, ...]
    ) -> Person:
        person = Person(link, spelling.mailbox, spelling.kept, consent, topics)
        assert link not in self.people
        self.people[link] = person
        return person

    def forget(self, person: Person) -> None:
        del self.people[person.link]
        self.wanted = {
            link: request for link, request in self.wanted.items() if request.person is not person
        }

    def standing(self, person: Person) -> Standing:
        if person.mailbox in self.blocks:
            return Standing.SUPPRESSED
        return {
            "pending": Standing.NOT_CONFIRMED,
            "confirmed": Standing.MAY_RECEIVE,
            "withdrawn": Standing.WITHDRAWN,
        }[person.consent]

    def evidence_rows(self, subscriber_id: int | None = None) -> dict[int, Evidence]:
        query = select(consents)
        if subscriber_id is not None:
            query = query.where(consents.c.subscriber_id == subscriber_id)
        with self.engine.connect() as connection:
            return {row.id: evidence_of(row) for row in connection.execute(query)}


def named(said: Evidence) -> dict:
    return {"source": said.source, "now": said.at, "client": said.client}


def run(engine: Engine, **of_database: int) -> None:
    run_state_machine_as_test(
        lambda: ConsentMachine(engine),
        settings=settings(
            max_examples=examples(of_database[engine.dialect.name]),
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_consent_goes_by_the_model(engine: Engine) -> None:
    run(engine, sqlite=30, postgresql=5)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_consent_goes_by_the_model_at_length(engine: Engine) -> None:
    run(engine, sqlite=150, postgresql=20)
