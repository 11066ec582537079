"""What `digest bench` prints, and its exit status."""

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from digest.bench.bench import Figures, Ours, Rival, Setup
from digest.bench.engines import Engine, EngineFigures, Sent
from digest.bench.measured_run import MeasuredRun, Stage
from digest.bench.sink_server import Taken
from digest.cli import bench
from digest.cli.main import cli
from digest.model.deliveries import Balance

DAY = date(2025, 12, 5)
STAGES = tuple(Stage(name, 2.0, 1.0, 4_000_000, 90_000_000) for name in ("import", "plan", "send"))


def ours(taken: int, **balance: int) -> Ours:
    run = MeasuredRun(STAGES, 10.0, Balance(DAY, **balance), (), {"deliveries": 20}, 50_000)
    return Ours(run, Taken(taken, None, 11.5))


def figures(trouble: tuple[str, ...] = ()) -> Figures:
    one = ours(20, due=20, accepted=20)
    rivals = (
        Rival("the plain way", "", 200, 51_000, 30.0, 25.0, 40.0, 33.0),
        Rival("nodemailer's pool", "node is not installed"),
    )
    return Figures(
        Setup(20, 500, 26, 1, 4, database="sqlite"), "our own", 2, STAGES, 20, 50_000,
        one.seconds_to_first, one.messages_per_second, one.processor_ms, 90_000_000,
        one.run.rows, one.run.balance, trouble, rivals,
    )  # fmt: skip


def test_rates_are_those_of_sending_and_the_processor_is_that_of_planning_too() -> None:
    one = ours(20, due=20, accepted=20)
    assert (one.messages_per_second, one.processor_ms, one.seconds_to_first) == (10, 100, 1.5)
    assert one.trouble == ()


def test_what_does_not_add_up_is_trouble() -> None:
    assert ours(19, due=20, accepted=20).trouble == (
        "the sink took 19 messages, and 20 are recorded as accepted",
    )
    assert ours(15, due=20, accepted=15, pending=4, skipped=1).trouble == (
        "4 messages were not sent",
    )


@pytest.mark.parametrize("trouble", [(), ("the balance of 2025-12-05 does not add up",)])
def test_trouble_is_told_and_is_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, trouble: tuple[str, ...]
) -> None:
    monkeypatch.setattr(bench, "measure", lambda *_, **__: figures(trouble))
    done = CliRunner().invoke(cli, ["bench"], env={"COLUMNS": "100"})
    assert done.exit_code == bool(trouble)
    assert all(line in done.output for line in trouble)
    assert "20 due = 20 accepted" in done.output
    assert "40.00 ×" in done.output
    assert "Skipped: nodemailer's pool: node is not installed." in done.output


def test_json_has_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "measure", lambda *_, **__: figures())
    said = json.loads(CliRunner().invoke(cli, ["bench", "--json"]).stdout)
    assert set(said) == {
        "setup", "sink", "processors", "stages", "messages", "message_octets", "seconds_to_first",
        "messages_per_second", "processor_ms", "peak_octets", "rows", "balance", "trouble", "rivals",
    }  # fmt: skip
    assert said["stages"][2] == {
        "name": "send", "seconds": 2.0, "processor_seconds": 1.0, "stored_octets": 4_000_000,
        "peak_octets": 90_000_000,
    }  # fmt: skip
    assert said["rivals"][0]["ratio"] == 40
    assert said["setup"]["subscribers"] == said["balance"]["due"] == 20


def engine_figures(*trouble: str) -> EngineFigures:
    engines = (
        Engine("embedded", 2, Sent(4000, 800.0, 1.5, 3.1), 1.0, 1.0),
        Engine("cluster", 4, Sent(4000, 760.0, 1.62, 9.9), 0.95, 1.08),
    )
    setup = Setup(5000, 500, 26, 2, 32, database="postgresql")
    return EngineFigures(setup, 2, engines, trouble)


@pytest.mark.parametrize("trouble", [(), ("the embedded engine: 1 arrived",)])
def test_engines_are_compared(monkeypatch: pytest.MonkeyPatch, trouble: tuple[str, ...]) -> None:
    asked = []

    def compare(setup: Setup, workers: tuple[int, ...], tell: object) -> EngineFigures:
        asked.append(workers)
        return engine_figures(*trouble)

    monkeypatch.setattr(bench, "compare_engines", compare)
    done = CliRunner().invoke(cli, ["bench", "--workers", "1,2,4,2"], env={"COLUMNS": "100"})
    assert done.exit_code == bool(trouble)
    assert asked == [(1, 2, 4)]
    [row] = [line for line in done.output.splitlines() if "cluster" in line]
    assert row.replace("│", " ").split() == [
        "cluster",
        "4",
        "760",
        "1.62",
        "9.9",
        "0.95",
        "×",
        "1.08",
        "×",
    ]
    assert all(line in done.output for line in trouble)


@pytest.mark.parametrize(
    "typed", ["", "0", "1,", "-1", "1 2", "17", "two", "1.5", "٣", "1," * 9_999]
)
def test_a_list_of_workers_that_cannot_be_read_is_refused(typed: str) -> None:
    done = CliRunner().invoke(cli, ["bench", "--workers", typed])
    assert done.exit_code == 2
    assert "is not a list like 1,2,4" in " ".join(done.output.split())


def test_engines_are_compared_on_postgresql_only() -> None:
    done = CliRunner().invoke(cli, ["bench", "--workers", "1"])
    assert done.exit_code == 1
    assert "several machines need PostgreSQL" in str(done.exception)
