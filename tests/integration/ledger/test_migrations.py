"""Migrations from every revision there ever was, with rows in every table.

The rows are made by the schema as it was, not by today's code. Upgraded, nothing is lost, and
today's code reads them.
"""

import json
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, date, datetime

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    select,
    text,
)

from digest.errors import LedgerError
from digest.ledger.database import (
    ensure_current,
    open_database,
    revision,
    upgrade,
)
from digest.ledger.ledger import Ledger
from digest.model.deliveries import DeliveryState
from digest.model.digests import Match, Reason, Section
from digest.model.packed_picks import unpack
from subscribers.model import Consent, Standing, SuppressionReason
from subscribers.store.registry import Registry
from tests.conftest import new_schema
from tests.integration.ledger.test_database import MIGRATIONS, migration_config

# Their numbers may have gaps.
_SCRIPTS = ScriptDirectory(MIGRATIONS).walk_revisions()
REVISIONS = [script.revision for script in _SCRIPTS][::-1]
# All of these go by the first one's way, for a while.
_FIRST_AND_THE_REST = [
    REVISIONS[0],
    *(pytest.param(each, marks=pytest.mark.long) for each in REVISIONS[1:-1]),
]
HOSTILE = "'; DROP TABLE papers; -- \\ \" % %s :x {} <b>&amp;</b>\n\t ünï 模型 \N{GRINNING FACE} \N{RIGHT-TO-LEFT OVERRIDE}"
MOMENT = datetime(2026, 2, 20, 8, 0, 0, 123456, tzinfo=UTC)
DAY = date(2026, 2, 20)
# What a later revision takes away on purpose, and cannot give back: (table, column).
DROPPED = {("delivery_papers", "place"): "0005"}
# What a later revision keeps in another form: the picks stand in their delivery's row.
REPLACED = {"delivery_papers": "0024"}
# What a later revision changes on purpose: those of old deliveries were of workers long gone.
CHANGED = {("deliveries", "claimed_by"): "0023", ("subscribers", "preferences"): "0035"}


@pytest.fixture
def engine(database_url: str):
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def upgrade_to(engine: Engine, to: str) -> None:
    with engine.begin() as connection:
        command.upgrade(migration_config(connection), to)


def reflected(engine: Engine) -> MetaData:
    known = MetaData()
    known.reflect(engine, only=lambda name, _: not name.startswith("procrastinate_"))
    known.remove(known.tables["alembic_version"])
    return known


# What to write where it matters what it is; anything else is made up by its type.
WRITTEN = {
    ("subscribers", "address"): ["ada@example.org", "bob@example.org", "eve@example.org"],
    ("subscribers", "address_key"): ["ada@example.org", "bob@example.org", "eve@example.org"],
    ("subscribers", "consent"): ["confirmed", "pending", "withdrawn"],
    ("subscribers", "topics"): [["robots", '"a phrase" -x'], [], ["模型"]],
    ("subscribers", "preferences"): [{"max_papers": 7, "locale": "en"}, {"locale": "de"}, {}],
    ("consents", "event"): ["confirmed", "asked", "withdrawn"],
    ("suppressions", "address_key"): ["bob@example.org", "ünï@example.org", "x@example.org"],
    ("suppressions", "reason"): ["hard-bounce", "complaint", "operator"],
    ("papers", "arxiv_id"): ["2602.00001", "2602.00002", ""],
    ("papers", "authors"): [[HOSTILE, "Ada"], [], ["Émilie"]],
    ("papers", "keywords"): [[HOSTILE], [], []],
    ("papers", "categories"): [["cs.AI"], [], []],
    ("editions", "day"): [DAY, date(2026, 2, 19), date(2026, 2, 18)],
    ("edition_papers", "role"): ["listed", "rising", "known"],
    ("editions", "balance"): [
        {"edition": "2026-02-20", "due": 2, "accepted": 1, "deferred": 0, "refused": 0,
         "suppressed": 0, "skipped": 1, "uncertain": 0, "pending": 0,
         "skipped_for": {"nothing-matched": 1}},
        None,
        None,
    ],
    ("editions", "due"): [2, 1, None],
    ("editions", "planning_since"): [None, MOMENT, None],
    ("editions", "missing"): [["arxiv"], None, []],
    ("editions", "gone"): [None, [["accepted", None, 3]], None],
    ("deliveries", "edition_id"): [1, 1, 2],
    ("deliveries", "subscriber_id"): [1, 2, 1],
    ("deliveries", "state"): ["accepted", "skipped", "uncertain"],
    ("deliveries", "reason"): [None, "nothing-matched", None],
    ("deliveries", "claimed_by"): ["abc", None, None],
    ("delivery_papers", "delivery_id"): [1, 1, 3],
    ("delivery_papers", "position"): [0, 1, 0],
    ("delivery_papers", "section"): ["for-you", "trending", "for-you"],
    ("delivery_papers", "score"): [0.75, None, 0.1],
    ("delivery_papers", "topic"): [HOSTILE, None, "robots"],
    ("delivery_papers", "place"): ["title", None, "abstract"],
    ("delivery_papers", "words"): [["robot"], None, []],
    ("delivery_papers", "liked"): [None, None, HOSTILE],
    ("delivery_papers", "followed"): [HOSTILE, None, None],
    ("deliveries", "picks"): [
        f'[1,"f",0.75,{json.dumps(HOSTILE)},["robot"],"",{json.dumps(HOSTILE)}]\n[2,"t"]',
        None,
        f'[3,"f",0.1,"robots",[],{json.dumps(HOSTILE)}]',
    ],
    ("attempts", "outcome"): ["accepted", "deferred", "uncertain"],
    ("opinions", "verdict"): ["like", "mute", "like"],
    ("collections", "rejections"): [[{"file": HOSTILE, "where": "1", "why": "x"}], [], []],
    ("bounces", "kind"): ["hard", "soft", "complaint"],
    ("bounces", "delivery_id"): [1, 1, 3],
}  # fmt: skip


def made_up(column, number: int) -> object:
    """A value for a row of a column; NULL in the last row where it may be."""
    written = WRITTEN.get((column.table.name, column.name))
    if written:
        return written[number]
    if column.foreign_keys or (column.primary_key and isinstance(column.type, Integer)):
        return number + 1
    if column.nullable and number == 2:
        return None
    by_type = {
        DateTime: MOMENT,
        Date: DAY,
        Float: 0.125 + number,
        Integer: number,
        JSON: [HOSTILE, number, None],
        LargeBinary: HOSTILE.encode(),
    }
    for kind, value in by_type.items():
        if isinstance(column.type, kind):
            return value
    return f"{number} {HOSTILE}"[: getattr(column.type, "length", None)]


def fill(engine: Engine) -> None:
    """Three rows in every table there is."""
    known = reflected(engine)
    with engine.begin() as connection:
        for table in known.sorted_tables:
            rows = [
                {column.name: made_up(column, number) for column in table.columns}
                for number in range(3)
            ]
            connection.execute(table.insert(), rows)
        if engine.dialect.name == "postgresql":  # as if the database had given the numbers
            for table in known.sorted_tables:
                if "id" in table.columns and isinstance(table.c.id.type, Integer):
                    sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
                    connection.execute(text(f"SELECT setval({sequence}, 3)"))


def rows_of(engine: Engine) -> dict[str, list[dict[str, object]]]:
    """Every row, by its table."""
    known = reflected(engine)
    found = {}
    with engine.connect() as connection:
        for table in known.sorted_tables:
            order = [*table.primary_key.columns]
            rows = connection.execute(select(table).order_by(*order)).mappings()
            found[table.name] = [
                {name: plain(value) for name, value in row.items()} for row in rows
            ]
    return found


def plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return json.dumps(value, sort_keys=True) if isinstance(value, list | dict) else value


def known_to(now, before, *, upgraded_from: str):
    """Of what is there now, that which was known before."""
    return {
        name: [
            {
                column: value
                for column, value in zip(row, row.values(), strict=True)
                if column in (before[name][0] if before[name] else row)
                and not is_dropped(name, column, upgraded_from)
            }
            for row in now.get(name, [])
        ]
        for name in before
        if upgraded_from >= REPLACED.get(name, "")
    }


def is_dropped(table: str, column: str, upgraded_from: str) -> bool:
    return upgraded_from < {**DROPPED, **CHANGED}.get((table, column), "")


def check_what_today_reads(engine: Engine, at: str) -> None:
    ledger, registry = Ledger(engine), Registry(engine)
    people = registry.everybody()
    assert [person.consent for person in people] == [
        Consent.CONFIRMED,
        Consent.PENDING,
        Consent.WITHDRAWN,
    ]
    ada, bob, eve = people
    assert [topic.text for topic in ada.topics] == ["robots", '"a phrase" -x']
    assert ada.since == MOMENT
    assert ada.preferences.max_papers == (7 if at >= "0002" else None)
    # "en" stood with everybody until people were asked; any other was somebody's own.
    assert ada.preferences.locale == ("en" if at >= "0035" else None)
    assert bob.preferences.locale == ("de" if at >= "0002" else None)
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE
    assert registry.standing(bob.id) is Standing.SUPPRESSED
    assert registry.standing(eve.id) is Standing.WITHDRAWN
    file = registry.file_by_id(bob.id)
    assert file
    assert file.suppression
    assert file.suppression.reason is SuppressionReason.HARD_BOUNCE
    assert [each.at for each in file.evidence] == [MOMENT]
    assert len(file.ratings) == (1 if at >= "0004" else 0)

    edition = ledger.editions.on(DAY)
    assert edition
    [candidate] = edition.candidates
    assert candidate.facts.authors == (HOSTILE, "Ada")
    assert candidate.facts.title == f"0 {HOSTILE}"
    assert candidate.listed_on == DAY
    balance = ledger.editions.balance(edition)
    assert (balance.due, balance.accepted, balance.skipped) == (2, 1, 1)
    [_, _, figures] = ledger.history.days(date(2026, 2, 18), DAY)
    assert figures.balance == balance
    delivery = ledger.deliveries.of(edition, ada.id)
    assert delivery
    assert unpack(delivery.picks) == [
        (1, Section.FOR_YOU, Match(0.75, known_reason(at, HOSTILE, ("robot",), "", HOSTILE))),
        (2, Section.TRENDING, None),
    ]
    assert ledger.outcomes.attempts(delivery)[0].at == MOMENT
    older = ledger.editions.on(date(2026, 2, 19))
    assert older
    report = ledger.deliveries.report(older, ada.id)
    assert report
    assert report.state is DeliveryState.UNCERTAIN
    liked = known_reason(at, "robots", (), HOSTILE, "")
    assert unpack(report.delivery.picks) == [(3, Section.FOR_YOU, Match(0.1, liked))]
    assert len(ledger.history.runs(9)) == (3 if at >= "0006" else 0)
    assert ledger.editions.gone(older) == (3 if at >= "0008" else 0)
    assert ledger.health.editions() == 3


def known_reason(at: str, topic: str, words: tuple[str, ...], liked: str, followed: str) -> Reason:
    """As much of a reason as a revision knew."""
    reason = Reason(topic, words, liked) if at >= "0005" else Reason(topic)
    return reason._replace(followed=followed) if at >= "0016" else reason


@pytest.mark.parametrize("at", REVISIONS)
def test_upgraded_with_data_nothing_is_lost(engine, at):
    upgrade_to(engine, at)
    assert revision(engine) == at
    fill(engine)
    before = rows_of(engine)
    assert all(len(rows) == 3 for rows in before.values())
    expected = known_to(before, before, upgraded_from=at)

    upgrade(engine)
    assert known_to(rows_of(engine), before, upgraded_from=at) == expected
    check_what_today_reads(engine, at)
    still_works(engine)


def still_works(engine: Engine) -> None:
    """Numbers go on where they were, and are never given twice; what must be unique is."""
    registry = Registry(engine)
    added = registry.add("new@example.org", (), source="test", now=MOMENT)
    assert added.id == 4
    registry.remove("new@example.org")
    assert registry.add("new@example.org", (), source="test", now=MOMENT).id == 5
    assert registry.remove("ada@example.org")
    with engine.connect() as connection:
        orphans = connection.execute(
            text("SELECT count(*) FROM consents WHERE subscriber_id = 1")
        ).scalar()
        if engine.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    assert orphans == 0  # the cascade is still there


def test_an_old_one_is_left_alone_and_the_command_is_named(engine):
    upgrade_to(engine, "0001")
    with pytest.raises(LedgerError, match=r"at revision 0001, .*run digest db upgrade") as refused:
        ensure_current(engine)
    assert "\n" not in str(refused.value)
    assert revision(engine) == "0001"


@pytest.mark.parametrize("at", _FIRST_AND_THE_REST)
def test_the_schema_is_the_same_whichever_way_it_came(engine, at, tmp_path):
    upgrade_to(engine, at)
    fill(engine)
    upgrade(engine)
    in_steps = schema(engine)
    with ExitStack() as stack:
        is_sqlite = engine.dialect.name == "sqlite"
        beside = f"sqlite:///{tmp_path / 'new'}" if is_sqlite else stack.enter_context(new_schema())
        straight = open_database(beside)
        stack.callback(straight.dispose)
        upgrade(straight)
        assert schema(straight) == in_steps


def schema(engine: Engine) -> dict[str, object]:
    """Tables with their columns, keys and indexes, as far as it matters to data."""
    found: dict[str, object] = {}
    for table in reflected(engine).sorted_tables:
        columns = {
            column.name: (str(column.type), column.nullable, column.server_default is not None)
            for column in table.columns
        }
        keys = sorted(
            (str(foreign_key_constraint.name), sorted(str(key.target_fullname) for key in foreign_key_constraint.elements),
             foreign_key_constraint.ondelete)
            for foreign_key_constraint in table.foreign_key_constraints
        )  # fmt: skip
        indexes = sorted(
            (str(index.name), [c.name for c in index.columns]) for index in table.indexes
        )
        is_counted = None
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                made = text("SELECT sql FROM sqlite_master WHERE name = :name")
                made_by = str(connection.execute(made, {"name": table.name}).scalar())
                is_counted = "AUTOINCREMENT" in made_by.upper()
        found[table.name] = (columns, keys, indexes, is_counted)
    return found


KILLED = """
import os, signal, sys
from sqlalchemy import event
from digest.ledger.database import open_database, upgrade
engine, left = open_database(sys.argv[1]), [int(sys.argv[2])]

@event.listens_for(engine, "before_cursor_execute")
def count(*_):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)

upgrade(engine)
"""


@pytest.mark.parametrize(
    "after", [20, *(pytest.param(each, marks=pytest.mark.long) for each in (3, 30))]
)
def test_an_upgrade_that_is_killed_leaves_the_old_schema_with_its_data(engine, database_url, after):
    upgrade_to(engine, "0001")
    fill(engine)
    before = rows_of(engine)
    killed = subprocess.run([sys.executable, "-c", KILLED, database_url, str(after)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert revision(engine) == "0001"
    assert rows_of(engine) == before
    upgrade(engine)
    check_what_today_reads(engine, "0001")
