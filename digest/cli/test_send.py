"""`digest send` and `preview`: one digest that belongs to no subscriber, to look at."""

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.app.app import App
from digest.cli.terminal import (
    Json,
    MoreTopics,
    Topics,
    day_option,
    misused,
    print_result,
    read_topics,
)
from digest.errors import LedgerError
from digest.model.digests import Digest
from digest.model.messages import Message, OutcomeKind
from subscribers.addresses import normalise_address
from subscribers.topics import TopicFilter

if TYPE_CHECKING:
    from digest.compose.languages import Languages

Language = Annotated[
    str | None,
    typer.Option("--language", metavar="CODE", help="Its language. Default: DIGEST_LANGUAGE."),
]
PaperDay = Annotated[
    date | None, day_option("The day of the papers. Default: the latest that has any.")
]


def send(
    to: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="The reader; with --state also a chat room: its URL of Apprise."
        ),
    ],
    topic: Topics = None,
    language: Language = None,
    day: PaperDay = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the message instead of sending it.")
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Remember there what this reader was shown, and send only what is new.",
        ),
    ] = None,
    more: MoreTopics = None,
    as_json: Json = False,
) -> None:
    """Send one digest as a test. It is marked [test], and no delivery is recorded.

    With --state it is a real digest for one reader, without a server: it collects, sends what is
    new on the topics, and nothing if nothing is. Run it once a day.

    $ digest send --to you@example.org --topic robots
    $ digest send --to you@example.org --language de --dry-run
    $ digest send --to you@example.org --topic robots --state my-digest
    $ digest send --to discord://WEBHOOK_ID/TOKEN --topic robots --state our-room
    """
    topics = read_topics(topic, more)
    if state:
        if day or dry_run:
            misused("--date and --dry-run are for tests: leave out --state")
        from digest.cli.one_reader import send_new

        send_new(state, to, topics, language, as_json=as_json)
        return
    app = App()
    message = test_message(app, to, topics, day, spoken(app.templates.languages, language))
    if dry_run:
        sys.stdout.buffer.write(message.content)
        return
    outcome = app.post(message)
    line = f"To {to}: {outcome.kind.value} ({outcome.text})"
    print_result(outcome, [line], as_json=as_json)
    if outcome.kind is not OutcomeKind.ACCEPTED:
        raise typer.Exit(1)


def preview(
    day: PaperDay = None,
    topic: Topics = None,
    language: Language = None,
    more: MoreTopics = None,
    as_json: Json = False,
) -> None:
    """Write the HTML and the text of a digest to files, and print their names.

    Two languages are nobody's, and show what is not translated: en-XA, and ar-XB from right to
    left.

    $ digest preview --topic "language models"
    $ digest preview --language ar
    """
    app = App()
    composer = app.preview_composer
    locale = spoken(composer.templates.languages, language)
    digest = replace(_digest(app, read_topics(topic, more), day), locale=locale)
    content = composer.render(digest, "preview")
    folder = app.settings.home / "preview"
    folder.mkdir(parents=True, exist_ok=True)
    texts = {folder / "digest.html": content.html, folder / "digest.txt": content.text}
    for file, text in texts.items():
        file.write_text(text, encoding="utf-8")
    print_result({"files": list(texts)}, map(str, texts), as_json=as_json)


def spoken(languages: "Languages", language: str | None) -> str | None:
    """Return a language that was asked for; end with status 2 if it is not spoken."""
    if language is not None and not languages.speaks(language):
        known = ", ".join(languages.codes)
        misused(f"{language!r} is not spoken here: expected one of {known}")
    return language


def test_message(
    app: App,
    to: str,
    topics: tuple[TopicFilter, ...],
    day: date | None,
    language: str | None,
) -> Message:
    """Return a digest marked as a test. Raises DigestError if there is none, and AddressError."""
    address = normalise_address(to)
    return app.composer.compose(
        replace(_digest(app, topics, day), locale=language),
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
