"""`digest status`: how things are, on one screen."""

from datetime import tzinfo

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from digest.app.app import App, utc_now
from digest.cli.status_text import status_lines
from digest.cli.terminal import Json, print_json
from digest.ledger.daily_stats import DailyStats
from digest.model.wording import length, parts
from digest.monitoring.status import Readers, Status, gather_readers
from digest.monitoring.status_record import status_record
from digest.monitoring.warnings import StatusWarning, warnings

SHOWN_EDITIONS = 5
SHOWN_WARNINGS = 8


def status(as_json: Json = False) -> None:
    """Show how things are, on one screen. Exit status 1: something wants you."""
    app, now = App(), utc_now()
    found = app.status(now)
    readers = gather_readers(app.registry, now)
    wanted = warnings(found)
    if as_json:
        print_json(status_record(found, readers))
    else:
        _print(found, readers, wanted, app.settings.timezone)
    if wanted:
        raise typer.Exit(1)


def _print(found: Status, readers: Readers, wanted: list[StatusWarning], zone: tzinfo) -> None:
    console = Console(highlight=False)
    console.print("This wants you:" if wanted else "All is well.", style="bold")
    for each in wanted[:SHOWN_WARNINGS]:
        told = " ".join(each.text.split())  # a server may have said it, in lines
        console.print(Text(f"  {told}"), style="red", no_wrap=True, overflow="ellipsis")
    if len(wanted) > SHOWN_WARNINGS:
        console.print(f"  and {len(wanted) - SHOWN_WARNINGS} more: --json has all")
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
    for each in editions:
        outcome = ", ".join(f"{count} {state}" for state, count in parts(each.balance))
        stats = (str(each.papers), str(each.balance.due), length(each.sending))
        table.add_row(str(each.day), *stats, outcome)
    return table
