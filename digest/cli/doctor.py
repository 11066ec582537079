"""`digest doctor`: what would prevent sending, and what to do; and `digest config`."""

import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.text import Text

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.terminal import Json, print_result
from digest.compose.from_identity import preview_identity
from digest.doctor.diagnosis import Area, Diagnosis, Level
from digest.errors import SettingError
from digest.settings.example import example_env

_STYLES = {
    Level.GOOD: "green",
    Level.UNKNOWN: "dim",
    Level.ADVICE: "yellow",
    Level.PROBLEM: "bold red",
}


def config(
    example: Annotated[
        bool, typer.Option("--example", help="Print config.example.env instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print every setting, its value (secrets hidden), and where it is set.

    $ digest config
    $ digest config --example > .env
    """
    if example:
        sys.stdout.write(example_env())
        return
    origins = App().origins
    values = {origin.name: {"value": origin.shown, "from": origin.came_from} for origin in origins}
    lines = (
        f"{origin.name}={origin.shown}  ({origin.came_from if origin.value else 'not set'})"
        for origin in origins
    )
    print_result(values, lines, as_json=as_json)


def doctor(
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not connect to the relay, the DNS or the sources.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check what would prevent sending, and say what to do. Nothing is sent or changed.

    Exit status 1: there is a problem.

    $ digest doctor
    """
    found = _look(offline=offline)
    print_result(found, [*map(diagnosis_line, found), _summary(found)], as_json=as_json)
    if any(diagnosis.level is Level.PROBLEM for diagnosis in found):
        raise typer.Exit(1)


def _look(*, offline: bool) -> list[Diagnosis]:
    from digest.app.previews import previews_of
    from digest.collect.http import Http
    from digest.collect.snapshots import Snapshots
    from digest.collect.source import find_sources
    from digest.doctor.examination import examine
    from digest.doctor.names import system_resolver
    from digest.maintenance.instance_guard import guard_of

    try:
        app = App()
    except SettingError as error:  # a setting that cannot be read is a diagnosis as well
        return [Area("settings").problem(str(error), "Fix it; the rest was not looked at.")]
    settings = app.settings
    with TemporaryDirectory() as folder:  # the answers of sources are not kept
        http = Http(Snapshots(Path(folder)), timeout=settings.http_timeout, attempts=1)
        return examine(
            settings,
            utc_now(),
            lambda: previews_of(app, preview_identity(settings)).findings(),
            lambda: app.embedder.name if app.embedder else None,
            lambda engine: guard_of(settings, engine).objection(),
            system_resolver,
            lambda: find_sources(settings.sources, settings, http),
            offline=offline,
        )


def diagnosis_line(diagnosis: Diagnosis) -> Text:
    """Return a diagnosis as a line in colour."""
    said = f"{diagnosis.area}: {diagnosis.what} {diagnosis.what_to_do}".rstrip()
    style = _STYLES[diagnosis.level]
    return Text.assemble((f"{diagnosis.level.value:8}", style), said)


def _summary(found: list[Diagnosis]) -> str:
    counts = Counter(diagnosis.level for diagnosis in found)
    return ", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level])
