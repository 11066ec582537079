"""Judge clocks and time zones: when an edition goes out depends on both."""

import zoneinfo
from contextlib import suppress
from datetime import datetime
from importlib import metadata
from pathlib import Path

from digest.doctor.diagnosis import Area, Diagnosis

AREA = Area("clock")
_BUILT = 2026  # a clock before that year is wrong
_APART, _FAR_APART = 5, 60  # seconds
_STALE = 2  # years


def judge_date(now: datetime) -> Diagnosis:
    """Judge whether the clock can be right at all; DKIM and TLS depend on it."""
    said = f"By this machine's clock it is {now:%Y-%m-%d %H:%M} UTC."
    if now.year < _BUILT:
        return AREA.problem(said, "Set its clock, and keep it right with NTP.")
    return AREA.good(said)


def judge_clocks(ours: datetime, theirs: datetime) -> Diagnosis:
    """Compare our clock with the database's."""
    apart = abs((ours - theirs).total_seconds())
    if apart <= _APART:
        return AREA.good("The database's clock agrees with this machine's.")
    said = f"The database's clock and this machine's are {apart:.0f} seconds apart."
    what_to_do = "Keep both right with NTP."
    return AREA.problem(said, what_to_do) if apart > _FAR_APART else AREA.advice(said, what_to_do)


def examine_zones(now: datetime) -> Diagnosis:
    return judge_zones(_version_of_system(), _version_of_package(), now)


def judge_zones(system: str | None, package: str | None, now: datetime) -> Diagnosis:
    """Judge the data about time zones: the system's, where there is one, comes first (PEP 615).

    Versions begin with a year: 2025b, 2025.2.
    """
    used = system or package
    if used is None:
        return AREA.problem("There is no time zone data.", "Run pip install tzdata.")
    whose = "the system's" if system else "the package tzdata's"
    said = f"The time zone data is version {used}, {whose}."
    year = used[:4]
    if not (year.isascii() and year.isdigit()):
        return AREA.unknown(said, "How old that is cannot be told; keep it up to date.")
    if now.year - int(year) >= _STALE:
        what_to_do = "Update the system." if system else "Run pip install --upgrade tzdata."
        return AREA.advice(f"{said} Some countries have changed their rules since.", what_to_do)
    return AREA.good(said)


def _version_of_system() -> str | None:
    """Return the version that the file tzdata.zi begins with, if there is one."""
    for folder in map(Path, zoneinfo.TZPATH):
        with suppress(OSError), (folder / "tzdata.zi").open(encoding="utf-8") as file:
            return file.readline().removeprefix("# version").strip()
        if (folder / "UTC").exists():
            return "of unknown age"
    return None


def _version_of_package() -> str | None:
    try:
        return metadata.version("tzdata")
    except metadata.PackageNotFoundError:
        return None
