"""History: each collection and each run, to be looked at later."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select, update

from digest.ledger.daily_stats import DailyStats, daily_stats_of
from digest.ledger.edition_papers import IS_LISTED
from digest.ledger.editions import IS_DIGEST
from digest.ledger.tables import attempts, collections, edition_papers, editions, runs
from digest.model.papers import Collected, Harvest, Rejection
from digest.model.wording import truncate
from subscribers.store.store import Store

FILES = "files"  # in place of a source's name if files were read
MOST_REJECTIONS = 200  # kept of one collection; a page in a new form causes thousands
LONGEST = 500  # characters of a name or a reason that came from outside
LONGEST_TROUBLE = 10_000


@dataclass(frozen=True, slots=True)
class Collection:
    """The result of collecting one source, or of reading files, on a day of the operator's.

    ``new`` and ``updated`` count papers. ``rejected`` counts entries that could not be read, of
    which ``rejections`` are the first. ``failure`` is why the source could not be read to its end.
    """

    day: date
    at: datetime
    source: str
    sightings: int = 0
    new: int = 0
    updated: int = 0
    rejected: int = 0
    rejections: tuple[Rejection, ...] = ()
    failure: str = ""

    @classmethod
    def of(
        cls, source: str, harvest: Harvest, collected: Collected, day: date, at: datetime
    ) -> "Collection":
        """Make a record of a source's harvest, and of the papers that it changed."""
        rejected = harvest.rejected
        unreadable = tuple(rejection for rejection in rejected if not rejection.is_of_source)
        return cls(
            day=day,
            at=at,
            source=source,
            sightings=len(harvest.sightings),
            new=collected.new,
            updated=collected.updated,
            rejected=len(unreadable),
            rejections=unreadable,
            failure="; ".join(rejection.why for rejection in rejected if rejection.is_of_source),
        )


_COLUMNS = {row.name for row in fields(Collection)} - {"rejections"}


@dataclass(frozen=True, slots=True)
class Success:
    """A collection that did not fail: when it was, and how many papers the source gave."""

    at: datetime
    sightings: int


@dataclass(frozen=True, slots=True)
class RunMark:
    """A run that has begun: the number of its row, and of the last attempt before it."""

    id: int
    last_attempt: int


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run of the past. Without an end it is under way, or was broken off.

    ``sending`` is the time that it spent on sending, ``tried`` the number of attempts.
    """

    day: date
    started_at: datetime
    ended_at: datetime | None
    sending: timedelta
    tried: int
    trouble: tuple[str, ...]

    @property
    def duration(self) -> timedelta | None:
        return None if self.ended_at is None else self.ended_at - self.started_at


class History(Store):
    """The history of one ledger."""

    # ---- recording ----

    def record_collection(self, collection: Collection) -> None:
        """Record a collection, with the first MOST_REJECTIONS of its rejections."""
        row = asdict(collection) | {
            "source": _plain(collection.source, 64),
            "rejections": [
                {name: _plain(text, LONGEST) for name, text in asdict(rejection).items()}
                for rejection in collection.rejections[:MOST_REJECTIONS]
            ],
            "failure": _plain(collection.failure, LONGEST),
        }
        self._write(insert(collections).values(row))

    def begin_run(self, day: date, now: datetime) -> RunMark:
        """Record that a run has begun. The caller holds the lock of runs."""
        row = insert(runs).values(day=day, started_at=now, sending=0, tried=0, trouble="")
        with self._engine.begin() as connection:
            last_attempt = connection.execute(select(func.max(attempts.c.id))).scalar()
            run_id = connection.execute(row.returning(runs.c.id)).scalar_one()
        return RunMark(run_id, last_attempt or 0)

    def end_run(
        self, run: RunMark, ended_at: datetime, sending: timedelta, trouble: Sequence[str]
    ) -> None:
        """Record the end of a run, with or without trouble."""
        tried = select(func.count()).where(attempts.c.id > run.last_attempt).scalar_subquery()
        self._write(
            update(runs)
            .where(runs.c.id == run.id)
            .values(
                ended_at=ended_at,
                sending=sending.total_seconds(),
                tried=tried,
                trouble="\n".join(_plain(line, LONGEST_TROUBLE) for line in trouble),
            )
        )

    # ---- collections ----

    def last_collected(self) -> datetime | None:
        """Return when sources were last asked, with or without success; None if never."""
        query = select(collections.c.at).where(collections.c.source != FILES)
        return self._value(query.order_by(collections.c.id.desc()).limit(1))

    def last_success(self, source: str) -> Success | None:
        """Return the last collection of a source that did not fail."""
        query = select(collections.c.at, collections.c.sightings).where(
            collections.c.source == source, collections.c.failure == ""
        )
        row = self._row(query.order_by(collections.c.id.desc()).limit(1))
        return None if row is None else Success(row.at, row.sightings)

    def failed_after(self, moment: datetime) -> bool:
        """Return whether the last collection of a source after a moment failed."""
        latest = select(func.max(collections.c.id)).where(collections.c.at > moment)
        failed = select(collections.c.id).where(
            collections.c.id.in_(latest.group_by(collections.c.source)),
            collections.c.failure != "",
        )
        return self._value(failed.limit(1)) is not None

    def incomplete_days(self, since: date) -> set[date]:
        """Return the days of which a source did not give all, in collections since a day."""
        query = select(collections.c.rejections).where(collections.c.day >= since)
        told = self._values(query.where(collections.c.rejected > 0))
        days = {Rejection(**rejection).day for rejections in told for rejection in rejections}
        return {day for day in days if day}

    def collected_for(self, day: date, most: int = 200) -> list[Collection]:
        """Return the collections since the last edition with papers before a day, oldest first."""
        before = (
            select(func.max(editions.c.frozen_at))
            .where(editions.c.day < day)
            .where(editions.c.id.in_(select(edition_papers.c.edition_id).where(IS_LISTED)))
        )
        query = select(collections).where(collections.c.day <= day)
        frozen_at = self._value(before)
        if frozen_at is not None:
            query = query.where(collections.c.at > frozen_at)
        newest_first = query.order_by(collections.c.at.desc(), collections.c.id.desc())
        rows = self._rows(newest_first.limit(most))
        return [
            Collection(
                **{name: getattr(row, name) for name in _COLUMNS},
                rejections=tuple(Rejection(**rejection) for rejection in row.rejections),
            )
            for row in reversed(rows)
        ]

    # ---- editions and runs ----

    def days(self, first: date, last: date) -> list[DailyStats]:
        """Return the statistics of each day from the first to the last, with an edition or not."""
        known = self._stats(editions.c.day.between(first, last))
        every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return [known.get(day) or DailyStats(day) for day in every]

    def editions_on(self, days: Iterable[date]) -> dict[date, DailyStats]:
        """Return the statistics of those of these days that have an edition."""
        return self._stats(editions.c.day.in_(list(days)))

    def editions(self, most: int, skip: int = 0) -> list[DailyStats]:
        """Return the statistics of the latest editions, newest first."""
        newest_first = select(editions.c.id).where(IS_DIGEST).order_by(editions.c.day.desc())
        latest = self._values(newest_first.limit(most).offset(skip))
        known = self._stats(editions.c.id.in_(latest))
        return sorted(known.values(), key=lambda stats: stats.day, reverse=True)

    def _stats(self, which: ColumnElement[bool]) -> dict[date, DailyStats]:
        with self._engine.connect() as connection:
            return daily_stats_of(connection, which)

    def runs(self, most: int, skip: int = 0) -> list[PastRun]:
        """Return the latest runs, newest first."""
        return self._runs(select(runs).limit(most).offset(skip))

    def runs_of(self, day: date, most: int = 100) -> list[PastRun]:
        """Return the latest runs of a day, newest first."""
        return self._runs(select(runs).where(runs.c.day == day).limit(most))

    def _runs(self, query: Select[Any]) -> list[PastRun]:
        return [
            PastRun(
                day=row.day,
                started_at=row.started_at,
                ended_at=row.ended_at,
                sending=timedelta(seconds=row.sending),
                tried=row.tried,
                trouble=tuple(row.trouble.splitlines()),
            )
            for row in self._rows(query.order_by(runs.c.id.desc()))
        ]


def _plain(text: str, longest: int) -> str:
    """Return a text that every database takes: no control characters, no surrogates, not long."""
    return truncate("".join(letter if letter.isprintable() else " " for letter in text), longest)
