"""Tell what must happen in a year, reader by reader, by the promises and without the program.

A reader is due at a local time on their weekdays. In an hour that a clock change skips that is as
much later, in one that comes twice it is the first time. An edition is for the moments from an hour
before it was to be made, until an hour before the next day's; those of days without an edition are
the next one's; of several of a reader's in a row, the last that is. Whenever somebody looks, each
reader's latest moment counts: they get its edition, if it is made, if that moment is not longer ago
than the grace, and if they have neither this edition nor a newer one. It holds the best of all
editions since the last that they had, be it that there was no paper in it is for them: then some want
a note, and the others get none.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from tests.integration.year.lives import DAY, Life, Paper, Wishes, Year

GRACE = timedelta(hours=48)
AHEAD = timedelta(hours=1)
REACH = 15  # days, as far back as it is looked for what somebody had
TOPICAL, TOP, RISING = 10, 5, 2  # most papers with topics, and without; and of those that rise
RISING_DAYS, MOST_RISERS, LEAST_GAIN = 14, 20, 5


@cache
def moment_of(zone: str, at: time, day: date) -> datetime:
    """Return the moment of a local time on a day."""
    wall = datetime.combine(day, at)
    before, after = (
        (wall + aside).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()
        for aside in (-1.5 * DAY, 1.5 * DAY)
    )
    real = [
        moment
        for moment in ((wall - offset).replace(tzinfo=UTC) for offset in (before, after))
        if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall
    ]
    return min(real) if real else (wall - before).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Turn:
    """A moment at which a reader is due, and the day that it is for them."""

    moment: datetime
    day: date


@dataclass
class Row:
    """The expected delivery of an edition to a reader: papers, or the reason for none."""

    edition: date
    turn: Turn
    planned_at: datetime
    papers: list[int] = field(default_factory=list)
    why_nothing: str = ""
    is_note: bool = False


@dataclass(frozen=True)
class Made:
    """An edition as it was made; ``votes`` are those that the source had told, by paper."""

    day: date
    at: datetime
    papers: tuple[Paper, ...]
    votes: Mapping[Paper, int]


class Oracle:
    """``looks`` are the moments at which somebody looked, ``made`` the editions, oldest first."""

    def __init__(self, year: Year, looks: Sequence[datetime], made: Sequence[Made]) -> None:
        self._year = year
        self._looks = looks
        self._made = made
        self._days = [edition.day for edition in made]
        self._ends = [self.planned(edition.day + DAY) - AHEAD for edition in made]
        self._turns: dict[tuple[str, time, frozenset[int]], list[Turn]] = {}

    def planned(self, day: date) -> datetime:
        """Return when a day's edition is to be made."""
        return moment_of(self._year.zone, self._year.run_at, day)

    def turns_of(self, wishes: Wishes) -> list[Turn]:
        """Return all due times of the year, and those shortly before."""
        key = (wishes.zone, wishes.at, wishes.days)
        if key not in self._turns:
            first, last = self._year.begins.date() - 10 * DAY, self._year.ends.date() + 10 * DAY
            days = (first + number * DAY for number in range((last - first).days))
            self._turns[key] = [
                Turn(moment_of(wishes.zone, wishes.at, day), day)
                for day in days
                if day.weekday() in wishes.days
            ]
        return self._turns[key]

    def latest_turn(self, wishes: Wishes, now: datetime) -> Turn:
        turns = self.turns_of(wishes)
        return turns[bisect_right(turns, now, key=lambda turn: turn.moment) - 1]

    def edition_for(self, moment: datetime, now: datetime) -> Made | None:
        """Return the edition whose due interval holds a moment, if it is made by now."""
        number = bisect_right(self._ends, moment)  # the first whose window ends after it
        is_made = number < len(self._made) and self._made[number].at <= now
        if not is_made or moment < self.planned(self._days[0]) - AHEAD:
            return None
        return self._made[number]

    def _can_wait(self, wishes: Wishes, turn: Turn, edition: Made) -> bool:
        """Return whether it was on a day without an edition, with another in time for the next."""
        own = self.planned(edition.day) - AHEAD
        return turn.moment < own and self.next_turn(wishes, turn).moment < own + self._length(
            edition
        )

    def _length(self, edition: Made) -> timedelta:
        return self.planned(edition.day + DAY) - self.planned(edition.day)

    def next_turn(self, wishes: Wishes, turn: Turn) -> Turn:
        turns = self.turns_of(wishes)
        return turns[turns.index(turn) + 1]

    def rows_of(
        self,
        life: Life,
        paused: Collection[date] = (),
        stale: Collection[date] = (),
        unsent: Collection[date] = (),
    ) -> dict[date, Row]:
        """Return what a reader gets of each edition, or why nothing, without missed ones.

        ``paused`` are editions that they missed, but were paused in anyway: their papers are no
        news later. Those of ``stale`` ones are: they were not sent in time. The papers of ``unsent``
        ones, which include these, were not shown.
        """
        rows: dict[date, Row] = {}
        for look in self._looks_that_matter(life):
            wishes = life.wishes_at(look)
            if wishes is None:
                continue
            turn = self.latest_turn(wishes, look)
            edition = self.edition_for(turn.moment, look)
            is_in_time = look - turn.moment < GRACE
            is_new = edition and max(rows, default=date.min) < edition.day
            if is_new and is_in_time and not self._can_wait(wishes, turn, edition):
                rows[edition.day] = self._row(
                    wishes, turn, edition, look, rows, paused, stale, unsent
                )
        return rows

    def risers(self, edition: Made) -> list[Paper]:
        """Return the papers that gained most since the edition that listed them, most first."""
        gains = {
            paper: edition.votes[paper] - made.votes[paper]
            for made in self._made
            if 0 < (edition.day - made.day).days <= RISING_DAYS
            for paper in made.papers
        }
        risen = [paper for paper, gain in gains.items() if gain >= LEAST_GAIN]
        return sorted(risen, key=lambda paper: -gains[paper])[:MOST_RISERS]

    def _looks_that_matter(self, life: Life) -> list[datetime]:
        """Return the first look after each moment at which something changes for a reader."""
        changes = {made.at for made in self._made} | {at for at, _ in life.chapters}
        for _, wishes in life.chapters:
            if wishes:
                changes |= {turn.moment for turn in self.turns_of(wishes)}
        numbers = {bisect_left(self._looks, change) for change in changes}
        return [self._looks[number] for number in sorted(numbers) if number < len(self._looks)]

    def _row(
        self,
        wishes: Wishes,
        turn: Turn,
        edition: Made,
        now: datetime,
        rows: Mapping[date, Row],
        paused: Collection[date],
        stale: Collection[date],
        unsent: Collection[date],
    ) -> Row:
        row = Row(edition.day, turn, now)
        if wishes.paused_until and turn.day < wishes.paused_until:
            row.why_nothing = "paused"
            return row
        # What went stale later was waiting until then, and could still have been sent.
        gone = {day for day in stale if day in rows and now - rows[day].planned_at >= GRACE}
        had = [day for day in ({*rows} - gone | {*paused}) if 0 < (edition.day - day).days < REACH]
        last = max(had) if had else edition.day - span_before(wishes, turn.day)
        pool = [
            paper for made in self._made if last < made.day <= edition.day for paper in made.papers
        ]
        given_back = {*unsent} - {*stale} | gone
        shown = {
            number for day, row in rows.items() if day not in given_back for number in row.papers
        }
        fresh = [paper for paper in pool if paper.number not in shown]
        row.papers = best_of(fresh, edition.votes, wishes.topics)
        if pool:
            others = [paper for paper in self.risers(edition) if paper not in pool]
            row.papers += [
                paper.number
                for paper in others
                if paper.number not in shown and (not wishes.topics or paper.kind in wishes.topics)
            ][:RISING]
        if not row.papers:
            row.why_nothing = "nothing-matched" if pool else "no-papers"
            row.is_note = wishes.wants_note
        return row


def span_before(wishes: Wishes, day: date) -> timedelta:
    """Return how long it is since the last of a reader's days."""
    return next(n * DAY for n in range(1, 8) if (day - n * DAY).weekday() in wishes.days)


def best_of(pool: Iterable[Paper], votes: Mapping[Paper, int], topics: Sequence[str]) -> list[int]:
    """Return the numbers of the papers that a reader is shown, in order."""
    fitting = [paper for paper in pool if not topics or paper.kind in topics]
    fitting.sort(key=lambda paper: -votes[paper])
    return [paper.number for paper in fitting[: TOPICAL if topics else TOP]]
