"""The directory: people searched, counted and gone through, while others come and go."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, text

from subscribers.model import Consent, SuppressionReason
from subscribers.preferences import Preferences
from subscribers.store.directory import PeopleSearch, State
from subscribers.store.tables import subscribers
from tests.support import NOW

pytestmark = pytest.mark.both_databases

TODAY = date(2026, 2, 20)
EVERYBODY = PeopleSearch()


def row(number, name=None, consent=Consent.CONFIRMED, paused_until=None):
    address = name or f"reader{number}@example.org"
    return {
        "public_id": f"{number:032}",
        "address": address,
        "address_key": address,
        "topics": ["robots"],
        "preferences": Preferences(paused_until=paused_until).to_json(),
        "consent": consent,
        "since": NOW,
    }


def enter(engine, *rows):
    with engine.begin() as connection:
        connection.execute(insert(subscribers), list(rows))


def names(entries):
    return [entry.subscriber.address.partition("@")[0] for entry in entries]


@pytest.fixture
def people(engine, registry):
    """One in each state; Grace is paused and blocked, and Olaf's pause is over."""
    enter(
        engine,
        row(1, "ada@example.org"),
        row(2, "bob@example.org", Consent.PENDING),
        row(3, "cleo@example.org", Consent.WITHDRAWN),
        row(4, "grace@example.com", paused_until=date(2026, 2, 21)),
        row(5, "olaf@example.com", paused_until=TODAY),
        row(6, "100%_a\\b@example.net"),
    )
    for address in ("grace@example.com", "unknown@example.org"):
        registry.suppressions.add(address, SuppressionReason.COMPLAINT, now=NOW)
    return registry.directory


# ---- searching -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (State.CONFIRMED, ["100%_a\\b", "olaf", "grace", "ada"]),
        (State.WAITING, ["bob"]),
        (State.LEFT, ["cleo"]),
        (State.BLOCKED, ["grace"]),
        (State.PAUSED, ["grace"]),
        (None, ["100%_a\\b", "olaf", "grace", "cleo", "bob", "ada"]),
    ],
)
def test_each_state_has_its_people_the_newest_first(people, state, found):
    search = PeopleSearch(state=state)
    assert names(people.page(search, TODAY, 99)) == found
    assert people.count(search, TODAY) == len(found)
    if state:
        assert people.counts(TODAY)[state] == len(found)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ADA@example.org", ["ada"]),
        ("ada@", ["ada"]),
        ("da@example", []),  # with something before the @, it is the beginning
        ("@example.com", ["olaf", "grace"]),
        ("la", ["olaf"]),
        ("100%_a\\b@", ["100%_a\\b"]),
        ("%", ["100%_a\\b"]),
        ("10_%@", []),
        ("_", ["100%_a\\b"]),
        ("'; DROP TABLE subscribers; --", []),
        ("x" * 400, []),
        ("é@", []),
    ],
)
def test_an_address_is_found_by_its_beginning_or_a_part(people, typed, found):
    assert names(people.page(PeopleSearch(typed), TODAY, 99)) == found
    assert people.count(PeopleSearch(typed), TODAY) == len(found)


def test_a_search_has_both_address_and_state(people):
    search = PeopleSearch("@example.com", State.PAUSED)
    assert names(people.page(search, TODAY, 99)) == ["grace"]


def test_a_block_is_told_with_its_person(people):
    blocks = {name: found.suppression for name, found in zip(
        "olaf grace".split(), people.page(PeopleSearch("@example.com"), TODAY, 9), strict=True
    )}  # fmt: skip
    assert blocks["olaf"] is None
    assert blocks["grace"].reason is SuppressionReason.COMPLAINT


def test_known_are_those_who_are_there(people):
    assert people.known([6, 1, 1, 77, 2]) == [1, 2, 6]
    assert people.known([]) == []


# ---- pages and ranges ------------------------------------------------------------------------


def test_pages_lead_back_to_where_one_came_from(engine, registry):
    enter(engine, *(row(number) for number in range(1, 8)))
    page = registry.directory.page
    first = page(EVERYBODY, TODAY, 3)
    second = page(EVERYBODY, TODAY, 3, before=first[-1].subscriber.id)
    assert names(second) == ["reader4", "reader3", "reader2"]
    assert page(EVERYBODY, TODAY, 3, after=second[0].subscriber.id) == first
    assert names(page(EVERYBODY, TODAY, 3, before=2)) == ["reader1"]


STEPS = st.lists(st.sampled_from(["turn", "come", "go"]), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 12), STEPS, st.integers(1, 4), st.randoms(use_true_random=False))
def test_whoever_stays_is_seen_once_while_others_come_and_go(engine, registry, many, steps, most, chance):  # fmt: skip
    """By pages, and by ranges of ids."""
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM subscribers"))
    numbers = iter(range(1, 100))
    enter(engine, *(row(next(numbers)) for _ in range(many)), row(next(numbers)))
    directory = registry.directory
    at_first = set(directory.ids(EVERYBODY, TODAY))
    seen, ranged, gone = list[int](), list[int](), set[int]()
    blocks = directory.blocks(EVERYBODY, TODAY, most)
    for step in [*steps, *["turn"] * 50]:
        if step == "come":
            enter(engine, row(next(numbers)))
        elif step == "go":
            going = chance.choice(directory.ids(EVERYBODY, TODAY) or [0])
            gone.add(going)
            with engine.begin() as connection:
                connection.execute(subscribers.delete().where(subscribers.c.id == going))
        else:
            page = directory.page(EVERYBODY, TODAY, most, before=seen[-1] if seen else None)
            seen += [entry.subscriber.id for entry in page]
            ranged += next(blocks, [])
    for found in (seen, ranged):
        assert len(found) == len(set(found))
        assert at_first - gone <= set(found)
    assert set(seen) <= at_first | set(range(max(at_first), max(at_first) + 100))


# ---- what serves them ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "index"),
    [
        (PeopleSearch("ada@"), {"sqlite": "address_key>?", "postgresql": "address_beginning"}),
        (PeopleSearch(state=State.PAUSED), {"sqlite": "ix_subscribers_paused", "postgresql": "ix_subscribers_paused_until"}),
        (PeopleSearch(state=State.WAITING), {"sqlite": "ix_subscribers_consent", "postgresql": "ix_subscribers_consent"}),
        (PeopleSearch(state=State.BLOCKED), {"sqlite": "address_key=?", "postgresql": "address_key"}),
    ],
)  # fmt: skip
def test_an_index_serves_the_counts_of_many(engine, registry, search, index):
    enter(engine, *(row(number) for number in range(1, 3000)))
    registry.suppressions.add("reader7@example.org", SuppressionReason.OPERATOR, now=NOW)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("ANALYZE subscribers, suppressions"))
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
    registry.directory.count(search, TODAY)
    [(statement, values)] = asked
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        how = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
        plan = "\n".join(
            str(tuple(line)) for line in connection.exec_driver_sql(how + statement, values)
        )
    assert index[engine.dialect.name] in plan
    assert "SCAN subscribers'" not in plan
    assert "Seq Scan on subscribers" not in plan
