"""`digest bench`, as somebody runs it."""

import os
import signal
import tempfile
import time
from pathlib import Path

import pytest

from digest.bench import bench, engines
from tests.acceptance.conftest import Person
from tests.conftest import new_schema

pytestmark = pytest.mark.long  # it starts a dozen processes


@pytest.fixture
def somebody(newcomer: Person, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Their temporary folder is their own, to see what is left there."""
    (newcomer.folder / "tmp").mkdir()
    newcomer.settings["TMPDIR"] = str(newcomer.folder / "tmp")
    monkeypatch.setattr(tempfile, "tempdir", newcomer.settings["TMPDIR"])
    return newcomer


def left(somebody: Person) -> list[Path]:
    return list((somebody.folder / "tmp").iterdir())


def test_a_small_list_is_compared_and_nothing_is_left(
    somebody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "TURNS", 1)
    with new_schema() as database:
        said = somebody.digest_json(
            "bench", "--subscribers", "20", "--dkim", "--compare", "--database", database
        )
    assert said["balance"]["due"] == 20
    assert said["setup"]["database"] == "postgresql"
    plain, *others = said["rivals"]
    assert plain["name"] == "the plain way"
    assert plain["ratio"] > 0
    assert plain["processor_ms"] > 0
    assert 0.8 < plain["message_octets"] / said["message_octets"] < 1.3
    assert all(other["ratio"] > 0 or "not" in other["skipped"] for other in others)
    assert left(somebody) == []


@pytest.mark.timeout(600)
def test_the_engines_are_compared_and_nothing_is_left(
    somebody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "TURNS", 1)
    with new_schema() as database:
        said = somebody.digest_json(
            "bench", "--subscribers", "200", "--workers", "2", "--database", database
        )
    assert said["trouble"] == []
    embedded, cluster = said["engines"]
    assert (embedded["name"], embedded["processes"], embedded["ratio"]) == ("embedded", 2, 1)
    assert (cluster["name"], cluster["processes"]) == ("cluster", 2)
    assert cluster["sent"]["messages"] == embedded["sent"]["messages"] > 50
    assert min(cluster["sent"]["processor_ms"], cluster["sent"]["start_seconds"]) > 0
    assert left(somebody) == []


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_run_leaves_that_was_ended_is_removed(somebody: Person, sent: int) -> None:
    process = somebody.start("bench", "--subscribers", "20000")
    assert process.stderr
    while "the whole path" not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(1)
    os.kill(process.pid, sent)
    process.communicate(timeout=30)
    assert len(left(somebody)) == (sent == signal.SIGKILL)
    process = somebody.start("bench", "--subscribers", "20")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert left(somebody) == []
