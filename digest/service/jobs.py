"""The jobs of the schedule. Each is called again and again, and does what is due.

The ledger remembers what was done, so it does not matter how often they are called, or whether
nobody called them for a week.
"""

from collections import Counter
from dataclasses import asdict
from datetime import timedelta

import structlog

from digest.app.app import App
from digest.deliver.shard_sender import may_send
from digest.errors import SettingError
from digest.inbound.inbox import InboundVerdict
from digest.inbound.mailboxes import count_for_review, messages_in
from digest.ledger.alerts import About
from digest.ledger.database import as_ledger_error
from digest.ledger.last_runs import Job
from digest.ledger.reviews import ReviewPlace
from digest.service.alerting import Operator

NIGHT = 3  # o'clock
LASTING = timedelta(hours=1)  # trouble with sending

log = structlog.get_logger()


class Jobs:
    """The jobs of one process, and what each has already reported."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._last_forgotten: tuple[str, ...] = ()
        self._last_trouble: tuple[str, ...] = ()
        self._operator = Operator(app)

    def collect(self) -> None:
        """Collect, every few hours. The log and the status show a source that fails."""
        with as_ledger_error():
            self._app.pipeline.collect_due(self._app.clock())

    def tick(self) -> None:
        """Make the day's edition when it is time, and send it to those who are due."""
        with self._operator.alerted_to_errors(), as_ledger_error():
            run = self._app.pipeline.tick(self._app.clock())
        if run:
            self._operator.alert(run.trouble, balance=run.balance)
            what = "the edition is made" if run.balance else "no edition is made"
            log.info(what, balance=run.balance and asdict(run.balance), trouble=run.trouble)

    def plan(self) -> None:
        """Plan for those who are due, also while a sending pass runs, which may take hours."""
        with as_ledger_error():
            trouble = self._app.pipeline.plan(self._app.clock())
        self._tell_of_forgotten(trouble)

    def plan_first(self) -> None:
        """Plan a first digest for those who have just confirmed, who wait for it."""
        with as_ledger_error():
            trouble = self._app.pipeline.plan_first(self._app.clock())
        if trouble:  # if there is none, others may still be forgotten
            self._tell_of_forgotten(trouble)

    def _tell_of_forgotten(self, trouble: tuple[str, ...]) -> None:
        if trouble and trouble != self._last_forgotten:  # not a line each minute
            log.error("somebody who is due was not planned for", why=trouble)
        self._last_forgotten = trouble
        self._operator.alert(trouble, About.PLANNING)

    def send(self) -> None:
        """Send what waits and may be tried now, unless this process is sending already.

        The operator is told of trouble that lasts.
        """
        if self._app.pipeline.is_delivering:
            return
        now = self._app.clock()
        with as_ledger_error():
            trouble = self._app.pipeline.deliver(now)
        self._tell_of_trouble(trouble)

    def _tell_of_trouble(self, trouble: tuple[str, ...]) -> None:
        if trouble and trouble != self._last_trouble:  # not a line each time
            log.warning("not all could be sent", why=trouble)
        self._last_trouble = trouble
        self._operator.alert(trouble, About.SENDING, lasting=LASTING)

    def reconcile(self) -> None:
        """Hand out anew what may be sent and nobody is asked to send; for several machines.

        The operator is told of trouble that lasts.
        """
        app, now = self._app, self._app.clock()
        with as_ledger_error():
            trouble = app.pipeline.settle(now)
            shards = app.ledger.shards
            if forgotten := shards.resolve_forgotten(now):
                log.warning("emails may have arrived of which nobody knows", count=forgotten)
            shards.remove_ended()
            app.ledger.live_workers.clear_away(now)
            if may_send(app.settings, app.ledger, now) and (
                count := shards.hand_out_forgotten(now)
            ):
                log.info("handed out again", deliveries=count)
        self._tell_of_trouble(trouble)

    def read_inbox(self) -> Counter[InboundVerdict]:
        """Process the mail that came back. Raises SettingError if no mailbox is set."""
        settings, now = self._app.settings, self._app.clock()
        if settings.inbox is None:
            raise SettingError("DIGEST_INBOX is not set: set it, or name a mailbox")
        with as_ledger_error():
            messages = messages_in(settings.inbox, settings.smtp_ca_file)
            verdicts = self._app.inbox.read(messages, now)
            waiting = count_for_review(settings.inbox, settings.smtp_ca_file)
            self._app.ledger.reviews.record(ReviewPlace.INBOX, waiting, now)
            self._app.ledger.last_runs.reach(Job.INBOX, now)
        return verdicts

    def tidy(self) -> None:
        """Delete, once a night, what is past its retention time."""
        now = self._app.clock()
        local = now.astimezone(self._app.settings.timezone)
        tonight = local.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
        begin = tonight if local >= tonight else tonight - timedelta(days=1)
        last = self._app.ledger.last_runs.last(Job.TIDIED)
        if last and last >= begin:
            return
        with as_ledger_error():
            tidied = self._app.tidy(now)
            self._app.ledger.last_runs.reach(Job.TIDIED, now)
        log.info("tidied up", **asdict(tidied))
