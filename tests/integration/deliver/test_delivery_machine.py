"""Deliveries under any order of events, crashes among them: the real ledger beside a plain model."""

import asyncio
import sys
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from queue import Queue
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, delete, func, select

from digest.compose.from_identity import from_identity
from digest.deliver.attempt import Attempts
from digest.deliver.feed import Parcel
from digest.deliver.group_commit import GroupCommit
from digest.deliver.transport.channel import ThreadChannel
from digest.errors import TransportError
from digest.inbound.attribution import Attribution
from digest.inbound.bounce_policy import Limits as PauseLimits
from digest.inbound.diagnostics import shipped_table
from digest.inbound.feedback_handler import FeedbackHandler
from digest.inbound.inbox import Inbox
from digest.inbound.report import InboundMessage
from digest.ledger.claims import Claims, Mark
from digest.ledger.deliveries import Plan
from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import Limits
from digest.ledger.tables import attempts, bounces, deliveries
from digest.maintenance.resolve_uncertain import Resent, UncertainResolver
from digest.model.deliveries import Balance, Delivery
from digest.model.digests import Edition, Pick, Section
from digest.model.messages import Envelope, Message, Outcome, OutcomeKind
from digest.model.packed_picks import pack
from digest.model.verp import Verp
from subscribers.errors import ConsentError
from subscribers.model import Consent, SuppressionReason
from subscribers.store.registry import Registry
from subscribers.store.tables import metadata, suppressions
from subscribers.tokens import Purpose
from tests import reports
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import begin, commit
from tests.support import NOW, examples, make_settings, make_sighting

SENDER = from_identity(make_settings())
VERP = Verp([SENDER.secret], "bounces@example.org")
COMPLAINTS = "complaints@example.org"
ADDRESSES = ["ada@one.test", "bob@one.test", "cyd@one.test", "dan@two.test", "eve@two.test"]
ELSEWHERE = "me@two.test"
LANES = ["*", "one.test", "two.test"]
MOST_HANDS = 4
PATIENCE = 60  # seconds

# What a relay may say to a message that it was given; without an outcome there is no relay.
ANSWERS = {
    "accepted": Outcome(OutcomeKind.ACCEPTED, "2.0.0 queued", 250),
    "deferred": Outcome(OutcomeKind.DEFERRED, "4.2.1 greylisted", 450, status="4.2.1"),
    "put off": Outcome(OutcomeKind.DEFERRED, "4.3.2 busy", 421, "4.3.2", is_about_relay=True),
    "dead": Outcome(OutcomeKind.REFUSED, "5.1.1 nobody", 550, "5.1.1"),
    "full": Outcome(OutcomeKind.REFUSED, "5.2.2 full", 552, status="5.2.2"),
    "blocked": Outcome(OutcomeKind.REFUSED, "5.7.1 your IP is blacklisted", 550, status="5.7.1"),
    "uncertain": Outcome(OutcomeKind.UNCERTAIN, "no answer to the final dot"),
    "shut out": Outcome(
        OutcomeKind.REFUSED, "5.7.1 relaying denied", 550, "5.7.1", is_about_relay=True
    ),
    "no relay": None,
}
REFUSALS = {"dead": "hard", "full": "soft"}  # and what they are recorded as
NOT_ITS_FAULT = {"deferred", "blocked", "shut out"}  # so that it is tried again
TAKES_NOBODY = {"put off", "no relay"}  # and so has not looked at the message
TAKES_NOTHING = {*REFUSALS, *NOT_ITS_FAULT, *TAKES_NOBODY}
FAILURES = {"5.1.1": "no such user", "5.2.2": "mailbox full", "5.7.1": "your IP is blacklisted"}
BOUNCES = {"hard-bounce", "soft-bounces"}
WAITING = {"pending", "deferred"}
OVER = {"accepted", "refused", "suppressed", "skipped", "uncertain"}

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STALE_AFTER = 48 * HOUR
some = st.integers(0, 5)  # one of those there are, round and round
answers = st.sampled_from(["accepted", *ANSWERS])
addresses = st.sampled_from(ADDRESSES)
provider_queues = st.sampled_from(LANES)
paces = st.sampled_from([{}, {}, {"gap": 3}, {"provider_gap": 10}, {"most": 1}, {"most": 2}])


def event(name: str, *details: st.SearchStrategy, often: int = 1) -> list[st.SearchStrategy]:
    """Something that may happen: a method of the machine, and what it is given."""
    return [st.tuples(st.just(name), *details) for _ in range(often)]


EVENTS = st.one_of(
    *event("time_passes", st.sampled_from([2 * MINUTE, 20 * MINUTE, 7 * HOUR])),
    *event("publish", st.integers(0, 2), often=3),
    *event("join", addresses, often=3),
    *event("says", some, st.sampled_from(["leave", "undo", "ask", "confirm"])),
    *event("address_changes", some, addresses),
    *event("is_removed", some),
    *event("is_blocked", addresses),
    *event("is_no_more_blocked", addresses, often=3),
    *event("claims", some, paces, often=3),
    *event("sends", some, paces, st.lists(answers, min_size=1, max_size=5), often=2),
    *event("hands_over", some, often=3),
    *event("hears", some, answers, often=3),
    *event("loses_an_answer", some),
    *event("dies", some),
    *event("is_taken_for_dead", some, often=2),
    *event("resolve_orphaned"),
    *event("expire", st.sampled_from([0, 0, 3])),
    *event("resend", often=2),
    *event("drop"),
    *event("pause", provider_queues),
    *event("resume", st.none() | provider_queues, often=3),
    *event("fails_later", some, st.sampled_from([*FAILURES, "5.7.1"]), often=2),
    *event("is_called_spam", some, st.booleans()),
    *event("is_delayed", some),
    *event("somebody_makes_up_a_report", some, st.integers(0, 9)),
)


class Died(BaseException):
    """A process is gone: none of its code runs any more."""


class Wire:
    """A transport that takes its time: it answers when the test says so."""

    takes_smtputf8 = True

    def __init__(self) -> None:
        self.handed: Queue[Message | None] = Queue()
        self.answer: Queue[Outcome | BaseException] = Queue()

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def send(self, message: Message) -> Outcome:
        self.handed.put(message)
        answer = self.answer.get(timeout=PATIENCE)
        if isinstance(answer, BaseException):
            raise answer
        return answer


# ---- the model's own things --------------------------------------------------------------------


@dataclass(eq=False)
class Reader:
    number: int
    link: str
    address: str
    consent: str = "confirmed"
    moved_at: datetime | None = None
    asked_at: datetime | None = None

    def __repr__(self) -> str:
        return self.address


@dataclass(eq=False)
class Mail:
    """What one reader is to get of one edition. ``copies`` are those that may have been taken."""

    edition: Edition
    reader: int
    number: int
    provider: str
    changed_at: datetime
    state: str = "pending"
    reason: str = ""
    next_at: datetime | None = None
    holder: "LiveWorker | None" = None
    attempts: int = 0
    copies: int = 0
    resent: int = 0
    came_back: dict[str, datetime] = field(default_factory=dict)
    proven: set[str] = field(default_factory=set)  # of these: what was not only told by mail

    def __repr__(self) -> str:
        return f"mail {self.number}"

    def waits_for(self, now: datetime) -> bool:
        """Whether it is to be sent, and not yet."""
        return self.state in WAITING and self.next_at is not None and self.next_at > now


@dataclass(eq=False)
class LiveWorker:
    """A process that sends; ``lock`` is None once it was lost."""

    name: str
    claims: Claims
    lock: AbstractContextManager[Claims] | None

    def __repr__(self) -> str:
        return self.name[:4]


@dataclass(eq=False)
class Hand:
    """A delivery that a worker has leased, and does not let go of before it knows the outcome.

    ``to`` is the address that its reader had when it was leased.
    """

    sender: LiveWorker
    mail: Mail
    delivery: Delivery
    wire: Wire = field(default_factory=Wire)
    work: Future[Outcome | None] = field(default_factory=Future)
    to: str = ""

    def __repr__(self) -> str:
        return f"{self.mail!r} of {self.sender!r}"


@dataclass(frozen=True)
class Sent:
    """A message as it was on the wire."""

    mail: Mail
    mail_from: str
    rcpt_to: str


class DeliveryMachine(RuleBasedStateMachine):
    """All events are one rule.

    Of many, Hypothesis would leave out about half of them in each example, and then hardly ever
    would anything happen between a claim and its outcome.
    """

    def __init__(self, engine: Engine, pool: ThreadPoolExecutor) -> None:
        super().__init__()
        self.engine, self.pool = engine, pool
        with engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
        self.ledger, self.registry = Ledger(engine), Registry(engine)
        pause_at = PauseLimits(hard_bounces=50, complaints=40)
        self.feedback = FeedbackHandler(self.ledger, self.registry, pause_at)
        witness = Attribution(self.ledger, self.registry, VERP, SENDER.tokens)
        self.inbox = Inbox(self.registry, witness, self.feedback)
        self.settling = UncertainResolver(self.ledger, STALE_AFTER)
        self.now = NOW
        self.readers: list[Reader] = []
        self.editions: dict[date, Edition] = {}
        self.frozen_at: dict[int, datetime] = {}
        self.mails: list[Mail] = []
        self.senders: list[LiveWorker] = []
        self.claimed: list[Hand] = []
        self.on_the_wire: list[Hand] = []
        self.sent: list[Sent] = []
        self.blocks: dict[str, str] = {}
        self.blocked_at: dict[str, datetime] = {}
        self.paused: set[str] = set()
        self.resumed_at: dict[str, datetime] = {}
        self.turns: dict[str, datetime] = {}
        self.gone_out: Counter[date] = Counter()

    # ---- days and people ---------------------------------------------------------------------

    @initialize(who=st.lists(addresses, min_size=3, unique=True))
    def begin(self, who: list[str]) -> None:
        for address in who:
            self.join(address)
        self.publish(0)

    @rule(event=EVENTS)
    def happens(self, event: tuple) -> None:
        name, *details = event
        getattr(self, name)(*details)

    def time_passes(self, by: timedelta) -> None:
        self.now += by

    def publish(self, days: int) -> None:
        """The edition of a day is planned for everybody due; once more for whoever came since."""
        self.now += timedelta(days)
        now = self.tick()
        day = now.date()
        if day not in self.editions:
            absorb(self.ledger, make_sighting(len(self.editions) + 1, listed_on=day))
            self.editions[day] = self.ledger.editions.freeze(day, day, now)
            self.frozen_at[self.editions[day].id] = now
        edition = self.editions[day]
        planned = self.ledger.deliveries.planned(edition.id)
        confirmed = [person.id for person in self.registry.everybody(Consent.CONFIRMED)]
        due = [each for each in confirmed if each not in planned]
        have = {mail.reader for mail in self.mails if mail.edition is edition}
        readers = sorted(self.readers, key=lambda each: each.number)
        due_now = [
            reader
            for reader in readers
            if reader.consent == "confirmed" and reader.number not in have
        ]
        assert due == [each.number for each in due_now]
        picks = (Pick(Section.TRENDING, edition.candidates[0]),)
        plans = [Plan(each.number, pack(picks), domain_of(each)) for each in due_now]
        self.ledger.deliveries.plan(edition.id, plans, now)
        for each in due_now:
            delivery = self.ledger.deliveries.of(edition, each.number)
            self.mails.append(Mail(edition, each.number, delivery.id, domain_of(each), now))

    def join(self, address: str) -> None:
        reader = self.at(address)
        join = {"source": "test", "now": self.tick()}
        if reader and reader.consent == "withdrawn":
            with pytest.raises(ConsentError):
                self.registry.add(address, (), **join)
            return
        person = self.registry.add(address, (), **join)
        if reader is None:
            reader = Reader(person.id, person.public_id, address)
            self.readers.append(reader)
        reader.consent = "confirmed"

    def says(self, which: int, word: str) -> None:
        if not self.readers:
            return
        reader = self.readers[which % len(self.readers)]
        said = {"source": "test", "now": self.tick()}
        match word:
            case "leave":
                self.registry.withdraw(reader.link, **said)
                reader.consent = "withdrawn"
            case "undo":
                self.registry.undo(reader.link, **said)
                if reader.consent == "withdrawn":
                    reader.consent = "confirmed"
            case "ask":
                self.registry.ask(reader.address, (), **said)
                self.asked(reader)
            case "confirm":
                self.registry.confirm(reader.link, **said)
                if reader.consent == "pending":
                    reader.consent = "confirmed"
                if reader.consent == "confirmed":
                    self.lift_bounces(reader.address, reader.asked_at)

    def asked(self, reader: Reader) -> None:
        block = self.blocks.get(reader.address)
        if (block or reader.consent != "confirmed") and block in {None, *BOUNCES}:
            reader.asked_at = self.now
            if reader.consent == "withdrawn":
                reader.consent = "pending"

    def is_removed(self, which: int) -> None:
        if self.readers:
            reader = self.readers.pop(which % len(self.readers))
            assert self.registry.remove(reader.address)

    def address_changes(self, which: int, to: str) -> None:
        confirmed = [reader for reader in self.readers if reader.consent == "confirmed"]
        if confirmed and self.at(to) not in confirmed:
            self.move(confirmed[which % len(confirmed)], to)

    def move(self, reader: Reader, to: str) -> None:
        now = self.tick()
        move = self.registry.address_changes.ask(self.registry.get(reader.number), to, now)
        assert self.registry.address_changes.complete(move.public_id, source="test", now=now)
        self.lift_bounces(to, now)
        if other := self.at(to):  # who left, or has not confirmed, is the same person
            self.readers.remove(other)
            asked = [at for at in (reader.asked_at, other.asked_at) if at]
            reader.asked_at = max(asked, default=None)
        reader.address, reader.moved_at = to, now

    def is_blocked(self, address: str) -> None:
        self.registry.suppressions.add(address, SuppressionReason.OPERATOR, now=self.tick())
        self.block(address, "operator")

    def block(self, address: str, why: str) -> None:
        """The first reason stays, but any other replaces a bounce."""
        known = self.blocks.get(address)
        if known is None or (known in BOUNCES and why not in BOUNCES):
            self.blocks[address], self.blocked_at[address] = why, self.now

    def lift_bounces(self, address: str, asked_at: datetime | None) -> None:
        """A link was followed, so mail arrives there again."""
        is_newer = asked_at is not None and asked_at >= self.blocked_at.get(address, NOW)
        if is_newer and self.blocks.get(address) in BOUNCES:
            del self.blocks[address]

    def is_no_more_blocked(self, address: str) -> None:
        was_blocked = self.blocks.pop(address, None) is not None
        assert self.registry.suppressions.lift(address) is was_blocked

    # ---- senders -----------------------------------------------------------------------------

    def sends(self, which: int, pace: dict, answers: list[str]) -> None:
        """One after the other, with nothing between."""
        for answer in answers:
            if self.claims(which, pace) and self.hands_over(-1):
                self.hears(-1, answer)

    def loses_an_answer(self, which: int) -> None:
        """A mark is committed, but its worker never hears of it, and undoes it in the end."""
        if not self.claimed:
            return
        hand = self.claimed.pop(which % len(self.claimed))
        sender, now = hand.sender, self.tick()
        stands = self.model_of_mark(hand)
        assert commit(sender.claims, now, marks=[Mark(hand.delivery, hand.to)]).marks == [stands]
        if all(each.sender is not sender for each in self.claimed + self.on_the_wire):
            now = self.tick()
            its = [
                mail
                for mail in self.mails
                if mail.holder is sender and mail.state in {*WAITING, "sending"}
            ]
            assert sender.claims.release_forgotten(now) == len(its)
            for mail in its:
                mail.holder = None
                if mail.state == "sending":
                    self.becomes(mail, "pending")

    def is_taken_for_dead(self, which: int) -> None:
        """It has lost the database for a moment, does not know it, and goes on."""
        if in_hand := self.claimed + self.on_the_wire:
            self.lets_go(in_hand[which % len(in_hand)].sender)
            self.resolve_orphaned()

    def dies(self, which: int) -> None:
        """Whatever it was doing: before a message went out, or before its outcome was recorded."""
        sender = self.sender(which)
        self.senders.remove(sender)
        self.lets_go(sender)
        self.claimed = [each for each in self.claimed if each.sender is not sender]
        for hand in [each for each in self.on_the_wire if each.sender is sender]:
            self.on_the_wire.remove(hand)
            hand.wire.answer.put(Died())
            with pytest.raises(Died):
                hand.work.result(PATIENCE)

    def lets_go(self, sender: LiveWorker) -> None:
        """Of its lock, as the system does when a process or a connection dies: not more."""
        if sender.lock:
            sender.lock.__exit__(None, None, None)
            sender.lock = None
            if self.engine.dialect.name == "sqlite":  # a file that nobody holds stays behind
                Path(f"{self.engine.url.database}.sender-{sender.name}.lock").touch()

    def claims(self, which: int, pace: dict) -> bool:
        if len(self.claimed + self.on_the_wire) == MOST_HANDS:
            return False
        sender = self.sender(which)
        now = self.tick()
        most = (now.date(), pace["most"]) if "most" in pace else None
        limits = Limits(pace.get("gap", 0), pace.get("provider_gap", 0), most)
        expected = self.whose_turn(most and most[1], now)
        found = begin(sender.claims, limits, now)
        if not isinstance(expected, Mail):
            assert found == expected
            return False
        mail = expected
        assert replace(found, picks="") == Delivery(
            mail.number, mail.edition.id, mail.reader, mail.attempts, mail.provider
        )
        if most:
            self.gone_out[now.date()] += 1
        for queue, interval in (("*", limits.interval), (mail.provider, limits.provider_interval)):
            if interval:
                before = self.turns.get(queue)  # taken a little late, it counts as in time
                is_in_time = before and now - before <= timedelta(seconds=1)
                self.turns[queue] = (before if is_in_time else now) + timedelta(seconds=interval)
        mail.holder = sender
        reader = self.reader(mail.reader)
        to = reader.address if reader else "nobody@one.test"
        self.claimed.append(Hand(sender, mail, found, to=to))
        return True

    def hands_over(self, which: int) -> bool:
        """What has happened since the claim is known before the message goes out."""
        if not self.claimed:
            return False
        hand = self.claimed.pop(which % len(self.claimed))
        self.tick()
        mail, stands = hand.mail, self.model_of_mark(hand)
        hand.work = self.pool.submit(lambda: asyncio.run(self.attempt(hand)))
        hand.work.add_done_callback(lambda _: hand.wire.handed.put(None))
        handed = hand.wire.handed.get(timeout=PATIENCE)
        if handed:
            self.on_the_wire.append(hand)
        assert bool(handed) is stands
        if not handed:
            assert hand.work.result(PATIENCE) is None
            return False
        assert handed.envelope.rcpt_to == hand.to
        mail.copies += 1
        self.sent.append(Sent(mail, handed.envelope.mail_from, hand.to))
        return True

    def model_of_mark(self, hand: Hand) -> bool:
        """Whether the mark of a delivery stands; if not, what becomes of it."""
        mail, reader = hand.mail, self.reader(hand.mail.reader)
        if not self.is_its_own(hand) or mail.state not in WAITING:
            return False
        if why := self.why_nothing_goes_to(reader):
            self.becomes(mail, *why)
            mail.holder = None
        elif {"*", mail.provider} & self.paused or reader.address != hand.to:
            mail.holder = None  # it waits as before
        else:
            self.becomes(mail, "sending")
            return True
        return False

    async def attempt(self, hand: Hand) -> Outcome | None:
        """What a connection does with a delivery, in an event loop of its own."""
        message = Message(Envelope("digest@example.org", hand.to), "<1@example.org>", b"Hi\r\n")
        commit = GroupCommit(hand.sender.claims, lambda _: Limits(), lambda: self.now, 1)
        commit.hear = lambda _: None
        feed = SimpleNamespace(look_again=lambda: None)
        worker = Attempts(commit, feed, self.feedback, VERP, shipped_table(), lambda: self.now)
        parcel = Parcel(hand.delivery, SimpleNamespace(address=hand.to), None)
        committing = asyncio.create_task(commit.run())
        try:
            return await worker.send(ThreadChannel(hand.wire), parcel, message)
        finally:
            commit.close()
            await committing

    def hears(self, which: int, answer: str) -> None:
        """Perhaps after it was taken for dead, and others have decided."""
        if not self.on_the_wire:
            return
        hand = self.on_the_wire.pop(which % len(self.on_the_wire))
        now = self.tick()
        outcome = ANSWERS[answer]
        hand.wire.answer.put(outcome or TransportError("the relay cannot be reached"))
        if outcome:
            assert hand.work.result(PATIENCE).text == outcome.text
        else:
            with pytest.raises(TransportError):
                hand.work.result(PATIENCE)
        mail = hand.mail
        if answer in TAKES_NOTHING:
            mail.copies -= 1
        if self.is_its_own(hand):
            self.ends(hand, answer, now)
        if answer in REFUSALS:
            self.learns(mail, hand.to, REFUSALS[answer], now, is_proof=True)

    def ends(self, hand: Hand, answer: str, now: datetime) -> None:
        mail = hand.mail
        match answer:
            case _ if answer in TAKES_NOBODY:
                self.becomes(mail, "pending")
                mail.holder = None
                if answer != "no relay":
                    mail.next_at = now + MINUTE
                return
            case "uncertain" if mail.state == "uncertain":
                return
            case _ if answer in NOT_ITS_FAULT:
                longest = min(10 * MINUTE * 2**hand.delivery.attempts, 6 * HOUR)
                mail.next_at = self.row(mail).next_attempt_at
                assert longest / 2 <= mail.next_at - now <= longest
        if answer != "uncertain":
            mail.holder = None
        became = "refused" if answer in REFUSALS else answer
        self.becomes(mail, "deferred" if answer in NOT_ITS_FAULT else became)
        mail.attempts += 1

    # ---- what is done about it ---------------------------------------------------------------

    def resolve_orphaned(self) -> None:
        now = self.tick()
        had = [mail for mail in self.mails if mail.holder and not mail.holder.lock]
        marked = [mail for mail in had if mail.state == "sending"]
        assert self.ledger.live_workers.resolve_orphaned(now) == len(marked)
        for mail in had:
            if mail.state in WAITING:
                mail.holder = None
        for mail in marked:
            self.becomes(mail, "uncertain")

    def expire(self, days_off: int) -> None:
        self.now += timedelta(days_off)
        now = self.tick()
        stale = [each for each in self.mails if each.state in WAITING and self.is_stale(each, now)]
        assert self.ledger.deliveries.expire(now - STALE_AFTER, now) == len(stale)
        for mail in stale:
            self.becomes(mail, "skipped", "stale")

    def resend(self) -> None:
        """Those of the oldest edition that has any."""
        now = self.tick()
        if uncertain := [each for each in self.mails if each.state == "uncertain"]:
            day = uncertain[0].edition.day
            settled = [each for each in uncertain if each.edition.day == day]
            too_old = sum(self.is_stale(each, now) for each in settled)
            assert self.settling.resend(day, now) == Resent(len(settled), too_old)
            for mail in settled:
                self.becomes(mail, "pending")
                mail.holder = mail.next_at = None
                mail.resent += 1

    def drop(self) -> None:
        now = self.tick()
        uncertain = [each for each in self.mails if each.state == "uncertain"]
        assert self.settling.drop(None, now) == len(uncertain)
        for mail in uncertain:
            self.becomes(mail, "skipped", "dropped")

    def pause(self, queue: str) -> None:
        is_new = queue not in self.paused
        assert self.ledger.provider_queues.pause(queue, "for a test", self.tick()) is is_new
        self.paused.add(queue)

    def resume(self, queue: str | None) -> None:
        now = self.tick()
        resumed = sorted(self.paused & {queue} if queue else self.paused)
        assert self.ledger.provider_queues.resume(queue, now) == resumed
        self.paused -= set(resumed)
        self.resumed_at |= dict.fromkeys(resumed, now)

    # ---- what comes back -----------------------------------------------------------------------

    def fails_later(self, which: int, status: str) -> None:
        if not self.sent:
            return
        sent = self.sent[which % len(self.sent)]
        verdict = self.read(reports.failure(sent.mail_from, status, FAILURES[status]))
        if self.is_proven(sent, verdict):
            assert verdict == ("hard" if status == "5.1.1" else "soft")
            kind = {"5.1.1": "hard", "5.2.2": "soft", "5.7.1": "blocked"}[status]
            self.comes_back(sent.mail, sent.rcpt_to, kind)

    def is_called_spam(self, which: int, shows_all: bool) -> None:
        """Where only its link is shown, the last mail of the reader is meant, if there is any."""
        if not self.sent:
            return
        sent = self.sent[which % len(self.sent)]
        if shows_all:
            verdict = self.read(reports.complaint(COMPLAINTS, sender=sent.mail_from))
            if self.is_proven(sent, verdict):
                assert verdict == "complaint"
                self.comes_back(sent.mail, sent.rcpt_to, "complaint")
        elif reader := self.reader(sent.mail.reader):
            token = SENDER.tokens.make(Purpose.UNSUBSCRIBE, reader.link)
            assert self.read(reports.complaint(COMPLAINTS, unsubscribe=token)) == "complaint"
            theirs = [mail for mail in self.mails if mail.reader == reader.number]
            went_out = [mail for mail in theirs if mail.state in {"accepted", "uncertain"}]
            if went_out:
                last = max(went_out, key=lambda each: each.number)
                self.comes_back(last, reader.address, "complaint")
            else:
                self.block(reader.address, "complaint")

    def is_delayed(self, which: int) -> None:
        if self.sent:
            sent = self.sent[which % len(self.sent)]
            assert self.read(reports.delay(sent.mail_from)) == "delayed"

    def somebody_makes_up_a_report(self, which: int, other: int) -> None:
        """About another delivery, or one that never was, with the signature that they have."""
        if not self.sent:
            return
        sent = self.sent[which % len(self.sent)]
        _, signature = sent.mail_from.split("-")
        about = [mail for mail in self.mails[other : other + 1] if mail is not sent.mail]
        number = about[0].number if about else 999_999
        verdict = self.read(reports.failure(f"bounces+{number}-{signature}"))
        is_somebodys = any(self.reader(each.reader) for each in about)
        assert verdict == ("unproven" if is_somebodys else "obsolete")

    @precondition(lambda self: len(self.editions) == 3 and not self.at(ELSEWHERE))
    @rule(address=addresses, does_move=st.booleans())
    def a_mailbox_is_full_for_a_week(self, address: str, does_move: bool) -> None:
        """While the others get what is sent to them, every other day."""
        if self.at(address) is None:
            self.join(address)
        reader = self.at(address)
        for number in range(5):
            self.publish(2)
            if does_move and number == 3 and reader.consent == "confirmed":
                self.move(reader, ELSEWHERE)
            while self.claims(0, {}):
                is_full = self.claimed[-1].mail.reader == reader.number
                if self.hands_over(-1):
                    self.hears(-1, "full" if is_full else "accepted")

    # ---- what holds ----------------------------------------------------------------------------

    @invariant()
    def every_delivery_is_as_in_the_model(self) -> None:
        with self.engine.connect() as connection:
            rows = connection.execute(select(deliveries).order_by(deliveries.c.id)).all()
            tried = connection.execute(select(func.count()).select_from(attempts)).scalar_one()
            known = connection.execute(
                select(bounces.c.delivery_id, bounces.c.kind, bounces.c.at)
            ).all()
        mails = sorted(self.mails, key=lambda each: each.number)
        for row, mail in zip(rows, mails, strict=True):
            assert (row.id, row.edition_id) == (mail.number, mail.edition.id)
            assert (row.subscriber_id, row.provider) == (mail.reader, mail.provider)
            assert (row.state, row.reason or "") == (mail.state, mail.reason)
            assert (row.attempts, row.changed_at) == (mail.attempts, mail.changed_at)
            if mail.state in WAITING:
                assert row.next_attempt_at == mail.next_at
        assert tried == sum(each.attempts for each in mails)
        assert {(row.delivery_id, row.kind, row.at) for row in known} == {
            (each.number, kind, at) for each in mails for kind, at in each.came_back.items()
        }

    @invariant()
    def nobody_gets_an_edition_twice(self) -> None:
        for mail in self.mails:
            assert mail.copies <= 1 + mail.resent
        assert len({(each.edition.id, each.reader) for each in self.mails}) == len(self.mails)

    @invariant()
    def every_sum_adds_up(self) -> None:
        for day, edition in self.editions.items():
            its = [mail for mail in self.mails if mail.edition is edition]
            states = Counter(each.state for each in its)
            states["pending"] += states.pop("sending", 0)
            skipped_for = Counter(each.reason for each in its if each.state == "skipped")
            balance = self.ledger.editions.balance(edition)
            assert balance == Balance(day, len(its), skipped_for=dict(skipped_for), **states)
            assert balance.is_balanced

    @invariant()
    def blocks_and_pauses_are_those_of_the_model(self) -> None:
        with self.engine.connect() as connection:
            rows = connection.execute(select(suppressions)).all()
        assert {row.address_key: row.reason for row in rows} == self.blocks
        assert {each.provider for each in self.ledger.provider_queues.paused()} == self.paused

    def teardown(self) -> None:
        try:
            if not sys.exc_info()[0]:
                self.everybody_gets_somewhere()
        finally:
            while self.senders:
                self.dies(0)

    def everybody_gets_somewhere(self) -> None:
        """Once all is well again, and somebody sends, nothing stays behind."""
        while self.senders:
            self.dies(0)
        self.resolve_orphaned()
        self.resume(None)
        while waiting := [mail for mail in self.mails if mail.state in WAITING]:
            found = self.whose_turn(None, self.next_second)
            if isinstance(found, Mail):
                assert self.claims(0, {})
                if self.hands_over(0):
                    self.hears(0, "accepted")
                assert found.state not in WAITING
            else:
                later = found or min(each.next_at for each in waiting)
                assert later > self.now
                self.now = later
        assert {mail.state for mail in self.mails} <= OVER
        self.every_delivery_is_as_in_the_model()
        self.nobody_gets_an_edition_twice()
        self.every_sum_adds_up()

    # ---- the model -----------------------------------------------------------------------------

    def tick(self) -> datetime:
        """The time, which is another each time."""
        self.now = self.next_second
        return self.now

    @property
    def next_second(self) -> datetime:
        return self.now + timedelta(seconds=1)

    def sender(self, which: int) -> LiveWorker:
        """One of at most three that live; another enters where there are not as many yet."""
        if which % 3 < len(self.senders):
            return self.senders[which % 3]
        lock = self.ledger.live_workers.enter()
        claims = lock.__enter__()
        self.senders.append(LiveWorker(claims.name, claims, lock))
        return self.senders[-1]

    def at(self, address: str) -> Reader | None:
        return next((reader for reader in self.readers if reader.address == address), None)

    def reader(self, number: int) -> Reader | None:
        return next((reader for reader in self.readers if reader.number == number), None)

    def row(self, mail: Mail):
        with self.engine.connect() as connection:
            return connection.execute(
                select(deliveries).where(deliveries.c.id == mail.number)
            ).one()

    def becomes(self, mail: Mail, state: str, reason: str = "") -> None:
        mail.state, mail.reason, mail.changed_at = state, reason, self.now

    def is_its_own(self, hand: Hand) -> bool:
        """Whether it is for that worker to say what became of it: nobody else has decided."""
        is_open = hand.mail.state in {*WAITING, "sending", "uncertain"}
        return hand.mail.holder is hand.sender and is_open

    def is_stale(self, mail: Mail, now: datetime) -> bool:
        return self.frozen_at[mail.edition.id] < now - STALE_AFTER

    def why_nothing_goes_to(self, reader: Reader | None) -> tuple[str, str] | None:
        if reader is None:
            return "skipped", "removed"
        if reader.address in self.blocks:
            return "suppressed", ""
        return {
            "confirmed": None,
            "withdrawn": ("skipped", "withdrawn"),
            "pending": ("skipped", "not-confirmed"),
        }[reader.consent]

    def whose_turn(self, most: int | None, now: datetime) -> Mail | datetime | None:
        """What is to be claimed at a moment, or else from when on something may be."""
        if "*" in self.paused:
            return None
        to_do = [
            mail
            for mail in self.mails
            if mail.state in WAITING and not mail.holder and mail.provider not in self.paused
        ]
        in_time = [each for each in to_do if not each.waits_for(now)]
        if in_time and self.turns.get("*", now) > now:
            return self.turns["*"]
        ready = [each for each in in_time if self.turns.get(each.provider, now) <= now]
        if ready:
            is_enough = most is not None and self.gone_out[now.date()] >= most
            return None if is_enough else min(ready, key=in_order)
        moments = [self.turns[each.provider] for each in in_time]
        moments += [
            each.next_at for each in to_do if each.waits_for(now) and each.state == "pending"
        ]
        return min(moments, default=None)

    def read(self, mail: bytes) -> str:
        """What becomes of a mail that comes back."""
        [verdict] = self.inbox.read([InboundMessage(mail)], self.tick())
        return verdict.value

    def is_proven(self, sent: Sent, verdict: str) -> bool:
        """Whether a report by the address it was sent from counts; the fate of one that does not."""
        reader = self.reader(sent.mail.reader)
        if reader is None:
            assert verdict == "obsolete"
        elif reader.address != sent.rcpt_to:
            assert verdict == "unproven"
        else:
            return True
        return False

    def comes_back(self, mail: Mail, address: str, kind: str) -> None:
        if mail.state == "uncertain":
            self.becomes(mail, "accepted")
            mail.holder = None
        self.learns(mail, address, kind, self.now)

    def learns(
        self, mail: Mail, address: str, kind: str, now: datetime, *, is_proof: bool = False
    ) -> None:
        """What is told by mail stops nobody else's mail."""
        if kind in mail.came_back and (kind in mail.proven or not is_proof):
            return
        match kind:
            case "hard":
                self.block(address, "hard-bounce")
            case "complaint":
                self.block(address, "complaint")
            case "soft" if self.is_given_up(mail, is_proof):
                self.block(address, "soft-bounces")
        mail.came_back.setdefault(kind, now)
        if is_proof:
            mail.proven.add(kind)
            if self.is_too_much(kind, now):
                self.paused.add("*")

    def others_got_theirs(self, mail: Mail) -> bool:
        """Whether a refusal of this mail is not one that all get alike."""
        same = [each for each in self.mails if each.edition is mail.edition]
        there = [each.state for each in same if each.provider == mail.provider]
        is_ours_alone = not mail.provider or "accepted" in there or there.count("refused") < 3
        return is_ours_alone and any(each.state == "accepted" for each in same)

    def is_given_up(self, mail: Mail, is_proof: bool) -> bool:
        """Whether five editions have come back within thirty days, over seven at least."""
        if is_proof and not self.others_got_theirs(mail):
            return False
        reader = self.reader(mail.reader)
        since = reader.moved_at if reader and reader.moved_at else NOW
        days = [
            each.edition.day
            for each in self.mails
            if each.reader == mail.reader
            and each.came_back.get("soft", NOW - timedelta(1)) >= since
            and ("soft" not in each.proven or self.others_got_theirs(each))
        ]
        days.append(mail.edition.day)
        recent = {day for day in days if day >= max(days) - timedelta(days=30)}
        return len(recent) >= 5 and max(recent) - min(recent) >= timedelta(days=7)

    def is_too_much(self, kind: str, now: datetime) -> bool:
        """Whether all is to stop: a half of the week's mails hard, or two fifths complained of."""
        fewest, part = {"hard": (3, 0.5), "complaint": (2, 0.4)}.get(kind, (10**9, 1))
        week_ago = now - timedelta(days=7)
        since = max(week_ago, self.resumed_at.get("*", week_ago))
        recent = [
            mail
            for mail in self.mails
            if self.frozen_at[mail.edition.id] >= week_ago and mail.changed_at >= since
        ]
        count = len(
            {
                each.reader
                for each in recent
                if kind in each.proven and each.came_back[kind] >= since
            }
        )
        return count >= fewest and count >= part * sum(each.state == "accepted" for each in recent)


def domain_of(reader: Reader) -> str:
    return reader.address.partition("@")[2]


def in_order(mail: Mail) -> tuple:
    """First attempts by edition, and then the others by when they may be tried again."""
    if mail.state == "pending":
        return 0, mail.edition.id, mail.number
    return 1, mail.next_at


def run(engine: Engine, **of_database: int) -> None:
    with ThreadPoolExecutor(MOST_HANDS) as pool:
        run_state_machine_as_test(
            lambda: DeliveryMachine(engine, pool),
            settings=settings(
                max_examples=examples(of_database[engine.dialect.name]),
                stateful_step_count=40,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_deliveries_go_by_the_model(engine: Engine) -> None:
    run(engine, sqlite=30, postgresql=3)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_deliveries_go_by_the_model_at_length(engine: Engine) -> None:
    run(engine, sqlite=100, postgresql=20)
