"""`digest send` and `preview`: one digest in nobody's name, sent as a test or looked at."""

import sys
from datetime import date
from typing import Annotated

import typer

from digest.app.app import App
from digest.cli.terminal import More, Topics, out, read_day, read_topics
from digest.errors import LedgerError
from digest.model.digests import Digest
from digest.model.messages import Message, OutcomeKind
from subscribers.addresses import normalise_address
from subscribers.topics import TopicFilter

Day = Annotated[
    date | None,
    typer.Option("--date", parser=read_day, metavar="YYYY-MM-DD", help="The listing day."),
]


def send(
    to: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to.")],
    topic: Topics = None,
    day: Day = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the message instead of sending it.")
    ] = False,
    more: More = None,
) -> None:
    """Send one digest to try it out; the books of real deliveries are not touched."""
    app = App()
    message = test_message(app, to, read_topics(topic, more), day)
    if dry_run:
        sys.stdout.buffer.write(message.content)
        return
    outcome = app.post(message)
    out.print(f"{outcome.kind.value}: {outcome.text}")
    if outcome.kind is not OutcomeKind.ACCEPTED:
        raise typer.Exit(1)


def preview(day: Day = None, topic: Topics = None, more: More = None) -> None:
    """Write the HTML and the text of a digest, and say where."""
    app = App()
    content = app.preview_composer.render(_digest(app, read_topics(topic, more), day), "preview")
    folder = app.settings.home / "preview"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("digest.html", content.html), ("digest.txt", content.text)):
        (folder / name).write_text(text, encoding="utf-8")
        out.print(str(folder / name))


def test_message(app: App, to: str, topics: tuple[TopicFilter, ...], day: date | None) -> Message:
    """Return a digest marked as a test. Raises DigestError if there is none, and AddressError."""
    return app.composer.compose(
        _digest(app, topics, day),
        to=normalise_address(to),
        public_id="test",
        now=app.clock(),
        subject_mark="[test]",
    )


def _digest(app: App, topics: tuple[TopicFilter, ...], day: date | None) -> Digest:
    """Return a digest of a day, by default the latest with papers. Raises DigestError."""
    day = day or app.ledger.papers.latest_day()
    if day is None:
        raise LedgerError("nothing is collected yet: run digest collect")
    digest = app.planning.draft(day, topics)
    if digest is None:
        what = "matches these topics" if topics else "is listed"
        raise LedgerError(f"no paper of {day} {what}")
    return digest
