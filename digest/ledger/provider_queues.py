"""Lanes: how fast mail may go to a provider, and whether it may at all. "*" is the lane of all."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, and_, or_, select, update

from digest.ledger.database import insert_if_new, writing
from digest.ledger.tables import lanes

ALL = "*"
EVERYBODY = "everybody"  # what people call it; in a shell * is something else

# Longer than any gap. A turn further ahead was set by a clock that was wrong, and holds nobody up.
_TOO_FAR = timedelta(hours=2)


def name_of(lane: str) -> str:
    """A lane as people are told of it: to whom its mail goes."""
    return EVERYBODY if lane == ALL else lane


@dataclass(frozen=True, slots=True)
class Pause:
    """A lane in which nothing goes until the operator says so."""

    provider: str
    since: datetime
    why: str


class Lanes:
    """The lanes of one ledger. Each method is one short, committed transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # ---- pauses ----

    def pause(self, provider: str, why: str, now: datetime) -> bool:
        """Let nothing go in a lane; false if that is so already."""
        with writing(self._engine) as connection:
            _ensure(connection, provider)
            paused = connection.execute(
                update(lanes)
                .where(lanes.c.provider == provider, lanes.c.paused_at.is_(None))
                .values(paused_at=now, why=why)
            )
            return paused.rowcount == 1

    def resume(self, provider: str | None, now: datetime) -> list[str]:
        """Let mail go again, in one lane or all; those that were paused, by name."""
        paused = lanes.c.paused_at.is_not(None)
        which = paused if provider is None else paused & (lanes.c.provider == provider)
        with writing(self._engine) as connection:
            resumed = connection.execute(
                update(lanes)
                .where(which)
                .values(paused_at=None, why="", resumed_at=now)
                .returning(lanes.c.provider)
            )
            return sorted(resumed.scalars())

    def paused(self) -> list[Pause]:
        """The lanes in which nothing goes, by name."""
        query = select(lanes).where(lanes.c.paused_at.is_not(None)).order_by(lanes.c.provider)
        with self._engine.connect() as connection:
            return [
                Pause(row.provider, row.paused_at, row.why) for row in connection.execute(query)
            ]

    def resumed_at(self, provider: str) -> datetime | None:
        """When the operator let a lane go again last."""
        query = select(lanes.c.resumed_at).where(lanes.c.provider == provider)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one_or_none()

    # ---- pace ----

    def gaps(self) -> dict[str, float]:
        """The seconds between two messages in each lane, where replies have led to some."""
        query = select(lanes.c.provider, lanes.c.gap).where(lanes.c.gap > 0)
        with self._engine.connect() as connection:
            return {row.provider: row.gap for row in connection.execute(query)}

    def sent_on(self, day: date) -> int:
        """How many went out on a day of a warm-up, if it is the latest on which any did."""
        query = select(lanes.c.sent).where(lanes.c.provider == ALL, lanes.c.day == day)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar() or 0

    def set_gap(self, provider: str, gap: float, not_before: datetime | None = None) -> None:
        """Have ``gap`` seconds between two messages from now on, and none before a moment."""
        with writing(self._engine) as connection:
            _ensure(connection, provider)
            values: dict[str, object] = {"gap": gap}
            if not_before is not None:
                values["next_at"] = not_before
            connection.execute(update(lanes).where(lanes.c.provider == provider).values(values))


# ---- within the transaction of a claim --------------------------------------------------------


def paused_providers() -> Select[tuple[str]]:
    """The providers to which nothing may go until the operator says so."""
    return select(lanes.c.provider).where(lanes.c.paused_at.is_not(None))


def providers_that_wait(now: datetime) -> Select[tuple[str]]:
    """The providers to which nothing may go at a moment."""
    waits = or_(lanes.c.paused_at.is_not(None), is_to_come(now))
    return select(lanes.c.provider).where(waits)


def is_to_come(now: datetime) -> ColumnElement[bool]:
    """Whether the next turn in a lane is later."""
    return and_(lanes.c.next_at > now, lanes.c.next_at <= now + _TOO_FAR)


@dataclass(frozen=True, slots=True)
class Turn:
    """The next turn in a lane: when it is (none: at once), and whether it will be at all.

    ``gap`` are the seconds to the one after it, by what replies have led to. A lane that is not
    written down has none.
    """

    provider: str
    at: datetime | None = None
    is_closed: bool = False
    gap: float = 0
    is_written: bool = False

    def is_now(self, now: datetime) -> bool:
        waits = self.at is not None and now < self.at <= now + _TOO_FAR
        return not self.is_closed and not waits


def next_turn(connection: Connection, provider: str, *, is_paced: bool) -> Turn:
    """The next turn in a lane, which nobody else takes before the transaction ends.

    ``is_paced`` is whether there is a limit for it in any case: else a lane that nothing is known
    of is not written down, and nobody waits for anybody.
    """
    row = _row(connection, provider)
    if row is None and is_paced:
        _ensure(connection, provider)
        row = _row(connection, provider)
    if row is None:
        return Turn(provider)
    return Turn(provider, row.next_at, row.paused_at is not None, row.gap, is_written=True)


def take_turn(connection: Connection, turn: Turn, least_gap: float, now: datetime) -> None:
    """Have the next message in a lane wait for its gap, if it has one."""
    gap = max(least_gap, turn.gap)
    if turn.is_written and gap:
        next_at = now + timedelta(seconds=gap)
        which = update(lanes).where(lanes.c.provider == turn.provider)
        connection.execute(which.values(next_at=next_at))


def count_one(connection: Connection, day: date, most: int) -> bool:
    """Count a mail of a day; false, and none is counted, if there were enough."""
    _ensure(connection, ALL)
    row = _row(connection, ALL)
    before = row.sent if row and row.day == day else 0
    if before >= most:
        return False
    which = update(lanes).where(lanes.c.provider == ALL)
    connection.execute(which.values(day=day, sent=before + 1))
    return True


def _row(connection: Connection, provider: str) -> Row[tuple[object, ...]] | None:
    query = select(lanes).where(lanes.c.provider == provider).with_for_update()
    return connection.execute(query).one_or_none()


def _ensure(connection: Connection, provider: str) -> None:
    insert_if_new(connection, lanes, provider=provider)
