"""Shards: handed out with their rows, sent by any worker, and settled whatever becomes of jobs."""

import asyncio
from datetime import timedelta
from threading import Barrier, Event

import pytest
from sqlalchemy import select, text, update

from digest.compose.composer import Composer
from digest.compose.from_identity import from_identity
from digest.deliver.shard_sender import Again, ShardSender
from digest.errors import LedgerError
from digest.ledger import shards
from digest.ledger.database import ensure_current, open_database
from digest.ledger.ledger import Ledger
from digest.ledger.tables import deliveries
from digest.model.deliveries import DeliveryState
from digest.model.messages import Outcome, OutcomeKind
from subscribers.store.registry import Registry
from tests.conftest import new_schema
from tests.integration.deliver.test_delivery_worker import TEMPLATES, Crowd, Post, names
from tests.integration.senders import make_delivery_worker
from tests.support import NOW, make_settings

S = DeliveryState
ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "OK", 250)


@pytest.fixture
def crowd():
    with new_schema() as url:
        engine = open_database(url)
        ensure_current(engine)
        yield Crowd(Ledger(engine, hand_out=shards.hand_out), Registry(engine))
        engine.dispose()


def sender_of(crowd, post, slots=2, renew=lambda _: None, **settings):
    chosen = make_settings(**settings)
    composer = Composer(TEMPLATES, from_identity(chosen))
    worker = make_delivery_worker(chosen, crowd.ledger, crowd.registry, composer, post, crowd.clock)
    return ShardSender(worker._parts, crowd.clock, slots, renew)


def send(crowd, *given, says=lambda _: ACCEPTED, **settings):
    """Send shards at once; the answers, and the recipients of what arrived."""
    post = Post(crowd.clock, says)
    sender = sender_of(crowd, post, **settings)

    async def do():
        async with sender.running():
            return await asyncio.gather(*(sender.send(ids) for ids in given))

    return asyncio.run(do()), post.sent


def ids(crowd):
    with crowd.ledger.engine.connect() as connection:
        return list(connection.execute(select(deliveries.c.id).order_by(deliveries.c.id)).scalars())


def jobs(crowd):
    with crowd.ledger.engine.connect() as connection:
        found = connection.execute(text("SELECT args->'ids' FROM procrastinate_jobs ORDER BY id"))
        return list(found.scalars())


def change(crowd, which, **values):
    with crowd.ledger.engine.begin() as connection:
        connection.execute(update(deliveries).where(deliveries.c.id.in_(which)).values(**values))


def states(crowd):
    with crowd.ledger.engine.connect() as connection:
        return list(
            connection.execute(select(deliveries.c.state).order_by(deliveries.c.id)).scalars()
        )


# ---- cut, and handed out ---------------------------------------------------------------------


def test_a_shard_is_of_one_provider_unless_it_has_few():
    big, other = [(number, "a") for number in range(450)], [(500 + n, "b") for n in range(20)]
    few = [(600 + number, f"c{number}") for number in range(30)]
    cut = shards.cut([*few, *big, *other])
    assert [len(ids) for ids in cut] == [200, 200, 50, 20, 30]
    assert sorted(number for ids in cut for number in ids) == sorted(
        n for n, _ in big + other + few
    )


def test_what_is_planned_is_handed_out_in_the_same_transaction(crowd, monkeypatch):
    crowd.add(*names(2))
    assert jobs(crowd) == [[1], [2]]
    monkeypatch.setattr(crowd.ledger.deliveries, "_hand_out", broken_off)
    with pytest.raises(ZeroDivisionError):
        crowd.add("another@example.org")
    assert (jobs(crowd), ids(crowd)) == ([[1], [2]], [1, 2])


def broken_off(*given):
    shards.hand_out(*given)
    raise ZeroDivisionError


# ---- sent ------------------------------------------------------------------------------------


def test_a_shard_is_sent_and_nothing_else(crowd):
    crowd.add(*names(5))
    assert send(crowd, ids(crowd)[:3]) == ([None], names(5)[:3])
    assert states(crowd) == [S.ACCEPTED] * 3 + [S.PENDING] * 2


def test_a_shard_that_is_handed_out_twice_is_sent_once(crowd):
    """To one process, which has one name: what the first has marked is not the second's to undo."""
    crowd.add(*names(4))
    is_on_the_wire, may_arrive = Event(), Event()

    def wait(message):
        if message.envelope.rcpt_to == names(4)[2] and not is_on_the_wire.is_set():
            is_on_the_wire.set()
            assert may_arrive.wait(20)
        return ACCEPTED

    post = Post(crowd.clock, wait)
    sender = sender_of(crowd, post)

    async def do():
        async with sender.running():
            first = asyncio.create_task(sender.send(ids(crowd)))
            assert await asyncio.to_thread(is_on_the_wire.wait, 20)
            again = await sender.send(ids(crowd)[2:])
            may_arrive.set()
            return again, await first

    assert asyncio.run(do()) == (Again(NOW + timedelta(seconds=3)), None)
    assert post.sent == names(4)


def test_shards_share_the_connections_and_a_large_one_has_several(crowd):
    """Three are on the wire at once, of one shard; the other has no connection of its own."""
    crowd.add(*names(41))
    all_at_once = Barrier(3, timeout=20)

    class Counted(Post):
        opened = 0

        def __enter__(self):
            self.opened += 1
            return self

    def wait(_message):
        if len(post.sent) <= 3:
            all_at_once.wait()
        return ACCEPTED

    post = Counted(crowd.clock, wait)
    sender = sender_of(crowd, post, slots=3)

    async def do():
        async with sender.running():
            return await asyncio.gather(*(sender.send(ids(crowd)[n : n + 40]) for n in (0, 40)))

    assert asyncio.run(do()) == [None, None]
    assert sorted(post.sent) == sorted(names(41))
    assert post.opened == 3


def test_that_the_database_is_ours_is_looked_up_once_a_minute_but_again_after_an_objection(crowd):
    crowd.add(*names(4))
    looked = []

    def renew(now):
        looked.append(now)
        if len(looked) == 1:
            raise LedgerError("it has moved")

    sender = sender_of(crowd, Post(crowd.clock), renew=renew)

    async def do():
        async with sender.running():
            with pytest.raises(LedgerError):
                await sender.send([1])
            for number in (1, 2, 3):
                await sender.send([number])
            crowd.clock.waited += timedelta(minutes=1)
            await sender.send([4])

    asyncio.run(do())
    assert looked == [NOW, NOW, NOW + timedelta(minutes=1)]


def test_a_shard_that_another_living_worker_has_is_left_to_it(crowd):
    crowd.add(*names(3))
    with crowd.ledger.live_workers.enter() as other:
        change(crowd, ids(crowd), claimed_by=other.name)
        change(crowd, ids(crowd)[:1], state=S.SENDING)
        [again], sent = send(crowd, ids(crowd))
        assert isinstance(again, Again)
        assert sent == []
        assert states(crowd) == [S.SENDING, S.PENDING, S.PENDING]


def test_what_a_dead_worker_was_sending_is_uncertain_and_the_rest_is_sent(crowd):
    crowd.add(*names(4))
    change(crowd, ids(crowd), claimed_by="dead")
    change(crowd, ids(crowd)[:1], state=S.SENDING)
    change(crowd, ids(crowd)[3:], state=S.SENDING)
    assert send(crowd, ids(crowd)[:3]) == ([None], names(3)[1:])
    # Of another shard's rows nothing is said.
    assert states(crowd) == [S.UNCERTAIN, S.ACCEPTED, S.ACCEPTED, S.SENDING]


def test_what_was_on_its_way_when_a_fault_ended_a_run_is_not_sent_again(crowd):
    crowd.add(*names(3))
    post = Post(crowd.clock, lambda _: 1 / 0 if len(post.sent) == 2 else ACCEPTED)
    sender = sender_of(crowd, post)

    async def do():
        async with sender.running():
            with pytest.raises(ZeroDivisionError):
                await sender.send(ids(crowd))
            return await sender.send(ids(crowd))

    assert asyncio.run(do()) is None
    assert post.sent == names(3)
    assert states(crowd) == [S.ACCEPTED, S.UNCERTAIN, S.ACCEPTED]


def test_a_shard_of_which_all_was_accepted_is_not_looked_through_again(crowd, monkeypatch):
    crowd.add(*names(3))
    looked = []
    rest = crowd.ledger.shards.rest
    monkeypatch.setattr(
        crowd.ledger.shards, "rest", lambda ids, *a: looked.append(ids) or rest(ids, *a)
    )
    assert send(crowd, ids(crowd)[:2]) == ([None], names(2))
    assert looked == []
    assert send(crowd, ids(crowd)) == ([None], names(3)[2:])
    assert looked == [ids(crowd)]


def test_a_lease_whose_answer_was_lost_is_given_back_when_the_shard_ends(crowd):
    crowd.add(*names(2))
    *_, last = ids(crowd)
    change(crowd, [last], next_attempt_at=crowd.clock() + timedelta(hours=1))

    def lose(_):
        change(crowd, [last], claimed_by=sender._claims.name)
        return ACCEPTED

    post = Post(crowd.clock, lose)
    sender = sender_of(crowd, post)

    async def do():
        async with sender.running():
            return await sender.send(ids(crowd))

    assert asyncio.run(do()) is None
    assert post.sent == names(1)
    with crowd.ledger.engine.connect() as connection:
        assert list(connection.execute(select(deliveries.c.claimed_by)).scalars()) == [None, None]


def test_told_to_stop_it_leaves_after_the_message_in_hand(crowd):
    crowd.add(*names(4))
    post = Post(crowd.clock)
    sender = sender_of(crowd, post)
    post._says = lambda _: sender.stopping.set() or ACCEPTED

    async def do():
        async with sender.running():
            return await sender.send(ids(crowd))

    assert asyncio.run(do()) == Again(NOW)
    assert states(crowd) == [S.ACCEPTED] + [S.PENDING] * 3


def test_a_slot_is_given_back_when_the_turn_is_far(crowd):
    crowd.add(*names(3))
    [again], sent = send(crowd, ids(crowd), rate_per_domain="1")
    # Half a minute before its turn it may be leased.
    assert (sent, again) == (names(1), Again(NOW + timedelta(seconds=30), "example.org"))


@pytest.mark.parametrize(
    "never", [{"send_window": "01:00-02:00"}, {"warm_up_since": "2026-02-20", "warm_up_first": "1"}]
)
def test_in_other_hours_or_beyond_the_days_limit_nothing_is_asked_for(crowd, never):
    crowd.add(*names(2))
    answers, sent = send(crowd, ids(crowd), **never)
    assert len(sent) == ("warm_up_since" in never)
    if not sent:
        assert answers == [None]
    assert send(crowd, ids(crowd), **never) == ([None], [])


def test_a_relay_that_is_down_is_tried_later_and_later(crowd):
    crowd.add(*names(1))
    sender = sender_of(crowd, None, transport="smtp://127.0.0.1:1")

    async def do():
        async with sender.running():
            return [await sender.send(ids(crowd), runs_before=runs) for runs in (0, 3, 99)]

    waits = [(again.at - NOW).total_seconds() for again in asyncio.run(do())]
    assert waits == [30, 240, 480]


# ---- reconciled ------------------------------------------------------------------------------


def forget_jobs(crowd):
    with crowd.ledger.engine.begin() as connection:
        connection.execute(text("DELETE FROM procrastinate_jobs"))


def test_what_waits_and_has_no_job_is_handed_out_anew_once(crowd):
    crowd.add(*names(4))
    forget_jobs(crowd)
    later = NOW + timedelta(minutes=10)
    change(crowd, ids(crowd)[1:2], state=S.DEFERRED, next_attempt_at=later)
    change(crowd, ids(crowd)[2:3], state=S.ACCEPTED)
    change(crowd, ids(crowd)[3:4], provider="slow.example")
    crowd.ledger.provider_queues.pause("slow.example", "why", NOW)
    reconcile = crowd.ledger.shards.hand_out_forgotten
    assert (reconcile(NOW), jobs(crowd)) == (1, [[1]])
    assert (reconcile(later), jobs(crowd)) == (1, [[1], [2]])
    crowd.ledger.provider_queues.resume("slow.example", NOW)
    assert (reconcile(later), jobs(crowd)) == (1, [[1], [2], [4]])
    assert reconcile(later) == 0


def test_what_nobody_can_be_sending_any_longer_is_uncertain(crowd):
    crowd.add(*names(2))
    with crowd.ledger.live_workers.enter() as other:
        change(crowd, ids(crowd), state=S.SENDING, claimed_by=other.name)
        forgotten = crowd.ledger.shards.resolve_forgotten
        assert forgotten(NOW + timedelta(hours=1)) == 0  # it has a job
        forget_jobs(crowd)
        assert forgotten(NOW + timedelta(minutes=10)) == 0  # the server may take as long
        assert forgotten(NOW + timedelta(minutes=16)) == 2


def test_jobs_that_ended_are_removed_and_counted_no_more(crowd):
    crowd.add(*names(3))
    assert crowd.ledger.shards.counts() == shards.ShardCounts(running=0, waiting=3)
    with crowd.ledger.engine.begin() as connection:
        connection.execute(text("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = 1"))
        connection.execute(text("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = 2"))
    crowd.ledger.shards.remove_ended()
    assert crowd.ledger.shards.counts() == shards.ShardCounts(running=1, waiting=1)
    assert len(jobs(crowd)) == 2


def test_a_worker_goes_on_while_a_newer_version_upgrades_the_database(crowd):
    """Migrations add; the revision is looked at when a worker begins."""
    crowd.add(*names(4))
    post = Post(crowd.clock)
    sender = sender_of(crowd, post)

    def upgrade():
        with crowd.ledger.engine.begin() as connection:
            connection.execute(text("ALTER TABLE deliveries ADD COLUMN newer integer DEFAULT 7"))
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    async def do():
        async with sender.running():
            before = await sender.send(ids(crowd)[:2])
            await asyncio.to_thread(upgrade)
            return before, await sender.send(ids(crowd)[2:])

    assert asyncio.run(do()) == (None, None)
    assert post.sent == names(4)
