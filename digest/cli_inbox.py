"""`digest inbox`: mail that comes back, dealt with or only told about."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from digest.app import App, utc_now
from digest.errors import InboxError, SettingError
from digest.inbox.mailboxes import letter_from, letters_in
from digest.inbox.reading import read_report
from digest.inbox.report import Kind, Report
from digest.terminal import Json, out, print_json


class _ReadsByDefault(TyperGroup):
    """What is no command is a place to read, so that `digest inbox PLACE` needs no more words."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in {*self.commands, "--help"}:
            args = ["read", *args]
        return super().parse_args(ctx, args)


inbox = typer.Typer(cls=_ReadsByDefault, help="Deal with mail that comes back.")


@inbox.command()
def read(
    place: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PLACE]", help="A Maildir, an mbox file, or - for one mail on standard input."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Unsubscribe whoever has sent a mail to say so. By default it reads DIGEST_INBOX.

    The word `read` may be left out.
    """
    app = App()
    place = place or app.settings.inbox
    if place is None:
        raise SettingError("DIGEST_INBOX is not set: say where the mail lies")
    is_stream = str(place) == "-"
    letters = [letter_from(sys.stdin.buffer)] if is_stream else letters_in(place)
    done = app.inbox.read(letters, utc_now())
    if as_json:
        print_json(asdict(done))
    else:
        out.print(f"{done.unsubscribed} unsubscribed, {done.left} mails left for you to read.")
    if is_stream and done.left:
        raise typer.Exit(1)  # the mail server is to tell the sender that nobody understood


@inbox.command()
def classify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Mails, one to a file.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON for each file.")
    ] = False,
) -> None:
    """Say what mails report: failures, complaints, wishes to leave. Nothing is done about it."""
    for file in files:
        try:
            report = read_report(file.read_bytes())
        except OSError as error:
            raise InboxError(f"{file}: {error.strerror}") from error
        if as_json:
            print_json(_record(file, report))
        else:
            out.print(Text(f"{file}: {_line(report)}"))


def _record(file: Path, report: Report) -> dict[str, Any]:
    return {
        "file": str(file),
        "kind": report.kind.value,
        "recipients": [
            {
                "address": each.address,
                "hard": each.is_hard,
                "status": each.status,
                "reason": each.diagnostic,
            }
            for each in report.recipients
        ],
        "complaint": report.kind is Kind.COMPLAINT,
        "waiting": list(report.waiting),
    }


def _line(report: Report) -> str:
    named = [
        f"{each.address}{' is dead' if each.is_hard else ''} ({each.status or 'no status'})"
        for each in report.recipients
    ]
    named += [f"{each} is still being tried" for each in report.waiting]
    return ", ".join([report.kind.value, *named])
