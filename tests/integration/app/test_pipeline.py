"""The whole path, on both databases: what everybody due gets, and what every mishap leaves."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Self

import pytest
from sqlalchemy import select

from digest.collect.source import Source
from digest.compose import composer as composer_module
from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.deliver.delivery_worker import DeliveryWorker
from digest.deliver.transport.folder import FolderTransport
from digest.deliver.transport.transport import Transport, make_transport
from digest.errors import LedgerError, SourceError, Stopped
from digest.ledger.deliveries import Plan
from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.ledger.tables import editions
from digest.model.deliveries import Balance
from digest.model.digests import Digest
from digest.model.messages import Message, Outcome
from digest.model.papers import Harvest, Sighting
from digest.monitoring.why import Why
from digest.pipeline import Pipeline, Run
from digest.plan import planning as planning_module
from digest.plan.edition_planner import EditionPlanner
from subscribers.model import PersonFile, Standing, Subscriber, SuppressionReason
from subscribers.preferences import Preferences
from subscribers.store.registry import Registry
from subscribers.topics import parse_topics
from tests.integration.pipelines import explain, make_pipeline
from tests.integration.senders import make_delivery_worker
from tests.integration.site import PLAIN_COMPOSER
from tests.integration.smtp_server import HOST, Point, SmtpServer, nobody_listens
from tests.support import NOW, TODAY, few_of, make_settings, make_sighting

TOMORROW = TODAY + timedelta(days=1)
# The first wait is ten minutes at most, and five at least.
TOO_SOON = NOW + timedelta(minutes=4)
IN_TIME = NOW + timedelta(minutes=10)
# Read-only: one of each for all. Most tests ask for whom there is a mail, not how it looks.
TEMPLATES = Templates()
PLAIN_TEMPLATES = PLAIN_COMPOSER.templates


class SmallSource:
    """A source that lists what it is given, and can be out of order."""

    def __init__(self, name: str, *sightings: Sighting) -> None:
        self.name = name
        self.sightings = list(sightings)
        self.fault: str | None = None
        self.asked = 0

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        self.asked += 1
        for day in days:
            listed = (sighting for sighting in self.sightings if sighting.listed_on == day)
            yield Harvest(tuple(replace(each, seen_at=now) for each in listed))
        if self.fault:
            raise SourceError(self.fault)


class Meanwhile:
    """A transport that lets something happen before or after one of its messages."""

    def __init__(
        self,
        transport: Transport,
        what: Callable[[], object],
        *,
        number: int = 1,
        before: bool = False,
    ) -> None:
        self._transport = transport
        self._what = what
        self._number = number
        self._before = before
        self._sent = 0

    def __enter__(self) -> Self:
        self._transport.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._transport.__exit__(*error)

    def send(self, message: Message) -> Outcome:
        self._sent += 1
        if self._sent == self._number and self._before:
            self._what()
        outcome = self._transport.send(message)
        if self._sent == self._number and not self._before:
            self._what()
        return outcome


class House:
    """A pipeline of real parts, with a mail server beside it."""

    def __init__(self, ledger: Ledger, registry: Registry, server: SmtpServer, home: Path) -> None:
        self.ledger = ledger
        self.registry = registry
        self.server = server
        self.settings = make_settings(
            transport=server.url(), smtp_timeout="10", home=str(home), enough_papers="1"
        )
        self.huggingface = SmallSource("huggingface", *map(make_sighting, range(1, 4)))
        self.sources: list[Source] = [self.huggingface]
        self.composer = Composer(PLAIN_TEMPLATES, from_identity(self.settings))

    @property
    def pipeline(self) -> Pipeline:
        return self.pipeline_over(None)

    def pipeline_over(self, transport: Transport | None) -> Pipeline:
        return make_pipeline(
            self.settings,
            self.ledger,
            self.registry,
            lambda: self.sources,
            self.sending(transport).send,
        )

    def explain(self, person: PersonFile, day: date, now: datetime) -> Why:
        return explain(self.settings, self.ledger, self.registry, person, day, now)

    @property
    def transport(self) -> Transport:
        return make_transport(self.settings)

    def sending(self, transport: Transport | None = None) -> DeliveryWorker:
        return make_delivery_worker(
            self.settings, self.ledger, self.registry, self.composer, transport
        )

    def add(self, name: str, *topics: str) -> Subscriber:
        return self.registry.add(
            f"{name}@example.org", parse_topics(topics), source="test", now=NOW
        )

    def run(self, now: datetime = NOW, transport: Transport | None = None) -> Run:
        """One pass. Whatever happened in it, the balance adds up and is the one that is stored."""
        done = self.pipeline_over(transport).tick(now, everybody=True)
        if done.balance:  # else there was no edition
            assert done.balance.is_balanced
            assert self.stored(done.balance.edition) == done.balance
        return done

    def stored(self, day: date) -> Balance | None:
        with self.ledger.engine.connect() as connection:
            query = select(editions.c.balance).where(editions.c.day == day)
            stored = connection.execute(query).scalar()
        return stored and Balance(**{**stored, "edition": date.fromisoformat(stored["edition"])})

    def mailed(self) -> list[str]:
        """To whom a message went, in order, since this was asked last."""
        names = [each.rcpt_to[0].partition("@")[0] for each in self.server.received]
        self.server.received.clear()
        return names

    def became(self, day: date = TODAY) -> dict[str, str]:
        """What became of everybody: state, and the reason where there is one."""
        edition = self.ledger.editions.on(day)
        assert edition is not None
        people = {
            person.id: person.address.partition("@")[0] for person in self.registry.everybody()
        }
        return {
            people.get(report.delivery.subscriber_id, "somebody removed"): " ".join(
                filter(None, (report.state, report.reason))
            )
            for report in self.ledger.deliveries.reports(edition)
        }


@pytest.fixture
def house(ledger: Ledger, registry: Registry, smtp_server: SmtpServer, tmp_path: Path) -> House:
    return House(ledger, registry, smtp_server, tmp_path / "home")


def counts(balance: Balance) -> dict[str, int]:
    """What is not nought in a balance."""
    return {
        name: count for name, count in asdict(balance).items() if count and isinstance(count, int)
    }


def message_ids(server: SmtpServer) -> list[str]:
    return [message_from_bytes(each.content)["Message-ID"] for each in server.received]


# ---- once ------------------------------------------------------------------------------------


def test_everybody_due_gets_one_mail_however_often_it_runs(house):
    for name in ("ada", "grace", "emmy"):
        house.add(name)
    first = house.run()
    assert first.trouble == ()
    assert counts(first.balance) == {"due": 3, "accepted": 3}
    assert house.mailed() == ["ada", "grace", "emmy"]
    assert house.run() == first
    assert house.run(NOW + timedelta(hours=5)) == first
    assert house.mailed() == []


def test_a_mail_is_the_subscribers_own(house):
    ada = house.add("ada", "study of things")
    house.run()
    [received] = house.server.received
    mail = message_from_bytes(received.content)
    assert mail["To"] == "ada@example.org"
    assert received.rcpt_to == ("ada@example.org",)
    assert re.fullmatch(r"digest\+1-[a-z2-7]{20}@example\.org", received.mail_from)
    text = mail.get_payload(0).get_payload(decode=True).decode()
    assert "study of things" in text
    assert "A study of things, part 1" in text
    assert house.composer.identity.tokens.make("unsubscribe", ada.public_id) in text


def test_with_a_folder_as_mailbox(house, tmp_path):
    house.add("ada")
    house.add("grace")
    folder = tmp_path / "outbox"
    first = house.run(transport=FolderTransport(folder))
    assert counts(first.balance) == {"due": 2, "accepted": 2}
    assert house.run(transport=FolderTransport(folder)) == first
    assert [path.name.partition("@")[0] for path in sorted(folder.iterdir())] == ["ada", "grace"]


def test_nobody_is_due_and_nobody_is_connected_to(house):
    with nobody_listens() as port:
        nowhere = make_transport(make_settings(transport=f"smtp://{HOST}:{port}"))
        assert house.run(transport=nowhere) == Run(Balance(TODAY))


def test_who_comes_later_the_same_day_gets_it_and_the_others_do_not_again(house):
    house.add("ada")
    house.run()
    house.add("grace")
    assert house.mailed() == ["ada"]
    assert counts(house.run().balance) == {"due": 2, "accepted": 2}
    assert house.mailed() == ["grace"]


def test_the_next_day_brings_the_next_papers_only(house):
    house.composer = Composer(TEMPLATES, from_identity(house.settings))
    house.add("ada")
    house.run()
    house.huggingface.sightings += [make_sighting(4), make_sighting(5, listed_on=TOMORROW)]
    done = house.run(NOW + timedelta(days=1))
    assert counts(done.balance) == {"due": 1, "accepted": 1}
    first, second = (each.content for each in house.server.received)
    ids = [f"2602.{number:05d}".encode() for number in range(1, 6)]
    assert [each in first for each in ids] == [True, True, True, False, False]
    assert [each in second for each in ids] == [False, False, False, True, True]
    assert len(set(message_ids(house.server))) == 2


def test_the_day_is_the_operators(house):
    house.settings = replace(
        house.settings, timezone=make_settings(timezone="Pacific/Auckland").timezone
    )
    evening = datetime(2026, 2, 20, 20, 0, tzinfo=UTC)
    assert house.run(evening).balance.edition == TOMORROW


def test_a_second_run_at_the_same_time_is_refused(house):
    house.add("ada")
    errors = []

    def run_again() -> None:
        with pytest.raises(LedgerError, match="another run is under way") as refused:
            house.run()
        errors.append(refused.value)

    done = house.run(transport=Meanwhile(house.transport, run_again))
    assert len(errors) == 1
    assert counts(done.balance) == {"due": 1, "accepted": 1}
    assert house.mailed() == ["ada"]


def test_progress_is_told(house):
    house.add("ada")
    house.add("grace")
    told = []
    house.pipeline.tick(NOW, everybody=True, progress=lambda *step: told.append(step))
    assert told == [(1, 2), (2, 2)]


def test_told_to_stop_while_it_collects_a_run_has_its_end(house, monkeypatch):
    def be_stopped(*_):
        raise Stopped("told to stop before it had answered")

    monkeypatch.setattr(SmallSource, "collect", be_stopped)
    with pytest.raises(Stopped):
        house.pipeline.tick(NOW, everybody=True)
    [run] = house.ledger.history.runs(2)
    assert run.ended_at
    assert run.trouble == ("told to stop before it had answered",)
    assert house.ledger.editions.on(TODAY) is None


def test_it_is_told_how_many_sources_have_answered(house):
    told = []
    house.pipeline.tick(NOW, everybody=True, asking=lambda *step: told.append(step))
    assert told == [(0, 1), (1, 1)]


# ---- who gets nothing, and why ---------------------------------------------------------------


def withdraw(house: House, person: Subscriber) -> None:
    house.registry.withdraw(person.public_id, source="link", now=NOW)


def suppress(house: House, person: Subscriber) -> None:
    house.registry.suppressions.add(person.address, SuppressionReason.COMPLAINT, now=NOW)


def remove(house: House, person: Subscriber) -> None:
    house.registry.remove(person.address)


MAY_NOT = [
    pytest.param(withdraw, "skipped withdrawn", id="withdrawn"),
    pytest.param(suppress, "suppressed", id="suppressed"),
    pytest.param(remove, "skipped removed", id="removed"),
]


@pytest.mark.parametrize(("happens", "becomes"), MAY_NOT)
def test_what_happens_between_plan_and_send_is_heeded(house, happens, becomes):
    house.add("ada")
    grace = house.add("grace")
    house.add("emmy")
    house.run(transport=Meanwhile(house.transport, lambda: happens(house, grace)))
    assert house.mailed() == ["ada", "emmy"]
    assert becomes in house.became().values()
    house.run(NOW + timedelta(hours=1))
    assert house.mailed() == []


@pytest.mark.parametrize(("happens", "becomes"), MAY_NOT)
def test_what_happens_in_the_last_moment_is_heeded(house, happens, becomes, monkeypatch):
    grace = house.add("grace")

    compose = Composer.compose

    def slow(self, digest: Digest, **values: object) -> Message:
        message = compose(self, digest, **values)
        happens(house, grace)
        return message

    monkeypatch.setattr(Composer, "compose", slow)
    done = house.run()
    assert list(house.became().values()) == [becomes]
    assert done.balance.due == 1
    assert house.mailed() == []


def test_who_left_before_is_not_due(house):
    ada, _ = house.add("ada"), house.add("grace")
    withdraw(house, ada)
    assert counts(house.run().balance) == {"due": 1, "accepted": 1}
    assert house.mailed() == ["grace"]


def test_a_suppressed_address_is_due_and_gets_nothing(house):
    suppress(house, house.add("ada"))
    assert counts(house.run().balance) == {"due": 1, "suppressed": 1}
    assert house.mailed() == []


def test_who_leaves_while_a_retry_is_waiting_gets_nothing(house):
    ada = house.add("ada")
    house.server.will_say(Point.RCPT, "451 4.3.0 Later")
    house.run()
    withdraw(house, ada)
    assert counts(house.run(IN_TIME).balance) == {"due": 1, "skipped": 1}
    assert house.mailed() == []


def test_nothing_matched_is_a_reason(house):
    house.add("ada", "medieval poetry")
    house.add("grace", "study of things")
    done = house.run()
    assert counts(done.balance) == {"due": 2, "accepted": 1, "skipped": 1}
    assert done.balance.skipped_for == {"nothing-matched": 1}
    assert house.mailed() == ["grace"]


def test_a_digest_that_would_be_cut_off_is_skipped_and_the_others_go_out(house, monkeypatch):
    house.add("ada", "study of things")
    house.run()
    [size] = [len(each.content) for each in house.server.received]
    house.mailed()
    monkeypatch.setattr(composer_module, "REFUSE_AT", size // 100)
    house.add("grace")
    done = house.run()
    assert done.trouble == ()
    assert house.became() == {"ada": "accepted", "grace": "skipped too-large"}


# ---- collecting ------------------------------------------------------------------------------


def test_without_papers_everybody_is_skipped_and_due_again_once_there_are_some(house):
    house.add("ada")
    house.add("grace", "medieval poetry")
    papers, house.huggingface.sightings = house.huggingface.sightings, []
    done = house.run()
    assert counts(done.balance) == {"due": 2, "skipped": 2}
    assert done.balance.skipped_for == {"no-papers": 2}
    assert house.run() == done
    house.huggingface.sightings = papers
    done = house.run(NOW + timedelta(hours=2))
    assert house.mailed() == ["ada"]
    assert done.balance.skipped_for == {"nothing-matched": 1}
    assert counts(done.balance) == {"due": 2, "accepted": 1, "skipped": 1}


def test_days_without_papers_are_caught_up_with(house):
    house.add("ada")
    house.run()
    house.mailed()
    house.huggingface.fault = "the site is down"
    for days in (1, 2):
        done = house.run(NOW + timedelta(days=days))
        assert (done.balance, done.trouble[0]) == (None, "huggingface: the site is down")
    house.huggingface.fault = None
    house.huggingface.sightings.append(make_sighting(9, listed_on=TOMORROW))
    assert counts(house.run(NOW + timedelta(days=3)).balance) == {"due": 1, "accepted": 1}
    assert house.mailed() == ["ada"]


def test_a_failing_source_is_told_and_the_papers_of_the_other_go_out(house):
    house.add("ada")
    broken = SmallSource("arxiv")
    broken.fault = "503 of https://export.arxiv.org"
    house.sources = [broken, house.huggingface]
    done = house.run()
    assert done.trouble == ("arxiv: 503 of https://export.arxiv.org",)
    assert house.mailed() == ["ada"]


def test_an_edition_is_collected_for_once(house):
    house.add("ada")
    house.run()
    house.run()
    assert house.huggingface.asked == 1


# ---- mishaps on the wire ---------------------------------------------------------------------


def test_a_relay_that_is_down_leaves_all_pending_and_the_next_run_sends(house):
    house.add("ada")
    house.add("grace")
    with nobody_listens() as port:
        done = house.run(transport=make_transport(make_settings(transport=f"smtp://{HOST}:{port}")))
    assert counts(done.balance) == {"due": 2, "pending": 2}
    assert [f"smtp://{HOST}:{port}: " in each for each in done.trouble] == [True]
    assert counts(house.run(TOO_SOON).balance) == {"due": 2, "accepted": 2}
    assert house.mailed() == ["ada", "grace"]


def test_a_transport_that_breaks_half_way_leaves_the_rest_pending(house, tmp_path):
    for name in ("ada", "grace", "emmy"):
        house.add(name)
    outbox = tmp_path / "outbox"

    def lose_the_disk() -> None:
        shutil.rmtree(outbox)
        outbox.write_text("", encoding="utf-8")

    done = house.run(transport=Meanwhile(FolderTransport(outbox), lose_the_disk))
    assert house.became() == {"ada": "accepted", "grace": "pending", "emmy": "pending"}
    assert [str(outbox) in each for each in done.trouble] == [True]
    assert counts(house.run().balance) == {"due": 3, "accepted": 3}
    assert house.mailed() == ["grace", "emmy"]


def test_a_relay_that_takes_nothing_for_a_moment_uses_nobody_up(house):
    house.add("ada")
    house.server.will_say(Point.MAIL, "451 4.3.0 Later")
    assert counts(house.run().balance) == {"due": 1, "accepted": 1}
    [report] = house.ledger.deliveries.reports(house.ledger.editions.on(TODAY))
    assert report.delivery.attempts == 1


def test_a_relay_that_takes_nothing_at_all_is_left_alone_for_a_while(house):
    house.add("ada")
    house.add("grace")
    for _ in range(5):
        house.server.will_say(Point.MAIL, "452 4.3.1 Disk full")
    done = house.run()
    assert counts(done.balance) == {"due": 2, "pending": 2}
    assert done.trouble == ("the relay takes nothing: 452 4.3.1 Disk full",)
    house.run(IN_TIME)
    assert house.mailed() == ["ada", "grace"]


@pytest.mark.parametrize("point", [Point.RCPT, Point.DATA, Point.DOT])
def test_a_4yz_is_tried_again_when_its_time_has_come(house, point):
    house.add("ada")
    house.server.will_say(point, "451 4.3.0 Later")
    assert counts(house.run().balance) == {"due": 1, "deferred": 1}
    house.mailed()
    assert counts(house.run(TOO_SOON).balance) == {"due": 1, "deferred": 1}
    assert house.mailed() == []
    assert counts(house.run(IN_TIME).balance) == {"due": 1, "accepted": 1}
    assert house.mailed() == ["ada"]


def test_a_retry_is_the_same_message(house):
    house.add("ada")
    house.server.will_say(Point.DOT, "451 4.3.0 Later")
    house.run()
    house.run(IN_TIME)
    first, second = message_ids(house.server)
    assert first == second


def test_waits_get_longer(house):
    house.add("ada")
    for _ in range(2):
        house.server.will_say(Point.RCPT, "451 4.3.0 Later")
    house.run()
    house.run(IN_TIME)
    assert counts(house.run(IN_TIME + timedelta(minutes=9)).balance) == {"due": 1, "deferred": 1}
    assert counts(house.run(IN_TIME + timedelta(minutes=20)).balance) == {"due": 1, "accepted": 1}


def test_a_connection_lost_before_the_end_is_tried_again(house):
    house.add("ada")
    house.add("grace")
    house.server.will_hang_up(Point.DATA)
    assert counts(house.run().balance) == {"due": 2, "deferred": 1, "accepted": 1}
    house.run(IN_TIME)
    assert house.mailed() == ["grace", "ada"]


def test_no_answer_to_the_final_dot_is_uncertain_for_ever(house):
    house.add("ada")
    house.server.will_hang_up(Point.DOT)
    for now in (NOW, IN_TIME, NOW + timedelta(days=3)):
        house.run(now)
    assert house.became() == {"ada": "uncertain"}
    assert house.mailed() == ["ada"]


def test_a_dead_address_is_refused_once_and_suppressed_the_next_day(house):
    house.add("ada")
    house.add("grace")
    house.huggingface.sightings.append(make_sighting(9, listed_on=TOMORROW))
    house.server.will_say(Point.RCPT, "550 5.1.1 No such user")
    assert counts(house.run().balance) == {"due": 2, "refused": 1, "accepted": 1}
    house.run(IN_TIME)
    assert house.mailed() == ["grace"]
    tomorrow = house.run(NOW + timedelta(days=1))
    assert counts(tomorrow.balance) == {"due": 2, "suppressed": 1, "accepted": 1}
    assert house.became(TOMORROW) == {"ada": "suppressed", "grace": "accepted"}
    assert house.mailed() == ["grace"]


def test_a_refusal_that_is_about_us_costs_nobody_an_edition_and_is_told(house):
    house.add("ada")
    house.huggingface.sightings.append(make_sighting(9, listed_on=TOMORROW))
    house.server.will_say(Point.RCPT, "550 5.7.1 Not from you")
    done = house.run()
    assert counts(done.balance) == {"due": 1, "deferred": 1}
    assert house.mailed() == []
    [trouble] = done.trouble
    assert f"the edition of {NOW:%Y-%m-%d} is refused" in trouble
    assert "550 5.7.1 Not from you" in trouble
    assert house.run(NOW + timedelta(minutes=1)).trouble == done.trouble
    assert house.run(NOW + timedelta(days=1)).trouble == ()
    assert house.mailed() == ["ada", "ada"]


# ---- crashes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [True, False], ids=["before sending", "after sending"])
@pytest.mark.parametrize("blow", [SystemExit, MemoryError])
def test_a_crash_between_claim_and_outcome_is_uncertain_and_never_sent_again(house, before, blow):
    for name in ("ada", "grace", "emmy"):
        house.add(name)

    def crash() -> None:
        raise blow

    crashing = Meanwhile(house.transport, crash, number=2, before=before)
    with pytest.raises(blow):
        house.run(transport=crashing)
    assert house.became() == {"ada": "accepted", "grace": "sending", "emmy": "pending"}
    with advisory_lock(house.ledger.engine, "run"):
        pass
    done = house.run()
    assert counts(done.balance) == {"due": 3, "accepted": 2, "uncertain": 1}
    house.run(NOW + timedelta(days=1))
    assert house.became() == {"ada": "accepted", "grace": "uncertain", "emmy": "accepted"}
    assert house.mailed() == (["ada", "emmy"] if before else ["ada", "grace", "emmy"])


def test_a_crash_while_planning_loses_nobody(house, monkeypatch):
    for name in ("ada", "grace"):
        house.add(name)
    plans, calls = EditionPlanner.plans, iter([True])

    def crash_after_one(*given: object) -> Iterator[Plan]:
        if not next(calls, False):
            raise SystemExit
        return plans(*given)

    monkeypatch.setattr(EditionPlanner, "plans", crash_after_one)
    monkeypatch.setattr(planning_module, "RANGE", 1)
    with pytest.raises(SystemExit):
        house.run()
    monkeypatch.undo()
    mailed = house.mailed()
    assert mailed in ([], ["ada"])  # sending goes on beside planning
    assert house.ledger.health.unbalanced([TODAY]) == [TODAY]
    assert counts(house.run().balance) == {"due": 2, "accepted": 2}
    assert house.ledger.health.unbalanced([TODAY]) == []
    assert [*mailed, *house.mailed()] == ["ada", "grace"]


# ---- ranges ----------------------------------------------------------------------------------


def test_mail_goes_out_while_others_are_still_planned_for(house, monkeypatch):
    """Whoever is planned for last waits until the first has their mail."""
    for name in ("ada", "grace", "emmy"):
        house.add(name)
    plans, calls, waited = EditionPlanner.plans, count(1), []

    def plans_slowly(*given: object) -> Iterator[Plan]:
        if next(calls) == 3:
            give_up = monotonic() + 20
            while not house.server.received and monotonic() < give_up:
                sleep(0.01)
            waited.append(len(house.server.received))
        return plans(*given)

    monkeypatch.setattr(EditionPlanner, "plans", plans_slowly)
    monkeypatch.setattr(planning_module, "RANGE", 1)
    run = house.run()
    assert waited
    assert 1 <= waited[0] <= 2
    assert counts(run.balance) == {"due": 3, "accepted": 3}
    assert run.trouble == ()
    assert sorted(house.mailed()) == ["ada", "emmy", "grace"]


def test_planning_stops_between_two_ranges_and_is_continued(house, monkeypatch):
    for name in ("ada", "grace", "emmy"):
        house.add(name)
    monkeypatch.setattr(planning_module, "RANGE", 2)
    pipeline = house.pipeline
    pipeline.stop()
    with pytest.raises(Stopped):
        pipeline.tick(NOW, everybody=True)
    assert len(house.became()) == 2
    edition = house.ledger.editions.on(TODAY)
    assert house.ledger.editions.balance(edition).is_being_planned
    assert counts(house.run().balance) == {"due": 3, "accepted": 3}


# ---- old editions ----------------------------------------------------------------------------


def test_what_was_left_of_yesterday_goes_out_today_with_its_own_papers(house):
    house.composer = Composer(TEMPLATES, from_identity(house.settings))
    house.add("ada")
    house.huggingface.sightings.append(make_sighting(9, listed_on=TOMORROW))
    house.server.will_say(Point.RCPT, "451 4.3.0 Later")
    house.run()
    house.run(NOW + timedelta(days=1))
    younger, older = (each.content for each in house.server.received)
    assert (b"2602.00001" in older, b"2602.00009" in older) == (True, False)
    assert (b"2602.00001" in younger, b"2602.00009" in younger) == (False, True)
    assert house.became() == {"ada": "accepted"}


def test_an_edition_that_is_too_old_is_no_longer_sent(house):
    house.add("ada")
    house.server.will_say(Point.RCPT, "451 4.3.0 Later")
    house.run()
    house.run(NOW + timedelta(hours=house.settings.stale_after_hours, seconds=1))
    assert house.became() == {"ada": "skipped stale"}
    assert house.mailed() == []


def test_an_edition_that_is_just_young_enough_is_sent(house):
    house.add("ada")
    house.server.will_say(Point.RCPT, "451 4.3.0 Later")
    house.run()
    house.run(NOW + timedelta(hours=house.settings.stale_after_hours))
    assert house.became() == {"ada": "accepted"}
    assert house.mailed() == ["ada"]


def test_the_papers_of_what_has_become_stale_are_news_to_who_is_planned_for_next(house):
    """Also if the first to look in all that time plans: from then on nobody has had them."""
    house.add("ada")
    house.run()
    house.huggingface.sightings.append(make_sighting(9, listed_on=TOMORROW))
    house.server.will_say(Point.RCPT, "451 4.3.0 Later")
    house.run(NOW + timedelta(days=1))
    later = NOW + timedelta(days=1, hours=house.settings.stale_after_hours, seconds=1)
    empty = house.ledger.editions.freeze(later.date(), later.date(), later)
    house.pipeline.plan(later, empty)
    assert house.became(TOMORROW) == {"ada": "skipped stale"}
    assert house.became(later.date()) == {"ada": "pending"}


# ---- templates -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("a\nb\n{{ mail.no_such_thing }}", r"mail/digest/body\.txt\.j2, line 3: .*no_such_thing"),
        ("a\n{% if %}", r"mail/digest/body\.txt\.j2, line 2: "),
    ],
)
def test_a_broken_template_stops_the_sending_and_loses_nobody(house, tmp_path, broken, told):
    for name in ("ada", "grace"):
        house.add(name)
    template = tmp_path / "own" / "mail" / "digest" / "body.txt.j2"
    template.parent.mkdir(parents=True)
    template.write_text(broken, encoding="utf-8")
    good = house.composer
    house.composer = Composer(Templates(tmp_path / "own"), from_identity(house.settings))
    done = house.run()
    assert counts(done.balance) == {"due": 2, "pending": 2}
    [trouble] = done.trouble
    assert re.search(told, trouble)
    assert house.mailed() == []
    house.composer = good
    assert house.run().trouble == ()
    assert house.mailed() == ["ada", "grace"]


def test_a_paper_that_cannot_be_rendered_is_left_out_and_stops_nobody(house, tmp_path):
    """Ada's digest has other papers; Grace, who wants no trending, has only the broken one."""
    house.huggingface.sightings += [make_sighting(50, title="Unspeakable")]
    for name, topic in (("ada", "things"), ("grace", "title:unspeakable"), ("alan", "things")):
        house.add(name, topic)
    grace = next(person for person in house.registry.everybody() if "grace" in person.address)
    house.registry.set_preferences(grace.public_id, grace.topics, Preferences(trending=False))
    card = tmp_path / "own" / "mail" / "partials" / "card.txt.j2"
    card.parent.mkdir(parents=True)
    card.write_text("{{ 1 / (card.title != 'Unspeakable') }} {{ card.title }}\n", encoding="utf-8")
    house.composer = Composer(Templates(tmp_path / "own"), from_identity(house.settings))
    done = house.run()
    assert done.trouble == ()
    assert done.balance.skipped_for == {"not-rendered": 1}
    assert house.mailed() == ["ada", "alan"]


# ---- a relay that is set up wrongly -----------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "reply"),
    few_of(
        [
            (Point.DOT, "554 Message rejected: sender identity is not verified"),
            (Point.RCPT, "550 relay not permitted"),
        ]
    ),
)
def test_a_month_in_which_the_relay_refuses_us_for_nine_days_costs_nobody(house, point, reply):
    """Nobody is suppressed, each day says so, and the last edition goes out once it is fixed."""
    everybody = [house.add(f"reader{number}") for number in range(6)]
    broken = range(5, 14)
    for day in range(30):
        now = NOW + timedelta(days=day)
        numbers = range(10 + 3 * day, 13 + 3 * day)
        house.huggingface.sightings += [
            make_sighting(number, listed_on=now.date()) for number in numbers
        ]
        house.server.habit = lambda at, _, day=day: reply if day in broken and at is point else None
        done = house.run(now)
        assert (done.trouble == ()) == (day not in broken), (day, done.trouble)
        if day not in broken:
            later = house.run(now + timedelta(hours=8))  # what waited for a probe, too
            assert later.balance.accepted == len(everybody), (day, counts(later.balance))
        if day == broken.stop:
            [last] = [house.stored((now - timedelta(days=1)).date())]
            assert last.accepted == len(everybody), counts(last)
    standings = {house.registry.standing(person.id) for person in everybody}
    assert standings == {Standing.MAY_RECEIVE}
