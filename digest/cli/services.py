"""`digest up`, and its parts alone: what runs until it is stopped."""

from typing import Annotated

import typer

from digest.app.app import App
from digest.cli.terminal import warn

Host = Annotated[str, typer.Option(help="Address that the pages listen on.")]
Port = Annotated[int, typer.Option(help="Port that the pages listen on.")]
LOCAL = "127.0.0.1"
PORT = 8000


def up(host: Host = LOCAL, port: Port = PORT) -> None:
    """Run everything: pages, schedule, sending, and the mail that comes back."""
    from digest.service.services import Pages, run_all

    app = App()
    pages = Pages(host, port)

    def say_ready() -> None:
        inbox = f" Mail that comes back is read every {app.settings.inbox_every} s."
        warn(
            f"The pages are at {pages.url}, and there is an edition {_each_day(app)}."
            f"{inbox if app.settings.inbox else ''} Stop with Ctrl-C."
        )

    run_all(app, pages, say_ready)


def schedule() -> None:
    """Make the edition each day at DIGEST_RUN_AT, and send it to everybody at their own time."""
    from digest.service.services import keep_schedule

    app = App()
    keep_schedule(app, lambda: warn(f"An edition {_each_day(app)}. Stop with Ctrl-C."))


def worker() -> None:
    """Send what waits in the ledger, until stopped: beside a schedule, on this machine or others.

    The ledger must be one that they share (PostgreSQL, for several machines).
    """
    from digest.service.services import send_what_waits

    send_what_waits(App(), lambda: warn("Sending what waits. Stop with Ctrl-C."))


def serve(host: Host = LOCAL, port: Port = PORT) -> None:
    """Serve the pages: subscribe, choose, unsubscribe, past editions."""
    from digest.service.services import Pages

    pages = Pages(host, port)

    def say_ready() -> None:
        warn(f"The pages are at {pages.url}. Stop with Ctrl-C.")

    pages.server(App(), say_ready).run()


def _each_day(app: App) -> str:
    return f"each day at {app.settings.run_at:%H:%M} {app.settings.timezone.key}"
