"""`digest inbox`: mail that comes back, dealt with or only told about."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from digest.app import App, utc_now
from digest.errors import InboxError, SettingError
from digest.inbox.mailboxes import letter_from, letters_in
from digest.inbox.reading import read_report
from digest.inbox.report import Kind, Report
from digest.terminal import out, print_json

CLASSIFY = "classify"


def inbox(
    place: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PLACE]", help="A Maildir, an mbox file, or - for one mail on standard input."
        ),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar=f"[{CLASSIFY} FILE…]", help="Only say what these mails report."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: one line, or one for each file.")
    ] = False,
) -> None:
    """Unsubscribe whoever has sent a mail to say so. By default it reads DIGEST_INBOX.

    `inbox classify FILE…` says what mails report (failures, complaints, wishes to leave), and
    does nothing about it. A mailbox of that name is ./classify.
    """
    if str(place) == CLASSIFY:
        if not files:
            raise typer.BadParameter("classify what? name one or more files")
        _classify(files, as_json)
    elif files:
        raise typer.BadParameter(f"what is {str(files[0])!r}? one place at a time")
    else:
        _read(place, as_json)


def _read(place: Path | None, as_json: bool) -> None:
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


def _classify(files: list[Path], as_json: bool) -> None:
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
