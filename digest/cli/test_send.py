"""`digest send` and `preview`: one digest that belongs to no subscriber, to look at."""

import sys
from datetime import date
from typing import Annotated

import typer

from digest.app.app import App
from digest.cli.terminal import Day, Json, MoreTopics, Topics, print_result, read_topics
from digest.errors import LedgerError
from digest.model.digests import Digest
from digest.model.messages import Message, OutcomeKind
from subscribers.addresses import normalise_address
from subscribers.topics import TopicFilter


def send(
    to: Annotated[str, typer.Option(metavar="ADDRESS", help="Who gets it.")],
    topic: Topics = None,
    day: Day = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the message instead of sending it.")
    ] = False,
    more: MoreTopics = None,
    as_json: Json = False,
) -> None:
    """Send one digest as a test. It is marked [test], and no delivery is recorded.

    $ digest send --to you@example.org --topic robots
    $ digest send --to you@example.org --dry-run
    """
    app = App()
    message = test_message(app, to, read_topics(topic, more), day)
    if dry_run:
        sys.stdout.buffer.write(message.content)
        return
    outcome = app.post(message)
    line = f"To {to}: {outcome.kind.value} ({outcome.text})"
    print_result(outcome, [line], as_json=as_json)
    if outcome.kind is not OutcomeKind.ACCEPTED:
        raise typer.Exit(1)


def preview(
    day: Day = None, topic: Topics = None, more: MoreTopics = None, as_json: Json = False
) -> None:
    """Write the HTML and the text of a digest to files, and print their names.

    $ digest preview --topic "language models"
    """
    app = App()
    content = app.preview_composer.render(_digest(app, read_topics(topic, more), day), "preview")
    folder = app.settings.home / "preview"
    folder.mkdir(parents=True, exist_ok=True)
    texts = {folder / "digest.html": content.html, folder / "digest.txt": content.text}
    for file, text in texts.items():
        file.write_text(text, encoding="utf-8")
    print_result({"files": list(texts)}, map(str, texts), as_json=as_json)


def test_message(app: App, to: str, topics: tuple[TopicFilter, ...], day: date | None) -> Message:
    """Return a digest marked as a test. Raises DigestError if there is none, and AddressError."""
    address = normalise_address(to)
    return app.composer.compose(
        _digest(app, topics, day),
        to=address,
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
        if topics and app.planning.draft(day, ()):
            raise LedgerError(
                f"no paper of {day} matches these topics; leave out --topic to see what is trending"
            )
        raise LedgerError(f"no papers were collected for {day}")
    return digest
