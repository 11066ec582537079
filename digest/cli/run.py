"""`digest run`, once; and `digest up` and its parts, which run until they are stopped."""

from datetime import datetime
from typing import Annotated

import typer

from digest.app.app import App, utc_now
from digest.cli.terminal import Json, balance_line, print_result, progress_bar, read_day, warn
from digest.ledger.database import as_ledger_error
from digest.service.os_signals import stopping

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

    Nobody gets it twice, however often this runs. Exit status 1: not everything could be done.

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
        operator.told_of_a_fault(),
        as_ledger_error(),
        stopping(app.stop),
        progress_bar("Sources asked") as asking,
        progress_bar("Emails sent") as report,
    ):
        done = app.pipeline.tick(moment, everybody=True, asking=asking, progress=report)
    assert done is not None
    operator.tell(done.trouble, balance=done.balance)
    lines = [balance_line(done.balance)] if done.balance else []
    print_result(done.balance, lines, as_json=as_json)
    for trouble in done.trouble:
        warn(f"digest: {trouble}")
    if done.trouble:
        raise typer.Exit(1)


def up(host: Host = LOCAL, port: Port = PORT) -> None:
    """Run everything: pages, schedule, sending, and the mail that comes back.

    It can be stopped and started at any time: nobody is forgotten, and nobody gets anything twice.

    $ digest up --port 8000
    """
    from digest.service.services import Pages, run_all

    app = App()
    pages = Pages(host, port)

    def say_ready() -> None:
        inbox = f" The mailbox is read every {app.settings.inbox_every} s."
        warn(
            f"The pages are at {pages.url}. There is an edition {_each_day(app)}."
            f"{inbox if app.settings.inbox else ''} Stop with Ctrl-C."
        )

    run_all(app, pages, say_ready)


def schedule() -> None:
    """Make the edition each day at DIGEST_RUN_AT, and send it to everybody at their own time.

    $ digest schedule
    """
    from digest.service.services import keep_schedule

    app = App()
    keep_schedule(app, lambda: warn(f"There is an edition {_each_day(app)}. Stop with Ctrl-C."))


def worker() -> None:
    """Help the schedule with sending, on this machine or another one, until stopped.

    All of them need the same database: PostgreSQL, if they run on several machines.

    $ digest worker
    """
    from digest.service.services import send_what_waits

    send_what_waits(App(), lambda: warn("Sending what waits. Stop with Ctrl-C."))


def serve(host: Host = LOCAL, port: Port = PORT) -> None:
    """Serve the pages: subscribe, change topics, unsubscribe, past editions.

    $ digest serve --port 8000
    """
    from digest.service.services import Pages

    pages = Pages(host, port)
    pages.server(App(), lambda: warn(f"The pages are at {pages.url}. Stop with Ctrl-C.")).run()


def _each_day(app: App) -> str:
    return f"each day at {app.settings.run_at:%H:%M} {app.settings.timezone.key}"
