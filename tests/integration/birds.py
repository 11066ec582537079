"""A program whose papers are on birds: real parts, with a folder as everybody's mailbox."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

from digest.collect.source import Source
from digest.deliver.delivery_worker import DeliveryWorker
from digest.deliver.transport.folder import FolderTransport
from digest.errors import SourceError
from digest.ledger.ledger import Ledger
from digest.model.deliveries import Balance
from digest.model.digests import Pick, Section
from digest.model.papers import Harvest
from digest.monitoring.why import Why
from digest.pipeline import Pipeline
from digest.plan.planning import Planning
from subscribers.model import PersonFile, Verdict
from subscribers.preferences import Preferences
from subscribers.store.registry import Registry
from subscribers.topics import parse_topics
from tests.integration.pipelines import explain, make_pipeline, make_planning
from tests.integration.senders import make_delivery_worker
from tests.integration.site import PLAIN_COMPOSER
from tests.support import NOW, TODAY, make_settings, make_sighting

FRIDAY = NOW
SATURDAY, SUNDAY, MONDAY = (NOW + timedelta(days=n) for n in (1, 2, 3))

DUCKS = ("Ducks at Rest", "Ducks in Flight", "Ducks under Water")
OTHERS = ("Geese of the North", "Swans", "Herons by Night")


class DailySource:
    """A source that lists the same six birds every day, each with an id of its own."""

    name = "huggingface"

    def __init__(self) -> None:
        self.fails = False
        self.rests = False

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        if self.fails:
            raise SourceError("HTTP 503")
        for day in () if self.rests else days:
            yield Harvest(
                tuple(
                    make_sighting(
                        first_number(day) + n,
                        title=title,
                        abstract="On birds.",
                        upvotes=n + 1,
                        listed_on=day,
                        seen_at=now,
                    )
                    for n, title in enumerate((*DUCKS, *OTHERS))
                )
            )


def first_number(day: date) -> int:
    return 10 * day.toordinal() % 90_000


class House:
    """A pipeline of real parts, with a folder as everybody's mailbox."""

    def __init__(self, ledger: Ledger, registry: Registry, folder: Path) -> None:
        self.ledger = ledger
        self.registry = registry
        self.outbox = folder / "outbox"
        self.settings = make_settings(home=str(folder), lookback_days="0", max_trending="5")
        self.composer = PLAIN_COMPOSER
        self.source = DailySource()

    def add(self, name: str, *topics: str, **wishes: Any) -> None:
        person = self.registry.add(
            f"{name}@example.org", parse_topics(topics), source="test", now=NOW
        )
        self.registry.set_preferences(
            person.public_id, person.topics, Preferences.from_json(wishes)
        )

    @property
    def pipeline(self) -> Pipeline:
        sources: list[Source] = [self.source]
        return make_pipeline(
            self.settings,
            self.ledger,
            self.registry,
            lambda: sources,
            self.sending.send,
        )

    @property
    def planning(self) -> Planning:
        return make_planning(self.settings, self.ledger, self.registry)

    def explain(self, person: PersonFile, day: date, now: datetime) -> Why:
        return explain(self.settings, self.ledger, self.registry, person, day, now)

    @property
    def sending(self) -> DeliveryWorker:
        outbox = FolderTransport(self.outbox)
        return make_delivery_worker(
            self.settings, self.ledger, self.registry, self.composer, outbox
        )

    def run(self, now: datetime = FRIDAY) -> Balance:
        done = self.pipeline.tick(now, everybody=True)
        assert done.trouble == ()
        return done.balance

    def mailed(self) -> list[str]:
        """Return who was sent a message since the last call."""
        mails = sorted(self.outbox.glob("*.eml"))
        for mail in mails:
            mail.unlink()
        return [mail.name.partition("@")[0] for mail in mails]

    def became(self, day: date) -> dict[str, str]:
        """Return the state of everybody's delivery, and the reason if there is one."""
        edition = self.ledger.editions.on(day)
        names = {
            person.id: person.address.partition("@")[0] for person in self.registry.everybody()
        }
        return {
            names[report.delivery.subscriber_id]: f"{report.state} {report.reason}".strip()
            for report in self.ledger.deliveries.reports(edition)
        }

    def picks(self, name: str, day: date) -> tuple[Pick, ...]:
        """Return the picks stored for a person and a day's edition, in order."""
        edition = self.ledger.editions.on(day)
        person = self.registry.file_of(f"{name}@example.org").subscriber
        delivery = self.ledger.deliveries.of(edition, person.id)
        return self.ledger.editions.picks(edition, delivery)

    def papers(self, name: str, day: date) -> list[int]:
        """Return the numbers in the ids of these papers."""
        return [int(pick.candidate.key.rpartition(".")[2]) for pick in self.picks(name, day)]

    def sections(self, name: str, day: date = TODAY) -> dict[str, list[str]]:
        """Return the titles stored for a person by section, in order."""
        found: dict[str, list[str]] = {section: [] for section in Section}
        for pick in self.picks(name, day):
            found[pick.section].append(pick.candidate.facts.title)
        return found

    def think(self, name: str, title: str, verdict: Verdict) -> None:
        """Rate a paper of this day as somebody."""
        paper = f"arxiv:2602.{first_number(TODAY) + (*DUCKS, *OTHERS).index(title):05d}"
        person = self.registry.file_of(f"{name}@example.org").subscriber
        self.registry.ratings.rate(person.id, paper, verdict, NOW)

    def text(self, name: str) -> str:
        """Return the plain text of somebody's only email, its lines joined."""
        [mail] = self.outbox.glob(f"{name}@*.eml")
        part = message_from_bytes(mail.read_bytes()).get_payload(0)
        return " ".join(part.get_payload(decode=True).decode().split())


def pass_hours(house: House, start: datetime, hours: int) -> dict[str, list[datetime]]:
    """Run the schedule with an edition at eight each day; return when emails came, by name."""
    came: dict[str, list[datetime]] = {}
    for hour in range(hours):
        now = start + timedelta(hours=hour)
        house.pipeline.tick(now)
        house.pipeline.plan(now)
        house.pipeline.deliver(now)
        for name in house.mailed():
            came.setdefault(name, []).append(now)
    return came
