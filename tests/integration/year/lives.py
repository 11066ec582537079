"""Make up a year: readers and what they want when, papers, and what goes wrong. Only data."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo, available_timezones

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

# Zones with something to them: half and quarter hours, southern summers, half an hour's change,
# both ends of the date line, a change for Ramadan, and changes at or around midnight.
ODD_ZONES = """
    Asia/Kolkata Asia/Kathmandu America/St_Johns Australia/Adelaide Australia/Lord_Howe
    Pacific/Chatham Pacific/Auckland Pacific/Kiritimati Pacific/Niue Africa/Casablanca
    America/Nuuk America/Scoresbysund America/Havana Asia/Beirut America/Santiago Africa/Cairo
    Antarctica/Troll Atlantic/Azores Europe/Berlin Europe/Dublin America/New_York
    America/Sao_Paulo Asia/Gaza Asia/Tokyo UTC
""".split()
# Many of them in hours that a clock change skips or brings twice.
TIMES = (
    "00:30 01:30 02:00 02:15 02:30 03:00 06:00 07:00 07:30 08:00 08:00 12:00 18:00 23:30".split()
)
CADENCES = [
    *(range(7), range(7), range(5), range(5), (0, 3), (1, 4), (5, 6), (0, 2, 4), (0,), (0,)),
    *((day,) for day in range(7)),
]
# The last of them are rare: on most days no paper is of these kinds.
KINDS = """
    duck goose swan heron crane stork eagle falcon kite owl raven crow jay magpie finch sparrow
    robin wren thrush starling lark swallow swift martin woodpecker kingfisher pelican gannet auk
""".split()
PAPERS_A_DAY = 8


@dataclass(frozen=True)
class Wishes:
    """``days`` are weekdays, Monday is 0; ``paused_until`` is the first day with mail again."""

    zone: str
    at: time
    days: frozenset[int]
    topics: tuple[str, ...] = ()
    paused_until: date | None = None

    @property
    def wants_note(self) -> bool:
        """Return whether they want an email without papers; it depends on their time only."""
        return self.at.hour % 2 == 1


@dataclass
class Life:
    """A reader's life: what they want from a moment on, None after they have left."""

    name: str
    chapters: list[tuple[datetime, Wishes | None]]

    def wishes_at(self, moment: datetime) -> Wishes | None:
        number = bisect_right(self.chapters, moment, key=lambda chapter: chapter[0]) - 1
        return None if number < 0 else self.chapters[number][1]


@dataclass(frozen=True)
class Paper:
    """``votes`` are those of its first days; from the moment ``rises_at`` on it has ``more``."""

    number: int
    kind: str
    votes: int
    day: date
    rises_at: datetime
    more: int

    def votes_at(self, moment: datetime) -> int:
        return self.votes + (self.more if moment >= self.rises_at else 0)


@dataclass(frozen=True)
class Spell:
    """A time in which something does not work; ``after`` so many more mails, where that counts."""

    begins: datetime
    ends: datetime
    after: int = 0

    def holds(self, moment: datetime) -> bool:
        return self.begins <= moment < self.ends


@dataclass
class Year:
    """All that is made up. Nobody looks while it ``sleeps``; the source or the relay may be down."""

    zone: str
    run_at: time
    begins: datetime
    ends: datetime
    lives: list[Life]
    papers: dict[date, list[Paper]] = field(default_factory=dict)
    sleeps: list[Spell] = field(default_factory=list)
    source_down: list[Spell] = field(default_factory=list)
    relay_down: list[Spell] = field(default_factory=list)

    def day_of(self, moment: datetime) -> date:
        """Return the operator's day."""
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def days(self) -> Iterator[date]:
        day = self.day_of(self.begins)
        while day <= self.day_of(self.ends):
            yield day
            day += DAY


def is_in(spells: Sequence[Spell], moment: datetime) -> bool:
    return any(spell.holds(moment) for spell in spells)


def make_year(
    random: Random,
    people: int,
    begins: datetime,
    days: int,
    zone: str = "UTC",
    run_at: str = "08:00",
) -> Year:
    ends = begins + days * DAY
    zones = [*ODD_ZONES, *random.sample(sorted(available_timezones() - {"localtime"}), people // 4)]
    lives = [_life(random, f"r{number}", zones, begins, ends) for number in range(people)]
    year = Year(zone, time.fromisoformat(run_at), begins, ends, lives)
    year.papers = _papers(random, year)
    year.sleeps = _sleeps(random, year, days)
    year.source_down = _outages(random, year, days)
    year.relay_down = [
        Spell(begun := _some_moment(random, begins, ends), begun + _hours(random, 0.1, 9), random.randrange(30))
        for _ in range(days // 12)
    ]  # fmt: skip
    return year


def _wishes(random: Random, zones: Sequence[str]) -> Wishes:
    topics = random.sample(KINDS, random.choice((1, 1, 2, 3))) if random.random() < 0.8 else ()
    return Wishes(
        zone=random.choice(zones),
        at=time.fromisoformat(random.choice(TIMES)),
        days=frozenset(random.choice(CADENCES)),
        topics=tuple(topics),
    )


def _life(
    random: Random, name: str, zones: Sequence[str], begins: datetime, ends: datetime
) -> Life:
    """Make up a life: most readers are there from the beginning and change nothing."""
    wishes = _wishes(random, zones)
    joins = begins if random.random() < 0.8 else _some_moment(random, begins, ends)
    life = Life(name, [(joins, wishes)])
    moment = joins
    while random.random() < 0.45:
        moment = _some_moment(random, moment + MINUTE, ends)
        if moment >= ends - DAY:
            break
        if random.random() < 0.15:
            life.chapters.append((moment, None))
            if random.random() < 0.5:
                break
            moment = min(moment + _hours(random, 0.1, 1000), ends - DAY)
        else:
            wishes = _changed(random, wishes, zones, moment.date())
        life.chapters.append((moment, wishes))
    return life


def _changed(random: Random, wishes: Wishes, zones: Sequence[str], today: date) -> Wishes:
    other = _wishes(random, zones)
    pause = replace(wishes, paused_until=today + random.randrange(1, 30) * DAY)
    return random.choice(
        (
            pause,
            pause,
            replace(wishes, zone=other.zone),
            replace(wishes, at=other.at),
            replace(wishes, days=other.days),
            replace(wishes, topics=other.topics),
            other,
        )
    )


def _papers(random: Random, year: Year) -> dict[date, list[Paper]]:
    """Make up a day's papers: none at weekends, and each with another number of votes, always."""
    days = [day for day in year.days() if day.weekday() < 5]
    votes = random.sample(range(0, 10**8, 10_000), len(days) * PAPERS_A_DAY)
    often = [1 / (number + 1) for number in range(len(KINDS))]
    found: dict[date, list[Paper]] = {}
    for number, count in enumerate(votes):
        day = days[number // PAPERS_A_DAY]
        [kind] = random.choices(KINDS, often)
        # Of each three one rises, some above most others; no two to or by the same number.
        rises_at = datetime.combine(day, time(), UTC) + _hours(random, 10, 16 * 24)
        more = number + 1 + random.choice((0, 5 * 10**7)) if number % 3 == 0 else 0
        found.setdefault(day, []).append(Paper(number, kind, count, day, rises_at, more))
    return found


def _sleeps(random: Random, year: Year, days: int) -> list[Spell]:
    """Make up standstills of minutes, hours or days; half of them begin while it sends."""
    lengths = [
        *(_hours(random, 0.02, 1) for _ in range(days // 6)),
        *(_hours(random, 1, 30) for _ in range(days // 14)),
        *(_hours(random, 49, 130) for _ in range(days // 35)),
    ]
    found: list[Spell] = []
    for length in lengths:
        begins = _some_moment(random, year.begins + DAY, year.ends - 7 * DAY)
        spell = Spell(begins, begins + length, random.choice((0, 1, 3, 10)))
        if not any(
            earlier.begins <= spell.ends and spell.begins <= earlier.ends for earlier in found
        ):
            found.append(spell)
    return sorted(found, key=lambda spell: spell.begins)


def _outages(random: Random, year: Year, days: int) -> list[Spell]:
    """Make up failures of the source: for some hours of a day, all of it, or two days."""
    zone = ZoneInfo(year.zone)
    found = []
    for _ in range(days // 12):
        day = random.choice([*year.days()])
        midnight = datetime.combine(day, time(), zone).astimezone(UTC)
        begins = midnight + random.choice((timedelta(), _hours(random, 0, 12)))
        length = random.choice((_hours(random, 0.1, 12), DAY, 2 * DAY))
        found.append(Spell(begins, begins + length))
    return found


def _some_moment(random: Random, begins: datetime, ends: datetime) -> datetime:
    seconds = random.uniform(0, max((ends - begins).total_seconds(), 1))
    return begins + timedelta(seconds=round(seconds))


def _hours(random: Random, least: float, most: float) -> timedelta:
    return timedelta(seconds=round(3600 * random.uniform(least, most)))
