"""`digest collect`: papers from the sources, or from files."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from digest.app.app import App, utc_now
from digest.cli.terminal import (
    Day,
    Json,
    fail,
    misused,
    print_result,
    progress_bar,
    warn_of_rejected,
)
from digest.model.identity import arxiv_id

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
    day: Day = None,
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
    more = more or []
    if identifier:
        ids = [*identifier, *more]
        if unreadable := [typed for typed in ids if not arxiv_id(typed)]:
            misused(f"{unreadable[0]!r} is not an arXiv id like 1706.03762")
        collected = app.collector.keep(app.arxiv.look_up(ids, now, day))
    elif file or more:
        paths = [*(file or []), *map(Path, more)]
        for folder in filter(Path.is_dir, paths):
            if not any(map(Path.is_file, folder.iterdir())):
                fail(f"{folder}: there is no file in this folder")
        with progress_bar("Files read") as report:
            collected = app.collector.collect_files(paths, day, now, report)
    else:
        days = [day] if day else app.pipeline.days_for(app.edition_day(now))
        with progress_bar("Sources asked") as report:
            collected = app.pipeline.collect(days, now, report)
    papers = "1 paper" if collected.papers == 1 else f"{collected.papers} papers"
    line = f"{papers}: {collected.new} new, {collected.updated} updated"
    print_result(collected, [f"{line}{_listed_on(collected.listed_on)}."], as_json=as_json)
    if not as_json:
        warn_of_rejected(collected.rejected)
    if collected.failures or (collected.rejected and not collected.papers):
        raise typer.Exit(1)


def _listed_on(days: Sequence[date]) -> str:
    """Say on which days papers were listed: the editions of these days may hold them."""
    if len(days) < 3:
        return f", listed on {' and '.join(map(str, days))}" if days else ""
    return f", listed on {len(days)} days from {days[0]} to {days[-1]}"
