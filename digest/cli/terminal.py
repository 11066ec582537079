"""What the commands share: the two streams, and how arguments are read and results printed."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import Annotated, NoReturn

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

log = structlog.get_logger()

# What is printed holds what others typed: brackets and colons in it mean themselves.
out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, markup=False, emoji=False)

Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]
# Options that take several values may be repeated; what follows them is taken as well, so that
# a shell's *.json needs no ceremony.
Topics = Annotated[list[str] | None, typer.Option("--topic", metavar="TEXT …", help="Repeatable.")]
More = Annotated[list[str] | None, typer.Argument(hidden=True, metavar="…")]


def group(about: str = "") -> typer.Typer:
    """Return an empty group of commands."""
    return typer.Typer(
        help=about, no_args_is_help=True, add_completion=False, rich_markup_mode=None
    )


def read_topics(named: list[str] | None, more: list[str] | None) -> tuple[TopicFilter, ...]:
    return parse_topics([*(named or []), *(more or [])])


def read_day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise typer.BadParameter(f"{typed!r} is not a date like 2026-01-31") from None


def warn(text: str) -> None:
    """Print a line on standard error."""
    err.print(text, soft_wrap=True)


def fail(text: str) -> NoReturn:
    """Say what went wrong, and end with status 1."""
    warn(f"digest: {text}")
    raise typer.Exit(1)


def tell(error: Exception) -> None:
    """Print what went wrong: a line where it is foreseen, else a trace in the log."""
    from digest.ledger.database import as_ledger_error

    try:
        with as_ledger_error():
            raise error
    except (DigestError, SubscriberError) as foreseen:
        warn(f"digest: {foreseen}")
    except Exception:  # as all that is logged, without what must not be seen
        log.exception("a fault of Paper Digest's own")


def warn_of_rejected(rejected: Iterable[Rejection]) -> None:
    for rejection in rejected:
        warn(f"left out: {rejection.file}, {rejection.where}: {rejection.why}")


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
    """What became of everybody due, as a sum."""
    counts = asdict(balance)
    named = ("accepted", "deferred", "refused", "suppressed", "skipped", "uncertain", "pending")
    parts = [f"{counts[name]} {name}" for name in named if counts[name]]
    why = ", ".join(f"{count} {reason}" for reason, count in balance.skipped_for.items())
    line = f"Edition {balance.edition}: {balance.due} due"
    return line + (f" = {' + '.join(parts)}" if parts else "") + (f" ({why})" if why else "")


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; what it yields is told how much of how much is done.

    It is there from the first word until all is done, so that another can come after it.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=err)
    task = bar.add_task(what, total=None)

    def report(done: int, total: int) -> None:
        bar.start()  # only now: nothing to report is nothing to show
        bar.update(task, completed=done, total=total)
        if done >= total:
            bar.stop()

    try:
        yield report
    finally:
        if bar.live.is_started:
            bar.stop()
