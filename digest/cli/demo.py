"""`digest demo`: the whole path with one real day of papers and three sample subscribers.

It needs no settings, network or server, and runs the same code as everything else.
"""

import email
import email.policy
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.terminal import Json, balance_line, out, print_json, progress_bar, warn
from digest.collect.sample_edition import SAMPLE_EDITION, SAMPLE_EVENING
from digest.errors import SettingError
from digest.model.deliveries import DeliveryState
from digest.model.digests import Section
from digest.model.progress import Progress
from digest.pipeline import Run
from subscribers.topics import parse_topics

PORT = 8025
SOON = 1.0  # seconds from confirming to the first digest, at most
NOW = SAMPLE_EVENING
SUBSCRIBERS = {
    "ada@example.org": ("video generation", "world models"),
    "grace@example.org": ("agents", "tool use", "reinforcement learning"),
    "alan@example.org": ("image generation", "compression"),
}


@dataclass(frozen=True, slots=True)
class DemoMail:
    """One row of the table that is printed."""

    subscriber: str
    papers: int
    reasons: str
    eml: Path
    html: Path


@dataclass(frozen=True, slots=True)
class Demo:
    """The result of a demo; ``sent_now`` is 0 if it was run before."""

    run: Run
    mails: tuple[DemoMail, ...]
    sent_now: int


def demo(
    home: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where everything is written.")
    ] = Path("paper-digest-demo"),
    serve: Annotated[
        bool, typer.Option("--serve", help="Then show it: pages, emails and studio.")
    ] = False,
    port: Annotated[
        int,
        typer.Option(metavar="PORT", help="Where the links in the emails lead.", min=1, max=65535),
    ] = PORT,
    as_json: Json = False,
) -> None:
    """Make the emails of one built-in day for three sample subscribers, as files.

    No settings are needed, nothing is fetched, and no email is sent. With --serve, the links in the
    emails work: sign up, and confirm in the outbox of the studio.

    $ digest demo
    $ digest demo --serve
    """
    app = demo_app(home, port)
    with progress_bar("Emails written") as report:
        done = run_demo(app, report)
    if as_json:
        print_json(done)
        return
    table = Table(title=f"The emails are in {home / 'outbox'}", title_justify="left")
    table.add_column("Subscriber", no_wrap=True)
    table.add_column("Papers", justify="right")
    table.add_column("Reasons", overflow="fold")
    table.add_column("File", no_wrap=True)
    for mail in done.mails:
        table.add_row(mail.subscriber, str(mail.papers), mail.reasons, f"{mail.eml.stem}.*")
    Console(highlight=False).print(table)
    if done.run.balance:
        out.print(balance_line(done.run.balance))
    if not done.sent_now:
        out.print("The demo was run here before: nobody gets the same edition twice.")
    if serve:
        _serve(app, port)
        return
    out.print("Open an .html file in a browser. The .eml files have all headers as well.")
    out.print("To click through pages, emails and studio: digest demo --serve")


def _serve(app: App, port: int) -> None:
    """Show all of the demo on one local address, until stopped, as if it were its evening."""
    from digest.app.demo_site import demo_site
    from digest.app.studio import folders
    from digest.service.jobs import Jobs
    from digest.service.scheduler import add_job, new_scheduler
    from digest.service.web_server import WebServer
    from digest.studio.watch import Watch

    def say_ready() -> None:
        warn(
            f"The pages are at {server.url}, the emails at {server.url}studio/outbox, and the "
            f"studio at {server.url}studio/. Stop with Ctrl-C."
        )

    jobs, scheduler = Jobs(app), new_scheduler()
    add_job(scheduler, "first digests", jobs.plan_first, SOON)
    add_job(scheduler, "sending", jobs.send, SOON)
    watch = Watch(folders(app))  # else a studio that is open in a browser keeps it from ending
    site = demo_site(app, watch)
    server = WebServer(site, "127.0.0.1", port, ready=say_ready, ending=watch.end)
    scheduler.start()
    try:
        server.run()
    finally:
        app.stop()
        scheduler.shutdown()


def run_demo(app: App, progress: Progress) -> Demo:
    """Make and send the edition. Raises DigestError."""
    for address, topics in SUBSCRIBERS.items():
        app.registry.add(address, parse_topics(topics), source="demo", now=NOW)
    app.collector.collect_files([SAMPLE_EDITION], None, NOW)
    sent: list[int] = []

    def count(done: int, total: int) -> None:
        sent.append(done)
        progress(done, total)

    run = app.pipeline.tick(NOW, everybody=True, progress=count)
    assert run is not None
    return Demo(run, tuple(_mails(app)), len(sent))


def demo_app(home: Path, port: int = PORT) -> App:
    """Return the demo's objects; its clock begins on the evening of the sample's day."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"{home}: cannot make this folder ({error.strerror})") from error
    begun = utc_now()
    return App(
        environment={},
        dotenv=None,
        clock=lambda: NOW + (utc_now() - begun),
        home=str(home),
        from_="digest@example.org",
        base_url=f"http://127.0.0.1:{port}",
        secret=_secret(home / "secret"),
        postal_address="Paper Digest, 1 Example Street, 0150 Oslo, Norway",
    )


def _secret(file: Path) -> str:
    """Return the demo's own key, made once, so that a second run signs the same links."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32), encoding="utf-8")
    return file.read_text(encoding="utf-8")


def _mails(app: App) -> list[DemoMail]:
    edition = app.ledger.editions.on(NOW.date())
    assert edition is not None
    mails = []
    for report in app.ledger.deliveries.reports(edition):
        subscriber = app.registry.get(report.delivery.subscriber_id)
        if subscriber is None or report.state is not DeliveryState.ACCEPTED:
            continue
        picks = app.ledger.editions.picks(edition, report.delivery)
        for_you = [pick for pick in picks if pick.section is Section.FOR_YOU]
        per_topic = [
            (
                topic.text,
                sum(p.match is not None and p.match.reason.topic == topic.text for p in for_you),
            )
            for topic in subscriber.topics
        ]
        reasons = [f"{topic} ({count})" for topic, count in per_topic if count]
        if trending := len(picks) - len(for_you):
            reasons.append(f"trending ({trending})")
        eml = Path(report.last_words)
        html = _html_beside(eml)
        mails.append(DemoMail(subscriber.address, len(picks), ", ".join(reasons), eml, html))
    return mails


def _html_beside(eml: Path) -> Path:
    """Write the HTML part of an email to a file beside it; return the file."""
    message = email.message_from_bytes(eml.read_bytes(), policy=email.policy.default)
    part = message.get_body(("html",))
    assert part is not None
    path = eml.with_suffix(".html")
    path.write_text(part.get_content(), encoding="utf-8")
    return path
