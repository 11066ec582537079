"""Settings and storage, which all else is made with."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from digest.errors import SettingError
from digest.ledger.database import ensure_current, open_database
from digest.ledger.database_clock import DatabaseClock
from digest.ledger.deliveries import hand_out_nothing
from digest.ledger.ledger import Ledger
from digest.ledger.shards import hand_out
from digest.monitoring.logs import mask_in_logs, show_logs_as
from digest.settings.reading import read_settings
from subscribers.store.registry import Registry

if TYPE_CHECKING:
    from digest.collect.http import Http
    from digest.collect.snapshots import Snapshots


def utc_now() -> datetime:
    return datetime.now(UTC)


class AppBase:
    """The settings, the database and what asks the web, each made on first use."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        dotenv: Path | None = Path(".env"),
        clock: Callable[[], datetime] = utc_now,
        **fixed: str,
    ) -> None:
        given = os.environ if environment is None else environment
        self.clock = clock
        self._asking_relay = Lock()
        self._relay_takes_smtputf8: bool | None = None  # None: it has not been asked
        self._given: dict[str, Any] = {
            "environment": dict(given),
            "dotenv": dotenv,
            "clock": clock,
            **fixed,
        }
        self.settings, self.origins = read_settings(given, dotenv, **fixed)
        self.is_cluster = self.settings.engine == "cluster"
        if self.is_cluster:
            if self.settings.database.get_backend_name() == "sqlite":
                why = "DIGEST_ENGINE is cluster, which needs PostgreSQL: set DIGEST_DATABASE_URL"
                raise SettingError(why)
            self.clock = DatabaseClock(lambda: self.engine, clock)
        secrets = (secret for origin in self.origins for secret in origin.secrets)
        mask_in_logs(secrets, addresses=self.settings.log_addresses)
        show_logs_as(self.settings.log_format)

    @cached_property
    def engine(self) -> Engine:
        """The database. Raises LedgerError if its schema is not current."""
        engine = open_database(self.settings.database)
        ensure_current(engine)
        return engine

    @cached_property
    def ledger(self) -> Ledger:
        silence = timedelta(seconds=self.settings.worker_silence)
        given = hand_out if self.is_cluster else hand_out_nothing
        return Ledger(self.engine, hand_out=given, silence=silence)

    @cached_property
    def registry(self) -> Registry:
        return Registry(self.engine)

    @cached_property
    def snapshots(self) -> Snapshots:
        from digest.collect.snapshots import Snapshots

        return Snapshots(self.settings.home / "raw")

    @cached_property
    def http(self) -> Http:
        from digest.collect.http import Http

        return Http(
            self.snapshots,
            timeout=self.settings.http_timeout,
            attempts=self.settings.http_attempts,
        )

    def edition_day(self, now: datetime) -> date:
        """Return the day that ``now`` is in the operator's time zone."""
        return now.astimezone(self.settings.timezone).date()
