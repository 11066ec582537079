"""Check how PostgreSQL finds deliveries in a table that has grown since it counted the rows."""

import pytest
from sqlalchemy import event, text

from digest.ledger.claims import Mark, Record
from digest.ledger.database import ensure_current, open_database
from digest.ledger.leases import Lease
from digest.ledger.ledger import Ledger
from digest.model.messages import Outcome, OutcomeKind
from subscribers.store.registry import Registry
from tests.conftest import new_schema
from tests.integration.plans import commit
from tests.support import NOW

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "250 OK", 250)
BEFORE, PLANNED = 2_000, 20_000
FILL = """
INSERT INTO deliveries (edition_id, subscriber_id, state, attempts, planned_at, changed_at, provider)
SELECT :edition, number, :state, 0, :now, :now, 'example.org' FROM generate_series(1, :many) AS number
"""


@pytest.fixture(params=[True, False], ids=["counted before", "never counted"])
def engine(request):
    """A database that was filled since PostgreSQL counted its rows, if it ever did."""
    with new_schema() as url:
        engine = open_database(url)
        ensure_current(engine)
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role TO replica"))  # no keys
            connection.execute(text("ALTER TABLE deliveries SET (autovacuum_enabled = off)"))
            old = {"edition": 1, "state": "accepted", "now": NOW, "many": BEFORE}
            connection.execute(text(FILL), old)
            if request.param:
                connection.execute(text("ANALYZE deliveries"))
            new = {"edition": 2, "state": "pending", "now": NOW, "many": PLANNED}
            connection.execute(text(FILL), new)
        yield engine
        engine.dispose()


@pytest.fixture
def plans(engine):
    """The plan of each statement on deliveries that is done from now on."""
    found = []

    def explain(connection, _cursor, statement, parameters, _context, is_many):
        if "deliveries" in statement and statement.lstrip().startswith(("SELECT", "UPDATE")):
            assert not is_many
            with connection.connection.dbapi_connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {statement}", parameters)
                found.append("\n".join(line for (line,) in cursor))

    event.listen(engine, "before_cursor_execute", explain)
    return found


def test_the_first_of_all_that_waits_are_read_and_no_others(engine, plans):
    with Ledger(engine).live_workers.enter() as claims:
        plans.clear()
        [leased] = commit(claims, leases=[Lease(200)]).leases
    assert [one.id for one in leased.deliveries] == list(range(BEFORE + 1, BEFORE + 201))
    assert "Index Scan using ix_deliveries_in_order" in plans[0]
    assert "Sort" not in plans[0]


def test_the_deliveries_of_a_shard_and_of_a_group_are_found_by_their_ids(engine, plans):
    addresses = [f"{name}@example.org" for name in ("ada", "bob", "eve")]
    for address in addresses:
        Registry(engine).add(address, (), source="test", now=NOW)
    shard = range(BEFORE + 1, BEFORE + 201)
    with Ledger(engine).live_workers.enter() as claims:
        plans.clear()
        [leased] = commit(claims, leases=[Lease(200, only=shard)]).leases
        assert leased.is_all
        of = leased.deliveries[: len(addresses)]
        marks = [Mark(one, address) for one, address in zip(of, addresses, strict=True)]
        assert commit(claims, marks=marks).marks == [True] * len(of)
        commit(claims, records=[Record(one, ACCEPTED) for one in of])
    assert len(plans) == 4  # leased: two statements
    for plan in plans:
        assert "ix_deliveries" not in plan, plan  # all of a small table may be read instead
