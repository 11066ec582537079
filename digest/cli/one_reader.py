"""`digest send --state`: digests for one reader, without a server.

The folder is the home of an installation with one subscriber, so that all promises hold: there is a
row for each digest before it is sent, nothing is sent twice, and nothing is shown twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import typer

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.terminal import balance_line, fail, misused, print_result, warn
from digest.cli.test_send import spoken
from digest.ledger.database import as_ledger_error
from digest.pipeline import Run
from digest.service.alerting import Operator
from digest.service.os_signals import stopping
from digest.settings.settings import variable
from subscribers.addresses import normalise_address
from subscribers.topics import TopicFilter

ROOMS = "chat.example.org"  # where the ledger has chat rooms; no mail goes there
SOURCE = "digest send"  # what vouches for the reader's consent


def send_new(
    folder: Path, to: str, topics: Sequence[TopicFilter], language: str | None, *, as_json: bool
) -> None:
    """Collect, and send a reader what is new on these topics. Raises DigestError."""
    folder.mkdir(parents=True, exist_ok=True)
    if "://" in to:
        room = sha256(to.encode()).hexdigest()[:16]  # the URL is a secret
        app, to = App(home=str(folder), transport=f"chat:{to}"), f"{room}@{ROOMS}"
    else:
        app = App(home=str(folder))
    if app.settings.database_url:
        misused(f"--state keeps its own database: unset {variable('database_url')}")
    try:
        run = _run(app, folder, to, topics, spoken(app.templates.languages, language))
    finally:
        app.engine.dispose()  # then the whole database is in one file, which can be copied
    line = balance_line(run.balance) if run.balance else "No edition: there are no papers."
    print_result(run.balance, [line], as_json=as_json)
    if run.trouble or run.balance:
        Operator(app).ping(failed=bool(run.trouble))
    for trouble in run.trouble:
        warn(f"digest: {trouble}")
    if run.trouble:
        raise typer.Exit(1)


def _run(
    app: App, folder: Path, to: str, topics: Sequence[TopicFilter], language: str | None
) -> Run:
    app.make_ready()
    address = normalise_address(to)
    others = [person.address for person in app.registry.everybody() if person.address != address]
    if others:
        fail(f"{folder} is the state of {others[0]}: give each reader a folder of their own")
    person = app.registry.add(address, topics, source=SOURCE, now=utc_now())
    if person.preferences.locale != language:  # what is not asked for is DIGEST_LANGUAGE
        preferences = replace(person.preferences, locale=language)
        app.registry.set_preferences(person.public_id, person.topics, preferences)
    with as_ledger_error(), stopping(app.stop):
        run = app.pipeline.tick(utc_now(), everybody=True)
    assert run is not None
    return run
