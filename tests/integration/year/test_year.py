"""A year of the schedule against an oracle: nobody is forgotten, nobody gets anything twice."""

import os
import shutil
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event, select
from structlog.testing import capture_logs

from digest.ledger.database import open_database
from digest.ledger.ledger import Ledger
from digest.ledger.tables import deliveries, editions
from digest.model.deliveries import Balance
from digest.model.digests import Section
from digest.model.packed_picks import unpack
from subscribers.store.tables import subscribers
from tests.integration.year.house import House, Mail, address_of
from tests.integration.year.lives import DAY, MINUTE, Life, Paper, Year, is_in, make_year
from tests.integration.year.oracle import GRACE, Made, Oracle, Row, moment_of

PATIENCE = timedelta(minutes=60)  # that an edition waits for a source
# All moments count on these: the year's ends, the leap day, and where many clocks change.
BUSY_DAYS = {
    date(2027, 12, 31), date(2028, 1, 1), date(2028, 2, 29), date(2028, 3, 12), date(2028, 3, 26),
    date(2028, 4, 2), date(2028, 10, 1), date(2028, 10, 29), date(2028, 11, 5), date(2028, 12, 31),
}  # fmt: skip
AGAIN = timedelta(minutes=10)  # a source that failed is asked


@dataclass
class Looks:
    """When the program looks; ``whole`` are those at which nothing kept it from sending all."""

    all: list[datetime]
    stopped_after: dict[datetime, int] = field(default_factory=dict)
    whole: list[datetime] = field(default_factory=list)


def looks_at(year: Year, random: Random, oracle: Oracle, share: float) -> Looks:
    """Some of the moments at which something can happen, and others, but none in a standstill.

    All of them on the days that are told for it.
    """
    moments = {at for life in year.lives for at, _ in life.chapters}
    for life in year.lives:
        ends = [*(at for at, _ in life.chapters[1:]), year.ends]
        for (begins, wishes), until in zip(life.chapters, ends, strict=True):
            if wishes:
                turns = (each.moment for each in oracle.turns_of(wishes))
                moments.update(turn for turn in turns if begins <= turn < until)
    for day in year.days():
        planned = oracle.planned(day)
        moments |= {planned, planned + PATIENCE, planned + random.random() * DAY}
        if is_in(year.source_down, planned):
            moments |= {planned + number * AGAIN for number in range(6 * 24)}
    for spell in (*year.sleeps, *year.relay_down, *year.source_down):
        moments |= {spell.ends, spell.ends + AGAIN}
    chosen = sorted(moment for moment in moments if year.begins <= moment < year.ends)
    chosen = [each for each in chosen if random.random() < share or each.date() in BUSY_DAYS]
    ticks = sorted({_next_minute(each) for each in chosen})
    jitter = {tick: timedelta(seconds=random.randrange(30)) for tick in ticks}
    found = Looks(
        [tick + jitter[tick] for tick in ticks if not is_in(year.sleeps, tick + jitter[tick])]
    )
    for spell in year.sleeps:
        number = bisect_left(found.all, spell.begins) - 1
        if spell.after and number >= 0:
            found.stopped_after[found.all[number]] = spell.after
    found.whole = [
        each
        for each in found.all
        if each not in found.stopped_after and not is_in(year.relay_down, each)
    ]
    return found


@pytest.fixture
def new_sqlite_engine(new_sqlite: Path, tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{shutil.copy(new_sqlite, tmp_path / 'year.sqlite3')}")
    event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF"))
    yield engine
    engine.dispose()


def _next_minute(moment: datetime) -> datetime:
    begun = moment.replace(second=0, microsecond=0)
    return begun if begun == moment else begun + MINUTE


def live_through(year: Year, looks: Looks, house: House) -> None:
    last = None
    for look in looks.all:
        if last and any(last <= sleep.begins < look for sleep in year.sleeps):
            house.stand_still()
        if look in looks.stopped_after:
            house.stop_after(looks.stopped_after[look])
        house.look(look)
        last = look


# ---- what came of it -------------------------------------------------------------------------


class Books:
    """What the ledger says in the end."""

    def __init__(self, engine: Engine) -> None:
        self.ledger = Ledger(engine)
        with engine.connect() as connection:
            names = {
                row.id: row.address.partition("@")[0]
                for row in connection.execute(select(subscribers.c.id, subscribers.c.address))
            }
            self.editions = connection.execute(select(editions).order_by(editions.c.day)).all()
            days = {edition.id: edition.day for edition in self.editions}
            packed = select(deliveries.c.picks).where(deliveries.c.picks.is_not(None))
            picks = [pick for text in connection.execute(packed).scalars() for pick in unpack(text)]
            # That readers were to be shown.
            self.risers = sum(pick.section is Section.RISING for pick in picks)
            self.rows: dict[str, dict[date, str]] = defaultdict(dict)
            for row in connection.execute(select(deliveries)):
                became = f"{row.state} {row.reason or ''}".strip()
                self.rows[names[row.subscriber_id]][days[row.edition_id]] = became


def made_of(year: Year, books: Books, house: House) -> list[Made]:
    """The editions as they are, with what the source had told by then that was in none before.

    Each begins with the day of the last that held papers, the first with its own.
    """
    taken: set[date] = set()
    made: list[Made] = []
    for edition in books.editions:
        at = edition.frozen_at
        told = {day for moment, days in house.given for day in days if moment <= at}
        begin = next((before.day for before in reversed(made) if before.papers), edition.day)
        new = sorted(day for day in told - taken if begin <= day <= edition.day)
        taken |= set(new)
        papers = tuple(paper for day in new for paper in year.papers.get(day, ()))
        made.append(Made(edition.day, at, papers, votes_told(year, house, at)))
    return made


def votes_told(year: Year, house: House, at: datetime) -> dict[Paper, int]:
    """The votes of each paper when the source was last asked for its day."""
    asked = {day: moment for moment, days in house.given if moment <= at for day in days}
    return {
        paper: paper.votes_at(moment)
        for day, moment in asked.items()
        for paper in year.papers.get(day, ())
    }


def faults_of_editions(year: Year, looks: Looks, made: list[Made], oracle: Oracle) -> list[str]:
    """There is one on each day on which somebody looked and the source answered, in time."""
    faults = []
    at = {each.day: each.at for each in made}
    for day in year.days():
        planned = oracle.planned(day)
        fitting = [each for each in looks.all if each >= planned and year.day_of(each) == day]
        sure = [
            each
            for each in fitting
            if each not in looks.stopped_after
            and not any(spell.begins <= each < spell.ends + AGAIN for spell in year.source_down)
        ]
        if day not in at:
            if sure:
                faults.append(f"no edition on {day}, though it was looked at {sure[0]}")
        elif at[day] not in fitting or (sure and at[day] > sure[0]):
            faults.append(f"the edition of {day} is of {at[day]}, not of {sure[:1]}")
    return faults


def faults_of(
    life: Life,
    oracle: Oracle,
    looks: Looks,
    made: dict[date, Made],
    books: Books,
    mails: list[Mail],
) -> list[str]:
    """What a reader got that they should not have, or did not get."""
    faults: list[str] = []
    booked = dict(books.rows[life.name])
    paused = [day for day, state in booked.items() if state == "skipped paused"]
    for day in paused:
        before = max((each for each in made if each < day), default=day)
        if not is_about_paused(life, before):
            faults.append(f"{day}: not paused")
    stale = [day for day, state in booked.items() if state == "skipped stale"]
    unsent = [day for day, state in booked.items() if state.startswith("skipped")]
    rows = oracle.rows_of(life, paused, stale, unsent)
    by_edition = {date.fromisoformat(each.message_id[1:11]): each for each in mails}
    if len(by_edition) < len(mails):
        faults.append("mailed twice for one edition")
    shown = [number for each in mails for number in each.papers]
    if len(set(shown)) < len(shown):
        twice = [number for number, count in Counter(shown).items() if count > 1]
        faults.append(f"shown twice: {twice}")
    faults += [
        f"mailed at {each.at}, not being there" for each in mails if not life.wishes_at(each.at)
    ]
    for day, row in rows.items():
        state, mail = booked.pop(day, "no row"), by_edition.pop(day, None)
        faults += [
            f"{day}: {each} ({row})"
            for each in _faults_of_row(life, row, looks, made[day], state, mail)
        ]
    faults += [f"{day}: an unexpected mail at {each.at}" for day, each in by_edition.items()]
    for day, state in booked.items():
        if state not in {"skipped missed", "skipped paused"}:
            faults.append(f"{day}: an unexpected row, {state}")
    return faults


def is_about_paused(life: Life, day: date) -> bool:
    """Whether they were, at some time after the edition of a day, or about that day."""
    return any(
        wishes and wishes.paused_until and day <= wishes.paused_until + DAY
        for _, wishes in life.chapters
    )


def _faults_of_row(
    life: Life, row: Row, looks: Looks, edition: Made, state: str, mail: Mail | None
) -> list[str]:
    if row.why_nothing and not row.is_note:
        expected = f"skipped {row.why_nothing}"
        return [] if state == expected and not mail else [f"{state}, not {expected}"]
    number = bisect_left(looks.whole, row.planned_at)
    latest = looks.whole[number] if number < len(looks.whole) else None
    if mail:
        faults = [] if list(mail.papers) == row.papers else [f"papers {mail.papers}"]
        if mail.at < row.planned_at or (latest and mail.at > latest):
            faults.append(f"sent at {mail.at}, not by {latest}")
        if state != f"accepted {row.why_nothing}".strip():
            faults.append(f"sent, but {state}")
        return faults
    if latest is None:
        pending = f"pending {row.why_nothing}".strip()
        return [] if state == pending else [f"{state}, not {pending}"]
    has_left = any(
        wishes is None and row.planned_at <= at <= latest for at, wishes in life.chapters
    )
    if has_left and state == "skipped withdrawn":
        return []
    if latest - edition.at > GRACE and latest > row.planned_at and state == "skipped stale":
        return []
    return [f"no mail, {state}, not by {latest}"]


def lost_turns(life: Life, oracle: Oracle, looks: Looks, books: Books) -> list[str]:
    """Turns that nothing came of, not even with the next: no row for their edition or a later."""
    booked = books.rows[life.name]
    faults = []
    chapters = [*life.chapters, (looks.all[-1] - 8 * DAY, None)]
    for (begins, wishes), (until, _) in pairwise(chapters):
        for turn in oracle.turns_of(wishes) if wishes else ():
            if not begins < turn.moment < until:
                continue
            edition = oracle.edition_for(turn.moment, looks.all[-1])
            after = oracle.next_turn(wishes, turn).moment
            later = oracle.edition_for(after, looks.all[-1])
            if not edition or not later:
                continue
            # It may wait for another of their turns in the same day's time.
            is_seen = any(max(after, later.at + DAY) <= each < until for each in looks.all)
            if is_seen and not any(day >= edition.day for day in booked):
                faults.append(f"nothing came of {turn}")
    return faults


def judge(year: Year, looks: Looks, house: House, books: Books) -> list[str]:
    """All that is not as it must be."""
    made = made_of(year, books, house)
    oracle = Oracle(year, looks.all, made)
    by_day = {each.day: each for each in made}
    mails: dict[str, list[Mail]] = defaultdict(list)
    for mail in house.mails:
        mails[mail.to].append(mail)
    faults = [*faults_of_editions(year, looks, made, oracle), *faults_of_balances(books)]
    for life in year.lives:
        found = faults_of(life, oracle, looks, by_day, books, mails[address_of(life)])
        found += lost_turns(life, oracle, looks, books)
        faults += [f"{life.name}: {each}" for each in found]
    return faults


def faults_of_balances(books: Books) -> list[str]:
    faults = []
    for edition in books.editions:
        rows = [its[edition.day] for its in books.rows.values() if edition.day in its]
        balance = (
            Balance(**{**edition.balance, "edition": edition.day}) if edition.balance else None
        )
        due = balance.due if balance and balance.is_balanced else 0
        if due != len(rows):
            faults.append(f"{edition.day}: the balance is {balance}, of {len(rows)} rows")
    return faults


def simulate(year: Year, engine: Engine, home: Path, random: Random, share: float) -> None:
    began = process_time()
    looks = looks_at(year, random, Oracle(year, [], []), share)
    house = House(year, engine, home, random)
    live_through(year, looks, house)
    lived = process_time()
    books = Books(engine)
    faults = judge(year, looks, house, books)
    became = Counter(state for rows in books.rows.values() for state in rows.values())
    print(
        f"{len(looks.all)} looks, {len(books.editions)} editions, {len(house.mails)} mails,",
        f"{books.risers} late risers;",
        f"{lived - began:.1f} s, judged in {process_time() - lived:.1f} s;",
        dict(became),
    )
    assert books.risers
    assert not faults, f"{len(faults)} faults\n" + "\n".join(faults[:40])


@pytest.fixture(autouse=True)
def _plain_mails(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with capture_logs():  # what fails is told each time, and much fails here
        yield


def some_weeks(begins: str, days: int, people: int, zone: str, run_at: str, random: Random) -> Year:
    begin = datetime.fromisoformat(begins).replace(tzinfo=UTC)
    return make_year(random, people, begin, days, zone, run_at)


@pytest.mark.long
@pytest.mark.parametrize(
    ("begins", "zone", "run_at", "seed"),
    [
        ("2027-12-20T09:00", "UTC", "08:00", 1),  # clocks change in Morocco, as is known today
        ("2028-02-26T00:00", "Europe/Oslo", "02:30", 2),  # and here, in just that hour
    ],
)
def test_five_weeks(new_sqlite_engine, tmp_path, begins, zone, run_at, seed):
    random = Random(seed)
    year = some_weeks(begins, 35, 60, zone, run_at, random)
    simulate(year, new_sqlite_engine, tmp_path, random, share=0.15)


def test_two_weeks_on_each_database(engine, tmp_path):
    random = Random(3)
    year = some_weeks("2028-10-23T12:00", 14, 30, "America/Havana", "00:30", random)
    simulate(year, engine, tmp_path, random, share=0.15)


# Others can be lived through as well: numbers, separated by commas.
SEEDS = [
    16,
    *map(int, filter(None, os.environ.get("DIGEST_TEST_YEAR_SEEDS", "").split(","))),
]
OPERATORS = [("UTC", "08:00"), ("Pacific/Auckland", "23:30"), ("America/New_York", "02:30"), ("Asia/Kolkata", "06:15")]  # fmt: skip


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_readers_for_a_year(new_sqlite_engine, tmp_path):
    """A thousand readers take twenty minutes: DIGEST_TEST_YEAR_READERS says how many."""
    random = Random(2028)
    readers = int(os.environ.get("DIGEST_TEST_YEAR_READERS", "250"))
    year = some_weeks("2027-12-20T09:00", 382, readers, "Europe/Berlin", "08:00", random)
    simulate(year, new_sqlite_engine, tmp_path, random, share=0.03)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", SEEDS)
def test_some_months(new_sqlite_engine, tmp_path, seed):
    random = Random(seed)
    zone, run_at = random.choice(OPERATORS)
    begin = datetime(2027, 12, 20) + random.randrange(300) * DAY
    year = some_weeks(begin.isoformat(), 80, 60, zone, run_at, random)
    simulate(year, new_sqlite_engine, tmp_path, random, share=random.choice((0.05, 0.15, 0.4)))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/Nuuk", "Asia/Beirut", "Africa/Casablanca", "Antarctica/Troll"])  # fmt: skip
def test_the_oracle_knows_each_minute_of_a_day_on_which_clocks_change(zone):
    """Minute by minute: a time comes first when the clock shows it, or is as much later as is skipped."""
    here = ZoneInfo(zone)
    # Of a year that is over: what clocks will do may be decided otherwise.
    noons = (datetime(2024, 1, 1, 12, tzinfo=UTC) + number * DAY for number in range(366))
    changes = [each for each in noons if each.astimezone(here).utcoffset() != (each + DAY).astimezone(here).utcoffset()]  # fmt: skip
    assert changes
    for noon in changes:
        walls = [(noon + n * MINUTE, (noon + n * MINUTE).astimezone(here).replace(tzinfo=None)) for n in range(-720, 2880)]  # fmt: skip
        first: dict[datetime, datetime] = {}
        for moment, wall in walls:
            first.setdefault(wall, moment)
        wall, moment = walls[0][1], walls[0][0]
        while wall < walls[-1][1] - DAY / 4:
            wall, moment = wall + MINUTE, first.get(wall + MINUTE, moment + MINUTE)
            assert moment_of(zone, wall.time(), wall.date()) == moment
