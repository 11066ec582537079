"""Tell the operator by email what goes wrong while nobody looks; once, if it lasts.

Once for all workers: the ledger knows what they were told.

A machine that is dead tells nobody: so a service elsewhere is called after each edition, and tells
the operator when no call comes (DIGEST_PING_URL).
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import structlog
from sqlalchemy.exc import SQLAlchemyError

from digest.app.app import App
from digest.deliver.transactional_mail import alert_operator
from digest.errors import Busy, DigestError, Stopped
from digest.ledger.alerts import About
from digest.model.deliveries import Balance
from digest.model.messages import Message

PATIENCE = 10.0  # seconds for the service's answer

log = structlog.get_logger()


class Operator:
    """The person who runs this, if DIGEST_OPERATOR says where to reach them."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._last: tuple[str, ...] = ()

    def alert(
        self,
        troubles: tuple[str, ...],
        about: About = About.EDITION,
        *,
        lasting: timedelta = timedelta(),
        broken_off: bool = False,
        balance: Balance | None = None,
    ) -> None:
        """Send the troubles (lines), unless they are the same as the last time, and ping.

        Trouble that should last for some time is told, and pinged, after that. ``balance`` is that
        of the edition whose run they are about.
        """
        settings = self._app.settings
        is_news = self._is_news(about, troubles, lasting)
        if is_news or balance:
            self.ping(failed=bool(troubles))
        operator = settings.operator
        if operator is None or not is_news:
            return
        if waiting := self._waiting_for_review():
            troubles = (*troubles, waiting)
        where = f"{socket.gethostname()}, {settings.home.resolve()}"
        now = self._app.clock().astimezone(settings.timezone)

        def make() -> Message:
            composer = self._app.transactional_composer
            return composer.alert(
                operator, troubles, where=where, now=now, broken_off=broken_off, balance=balance
            )

        alert_operator(make, self._app.post)

    def _is_news(self, about: About, troubles: tuple[str, ...], lasting: timedelta) -> bool:
        now = self._app.clock()
        of_a_day = about in {About.EDITION, About.PROCESS} and bool(troubles)
        day = (f"{self._app.edition_day(now)}",) if of_a_day else ()  # each day's is told
        try:
            return self._app.ledger.alerts.is_news(about, (*day, *troubles), now, lasting)
        except (DigestError, SQLAlchemyError):  # it may be about the database
            is_news, self._last = troubles != self._last, troubles
            return is_news and bool(troubles) and not lasting

    def ping(self, *, failed: bool) -> None:
        """Call the service that waits for each edition; nothing but that goes there."""
        if url := self._app.settings.ping_url:
            try:
                httpx.post(f"{url}/fail" if failed else url, timeout=PATIENCE).raise_for_status()
            except httpx.HTTPError as error:  # the text of some has the URL, which is a secret
                log.warning("DIGEST_PING_URL does not answer", why=type(error).__name__)

    def _waiting_for_review(self) -> str:
        """Return how many inbound emails wait for the operator, and since when; or nothing."""
        try:
            review = self._app.ledger.reviews.all()
        except (DigestError, SQLAlchemyError):  # the alert may be about the database
            return ""
        if review.since is None:
            return ""
        return f"{review.count} emails in the inbox wait for you, since {review.since:%Y-%m-%d}"

    @contextmanager
    def alerted_to_errors(self) -> Iterator[None]:
        """Alert them to an error that the body raises, unless the work is only put off."""
        try:
            yield
        except (Busy, Stopped):
            raise
        except DigestError as error:
            self.alert((str(error),), broken_off=True)
            raise
