"""Clocks that jump: from run to run, and in the middle of one."""

from datetime import timedelta
from random import Random

import pytest

from digest.model.digests import SkipReason
from tests.integration.deliver.test_delivery_worker import Crowd, Post, names
from tests.integration.kill.world import S
from tests.integration.senders import Waiting
from tests.support import NOW

HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=365)
JUMPS = (HOUR * 0, -HOUR, DAY, -DAY, YEAR, HOUR, -YEAR, DAY, YEAR + HOUR)


@pytest.mark.parametrize(
    "jumps", [JUMPS[:4], pytest.param(JUMPS * 5, marks=pytest.mark.long)], ids=len
)
def test_from_run_to_run(make_world, jumps):
    """Each run is killed, and then another does what is left: at another time altogether."""
    world = make_world(seed=8, slow=0.004, people=8)
    random = Random(8)
    length, killed = world.run().seconds, 0
    for jump in jumps:
        world.move_to(NOW + jump)
        killed += world.run_killed(random.uniform(0, length))
        world.check(world.connections)
        world.bury()
    for jump in (HOUR * 0, DAY, YEAR, YEAR + DAY * 9):
        world.move_to(NOW + jump)
        assert world.run().said == "done"
        world.check(0)
        assert world.stored(world.edition) == world.ledger.editions.balance(world.edition)
    skipped = [row.reason for row in world.rows() if row.state == S.SKIPPED]
    assert set(skipped) <= {SkipReason.STALE}
    assert world.states().keys() <= {S.ACCEPTED, S.UNCERTAIN, S.SKIPPED}
    assert world.states()[S.UNCERTAIN] <= killed * world.connections


def test_a_year_later_what_was_not_sent_is_stale(make_world):
    world = make_world()
    today = world.edition
    assert world.run(send_window="00:00-00:01").said == "done"  # plans, and sends nothing
    world.move_to(NOW + YEAR)
    assert world.run().said == "done"
    balance = world.stored(today)
    assert balance.skipped_for == {SkipReason.STALE: len(world.people)}
    assert balance == world.ledger.editions.balance(today)
    world.check_finished()
    world.move_to(NOW)
    world.edition = today
    assert world.run().said == "done"
    world.check(0)
    assert world.stored(today) == balance


class Jumping(Waiting):
    """A clock that is set to another time in some of its moments."""

    def __init__(self, jumps: dict[int, timedelta]) -> None:
        super().__init__()
        self._jumps = jumps
        self._asked = 0
        self._off = timedelta()

    def __call__(self):
        self._asked += 1
        self._off += self._jumps.get(self._asked, timedelta())
        return super().__call__() + self._off


@pytest.mark.parametrize("jump", [-YEAR, -DAY, -HOUR, HOUR, DAY, YEAR], ids=str)
@pytest.mark.parametrize("rate", [{}, {"rate": "60"}, {"rate_per_domain": "60"}], ids=str)
def test_in_the_middle_of_a_pass(ledger, registry, jump, rate):
    """There and back again: nothing twice, nobody forgotten."""
    crowd = Crowd(ledger, registry)
    crowd.add(*names(8))
    crowd.clock = Jumping({9: jump, 21: -jump})
    post = Post(crowd.clock)
    crowd.send(post, send_connections="2", **rate)
    assert crowd.balance.accepted + crowd.balance.pending == 8  # a pass has an end
    crowd.send(post, send_connections="2", **rate)
    assert sorted(post.sent) == names(8)
    assert crowd.balance.accepted == 8


@pytest.mark.parametrize("rate", ["rate", "rate_per_domain"])
def test_a_clock_that_was_a_year_ahead_holds_nobody_up(ledger, registry, rate):
    crowd = Crowd(ledger, registry)
    crowd.add(*names(2))
    post = Post(crowd.clock)
    crowd.send(post, NOW + YEAR, **{rate: "60"})
    crowd.add("late@example.org")
    crowd.send(post, NOW, **{rate: "60"})
    assert post.sent == [*names(2), "late@example.org"]
    assert crowd.clock.waited < DAY
