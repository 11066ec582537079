"""Runs that are killed at any moment: nobody is mailed twice, nobody is forgotten.

The length of a run is measured, and kills are spread over it. Which part of it a kill meets depends
on the machine; what must hold does not.
"""

import os
from dataclasses import dataclass, field
from random import Random

import pytest

from tests.integration.kill.world import S, World, eventually

CONNECTIONS = 4
KILLS = int(os.environ.get("DIGEST_TEST_KILLS", "30"))  # of each long test here


@dataclass
class Tally:
    """What a series of kills came to; ``on_their_way`` says which of those had arrived."""

    kills: int = 0
    too_late: int = 0  # the run was quicker
    on_their_way: dict[int, bool] = field(default_factory=dict)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.too_late} too late; uncertain {len(self.on_their_way)}, "
            f"of which {sum(self.on_their_way.values())} had arrived"
        )


def kill_often(world: World, random: Random, kills: int) -> Tally:
    """Up to three kills each day, and then a run to the end."""
    length = world.run().seconds
    tally = Tally()
    for _ in range(3 * kills):
        world.next_day()
        for _ in range(random.choice((1, 2, 3))):
            # What the length of a run is, if the machine is busy or not, is found by trying.
            length *= 1.1 if kill_once(world, random, length, tally) else 0.8
        world.finish()
        assert world.states()[S.UNCERTAIN] == len(tally.on_their_way)
        if tally.kills >= kills:
            break
    print(world.engine.dialect.name, tally)
    return tally


def kill_once(world: World, random: Random, length: float, tally: Tally) -> bool:
    """Kill a run somewhere in its length, or in what of it is sending; false if it was quicker."""
    once_it_sends = S.PENDING in world.states() and random.random() < 0.5
    killed = world.run_killed(
        random.uniform(0, length / 2 if once_it_sends else length), once_it_sends=once_it_sends
    )
    tally.kills += killed
    tally.too_late += not killed
    world.check(CONNECTIONS)
    world.bury()
    tally.on_their_way |= world.on_their_way()
    return killed


def test_a_run_that_is_killed_four_times(make_world):
    world = make_world(seed=1, slow=0.004, puts_off=4, connections=CONNECTIONS)
    kill_often(world, Random(1), kills=4)


@pytest.mark.long
@pytest.mark.parametrize("seed", [2, 3])
def test_a_run_that_is_killed_often(make_world, seed):
    world = make_world(seed=seed, slow=0.004, puts_off=4, connections=CONNECTIONS, people=16)
    tally = kill_often(world, Random(seed), KILLS)
    assert tally.kills >= KILLS
    assert KILLS < 100 or set(tally.on_their_way.values()) == {True, False}


# ---- several processes -----------------------------------------------------------------------


@pytest.fixture
def fleet_world(make_world):
    """Two processes send, and take their time."""
    return make_world(slow=0.05, people=30, connections=CONNECTIONS, send_processes="2")


def a_run_that_sends(world, enough=4):
    """A run, begun, of which some mails have arrived."""
    child, before = world.start(), world.server.copies
    world.server.wait_until(lambda: world.server.copies >= before + enough, 60)
    return child


@pytest.mark.long
def test_a_fleet_that_is_killed_altogether(fleet_world):
    a_run_that_sends(fleet_world).kill()
    fleet_world.check(CONNECTIONS)
    fleet_world.bury()
    uncertain = len(fleet_world.on_their_way())
    fleet_world.settings["send_processes"] = "1"
    fleet_world.finish()
    assert fleet_world.states()[S.UNCERTAIN] == uncertain


def test_a_fleet_whose_first_process_is_killed_ends_by_itself(fleet_world):
    """And another run may begin meanwhile."""
    child = a_run_that_sends(fleet_world)
    child.kill(all_of_it=False)
    fleet_world.settings["send_processes"] = "1"
    other = fleet_world.start()
    eventually(child.is_gone)
    assert other.ends_within(60)
    assert other.said == "done"
    fleet_world.check(0)
    fleet_world.finish()
    assert fleet_world.states()[S.UNCERTAIN] == 0  # nobody's mail in hand was cut off


@pytest.mark.long
def test_a_fleet_of_which_one_process_is_killed(fleet_world):
    child = a_run_that_sends(fleet_world)
    child.kill_one_below()
    assert child.ends_within(60)
    assert child.said == "a process that was sending died (status -9)\ndone"
    fleet_world.check(0)  # the others have settled what it had in hand
    assert fleet_world.states()[S.UNCERTAIN] <= CONNECTIONS / 2
    fleet_world.settings["send_processes"] = "1"
    fleet_world.finish()


def test_a_fleet_that_is_told_to_stop_before_its_processes_have_begun(fleet_world):
    """Nothing has died: there is nothing to tell the operator."""
    fleet_world.run(send_processes="1", send_window="00:00-00:01")  # plans, and sends nothing
    worker = fleet_world.start("worker")
    eventually(lambda: worker.has_some_below() or worker.ends_within(0))
    worker.tell_to_stop()
    assert worker.ends_within(60)
    assert worker.said == "done"
    fleet_world.check(0)
    assert fleet_world.states() == {S.PENDING: len(fleet_world.people)}


@pytest.mark.long
def test_a_fleet_that_is_killed_again_and_again(fleet_world):
    random = Random(4)
    for _ in range(8):
        child = a_run_that_sends(fleet_world, random.randrange(1, 20))
        match random.choice(("all", "first", "one")):
            case "all":
                child.kill()
            case "first":
                child.kill(all_of_it=False)
            case "one":
                child.kill_one_below()
                assert child.ends_within(60)
        eventually(child.is_gone)
        fleet_world.check(CONNECTIONS)
        fleet_world.finish()
        fleet_world.next_day()
