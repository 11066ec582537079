"""Runs that are killed at any moment: nobody is mailed twice, nobody is forgotten.

Which part of a run a kill meets depends on the machine; what must hold does not.
"""

from random import Random

import pytest

from tests.integration.kill.world import S, eventually
from tests.kills import kill_often

CONNECTIONS = 4


def test_a_run_that_is_killed_four_times(make_world):
    """`python -m tests.kills N` kills as often as one says, and more than one process."""
    world = make_world(seed=1, slow=0.004, puts_off=4, connections=CONNECTIONS)
    tally = kill_often(world, 4, Random(1))
    assert tally.kills == 4
    assert tally.holds, tally


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
    """And another run may begin meanwhile; only what the first one had in hand is uncertain."""
    child = a_run_that_sends(fleet_world)
    child.kill(all_of_it=False)
    fleet_world.settings["send_processes"] = "1"
    other = fleet_world.start()
    eventually(child.is_gone)
    assert other.ends_within(60)
    assert other.said == "done"
    fleet_world.check(CONNECTIONS // 2)
    fleet_world.finish()
    assert fleet_world.states()[S.UNCERTAIN] <= CONNECTIONS / 2


@pytest.mark.long
def test_a_fleet_of_which_one_process_is_killed(fleet_world):
    child = a_run_that_sends(fleet_world)
    eventually(child.kill_one_below)
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
