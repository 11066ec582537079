"""Read arguments, and print results to the two streams, for all commands."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any, NoReturn

import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from digest.cli.json_values import to_json
from digest.errors import DigestError
from digest.model.deliveries import Balance
from digest.model.papers import Rejection
from subscribers.errors import SubscriberError
from subscribers.topics import TopicFilter, parse_topics

FIRST_YEAR, LAST_YEAR = 1991, 2100  # arXiv is not older, and nobody plans further

# What is printed holds what others typed: brackets and colons in it mean themselves.
out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, markup=False, emoji=False)
log = structlog.get_logger()


def group(about: str = "") -> typer.Typer:
    """Return an empty group of commands."""
    return typer.Typer(
        help=about, no_args_is_help=True, add_completion=False, rich_markup_mode=None
    )


# ---- arguments -------------------------------------------------------------------------------


def read_day(typed: str) -> date:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise typer.BadParameter(f"{typed!r} is not a date like 2026-01-31") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise typer.BadParameter(f"{typed!r} is not between {FIRST_YEAR} and {LAST_YEAR}")
    return day


def day_option(about: str, name: str = "--date") -> Any:
    """Return an option of a command that is a day; ``about`` is its help."""
    return typer.Option(name, parser=read_day, metavar="YYYY-MM-DD", help=about)


def read_topics(named: list[str] | None, more: list[str] | None) -> tuple[TopicFilter, ...]:
    return parse_topics([*(named or []), *(more or [])])


Json = Annotated[bool, typer.Option("--json", help="Print the result as one line of JSON.")]

Address = Annotated[str, typer.Argument(metavar="ADDRESS")]
# Topics may follow an option without its being repeated.
Topics = Annotated[
    list[str] | None, typer.Option("--topic", metavar="TEXT", help="A topic filter. Repeatable.")
]
MoreTopics = Annotated[list[str] | None, typer.Argument(hidden=True, metavar="TOPIC")]


# ---- results ---------------------------------------------------------------------------------


def print_json(value: object) -> None:
    """Print a value as one line of JSON (see json_values.py)."""
    sys.stdout.write(json.dumps(to_json(value), ensure_ascii=False) + "\n")


def print_result(value: object, lines: Iterable[str | Text], *, as_json: bool) -> None:
    """Print a value as JSON, or else these lines."""
    if as_json:
        print_json(value)
        return
    for line in lines:
        out.print(line)


def balance_line(balance: Balance) -> str:
    """Return the outcomes of everybody due, as a sum."""
    return f"Edition {balance.edition}: {outcomes(balance, 'due')}"


def outcomes(balance: Balance, who: str = "chosen") -> str:
    """Return how many people there are, as a sum of the outcomes."""
    counts = asdict(balance)
    named = ("accepted", "deferred", "refused", "suppressed", "skipped", "uncertain", "pending")
    parts = [f"{counts[name]} {name}" for name in named if counts[name]]
    why = ", ".join(f"{count} {reason}" for reason, count in balance.skipped_for.items())
    line = f"{balance.due} {who}"
    return line + (f" = {' + '.join(parts)}" if parts else "") + (f" ({why})" if why else "")


def utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


# ---- standard error --------------------------------------------------------------------------


def warn(text: str) -> None:
    """Print a line on standard error."""
    err.print(text, soft_wrap=True)


def fail(text: str) -> NoReturn:
    """Print what went wrong, and end with status 1."""
    warn(f"digest: {text}")
    raise typer.Exit(1)


def misused(text: str) -> NoReturn:
    """Print how a command is to be used, and end with status 2."""
    warn(f"digest: {text}")
    raise typer.Exit(2)


def report(error: Exception) -> None:
    """Print an expected error as one line; log any other with its trace."""
    from digest.ledger.database import as_ledger_error

    try:
        with as_ledger_error():
            raise error
    except (DigestError, SubscriberError) as expected:
        warn(f"digest: {expected}")
    except Exception:  # masked, as all that is logged
        log.exception("a fault of Paper Digest's own")


def warn_of_rejected(rejected: Iterable[Rejection]) -> None:
    for rejection in rejected:
        warn(f"left out: {rejection.file}, {rejection.where}: {rejection.why}")


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error; call what is yielded with how many of how many are done.

    ``what`` says what is counted. Nothing is shown before the first call, or after the last.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=err, disable=not err.is_terminal)
    task = bar.add_task(what, total=None)

    def report(done: int, total: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=total)
        if done >= total:
            bar.stop()

    try:
        yield report
    finally:
        if bar.live.is_started:
            bar.stop()
