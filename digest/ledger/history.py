"""What happened: each collection and each run, to be looked at later."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, insert, select, update

from digest.ledger.daily_stats import DailyStats, daily_stats_of
from digest.ledger.tables import attempts, collections, edition_papers, editions, runs
from digest.model.papers import Collected, Harvest, Rejection
from digest.model.wording import truncate
from subscribers.store.store import Store

FILES = "files"  # stands for a source in what is written down of a reading of files
MOST_REJECTIONS = 200  # kept of one collection; a page that changed its form rejects thousands
LONGEST = 500  # characters of a name or a reason that came from outside
LONGEST_TROUBLE = 10_000


@dataclass(frozen=True, slots=True)
class Collection:
    """What one source gave in one collection, or the files of one reading.

    ``day`` is the operator's. ``new`` and ``updated`` count papers. ``rejected`` counts what could
    not be read, of which ``rejections`` are the first; ``failure`` is why the source gave no more.
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
        """Make it from what a source gave, and what came of that."""
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
class RunMark:
    """A run that has begun: its row, and the last attempt before it."""

    id: int
    last_attempt: int


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run as it was. Without an end it is under way, or died.

    ``sending`` is how long it was about sending, ``tried`` the messages that it tried to send.
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
    """What happened in one ledger."""

    # ---- writing it down ---------------------------------------------------------------------

    def record_collection(self, collection: Collection) -> None:
        """Keep what a source gave. Of what could not be read the first are kept, and the number."""
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
        """Record that a run has begun; only for the one that holds the ledger."""
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
        lines = "\n".join(_plain(line, LONGEST_TROUBLE) for line in trouble)
        self._write(
            update(runs)
            .where(runs.c.id == run.id)
            .values(
                ended_at=ended_at,
                sending=sending.total_seconds(),
                tried=tried,
                trouble=lines,
            )
        )

    # ---- looking back ------------------------------------------------------------------------

    def last_collected(self) -> datetime | None:
        """When sources were asked last, whatever they said; None if never."""
        query = select(collections.c.at).where(collections.c.source != FILES)
        return self._value(query.order_by(collections.c.id.desc()).limit(1))

    def failed_after(self, moment: datetime) -> bool:
        """Whether a source has failed after a moment, and has not answered since."""
        latest = select(func.max(collections.c.id)).where(collections.c.at > moment)
        failed = select(collections.c.id).where(
            collections.c.id.in_(latest.group_by(collections.c.source)),
            collections.c.failure != "",
        )
        return self._value(failed.limit(1)) is not None

    def collections_of(self, first: date, last: date, most: int = 500) -> list[Collection]:
        """What was collected on some days: the latest ``most``, oldest first."""
        query = select(collections).where(collections.c.day.between(first, last))
        return self._collections(query, most)

    def collected_for(self, day: date, most: int = 200) -> list[Collection]:
        """Return what came since the last edition with papers before: the latest, oldest first."""
        before = (
            select(func.max(editions.c.frozen_at))
            .where(editions.c.day < day)
            .where(editions.c.id.in_(select(edition_papers.c.edition_id)))
        )
        query = select(collections).where(collections.c.day <= day)
        frozen_at = self._value(before)
        if frozen_at is not None:
            query = query.where(collections.c.at > frozen_at)
        return self._collections(query, most)

    def runs(self, most: int, skip: int = 0) -> list[PastRun]:
        """The latest runs, newest first."""
        return self._runs(select(runs).limit(most).offset(skip))

    def runs_of(self, day: date, most: int = 100) -> list[PastRun]:
        """The runs of a day, newest first."""
        return self._runs(select(runs).where(runs.c.day == day).limit(most))

    def days(self, first: date, last: date) -> list[DailyStats]:
        """The figures of each day from the first to the last, with an edition or without."""
        with self._engine.connect() as connection:
            known = daily_stats_of(connection, editions.c.day.between(first, last))
        every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return [known.get(day) or DailyStats(day) for day in every]

    def editions_on(self, days: Iterable[date]) -> dict[date, DailyStats]:
        """The figures of those of these days that have an edition."""
        with self._engine.connect() as connection:
            return daily_stats_of(connection, editions.c.day.in_(list(days)))

    def editions(self, most: int, skip: int = 0) -> list[DailyStats]:
        """The figures of the latest editions, newest first."""
        newest_first = select(editions.c.id).order_by(editions.c.day.desc())
        latest = self._values(newest_first.limit(most).offset(skip))
        with self._engine.connect() as connection:
            known = daily_stats_of(connection, editions.c.id.in_(latest))
        return sorted(known.values(), key=lambda stats: stats.day, reverse=True)

    def _collections(self, query: Select[Any], most: int) -> list[Collection]:
        newest_first = query.order_by(collections.c.at.desc(), collections.c.id.desc())
        rows = self._rows(newest_first.limit(most))
        return [
            Collection(
                **{name: getattr(row, name) for name in _COLUMNS},
                rejections=tuple(Rejection(**rejection) for rejection in row.rejections),
            )
            for row in reversed(rows)
        ]

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
    """Text that every database takes: without NUL, or half a surrogate pair, and not too long."""
    return truncate("".join(letter if letter.isprintable() else " " for letter in text), longest)
