"""One digest in nobody's name, to look at or to send as a test. The books are not touched."""

from datetime import date
from pathlib import Path

from digest.app.app import App
from digest.errors import LedgerError
from digest.model.digests import Digest
from digest.model.messages import Message
from subscribers.addresses import normalise_address
from subscribers.topics import TopicFilter

Topics = tuple[TopicFilter, ...]


def test_message(app: App, to: str, topics: Topics, day: date | None) -> Message:
    """A digest of a day (by default the latest with papers), marked as a test.

    Raises DigestError where there is none, and AddressError.
    """
    return app.composer.compose(
        _digest(app, topics, day),
        to=normalise_address(to),
        public_id="test",
        now=app.clock(),
        subject_mark="[test]",
    )


def write_preview(app: App, topics: Topics, day: date | None) -> list[Path]:
    """Such a digest as files in DIGEST_HOME, HTML and text; their paths. Raises DigestError."""
    content = app.preview_composer.render(_digest(app, topics, day), "preview")
    folder = app.settings.home / "preview"
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / "digest.html": content.html, folder / "digest.txt": content.text}
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return list(files)


def _digest(app: App, topics: Topics, day: date | None) -> Digest:
    day = day or app.ledger.papers.latest_day()
    if day is None:
        raise LedgerError("nothing is collected yet: run digest collect")
    digest = app.planning.draft(day, topics)
    if digest is None:
        what = "matches these topics" if topics else "is listed"
        raise LedgerError(f"no paper of {day} {what}")
    return digest
