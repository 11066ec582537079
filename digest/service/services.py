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
from digest.errors import ServiceError, SettingError
from digest.ledger.alerts import About
from digest.service.alerting import Operator
from digest.service.jobs import Jobs
from digest.service.os_signals import stop_signals
from digest.service.recurring import SOON, recurring_jobs
from digest.service.scheduler import add_job, new_scheduler, run_forever
from digest.service.work_process import keep_running

if TYPE_CHECKING:
    from digest.service.web_server import WebServer

Ready = Callable[[], None]

LAST_ANSWERS = 10.0  # seconds that the pages have for them


def keep_schedule(
    app: App, ready: Ready = lambda: None, *, and_inbox: bool = False, tempo: float = 1
) -> None:
    """Collect, make editions, plan, send and clean up, each when it is time.

    With the engine for several machines, any other worker may do it instead. ``tempo`` says how
    many times faster the schedule runs (in tests).
    """
    app.make_ready()
    if app.is_cluster:
        from digest.service.cluster import work  # noqa: PLC0415  an extra

        work(app, ready, tempo)
        return
    scheduler = new_scheduler()
    for job in recurring_jobs(app, and_inbox=and_inbox, tempo=tempo):
        add_job(scheduler, job.name, job.work, job.every)
    run_forever(scheduler, ready, app.stop)


def help_sending(app: App, ready: Ready) -> None:
    """Send what waits. With the engine for several machines, do all other jobs as well.

    With the embedded one, a schedule elsewhere plans it.
    """
    if app.is_cluster:
        keep_schedule(app, ready)
        return
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

        if app.settings.base_url == "":
            raise SettingError("DIGEST_BASE_URL is none: there are no pages to serve")
        proxies = app.settings.trusted_proxies
        return WebServer(web(app), self.host, self.port, ready=ready, trusted_proxies=proxies)


def run_all(app: App, pages: Pages, ready: Callable[[str], None], tempo: float = 1) -> None:
    """Serve the pages, and run the schedule in another process, until told to stop.

    ``ready`` is called with the URL of the pages. They answer until the schedule has finished what
    it was doing; a second signal ends both.
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
        ready(server.url)
        work = partial(_keep_schedule, app.another, tempo)
        operator = Operator(app)
        keep_running(work, told, lambda trouble: operator.alert((trouble,), About.PROCESS))
        if not thread.is_alive():
            raise ServiceError("the pages could not go on")
        server.should_exit = True
        thread.join(LAST_ANSWERS)


def _keep_schedule(another: Callable[[], App], tempo: float) -> None:
    app = another()
    keep_schedule(app, and_inbox=app.settings.inbox is not None, tempo=tempo)
