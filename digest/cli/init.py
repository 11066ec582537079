"""`digest init`: ask for what must be known, try each answer, write `.env`, send one digest."""

import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from urllib.parse import quote, urlsplit

import typer
from dotenv import dotenv_values
from tzlocal import get_localzone_name

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.doctor import diagnosis_line
from digest.cli.terminal import Json, err, fail, out, print_json, warn
from digest.cli.test_send import test_message
from digest.collect.sample_edition import SAMPLE_EDITION
from digest.doctor.diagnosis import Diagnosis, Level
from digest.doctor.dns import examine_dns
from digest.doctor.relay import examine_outlet
from digest.doctor.settings import judge_host
from digest.errors import DigestError, SettingError
from digest.ledger.atomic_file import part_of, put_in_place
from digest.model.messages import Message, Outcome, OutcomeKind
from digest.settings.dotenv import with_values
from digest.settings.reading import read_settings
from digest.settings.settings import Settings, variable
from subscribers.topics import parse_topics

DOTENV = Path(".env")
TRIAL = "http://127.0.0.1:8000"
NO_RELAY = "none"
SENDMAIL_IN = "/usr/sbin:/usr/lib"
SAMPLE_DAY = date(2025, 12, 5)
HEAD = "# Settings of Paper Digest, by `digest init`. All of them: digest config --example\n"

Answers = dict[str, str]  # texts by field of Settings


@dataclass(frozen=True)
class Question:
    """One thing to ask: the field of Settings, the words, the default, and how to try an answer."""

    name: str
    words: str
    default: Callable[[Answers], str]
    attempt: Callable[[Settings], Sequence[Diagnosis]] = lambda _: ()


def init(
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help=f"Address of the pages; for a trial {TRIAL}."),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="ADDRESS", help="Who the digests come from.")
    ] = None,
    transport: Annotated[
        str | None,
        typer.Option(metavar="URL", help=f"Your relay, as DIGEST_TRANSPORT; or {NO_RELAY}: files."),
    ] = None,
    postal_address: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Postal address in the footer.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Time zone of the editions.")
    ] = None,
    operator: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Your address: for a test, and for alerts."),
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="A topic of the test digest. Repeatable."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not try the answers; ask no source.")
    ] = False,
    defaults: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: what is not given is the default.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Set up an installation: answer six questions, and get one digest as a test.

    Each answer is tried at once: the relay's login and encryption, the DNS of your domain. They are
    written to .env in this folder, which only you can read. Run it again to change an answer.

    $ digest init
    $ digest init --yes --base-url https://digest.example.org --operator you@example.org
    """
    given = {
        "base_url": base_url,
        "from_": from_,
        "transport": transport,
        "postal_address": postal_address,
        "timezone": timezone,
        "operator": operator,
    }
    asks = sys.stdin.isatty() and not defaults and not as_json
    if asks:
        out.print("Press Enter to take the answer in brackets.")
    answers: Answers = {}
    for question in QUESTIONS:
        answers[question.name] = _answer(question, given[question.name], answers, offline, asks)
    _write(answers)
    app = App()
    message, is_sample = _first_digest(app, topic or [], offline)
    outcome = app.post(message)
    if as_json:
        print_json({"file": DOTENV, "trial": app.settings.is_trial, "test": outcome})
    else:
        for line in _what_next(app, outcome, is_sample):
            out.print(line)
    if outcome.kind is not OutcomeKind.ACCEPTED:
        raise typer.Exit(1)


# ---- questions -------------------------------------------------------------------------------


def _answer(
    question: Question, given: str | None, answers: Answers, offline: bool, asks: bool
) -> str:
    """Return an answer that can be read and was tried; "" leaves the setting unset.

    What the environment sets is not asked: it would win over the file.
    """
    name = variable(question.name)
    if set_outside := os.environ.get(name):
        if given and given != set_outside:
            fail(f"{name} is set in the environment, which wins: change it there.")
        return set_outside
    default = _of_file().get(name) or question.default(answers)
    while True:
        typed = given or (typer.prompt(question.words, default=default) if asks else default)
        value = _relay(typed, asks) if question.name == "transport" else typed.strip()
        try:
            works = _works(question, _settings({**answers, question.name: value}), offline)
        except SettingError as error:
            if given or not asks:
                fail(f"{error}; nothing was written")
            warn(str(error))
            continue
        if works:
            return value
        if given or not asks:
            fail(f"{name} does not work, so nothing was written; --offline does not try it")
        if typer.confirm("Use it nevertheless?"):
            return value


def _works(question: Question, settings: Settings, offline: bool) -> bool:
    """Try an answer, print what is found on standard error, and return whether it works."""
    found = [] if offline else question.attempt(settings)
    for diagnosis in found:
        if diagnosis.level is not Level.GOOD or question.name == "transport":
            err.print(diagnosis_line(diagnosis), soft_wrap=True)
    return not any(diagnosis.level is Level.PROBLEM for diagnosis in found)


def _relay(typed: str, asks: bool) -> str:
    """Return the URL of a relay from what was typed: a URL, a host, or that there is none."""
    typed = typed.strip()
    if typed == NO_RELAY:
        return ""
    if ":/" in typed or not asks:
        return typed
    port = typer.prompt("Its port", default=587, type=int)
    user = typer.prompt("User (empty: no login)", default="", show_default=False)
    password = typer.prompt("Password", hide_input=True) if user else ""
    return relay_url(typed, port, user, password)


def relay_url(host: str, port: int, user: str, password: str) -> str:
    """Return DIGEST_TRANSPORT for a relay: encrypted, except on this machine without a login."""
    if port == 465:
        scheme = "smtps"
    elif not user and host in {"localhost", "127.0.0.1", "::1"}:
        scheme = "smtp"
    else:
        scheme = "smtp+starttls"
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    return f"{scheme}://{login}{f'[{host}]' if ':' in host else host}:{port}"


def _settings(answers: Answers) -> Settings:
    """Return the settings as these answers make them. Raises SettingError."""
    answered = {variable(name): value for name, value in answers.items()}
    return read_settings({**_of_file(), **answered, **os.environ})[0]


def _of_file() -> dict[str, str]:
    """Return what `.env` sets, by an earlier time or by hand. Raises SettingError."""
    read_settings({}, DOTENV)
    return {name: value or "" for name, value in dotenv_values(DOTENV, interpolate=False).items()}


# ---- defaults, and how answers are tried -----------------------------------------------------


def _domain(answers: Answers) -> str:
    """Return the domain that mail should come from: that of the pages, without their own label."""
    url = urlsplit(answers["base_url"])
    if url.scheme != "https":
        return "example.org"
    host = url.hostname or ""
    first, _, rest = host.partition(".")
    return rest if first in {"digest", "papers", "www"} and "." in rest else host


def _postal(answers: Answers) -> str:
    if not answers["base_url"].startswith("https:"):
        return f"Paper Digest, a trial at {socket.gethostname()}"
    return f"Paper Digest, {_domain(answers)}"


def _local_relay(_answers: Answers) -> str:
    sendmail = shutil.which("sendmail", path=SENDMAIL_IN)
    return f"sendmail:{sendmail}" if sendmail else NO_RELAY


def _zone(_answers: Answers) -> str:
    with suppress(Exception):  # a machine may have any nonsense there
        return get_localzone_name() or "UTC"
    return "UTC"


def _try_dns(settings: Settings) -> Sequence[Diagnosis]:
    from digest.doctor import names

    return () if settings.is_trial else examine_dns(settings, names.system_resolver())


QUESTIONS = (
    Question(
        "base_url",
        f"Address of your pages, which readers open ({TRIAL}: a trial on this machine)",
        lambda _: TRIAL,
        lambda settings: [] if settings.is_trial else list(judge_host(settings)),
    ),
    Question(
        "from_",
        "Address that the digests come from",
        lambda answers: f"digest@{_domain(answers)}",
        _try_dns,
    ),
    Question(
        "transport",
        f"Relay that takes your mail: its host or URL ({NO_RELAY}: emails are written to files)",
        _local_relay,
        lambda settings: examine_outlet(settings, utc_now(), offline=False),
    ),
    Question(
        "postal_address",
        "Postal address for the footer, as many countries require",
        _postal,
    ),
    Question("timezone", "Time zone of the editions", _zone),
    Question(
        "operator",
        "Your own address: for a test now, and for alerts later",
        lambda answers: answers["from_"],
    ),
)


# ---- what is written, and sent ---------------------------------------------------------------


def _write(answers: Answers) -> None:
    """Write the answers to `.env`, with a new key for links unless there is one."""
    values = {
        variable(name): value for name, value in answers.items() if variable(name) not in os.environ
    }
    text = DOTENV.read_text(encoding="utf-8") if DOTENV.exists() else HEAD
    if _settings({}).secret is None:
        values[variable("secret")] = secrets.token_hex(32)
    try:
        with part_of(DOTENV) as part:
            part.write_text(with_values(text, values), encoding="utf-8")
            put_in_place(part, DOTENV)
    except OSError as error:
        raise SettingError(f"{DOTENV} cannot be written: {error.strerror}") from error


def _first_digest(app: App, topics: list[str], offline: bool) -> tuple[Message, bool]:
    """Return a digest of the sources' papers, or of the built-in day, and whether it is that."""
    chosen = parse_topics(topics)
    operator = app.settings.operator
    assert operator is not None
    if not offline and app.ledger.papers.latest_day() is None:
        with suppress(DigestError):  # the built-in day has papers in any case
            app.pipeline.collect_for_edition(utc_now())
    with suppress(DigestError):
        return test_message(app, operator, chosen, None, None), False
    with TemporaryDirectory() as folder:
        sample = App(home=folder, database_url=f"sqlite:///{folder}/digest.sqlite3")
        sample.collector.collect_files([SAMPLE_EDITION], None, utc_now())
        try:
            return test_message(sample, operator, chosen, SAMPLE_DAY, None), True
        finally:
            sample.engine.dispose()


def _what_next(app: App, outcome: Outcome, is_sample: bool) -> list[str]:
    settings = app.settings
    why = f" Its papers are those of {SAMPLE_DAY}: no source gave any." if is_sample else ""
    each_day = f"an edition each day at {settings.run_at:%H:%M} {settings.timezone.key}"
    lines = [
        f"Your answers are in {DOTENV}, which only you can read.",
        f"A digest to {settings.operator}: {outcome.kind.value} ({outcome.text}).{why}",
        "",
        "Next:",
        '  digest subscribers add you@example.org --topic "language models"',
        f"  digest up       the pages at {settings.base_url}, and {each_day}",
    ]
    if settings.is_trial:
        lines.append("  digest init     again, with your own domain, before you send to others")
    else:
        lines.append("  digest doctor   what else to set up before you send to others")
    return lines
