"""An installation is moved from SQLite to PostgreSQL, whole, and used there and nowhere else."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text

from digest.errors import LedgerError
from digest.ledger import moving
from digest.ledger.database import ensure_current, open_database
from digest.ledger.deliveries import Plan
from digest.ledger.ledger import Ledger
from digest.ledger.tables import papers, workers
from digest.maintenance.instance_guard import guard_of
from digest.maintenance.move import move
from digest.model.announcements import FIRST_NUMBER, Draft
from subscribers.store.tables import metadata
from tests.conftest import new_schema
from tests.integration.ledger.test_migrations import fill, rows_of, still_works
from tests.support import NOW, make_settings

DAY = NOW.date() + timedelta(days=9)


@pytest.fixture
def here(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'digest.sqlite3'}")
    ensure_current(engine)
    fill(engine)
    guard_of(settings(tmp_path), engine).adopt(NOW)
    yield engine
    engine.dispose()


@pytest.fixture
def there():
    with new_schema() as url:
        engine = open_database(url)
        ensure_current(engine)
        yield engine
        engine.dispose()


def settings(home):
    return make_settings(home=str(home))


def moved(here, there, home, **how):
    urls = (engine.url.render_as_string(hide_password=False) for engine in (here, there))
    return move(*urls, settings(home), now=NOW, **how)


def plain(engine):
    """All rows that are moved, but for whose ledger it is."""
    return {
        name: rows for name, rows in rows_of(engine).items() if name not in {"workers", "instances"}
    }


def test_every_row_is_moved_and_the_numbers_go_on(here, there, tmp_path):
    before = plain(here)
    done = moved(here, there, tmp_path)
    assert plain(there) == plain(here) == before
    assert done.rows == sum(map(len, before.values())) + len(rows_of(here)["instances"])
    assert set(done.tables) == set(metadata.tables) - {"workers"}
    still_works(there)


def test_an_announcement_is_moved_and_editions_go_on_with_their_own_numbers(here, there, tmp_path):
    before = Ledger(here)
    announcement = before.announcements.create(Draft("We move", "To another machine."), NOW)
    assert before.deliveries.plan(announcement.id, [Plan(1)], NOW)
    moved(here, there, tmp_path)
    after = Ledger(there)
    assert after.announcements.latest(1) == [announcement]
    assert after.deliveries.of(announcement, 1) == before.deliveries.of(announcement, 1)
    assert after.announcements.create(announcement.draft, NOW) == announcement
    numbers = [ledger.editions.freeze(DAY, DAY, NOW).id for ledger in (before, after)]
    assert numbers[0] == numbers[1] < FIRST_NUMBER


def test_from_then_on_it_is_used_there_and_not_here(here, there, tmp_path):
    moved(here, there, tmp_path)
    assert guard_of(settings(tmp_path), there).objection() is None
    assert "older copy" in str(guard_of(settings(tmp_path), here).objection())
    with pytest.raises(LedgerError, match="differ in instances"):
        moved(here, there, tmp_path)


@pytest.mark.parametrize("broken_off_at", [1, 7, 23, 40])
def test_broken_off_it_goes_on_where_it_was(here, there, tmp_path, monkeypatch, broken_off_at):
    monkeypatch.setattr(moving, "_BLOCK", 2)
    inserted = []

    def insert_until_interrupted(table):
        inserted.append(table.name)
        if len(inserted) == broken_off_at:
            raise KeyboardInterrupt
        return insert(table)

    monkeypatch.setattr(moving, "insert", insert_until_interrupted)
    before = plain(here)
    with pytest.raises(KeyboardInterrupt):
        moved(here, there, tmp_path)
    # Neither sends in between.
    assert guard_of(settings(tmp_path), here).objection()
    done_before = len(inserted) - 1
    inserted.clear()
    inserted.extend(["earlier"] * 100)
    moved(here, there, tmp_path)
    assert plain(there) == before
    in_all = len(inserted) - 100 + done_before
    of_one_go = sum(-(-len(rows) // 2) for rows in rows_of(here).values() if rows)
    assert in_all <= of_one_go + 1  # at most one table, of composite keys, is begun again
    still_works(there)


def test_a_row_that_changed_meanwhile_is_noticed(here, there, tmp_path, monkeypatch):
    copy_rows = moving.copy_rows

    def change_behind_it(source, target, progress):
        copy_rows(source, target, progress)
        with target.begin() as connection:
            connection.execute(text("UPDATE papers SET title = title || '!' WHERE id = 2"))

    monkeypatch.setattr("digest.maintenance.move.copy_rows", change_behind_it)
    with pytest.raises(LedgerError, match=r"differ in papers: .*--anew"):
        moved(here, there, tmp_path)
    monkeypatch.undo()
    with pytest.raises(LedgerError, match="differ in papers"):
        moved(here, there, tmp_path)
    moved(here, there, tmp_path, anew=True)
    assert plain(there) == plain(here)


def test_a_target_that_holds_something_is_left_alone(here, there, tmp_path):
    with there.begin() as connection:
        connection.execute(text("INSERT INTO milestones VALUES ('planned', now())"))
    with pytest.raises(LedgerError, match="not empty: with --anew"):
        moved(here, there, tmp_path)
    assert guard_of(settings(tmp_path), here).objection() is None


def test_a_source_that_is_a_copy_is_refused(here, there, tmp_path):
    other = tmp_path / "another-home"
    with pytest.raises(LedgerError, match="digest db adopt"):
        moved(here, there, other)
    with there.connect() as connection:
        assert not connection.execute(select(papers.c.id)).all()


def test_while_a_worker_sends_nothing_is_moved(here, there, tmp_path):
    with there.begin() as connection:
        now = text("now()")
        connection.execute(
            insert(workers).values(
                name="w", host="m", pid=1, process="another 1 2", version="1", slots=1,
                started_at=now, heard_at=now,
            )
        )  # fmt: skip
    with pytest.raises(LedgerError, match="stop everything else"):
        moved(here, there, tmp_path)
