"""The jobs that recur, whichever engine starts them.

There are two engines. The embedded one (scheduler.py) starts them in this process, on one machine.
The one for several machines (cluster.py) hands the same jobs to any worker.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from digest.app.app import App
from digest.errors import Busy, DigestError, Stopped
from digest.service.jobs import Jobs

MINUTE = 60.0  # seconds
SOON = 5.0
HOUR = 3600.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recurring:
    """A job that is done every so many seconds; errors are logged, and nothing else ends."""

    name: str
    work: Callable[[], object]
    every: float

    def do(self) -> None:
        try:
            self.work()
        except Busy as error:
            log.info("put off", what=self.name, why=str(error))
        except Stopped as error:
            log.info("broken off", what=self.name, why=str(error))
        except DigestError as error:
            log.error("it failed", what=self.name, why=str(error))
        except Exception:  # a fault must not stop the other jobs
            log.exception("it failed", what=self.name)


def recurring_jobs(app: App, *, and_inbox: bool, tempo: float = 1) -> list[Recurring]:
    """Return what is to be done again and again, as if time went ``tempo`` times faster."""
    jobs = Jobs(app)
    sending = (
        Recurring("reconciling", jobs.reconcile, MINUTE / tempo)
        if app.is_cluster
        else Recurring("sending", jobs.send, SOON)
    )
    inbox = Recurring("reading the inbox", jobs.read_inbox, app.settings.inbox_every / tempo)
    return [
        *([inbox] if and_inbox else []),
        Recurring("collecting", jobs.collect, MINUTE / tempo),
        Recurring("the edition", jobs.tick, MINUTE / tempo),
        Recurring("planning", jobs.plan, MINUTE / tempo),
        Recurring("first digests", jobs.plan_first, SOON),
        sending,
        Recurring("tidying up", jobs.tidy, HOUR / tempo),
    ]
