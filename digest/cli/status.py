"""`digest status`: one screen that says whether all is well."""

from dataclasses import replace
from datetime import tzinfo

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.status_text import status_lines
from digest.cli.terminal import Json, fail, print_json
from digest.ledger.daily_stats import DailyStats
from digest.model.wording import length, parts, truncate
from digest.monitoring.gathering import gather_readers
from digest.monitoring.status import Readers, Status

SHOWN_EDITIONS = 5
SHOWN_WARNINGS = 8
WHOLE_WARNINGS = 2  # if there are more, each has one line, so that all fit on a screen
LONGEST_WARNING = 300  # characters


def status(as_json: Json = False) -> None:
    """Show on one screen whether all is well. Exit status 1: something needs attention.

    $ digest status
    """
    app, now = App(), utc_now()
    if missing := app.settings.missing:
        fail(f"not set up yet: {', '.join(missing)} must be set; digest doctor says how")
    readers = gather_readers(app.registry, now)
    found = replace(app.status(now), readers=readers)
    if as_json:
        print_json(found)
    else:
        _print(found, readers, app.settings.timezone)
    if not found.is_well:
        raise typer.Exit(1)


def _print(found: Status, readers: Readers, zone: tzinfo) -> None:
    console = Console(highlight=False)
    console.print("All is well." if found.is_well else "Needs attention:", style="bold")
    is_cut = len(found.warnings) > WHOLE_WARNINGS
    for warning in found.warnings[:SHOWN_WARNINGS]:
        # A server may have said it in lines.
        text = truncate(" ".join(warning.text.split()), LONGEST_WARNING)
        shown = Text(text, style="red", no_wrap=is_cut, overflow="ellipsis" if is_cut else "fold")
        console.print(Padding(shown, (0, 0, 0, 2), expand=False))
    if len(found.warnings) > SHOWN_WARNINGS:
        console.print(f"  and {len(found.warnings) - SHOWN_WARNINGS} more: --json has all")
    elif is_cut and any(len(warning.text) > console.width - 2 for warning in found.warnings):
        console.print("  --json has these lines in full")
    if found.editions:
        console.print()
        console.print(_editions(found.editions[:SHOWN_EDITIONS]))
    rest = Table.grid(padding=(0, 2))
    for about, line in status_lines(found, readers, zone):
        rest.add_row(Text(about, style="bold"), Text(line))
    console.print()
    console.print(rest)


def _editions(editions: tuple[DailyStats, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("Edition", no_wrap=True)
    for heading in ("Papers", "Due", "Sending"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Outcome")
    for stats in editions:
        outcome = ", ".join(f"{count} {state}" for state, count in parts(stats.balance))
        numbers = (str(stats.papers), str(stats.balance.due), length(stats.sending))
        table.add_row(str(stats.day), *numbers, outcome)
    return table
