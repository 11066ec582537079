"""What is done by itself. Each duty is called again and again, and looks what there is to do.

The ledger remembers what was done. So it does not matter when they are called, how often, or
whether nobody called them for a week.
"""

from collections import Counter
from dataclasses import asdict
from datetime import datetime, timedelta
from threading import Lock

import structlog

from digest.app.app import App
from digest.errors import SettingError
from digest.inbound.inbox import Fate
from digest.inbound.mailboxes import letters_in
from digest.ledger.database import told_in_one_line
from digest.ledger.last_runs import Milestone
from digest.model.progress import Progress, silent
from digest.service.alerting import Operator

NIGHT = 3  # o'clock
LASTING = timedelta(hours=1)  # trouble with sending

log = structlog.get_logger()


class Duties:
    """Of one process."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._sending_turn = Lock()
        self._last_trouble: tuple[str, ...] = ()
        self._trouble_since: datetime | None = None
        self._operator = Operator(app)

    def collect(self) -> None:
        """Collect, every few hours. A source that fails is in the log, and in the status."""
        with told_in_one_line():
            self._app.pipeline.collect_due(self._app.clock())

    def make_edition(self) -> None:
        """Make the day's edition, and send it to those whose time it is.

        Of trouble the operator is told by mail.
        """
        with self._operator.told_of_a_fault(), told_in_one_line():
            run = self._app.pipeline.make_edition(self._send_in_turn, self._app.clock())
        if run:
            self._operator.tell(run.trouble)
            what = "the edition is made" if run.balance else "no edition is made"
            log.info(what, balance=run.balance and asdict(run.balance), trouble=run.trouble)

    def plan(self) -> None:
        """Plan for those whose time it is, also while mails are sent: that may take hours."""
        with told_in_one_line():
            self._app.pipeline.plan_due(self._app.clock())

    def send(self) -> None:
        """Send what waits and may be tried now, unless this process is sending anyway.

        Of trouble that lasts the operator is told by mail.
        """
        if self._sending_turn.locked():
            return
        now = self._app.clock()
        with told_in_one_line():
            trouble = self._app.pipeline.send_waiting(self._send_in_turn, now)
        if trouble and trouble != self._last_trouble:  # it lasts: not a line each time
            log.warning("not all could be sent", why=trouble)
        self._last_trouble = trouble
        self._trouble_since = (self._trouble_since or now) if trouble else None
        if self._trouble_since and now - self._trouble_since >= LASTING:
            self._operator.tell(trouble)

    def _send_in_turn(self, now: datetime, progress: Progress = silent) -> tuple[str, ...]:
        """Send, unless this process is: then that sends what was planned since along."""
        if not self._sending_turn.acquire(blocking=False):
            return ()
        try:
            return self._app.send(now, progress)
        finally:
            self._sending_turn.release()

    def read_inbox(self) -> Counter[Fate]:
        """Deal with the mail that came back. Raises SettingError where no mailbox is set."""
        settings, now = self._app.settings, self._app.clock()
        if settings.inbox is None:
            raise SettingError("DIGEST_INBOX is not set: say where the mail lies")
        with told_in_one_line():
            letters = letters_in(settings.inbox, settings.smtp_ca_file)
            fates = self._app.inbox.read(letters, now)
            self._app.ledger.milestones.reach(Milestone.INBOX, now)
        return fates

    def tidy(self) -> None:
        """Each night, take away what is kept for some time only."""
        now = self._app.clock()
        local = now.astimezone(self._app.settings.timezone)
        tonight = local.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
        begin = tonight if local >= tonight else tonight - timedelta(days=1)
        last = self._app.ledger.milestones.last(Milestone.TIDIED)
        if last and last >= begin:
            return
        with told_in_one_line():
            tidied = self._app.retention.tidy(now)
            self._app.ledger.milestones.reach(Milestone.TIDIED, now)
        log.info("tidied up", **asdict(tidied))
