"""`digest inbox`: process mail that comes back, or only say what it reports."""

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.exc import SQLAlchemyError

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.terminal import Json, misused, print_result, warn
from digest.errors import DigestError, InboxError
from digest.inbound.inbox import InboundVerdict
from digest.inbound.mailboxes import count_aside, messages_in, messages_on
from digest.inbound.report import MOST_OCTETS, Kind, Report
from digest.inbound.report_reader import read_report
from digest.ledger.reviews import ReviewPlace
from digest.settings.imap_folder import ImapFolder
from digest.settings.values import mailbox
from subscribers.errors import SubscriberError

CLASSIFY = "classify"
ASIDE = "aside"


def inbox(
    place: Annotated[
        str | None,
        typer.Argument(
            metavar="PLACE",
            help="A Maildir, an mbox file, a folder of an IMAP server "
            "(imaps://USER:PASSWORD@HOST/FOLDER), or - for one message on standard input.",
        ),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="After `classify`: the messages to look at."),
    ] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Repeat every DIGEST_INBOX_EVERY seconds."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Process the mail that comes back, by default from DIGEST_INBOX.

    Unsubscribe requests take effect at once. Dead addresses, and those that complain, are blocked.
    Processed messages are marked as read. Those that you have to read are flagged (or, from
    standard input, stored in DIGEST_HOME/aside).

    `inbox classify FILE…` only says what the messages report. (A mailbox of that name is
    ./classify.)

    $ digest inbox
    $ digest inbox /var/mail/bounces
    $ digest inbox classify message.eml
    """
    if watch and (place or as_json):
        misused("--watch reads DIGEST_INBOX: give no other mailbox, and no --json")
    if watch:
        from digest.service.services import watch_inbox

        watch_inbox(App(), lambda: warn("Reading DIGEST_INBOX. Stop with Ctrl-C."))
    elif place == CLASSIFY:
        if not files:
            misused("classify needs files, as in: digest inbox classify message.eml")
        _classify(files, as_json)
    elif files:
        misused(f"one mailbox at a time; {str(files[0])!r} is a second one")
    elif place == "-":
        _take(as_json)
    else:
        _read(place, as_json)


def _read(named: str | None, as_json: bool) -> None:
    app = App()
    if named is None:
        from digest.service.jobs import Jobs

        verdicts = Jobs(app).read_inbox()
    else:
        messages = messages_in(_place(named), app.settings.smtp_ca_file)
        verdicts = app.inbox.read(messages, utc_now())
    _print_verdicts(verdicts, as_json)


def _take(as_json: bool) -> None:
    """Read one message from a mail server, and ask it to keep the message if that fails."""
    try:
        app = App()
        messages = messages_on(sys.stdin.buffer, app.settings.home / ASIDE)
        verdicts = app.inbox.read(messages, now := utc_now())
        waiting = count_aside(app.settings.home / ASIDE)
        app.ledger.reviews.record(ReviewPlace.ASIDE, waiting, now)
    except (DigestError, SubscriberError, SQLAlchemyError) as error:
        warn(f"digest: {str(error).splitlines()[0]}")
        raise typer.Exit(os.EX_TEMPFAIL) from error
    _print_verdicts(verdicts, as_json)


def _place(named: str) -> Path | ImapFolder:
    try:
        return mailbox(named)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None  # not what was typed: a password is in it


def _print_verdicts(verdicts: Counter[InboundVerdict], as_json: bool) -> None:
    done, left = (
        ", ".join(
            f"{verdicts[verdict]} {verdict}"
            for verdict in InboundVerdict
            if verdicts[verdict] and verdict.needs_review is kept
        )
        for kept in (False, True)
    )
    line = f"Processed: {done or 'nothing'}. Left for you to read: {left or 'nothing'}."
    values = {verdict.value: verdicts[verdict] for verdict in InboundVerdict}
    print_result(values, [line], as_json=as_json)


def _classify(files: list[Path], as_json: bool) -> None:
    reports = {}
    for file in files:
        try:
            with file.open("rb") as opened:
                reports[file] = read_report(opened.read(MOST_OCTETS))
        except OSError as error:
            raise InboxError(f"{file}: {error.strerror}") from error
    records = [_record(file, report) for file, report in reports.items()]
    lines = (f"{file}: {_line(report)}" for file, report in reports.items())
    print_result(records, lines, as_json=as_json)


def _record(file: Path, report: Report) -> dict[str, Any]:
    return {
        "file": file,
        "kind": report.kind,
        "recipients": [
            {
                "address": recipient.address,
                "hard": recipient.is_hard,
                "status": recipient.status,
                "reason": recipient.diagnostic,
            }
            for recipient in report.recipients
        ],
        "complaint": report.kind is Kind.COMPLAINT,
        "waiting": list(report.waiting),
    }


def _line(report: Report) -> str:
    named = [
        f"{who.address}{' is dead' if who.is_hard else ''} ({who.status or 'no status'})"
        for who in report.recipients
    ]
    named += [f"{recipient} is still being tried" for recipient in report.waiting]
    return ", ".join([report.kind.value, *named])
