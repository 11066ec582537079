"""Run the program through a year: its own pipeline, planning, ledger and sending.

Only what would be slow stands in: the ranking, which papers fit a topic by one word; the composing,
a mail being the numbers of its papers; and the relay, a list.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Self

from sqlalchemy import Engine

from digest.app.app import App
from digest.deliver.delivery_worker import DeliveryWorker, Parts
from digest.deliver.transport.channel import ThreadChannel
from digest.errors import SourceError, TransportError
from digest.model.digests import Candidate, Digest, Edition, Pick, Section
from digest.model.messages import Envelope, Message, Outcome, OutcomeKind
from digest.model.packed_picks import pack
from digest.model.papers import Harvest
from digest.rank.readers import Reader
from digest.service.jobs import Jobs
from subscribers.preferences import WEEKDAYS, Preferences
from subscribers.topics import parse_topics
from tests.integration.year.lives import Life, Paper, Wishes, Year, is_in
from tests.support import SENDING, make_sighting

TOPICAL, TOP, RISING = 10, 5, 2


@dataclass(frozen=True, slots=True)
class Mail:
    """An email that the relay has accepted."""

    at: datetime
    to: str
    message_id: str
    papers: tuple[int, ...]


class House:
    """``look`` is a minute's tick of `digest schedule`; in between, readers do as they like."""

    def __init__(self, year: Year, engine: Engine, home: Path, random: Random) -> None:
        self.year = year
        self.mails: list[Mail] = []
        self.given: list[tuple[datetime, set[date]]] = []  # what the source has told, and when
        self.now = year.begins
        self._engine = engine
        self._home = home
        self._random = random
        self._public_ids: dict[str, str] = {}
        self._to_come = _to_come(year)
        self._left_to_take: int | None = None  # mails, until something happens
        self.is_stopped = False
        self.restart()

    def restart(self) -> None:
        """Begin again as a new process."""
        app = App(
            environment={},
            dotenv=None,
            clock=lambda: self.now,
            **SENDING,
            home=str(self._home),
            timezone=self.year.zone,
            run_at=self.year.run_at.isoformat("minutes"),
            lookback_days="0",
            collect_every_hours="24",
            mx_lookups="no",
        )
        app.engine = self._engine
        app.sources = lambda: [_Almanac(self)]
        parts = Parts(
            settings=app.settings,
            ledger=app.ledger,
            registry=app.registry,
            composer=PlainComposer(),
            channel=lambda: ThreadChannel(_Relay(self)),
            feedback=app.feedback,
            verp=None,
            diagnostics=app.diagnostics,
        )
        app.sending = DeliveryWorker(parts, app.clock)
        app.planning.ranker = lambda edition, _: _Ranking(edition)
        self.app = app
        self._duties = Jobs(app)
        self.is_stopped = False

    def look(self, now: datetime) -> None:
        """Do what the schedule does in a minute, in any order, as its threads may."""
        self._live_until(now)
        self.now = now
        if self.is_stopped:
            self.restart()
        duties = [self._duties.collect, self._duties.tick, self._duties.plan]
        self._random.shuffle(duties)
        for duty in (*duties, self._duties.send, self._duties.tidy):
            if not self.is_stopped:
                duty()

    def stop_after(self, mails: int) -> None:
        """Stop the next look while it sends; it is the last one before a standstill."""
        self._left_to_take = mails

    def stand_still(self) -> None:
        self._left_to_take = None
        self.is_stopped = True

    # ---- the relay ---------------------------------------------------------------------------

    def take(self, message: Message) -> None:
        self._refuse_if_down()
        papers = tuple(int(number) for number in message.content.split())
        self.mails.append(Mail(self.now, message.envelope.rcpt_to, message.message_id, papers))
        if self._left_to_take is not None:
            self._left_to_take -= 1
            if self._left_to_take <= 0:
                self.app.sending.stopping.set()
                self.is_stopped = True

    def _refuse_if_down(self) -> None:
        for spell in self.year.relay_down:
            if spell.holds(self.now):
                taken = sum(spell.holds(mail.at) for mail in self.mails[-spell.after - 1 :])
                if taken >= spell.after:
                    raise TransportError("the relay is down")

    # ---- the readers -------------------------------------------------------------------------

    def _live_until(self, now: datetime) -> None:
        while self._to_come and self._to_come[-1][0] <= now:
            moment, life, wishes = self._to_come.pop()
            self._change(life, wishes, moment)

    def _change(self, life: Life, wishes: Wishes | None, now: datetime) -> None:
        registry, public_id = self.app.registry, self._public_ids.get(life.name)
        if wishes is None:
            assert public_id
            registry.withdraw(public_id, source="test", now=now)
            return
        topics = parse_topics(wishes.topics)
        person = public_id and registry.by_public_id(public_id)
        if not person or person.consent != "confirmed":
            asked = registry.ask(
                address_of(life), topics, preferences_of(wishes), source="test", now=now
            )
            assert asked
            registry.confirm(asked.public_id, source="test", now=now)
            self._public_ids[life.name] = asked.public_id
        else:
            registry.set_preferences(person.public_id, topics, preferences_of(wishes))


def address_of(life: Life) -> str:
    return f"{life.name}@example.org"


def preferences_of(wishes: Wishes) -> Preferences:
    return Preferences(
        days=frozenset(WEEKDAYS[day] for day in wishes.days),
        at=wishes.at,
        timezone=wishes.zone,
        paused_until=wishes.paused_until,
        note_when_nothing=wishes.wants_note,
    )


def _to_come(year: Year) -> list[tuple[datetime, Life, Wishes | None]]:
    """Return what readers will do, the last first."""
    chapters = [(at, life, wishes) for life in year.lives for at, wishes in life.chapters]
    return sorted(chapters, key=lambda chapter: chapter[0], reverse=True)


class _Almanac:
    """The source: it knows the papers of each day since it began, while it is not down."""

    name = "huggingface"

    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        year = self._house.year
        if is_in(year.source_down, now):
            raise SourceError("the source is down")
        papers = [paper for day in days for paper in year.papers.get(day, ())]
        yield Harvest(tuple(_sighting(paper, now) for paper in papers))
        self._house.given.append((now, set(days)))


def _sighting(paper: Paper, now: datetime) -> object:
    return make_sighting(
        paper.number,
        title=f"A {paper.kind} {paper.number}",
        abstract="",
        upvotes=paper.votes_at(now),
        listed_on=paper.day,
        seen_at=now,
    )


class _Ranking:
    """A paper fits the topic that is a word of its title; votes decide which come first."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._best = sorted(
            edition.candidates, key=lambda candidate: -(candidate.signals.upvotes or 0)
        )
        self._rising = sorted(edition.rising, key=lambda candidate: -candidate.risen)

    def packed(self, readers: Sequence[Reader]) -> Iterator[str]:
        for digest in self.digests(readers):
            yield pack(digest.picks) if digest else ""

    def digests(self, readers: Sequence[Reader]) -> Iterator[Digest | None]:
        for reader in readers:
            topics = {topic.text for topic in reader.topics}
            best, rising = (
                [
                    candidate
                    for candidate in candidates
                    if candidate.paper_id not in reader.shown
                    and (not topics or _kind(candidate) in topics)
                ]
                for candidates in (self._best, self._rising)
            )
            picks = (
                *(Pick(Section.TRENDING, one) for one in best[: TOPICAL if topics else TOP]),
                *(Pick(Section.RISING, one) for one in rising[:RISING]),
            )
            all_of_them = len(self._edition.candidates)
            yield Digest(self._edition.day, reader.topics, picks, all_of_them) if picks else None


def _kind(candidate: Candidate) -> str:
    return candidate.facts.title.split()[1]


class PlainComposer:
    """Stands in for digest.compose.composer.Composer: a message has the numbers of its papers."""

    def try_out(self, *_: object) -> None:
        pass

    def compose(self, digest: Digest, *, to: str, public_id: str, now: datetime) -> Message:
        numbers = " ".join(pick.candidate.facts.title.split()[2] for pick in digest.picks)
        message_id = f"<{digest.day}.{public_id}@digest.example.org>"
        return Message(Envelope("digest@example.org", to), message_id, numbers.encode())


class _Relay:
    takes_smtputf8 = True

    def __init__(self, house: House) -> None:
        self._house = house

    def __enter__(self) -> Self:
        self._house._refuse_if_down()
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, message: Message) -> Outcome:
        self._house.take(message)
        return Outcome(OutcomeKind.ACCEPTED, "taken", 250)
