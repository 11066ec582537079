"""Run `digest up`, or one of its parts, until SIGINT or SIGTERM.

``ready`` is called when it runs.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING

from digest.app.app import App
from digest.errors import ServiceError
from digest.service.alerting import Operator
from digest.service.jobs import Jobs
from digest.service.os_signals import stop_signals
from digest.service.scheduler import add_job, new_scheduler, run_forever
from digest.service.work_process import keep_running

if TYPE_CHECKING:
    from digest.service.web_server import WebServer

Ready = Callable[[], None]

MINUTE = 60.0  # seconds
SOON = 5.0
HOUR = 3600.0
LAST_ANSWERS = 10.0  # seconds that the pages have for them


def keep_schedule(
    app: App, ready: Ready = lambda: None, *, and_inbox: bool = False, tempo: float = 1
) -> None:
    """Collect, make editions, plan, send and clean up, each when it is time.

    ``tempo`` says how many times faster the schedule runs (in tests).
    """
    app.make_ready()
    jobs = Jobs(app)
    scheduler = new_scheduler()
    if and_inbox:
        add_job(scheduler, "reading the inbox", jobs.read_inbox, app.settings.inbox_every / tempo)
    add_job(scheduler, "collecting", jobs.collect, MINUTE / tempo)
    add_job(scheduler, "the edition", jobs.tick, MINUTE / tempo)
    add_job(scheduler, "planning", jobs.plan, MINUTE / tempo)
    add_job(scheduler, "sending", jobs.send, SOON)
    add_job(scheduler, "tidying up", jobs.tidy, HOUR / tempo)
    run_forever(scheduler, ready, app.stop)


def send_what_waits(app: App, ready: Ready) -> None:
    """Send what waits in the ledger; a schedule elsewhere plans it."""
    app.make_ready()
    scheduler = new_scheduler()
    add_job(scheduler, "sending", Jobs(app).send, SOON)
    run_forever(scheduler, ready, app.stop)


def watch_inbox(app: App, ready: Ready) -> None:
    """Read the mail that comes back, every DIGEST_INBOX_EVERY seconds."""
    jobs = Jobs(app)
    jobs.read_inbox()  # a wrong setting shows now
    scheduler = new_scheduler()
    add_job(scheduler, "reading the inbox", jobs.read_inbox, app.settings.inbox_every)
    run_forever(scheduler, ready, lambda: None)


@dataclass(frozen=True, slots=True)
class Pages:
    """The address and port that the pages listen on."""

    host: str
    port: int

    def server(self, app: App, ready: Ready) -> "WebServer":
        """Return their server, which listens already. Raises DigestError."""
        from digest.app.web import web  # noqa: PLC0415  slow to load
        from digest.service.web_server import WebServer  # noqa: PLC0415

        proxies = app.settings.trusted_proxies
        return WebServer(web(app), self.host, self.port, ready=ready, trusted_proxies=proxies)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"


def run_all(app: App, pages: Pages, ready: Ready, tempo: float = 1) -> None:
    """Serve the pages, and run the schedule in another process, until told to stop.

    The pages answer until the schedule has finished what it was doing; a second signal ends both.
    Raises DigestError, and ends both, if a setting is missing or the pages fail.
    """
    app.make_ready()
    begun = Event()
    server = pages.server(app, begun.set)

    def answer() -> None:
        try:
            server.run()
        finally:
            if server.started and not server.should_exit:
                os.kill(os.getpid(), signal.SIGTERM)
            begun.set()

    with stop_signals() as told:
        thread = Thread(target=answer, name="pages", daemon=True)
        thread.start()
        begun.wait()
        if not server.started:
            raise ServiceError("the pages could not begin")
        ready()
        work = partial(_keep_schedule, app.another, tempo)
        operator = Operator(app)
        keep_running(work, told, lambda trouble: operator.tell((trouble,)))
        if not thread.is_alive():
            raise ServiceError("the pages could not go on")
        server.should_exit = True
        thread.join(LAST_ANSWERS)


def _keep_schedule(another: Callable[[], App], tempo: float) -> None:
    app = another()
    keep_schedule(app, and_inbox=app.settings.inbox is not None, tempo=tempo)
