"""`digest announce`: an email that the operator writes, to all readers or some."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from digest.app.app import App
from digest.cli.terminal import (
    Json,
    fail,
    misused,
    out,
    outcomes,
    print_json,
    print_result,
    progress_bar,
    utc,
    warn,
)
from digest.errors import Busy, SourceError
from digest.ledger.database import as_ledger_error
from digest.model.announcements import Announcement, Draft, audience_of, draft_of, previewed
from digest.model.messages import OutcomeKind
from digest.service.os_signals import stopping

STDIN = "-"


def announce(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="The subject.")] = "",
    text: Annotated[
        str,
        typer.Argument(metavar="FILE", help="The text: a file, or - for standard input."),
    ] = STDIN,
    everybody: Annotated[bool, typer.Option("--all", help="To all confirmed readers.")] = False,
    topic: Annotated[
        str, typer.Option("--topic", metavar="WORD", help="To those with this in a topic.")
    ] = "",
    language: Annotated[
        str, typer.Option("--language", metavar="CODE", help="To those with emails in it, as de.")
    ] = "",
    addresses: Annotated[
        Path | None,
        typer.Option("--addresses", metavar="FILE", help="To those of these who are confirmed."),
    ] = None,
    to: Annotated[
        str, typer.Option("--to", metavar="ADDRESS", help="Send it as a test, and only there.")
    ] = "",
    preview: Annotated[
        bool, typer.Option("--preview", help="Write it to files instead of sending it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is sent.")] = False,
    stop: Annotated[
        int | None,
        typer.Option(
            "--stop", metavar="NUMBER", help="Drop what still waits of one. See digest status."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Send an email of your own words, once, to all readers or to some.

    The text has paragraphs, lists ("- ") and links (https://…, or [words](https://…)); any other
    markup is shown as it stands. It goes out as digests do: to confirmed readers only, at the same
    rates, with the same way to unsubscribe.

    $ digest announce "We move on Sunday" news.txt --preview
    $ digest announce "We move on Sunday" news.txt --to you@example.org
    $ digest announce "We move on Sunday" news.txt --all
    $ digest announce --stop 1
    """
    app = App()
    if stop is not None:
        _stop(app, stop, as_json=as_json)
        return
    if not subject:
        misused("give a subject, and a file with the text")
    typed = audience_of(topic, language, _read(str(addresses)) if addresses else "")
    draft = draft_of(subject, _read(text), typed)
    if preview:
        _preview(app, draft, as_json=as_json)
    elif to:
        _test(app, draft, to, as_json=as_json)
    elif everybody == (not typed.is_everybody):
        misused("say to whom: --all, or --topic, --language or --addresses")
    else:
        _send(app, draft, is_sure=yes, reads_text=text == STDIN, as_json=as_json)


def _preview(app: App, draft: Draft, *, as_json: bool) -> None:
    content = app.preview_composer.render_announcement(previewed(draft), "preview")
    folder = app.settings.home / "preview"
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / "announcement.html": content.html, folder / "announcement.txt": content.text}
    for file, made in files.items():
        file.write_text(made, encoding="utf-8")
    print_result({"files": list(files)}, map(str, files), as_json=as_json)


def _test(app: App, draft: Draft, to: str, *, as_json: bool) -> None:
    outcome = app.post(app.announcement_test(draft, to))
    line = f"To {to}: {outcome.kind.value} ({outcome.text})"
    print_result(outcome, [line], as_json=as_json)
    if outcome.kind is not OutcomeKind.ACCEPTED:
        raise typer.Exit(1)


def _send(app: App, draft: Draft, *, is_sure: bool, reads_text: bool, as_json: bool) -> None:
    app.make_ready()
    app.composer.render_announcement(previewed(draft), "preview")  # it must not fail at the first
    with as_ledger_error():
        count = app.planning.announcing.chosen(draft.audience)
    if not count:
        fail(f"nobody is chosen: {draft.audience}")
    if not is_sure:
        if reads_text:
            misused("the text came from standard input, which cannot answer: add --yes")
        if not typer.confirm(f"Send {draft.subject!r} to {count} readers?", err=True):
            fail("nothing was sent")
    now = app.clock()
    with as_ledger_error(), stopping(app.stop), progress_bar("Emails sent") as report:
        announcement = app.ledger.announcements.create(draft, now)
        if announcement.at != now:
            warn(f"It was announced {utc(announcement.at)}: nobody gets it twice.")
        try:
            trouble = app.pipeline.plan_announcements(now)
        except Busy:
            trouble = ("others are planned for at this moment; the next run continues",)
        trouble += app.pipeline.deliver(now, report)
    _tell(app, announcement, as_json=as_json)
    for line in trouble:
        warn(f"digest: {line}")
    if trouble:
        raise typer.Exit(1)


def _stop(app: App, number: int, *, as_json: bool) -> None:
    announcement = app.ledger.announcements.numbered(number)
    if announcement is None:
        fail(f"there is no announcement {number}; digest status lists the latest")
    app.ledger.announcements.stop(announcement, app.clock())
    _tell(app, announcement, as_json=as_json)


def _tell(app: App, announcement: Announcement, *, as_json: bool) -> None:
    balance = app.ledger.announcements.balance(announcement)
    if as_json:
        print_json({"number": announcement.number, "balance": balance})
    else:
        out.print(
            f"Announcement {announcement.number}, {announcement.draft.subject!r}: "
            f"{outcomes(balance)}"
        )


def _read(name: str) -> str:
    """Return the text of a file, or of standard input. Raises SourceError."""
    try:
        if name == STDIN:
            return sys.stdin.read()
        return Path(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SourceError(f"{name}: {why}") from error
