"""Several who send at once, from one ledger: one copy each, whoever was first."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from random import Random

import pytest

from tests.integration.kill.nursery import ROOT
from tests.integration.kill.world import S, World, eventually


def environment(world: World) -> dict[str, str]:
    """The settings of a world, for a command."""
    settings = {f"DIGEST_{name.rstrip('_').upper()}": said for name, said in world.settings.items()}
    return {**os.environ, **settings, "PYTHONPATH": str(ROOT)}


def command(world: World, home, *words: str) -> subprocess.Popen[str]:
    """`digest WORDS`, begun."""
    return subprocess.Popen(
        [sys.executable, "-m", "digest", *words],
        cwd=home,
        env=environment(world),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_twice(world: World, home) -> list[tuple[int, str]]:
    """Two operators start the same run; status and standard error of each."""
    runs = [command(world, home, "run", "--once", "--now", world.now.isoformat()) for _ in "ab"]
    try:
        said = [run.communicate(timeout=100)[1] for run in runs]
    finally:
        for run in runs:
            run.kill()
            run.wait()
    return sorted((run.returncode, _told(words)) for run, words in zip(runs, said, strict=True))


def _told(words: str) -> str:
    """What went wrong: how far it has come is told as well."""
    return "\n".join(line for line in words.splitlines() if not line.startswith("Sending "))


def check_two(world: World, ended: list[tuple[int, str]]) -> None:
    """At least one has sent all; the other too, had it nothing left to do, or it was told."""
    world.check_finished()
    assert world.states()[S.UNCERTAIN] == 0
    assert ended[0] == (0, "")
    assert ended[1] in ((0, ""), (1, "digest: another run is under way"))


@pytest.mark.long
def test_two_operators_start_the_same_run(make_world, tmp_path):
    world = make_world(slow=0.004)
    check_two(world, run_twice(world, tmp_path))


@pytest.mark.long
def test_two_operators_start_the_same_run_again_and_again(make_world, tmp_path):
    world = make_world(slow=0.02)
    for _ in range(8):
        check_two(world, run_twice(world, tmp_path))
        world.next_day()


def run_beside(world: World, others: int) -> list[str]:
    """What some runs said that were begun in the same moment."""
    children = [world.start() for _ in range(others)]
    assert all(child.ends_within(60) for child in children)
    world.check_finished()
    assert world.states()[S.UNCERTAIN] == 0
    return [child.said for child in children]


@pytest.mark.parametrize("days", [3, pytest.param(10, marks=pytest.mark.long)])
def test_three_runs_begun_in_the_same_moment(make_world, days):
    world = make_world(slow=0.004)
    told = 0
    for _ in range(days):
        said = run_beside(world, 3)
        assert set(said) <= {"done", "digest: another run is under way"}
        assert "done" in said
        told += len(said) - said.count("done")
        world.next_day()
    print(world.engine.dialect.name, f"told that another is under way: {told} of {3 * days}")


@pytest.mark.parametrize("days", [2, pytest.param(4, marks=pytest.mark.long)])
def test_workers_beside_a_run_that_is_killed(make_world, days):
    """What the run has planned is sent by all three; what the killed had in hand, by nobody."""
    world = make_world(seed=5, slow=0.01, people=20)
    random = Random(5)
    workers = [world.start("worker", now=world.now) for _ in range(2)]
    for _ in range(days):
        before = world.server.copies
        run = world.start()
        world.server.wait_until(lambda least=before: world.server.copies > least)
        if not run.ends_within(random.random() / 4):
            run.kill()
        eventually(lambda: not world.states().keys() & {S.PENDING, S.SENDING})
        other = world.run()  # draws the balance
        assert other.said == "done"
        world.next_day()
    for worker in workers:
        worker.tell_to_stop()
        assert worker.ends_within(60)
        assert worker.said == "done"
    world.check(0)
    assert world.states()[S.UNCERTAIN] <= days * world.connections


@pytest.mark.long
def test_the_worker_command_beside_the_run_command(make_world, tmp_path):
    world = make_world(slow=0.02, people=20)
    world.move_to(datetime.now(UTC))  # a worker cannot be told what time it is
    with command(world, tmp_path, "worker") as worker:
        try:
            assert worker.stderr
            assert "Sending what waits" in worker.stderr.readline()
            check_two(world, run_twice(world, tmp_path))
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
        finally:
            worker.kill()
    world.check_finished()
