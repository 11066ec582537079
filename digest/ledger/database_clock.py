"""The clock of PostgreSQL: several machines go by it, because their own clocks differ."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic

import structlog
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

_GOOD_FOR = 60.0  # seconds

log = structlog.get_logger()


class DatabaseClock:
    """Tells PostgreSQL's time, by the clock of this machine and how wrong that is.

    ``engine`` is asked for once it is needed.
    """

    def __init__(self, engine: Callable[[], Engine], own: Callable[[], datetime]) -> None:
        self._engine = engine
        self._own = own
        self._offset = timedelta()
        self._compared_at: float | None = None
        self._comparing = Lock()

    def __call__(self) -> datetime:
        """Return the moment. While the database is away, the last comparison counts."""
        is_old = self._compared_at is None or monotonic() - self._compared_at > _GOOD_FOR
        if is_old and self._comparing.acquire(blocking=self._compared_at is None):
            try:
                self._compare()
            finally:
                self._comparing.release()
        return self._own() + self._offset

    def _compare(self) -> None:
        try:
            with self._engine().connect() as connection:
                before = self._own()
                there: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
                between = before + (self._own() - before) / 2
        except SQLAlchemyError as error:
            log.warning("the database's clock cannot be read", why=type(error).__name__)
        else:
            self._offset = there.astimezone(before.tzinfo) - between
        self._compared_at = monotonic()
