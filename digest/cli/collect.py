"""`digest collect`: papers from the sources, or from files."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.terminal import (
    Json,
    day_option,
    fail,
    misused,
    print_result,
    progress_bar,
    warn,
    warn_of_rejected,
)
from digest.model.identity import arxiv_id
from digest.model.papers import Collected
from digest.model.progress import Progress

Source = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Ask this, not DIGEST_SOURCES. Repeatable.")
]
File = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="A recorded answer, a saved page, or a folder. Repeatable."),
]
Identifier = Annotated[
    list[str] | None, typer.Option("--id", metavar="ID", help="Ask arXiv for it. Repeatable.")
]
# Files, or ids, may follow an option without its being repeated, as a shell expands *.json.
More = Annotated[list[str] | None, typer.Argument(hidden=True, metavar="FILE")]


def collect(
    day: Annotated[
        date | None, day_option("Only this day; of files and ids, the day they were listed.")
    ] = None,
    source: Source = None,
    file: File = None,
    identifier: Identifier = None,
    more: More = None,
    as_json: Json = False,
) -> None:
    """Collect papers of one day, or of all days that the next edition needs.

    $ digest collect
    $ digest collect --source arxiv
    $ digest collect --date 2025-12-05 saved-page.html recorded-answer.json
    $ digest collect --id 1706.03762
    """
    app = App(sources=",".join(source)) if source else App()
    now = utc_now()
    if day and day > now.date() + timedelta(days=1):  # it may be tomorrow elsewhere
        misused(f"{day} is in the future: no paper is listed on it yet")
    more = more or []
    if identifier:
        ids = _checked_ids([*identifier, *more])
        collected = app.collector.keep(app.arxiv.look_up(ids, now, day))
    elif file or more:
        paths = _checked_paths([*(file or []), *map(Path, more)])
        with progress_bar("Files read") as report:
            collected = app.collector.collect_files(paths, day, now, report)
    else:
        if not source:
            for line in app.settings.without_effect:
                warn(line)
        with progress_bar("Sources asked") as report:
            collected = _asked(app, day, now, report)
    print_result(collected, [_counted(collected)], as_json=as_json)
    if not as_json:
        warn_of_rejected(collected.rejected)
        for doubt in collected.doubts:
            warn(f"in doubt: {doubt}")
    if collected.failures or (collected.rejected and not collected.papers):
        raise typer.Exit(1)


def _checked_ids(typed: list[str]) -> list[str]:
    if unreadable := [one for one in typed if not arxiv_id(one)]:
        misused(f"{unreadable[0]!r} is not an arXiv id like 1706.03762")
    return typed


def _checked_paths(paths: list[Path]) -> list[Path]:
    for folder in filter(Path.is_dir, paths):
        if not any(map(Path.is_file, folder.iterdir())):
            fail(f"{folder}: there is no file in this folder")
    return paths


def _asked(app: App, day: date | None, now: datetime, progress: Progress) -> Collected:
    if day:
        return app.pipeline.collect([day], now, progress)
    return app.pipeline.collect_for_edition(now, progress)


def _counted(collected: Collected) -> str:
    papers = "1 paper" if collected.papers == 1 else f"{collected.papers} papers"
    line = f"{papers}: {collected.new} new, {collected.updated} updated"
    if collected.rising:
        line += f", {collected.rising} rising late"
    return f"{line}{_listed_on(collected.listed_on)}."


def _listed_on(days: Sequence[date]) -> str:
    """Say on which days papers were listed: the editions of these days may hold them."""
    if len(days) < 3:
        return f", listed on {' and '.join(map(str, days))}" if days else ""
    return f", listed on {len(days)} days from {days[0]} to {days[-1]}"
