"""What runs until it is told to stop, alone or under `digest up`.

Each service is made in the process that it runs in; ``ready`` is called once it runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from digest.app.app import App
from digest.service.jobs import Jobs
from digest.service.scheduler import add_job, new_scheduler, run_forever
from digest.service.supervisor import Service

Ready = Callable[[], None]

MINUTE = 60.0  # seconds
SOON = 5.0
HOUR = 3600.0


def keep_schedule(app: App, ready: Ready, *, and_inbox: bool = False, tempo: float = 1) -> None:
    """Collect, make editions, plan, send, tidy up: each when it is time for it.

    ``tempo`` is how much faster than others' our clock goes (in tests).
    """
    app.make_ready()
    duties = Jobs(app)
    scheduler = new_scheduler()
    if and_inbox:
        add_job(scheduler, "reading the inbox", duties.read_inbox, app.settings.inbox_every / tempo)
    add_job(scheduler, "collecting", duties.collect, MINUTE / tempo)
    add_job(scheduler, "the edition", duties.tick, MINUTE / tempo)
    add_job(scheduler, "planning", duties.plan, MINUTE / tempo)
    add_job(scheduler, "sending", duties.send, SOON)
    add_job(scheduler, "tidying up", duties.tidy, HOUR / tempo)
    run_forever(scheduler, ready, app.stop)


def send_what_waits(app: App, ready: Ready) -> None:
    """Send what waits in the ledger, beside a schedule that plans it."""
    app.make_ready()
    scheduler = new_scheduler()
    add_job(scheduler, "sending", Jobs(app).send, SOON)
    run_forever(scheduler, ready, app.stop)


def watch_inbox(app: App, ready: Ready) -> None:
    """Read the mail that comes back, again and again."""
    duties = Jobs(app)
    duties.read_inbox()  # what is wrong with it shows now
    scheduler = new_scheduler()
    add_job(scheduler, "reading the inbox", duties.read_inbox, app.settings.inbox_every)
    run_forever(scheduler, ready, lambda: None)


def all_services(app: App, pages: "Pages", tempo: float = 1) -> list[Service]:
    """What `digest up` runs, each in a process of its own. Raises DigestError."""
    app.make_ready()
    the_rest = partial(keep_schedule, and_inbox=app.settings.inbox is not None, tempo=tempo)
    return [
        Service("pages", partial(_run, app.another, pages.serve)),
        Service("schedule", partial(_run, app.another, the_rest)),
    ]


def _run(another: Callable[[], App], run: Callable[[App, Ready], None], ready: Ready) -> None:
    run(another(), ready)


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages, at an address and a port."""

    host: str
    port: int

    def serve(self, app: App, ready: Ready) -> None:
        from digest.app.web import web  # noqa: PLC0415  slow to load
        from digest.web.server import serve  # noqa: PLC0415

        serve(web(app), self.host, self.port, ready)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"
