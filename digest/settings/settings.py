"""Settings: one table, in four parts. config_reading.py reads it, and writes config.example.env."""

from dataclasses import dataclass
from pathlib import Path

from digest.settings import values
from digest.settings.delivery import DeliverySettings
from digest.settings.editions import EditionSettings
from digest.settings.pages import PageSettings
from digest.settings.row import setting

PREFIX = "DIGEST_"


@dataclass(frozen=True)
class StateSettings:
    """Where things are kept, and for how long."""

    home: Path = setting(
        "./var", values.folder, "Folder for all state: database, outbox, snapshots."
    )
    database_url: str | None = setting(
        "",
        values.database_url,
        "Where the ledger is. Not set: a SQLite file in DIGEST_HOME.",
        example="postgresql+psycopg://digest:PASSWORD@localhost/digest",
        secret=True,
    )
    keep_snapshots_days: int = setting(
        "30", values.count(1, 3650), "Days for which answers of sources are kept (DIGEST_HOME/raw)."
    )
    keep_deliveries_days: int = setting(
        "400",
        values.count(60, 3650),
        "Days for which it is kept who got which papers, and what servers said. Balances stay.",
    )
    keep_evidence_days: int = setting(
        "1095",
        values.count(30, 36_500),
        "Days for which the evidence of consent is kept of people who have left. Blocks stay.",
    )


# The last is the first in the table: that is how dataclasses inherit.
@dataclass(frozen=True)
class Settings(EditionSettings, PageSettings, DeliverySettings, StateSettings):
    """Every setting, read and checked; a field ``home`` is the variable DIGEST_HOME."""

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'digest.sqlite3'}"

    @property
    def transport_url(self) -> str:
        return self.transport or (self.home / "outbox").resolve().as_uri()


def variable(field_name: str) -> str:
    """The environment variable of a field of Settings."""
    return PREFIX + field_name.rstrip("_").upper()
