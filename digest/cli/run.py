"""`digest run`, once; and `digest up` and its parts, which run until they are stopped."""

from datetime import datetime
from typing import Annotated

import typer

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.terminal import Json, balance_line, print_result, progress_bar, read_day, warn
from digest.deliver.rate_limit import is_within
from digest.ledger.database import as_ledger_error
from digest.model.timetable import Timetable
from digest.service.os_signals import stopping
from digest.settings.settings import variable

Host = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Where the pages listen; 0: any free port.")
]
Port = Annotated[
    int,
    typer.Option(
        metavar="PORT", help="Where the pages listen; 0: any free port.", min=0, max=65535
    ),
]
LOCAL = "127.0.0.1"
PORT = 8000


def _moment(typed: str) -> datetime:
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        raise typer.BadParameter(f"{typed!r} is not a time like 2026-01-31T08:00:00Z") from None
    read_day(str(moment.date()))
    return moment


def run(
    now: Annotated[
        datetime | None,
        typer.Option(parser=_moment, metavar="ISO-8601", help="As if it were this moment."),
    ] = None,
    _once: Annotated[bool, typer.Option("--once", hidden=True)] = False,  # in older crontabs
    as_json: Json = False,
) -> None:
    """Make today's edition now, send it to everybody due, and print the balance.

    Nobody gets it twice, however often this runs. Exit status 1: not everything could be done, or
    another process is still sending.

    $ digest run
    """
    from digest.service.alerting import Operator

    app = App()
    moment = now or utc_now()
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=app.settings.timezone)
    app.make_ready()
    operator = Operator(app)
    with (
        operator.alerted_to_errors(),
        as_ledger_error(),
        stopping(app.stop),
        progress_bar("Sources asked") as asking,
        progress_bar("Emails sent") as report,
    ):
        done = app.pipeline.tick(moment, everybody=True, asking=asking, progress=report)
    assert done is not None
    operator.alert(done.trouble, balance=done.balance)
    lines = [balance_line(done.balance)] if done.balance else []
    print_result(done.balance, lines, as_json=as_json)
    for trouble in done.trouble:
        warn(f"digest: {trouble}")
    others_send = app.ledger.health.queue(moment).being_sent > 0
    if done.balance and done.balance.pending and not done.trouble:
        warn(f"{done.balance.pending} pending: {_when_sent(app, moment, others_send)}.")
    if done.trouble or others_send:
        raise typer.Exit(1)


def _when_sent(app: App, now: datetime, others_send: bool) -> str:
    """Say who sends the emails that a run without trouble has left, or when they are sent."""
    hours = app.settings.send_window
    if others_send:
        return "another process is sending them (digest up, schedule or worker)"
    if hours and not is_within(hours, now.astimezone(app.settings.timezone)):
        return (
            f"emails are sent from {hours[0]:%H:%M} to {hours[1]:%H:%M} ({variable('send_window')})"
        )
    return "digest worker sends them" if app.is_cluster else "a later run sends them"


def up(host: Host = LOCAL, port: Port = PORT) -> None:
    """Run everything: pages, schedule, sending, and the mail that comes back.

    It can be stopped and started at any time: nobody is forgotten, and nobody gets anything twice.

    $ digest up --port 8000
    """
    from digest.service.services import Pages, run_all

    app = App()

    def say_ready(url: str) -> None:
        inbox = f" The mailbox is read every {app.settings.inbox_every} s."
        warn(
            f"The pages are at {url}. {editions_line(app, utc_now())}"
            f"{inbox if app.settings.inbox else ''} Stop with Ctrl-C."
        )

    run_all(app, Pages(host, port), say_ready)


def schedule() -> None:
    """Make the edition each day at DIGEST_RUN_AT, and send it to everybody at their own time.

    $ digest schedule
    """
    from digest.service.services import keep_schedule

    app = App()
    keep_schedule(app, lambda: warn(f"{editions_line(app, utc_now())} Stop with Ctrl-C."))


def worker(
    slots: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Connections to the relay at the same time. Default: DIGEST_SEND_CONNECTIONS.",
            min=1,
            max=500,
        ),
    ] = None,
) -> None:
    """Help with sending, on this machine or another one, until stopped.

    With DIGEST_ENGINE=cluster, start one on each machine: together they do everything but the
    pages, and it does not matter which of them is lost. All of them need the same database.

    $ digest worker --slots 8
    """
    from digest.service.services import help_sending

    app = App() if slots is None else App(send_connections=str(slots))
    help_sending(app, lambda: warn("Sending what waits. Stop with Ctrl-C."))


def serve(host: Host = LOCAL, port: Port = PORT) -> None:
    """Serve the pages: subscribe, change topics, unsubscribe, past editions.

    $ digest serve --port 8000
    """
    from digest.service.services import Pages

    def say_ready() -> None:
        warn(f"The pages are at {server.url}. Stop with Ctrl-C.")

    server = Pages(host, port).server(App(), say_ready)
    server.run()


def editions_line(app: App, now: datetime) -> str:
    """Say when editions are made, and when today's is."""
    timetable = Timetable(app.settings.run_at, app.settings.timezone)
    day = timetable.day_of(now)
    if app.ledger.editions.on(day):
        today = "today's was made before"
    elif now >= timetable.edition_at(day):
        today = "today's is made now"
    else:
        today = "today's is still to come"
    return f"An edition is made each day at {timetable.at:%H:%M} {timetable.zone.key}; {today}."
