"""A disk that is full: nothing half-written is seen, and nothing is lost once there is room."""

import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.integration.kill.world import S, World

CONNECTIONS = 3
# The disk of PostgreSQL is not a test's to fill.
ON_SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
_LAST_BOUNDARY = re.compile(rb"\n--=_[0-9a-f]+--\r?\n$")
ROOM = 300_000  # octets: for some mails


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for some mails."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(place)]
    try:
        tried = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command")
    if tried.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {tried.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(place: Path, *, but: int) -> Path:
    """Fill a disk; the file that does."""
    filling = place / "filling"
    filling.write_bytes(bytes(ROOM - but))
    return filling


@pytest.mark.parametrize("scheme", ["file", "maildir"])
def test_an_outbox_on_a_full_disk(make_world, small_disk, scheme):
    outbox = small_disk / "outbox"
    world = make_world(people=20, connections=CONNECTIONS)
    world.settings["transport"] = f"{scheme}:{outbox}"
    filling = fill(small_disk, but=100_000)
    done = world.run()
    *troubles, last = done.said.splitlines()
    assert last == "done"
    assert 0 < len(troubles) <= CONNECTIONS
    assert all("No space left on device" in trouble for trouble in troubles)
    states = world.states()
    assert states.keys() <= {S.ACCEPTED, S.PENDING}
    assert states[S.PENDING]
    assert len(mails(outbox)) == states[S.ACCEPTED]
    assert_whole(outbox)
    filling.unlink()
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert world.run().said == "done"
    assert len(mails(outbox)) == len(world.people)
    assert_whole(outbox)
    assert world.stored(world.edition).accepted == len(world.people)


def mails(outbox: Path) -> list[Path]:
    """What a reader of an outbox sees."""
    folder = outbox / "new" if (outbox / "new").is_dir() else outbox
    return list(folder.glob("*" if folder != outbox else "*.eml"))


def assert_whole(outbox: Path) -> None:
    """Each mail has its last boundary, and nothing else lies about."""
    for mail in mails(outbox):
        assert _LAST_BOUNDARY.search(mail.read_bytes()), mail
    everything = {path for path in outbox.rglob("*") if path.is_file()}
    assert everything == set(mails(outbox))


# With SQLite the limit would be the database's as well.
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_limit_of_the_size_of_files(make_world, tmp_path):
    """As a quota has it: what is written is cut off in its middle."""
    world = make_world(people=5, connections=1)
    outbox = tmp_path / "outbox"
    world.settings["transport"] = f"file:{outbox}"
    done = world.run(most_octets="4096")
    assert "File too large" in done.said
    assert world.states() == {S.PENDING: len(world.people)}
    assert list(outbox.iterdir()) == []
    assert world.run().said == "done"
    assert_whole(outbox)
    assert world.stored(world.edition).accepted == len(world.people)


# ---- the database's own disk -----------------------------------------------------------------


@pytest.fixture
def sqlite_world(make_world):
    """A world on SQLite, whose books grow fast."""
    world = make_world(people=40, connections=CONNECTIONS)
    world.server.words = "taken " * 80
    return world


@pytest.mark.long
@ON_SQLITE
def test_a_database_on_a_full_disk(sqlite_world):
    """However far it comes: with room for a few pages more each day."""
    world = sqlite_world
    came_to = []
    for more in (0, 3, 5, 7):
        before, uncertain = world.server.copies, world.states()[S.UNCERTAIN]
        done = world.run(patience="0.2", pragma=f"PRAGMA max_page_count = {pages(world) + more}")
        if done.said != "done":
            assert done.said.startswith("digest: the database failed: ")
            assert done.said.endswith("database or disk is full")
            assert "\n" not in done.said
            came_to.append(world.server.copies - before)
        world.check(CONNECTIONS)
        world.finish()
        assert world.states()[S.UNCERTAIN] - uncertain <= CONNECTIONS
        world.next_day()
    assert any(0 < each < len(world.people) for each in came_to), came_to


# PostgreSQL is read-only where it is a standby's, or its disk is full.
READ_ONLY = {
    "sqlite": ("PRAGMA query_only = ON", "attempt to write a readonly database"),
    "postgresql": ("SET TRANSACTION READ ONLY", "in a read-only transaction"),
}


def test_a_database_that_cannot_be_written(make_world):
    """Nothing is begun that could not be written down."""
    world = make_world(people=40, connections=CONNECTIONS)
    pragma, why = READ_ONLY[world.engine.dialect.name]
    done = world.run(pragma=pragma, patience="0.2")
    assert done.said.startswith("digest: the database failed: ")
    assert done.said.endswith(why)
    assert world.server.ever_connected == 0
    world.finish()
    assert world.states() == {S.ACCEPTED: len(world.people)}


def pages(world: World) -> int:
    with world.engine.connect() as connection:
        return connection.execute(text("PRAGMA page_count")).scalar_one()
