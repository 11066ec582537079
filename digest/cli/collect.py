"""`digest collect`: papers from the sources, or from files."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from digest.app.app import App, utc_now
from digest.cli.terminal import Json, More, print_result, progress_bar, warn_of_rejected
from digest.cli.test_send import Day


def collect(
    day: Day = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Instead of DIGEST_SOURCES. Repeatable.")
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH …", help="Recorded answers, saved pages, folders of them."),
    ] = None,
    identifier: Annotated[
        list[str] | None, typer.Option("--id", help="Look papers up at arXiv. Repeatable.")
    ] = None,
    as_json: Json = False,
    more: More = None,
) -> None:
    """Collect papers into the ledger: of one day, or of all days the next edition needs."""
    app = App(sources=",".join(source)) if source else App()
    now = utc_now()
    more = more or []
    if more and not (file or identifier):
        raise typer.BadParameter(f"what is {more[0]!r}? files go after --file")
    if identifier:
        harvest = app.arxiv.look_up([*identifier, *more], now, day)
        collected = app.collector.keep(harvest)
    elif file:
        paths = [*file, *map(Path, more)]
        with progress_bar("Reading") as report:
            collected = app.collector.collect_files(paths, day, now, report)
    else:
        days = [day] if day else app.pipeline.days_for(app.edition_day(now))
        with progress_bar("Asking the sources") as report:
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
