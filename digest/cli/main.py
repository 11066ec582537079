"""The command line: it parses, calls and prints, and decides nothing.

Exit status: 0 done, 1 something went wrong and was told, 2 the command was not understood.
"""

import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.table import Table

from digest.app.app import App, utc_now
from digest.cli.db import database
from digest.cli.deliveries import deliveries
from digest.cli.dkim import dkim
from digest.cli.doctor import doctor
from digest.cli.inbox import inbox
from digest.cli.maintenance import backup, restore, tidy
from digest.cli.rank import rank_files, search_papers, why
from digest.cli.services import schedule, serve, up, worker
from digest.cli.status import status
from digest.cli.subscribers import people
from digest.cli.templates import studio, templates
from digest.cli.terminal import (
    Json,
    More,
    balance_line,
    out,
    print_result,
    progress_bar,
    warn,
    warn_of_rejected,
)
from digest.cli.test_send import Day, preview, send
from digest.errors import DigestError
from digest.ledger.database import as_ledger_error
from digest.monitoring.logs import configure_logs
from digest.service.os_signals import stopping
from digest.settings.example import example_env
from subscribers.errors import SubscriberError

cli = typer.Typer(
    help="A daily e-mail digest of trending research papers, on each subscriber's topics.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
log = structlog.get_logger()

ASKING = "Asking the sources"

cli.add_typer(people, name="subscribers")
cli.command("up")(up)
cli.command("schedule")(schedule)
cli.command("worker")(worker)
cli.command("serve")(serve)
cli.command("status")(status)
cli.command("inbox")(inbox)
cli.command("rank")(rank_files)
cli.command("search")(search_papers)
cli.command("why")(why)
cli.add_typer(templates, name="templates")
cli.command("studio")(studio)
cli.add_typer(deliveries, name="deliveries")
cli.add_typer(dkim, name="dkim")
cli.command("doctor")(doctor)
cli.command("backup")(backup)
cli.command("restore")(restore)
cli.command("tidy")(tidy)
cli.add_typer(database, name="db")
cli.command("send")(send)
cli.command("preview")(preview)


def main() -> None:
    """The program. Whatever goes wrong on purpose is one line on standard error."""
    configure_logs()
    try:
        with as_ledger_error():
            cli(prog_name="digest")
    except (DigestError, SubscriberError) as error:
        warn(f"digest: {error}")
        sys.exit(1)
    except Exception:  # as all that is logged, without what must not be seen
        log.exception("a fault of Paper Digest's own")
        sys.exit(1)


# ---- how arguments are read ------------------------------------------------------------------


def _moment(typed: str) -> datetime:
    try:
        return datetime.fromisoformat(typed)
    except ValueError:
        raise typer.BadParameter(f"{typed!r} is not a time like 2026-01-31T08:00:00Z") from None


# ---- the pipeline ----------------------------------------------------------------------------


@cli.command()
def demo(
    home: Annotated[Path, typer.Option(help="Folder for everything.")] = Path("paper-digest-demo"),
) -> None:
    """Run the main job on a built-in edition, for three sample subscribers, into a folder."""
    from digest.cli.demo import run_demo

    with progress_bar("Sending") as report:
        done = run_demo(home, report)
    table = Table(title=f"Mail lies in {home / 'outbox'}", title_justify="left")
    table.add_column("Subscriber", no_wrap=True)
    table.add_column("Papers", justify="right")
    table.add_column("Reasons", overflow="fold")
    table.add_column("Mail", no_wrap=True)
    for mail in done.mails:
        table.add_row(mail.subscriber, str(mail.papers), mail.reasons, f"{mail.eml.stem}.*")
    Console(highlight=False).print(table)
    if done.run.balance:
        out.print(balance_line(done.run.balance))
    if done.sent_now:
        out.print("Each mail is there as .html to look at, and as .eml with all its headers.")
    else:
        out.print("Everybody has this edition already: nothing was sent twice.")


@cli.command()
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
        with progress_bar(ASKING) as report:
            collected = app.pipeline.collect(days, now, report)
    counts = f"{collected.papers} papers: {collected.new} new, {collected.updated} updated."
    print_result(collected, [counts], as_json=as_json)
    if not as_json:
        warn_of_rejected(collected.rejected)
    if collected.failures or (collected.rejected and not collected.papers):
        raise typer.Exit(1)


@cli.command()
def run(
    once: Annotated[bool, typer.Option("--once", help="One pass, then end.")] = False,
    now: Annotated[
        datetime | None,
        typer.Option(parser=_moment, metavar="ISO-8601", help="As if it were this moment."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Send the day's edition to everybody due, and print the balance."""
    from digest.service.alerting import Operator

    if not once:
        raise typer.BadParameter("say --once; for every day there is `digest up`")
    app = App()
    moment = now or utc_now()
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=app.settings.timezone)
    app.make_ready()
    operator = Operator(app)
    with (
        operator.told_of_a_fault(),
        as_ledger_error(),
        stopping(app.stop),
        progress_bar(ASKING) as asking,
        progress_bar("Sending") as report,
    ):
        done = app.pipeline.tick(moment, everybody=True, asking=asking, progress=report)
    assert done is not None
    operator.tell(done.trouble)
    lines = [balance_line(done.balance)] if done.balance else []
    print_result(done.balance, lines, as_json=as_json)
    for trouble in done.trouble:
        warn(f"digest: {trouble}")
    if done.trouble:
        raise typer.Exit(1)


# ---- what is set ------------------------------------------------------------------------------


@cli.command()
def config(
    example: Annotated[
        bool, typer.Option("--example", help="Print config.example.env instead.")
    ] = False,
) -> None:
    """Print every setting, its value (secrets hidden), and where it came from."""
    if example:
        sys.stdout.write(example_env())
        return
    for origin in App().origins:
        out.print(f"{origin.name}={origin.shown}  ({origin.came_from})")


def _version(wanted: bool) -> None:
    if wanted:
        out.print(version("paper-digest"))
        raise typer.Exit


@cli.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
