"""Tell the operator by email what goes wrong while nobody looks; once, if it lasts."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from digest.app.app import App
from digest.compose.transactional_mail import alert_operator
from digest.errors import Busy, DigestError, Stopped
from digest.model.deliveries import Balance
from digest.model.messages import Message


class Operator:
    """The person who runs this, if DIGEST_OPERATOR says where to reach them."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._last: tuple[str, ...] = ()

    def tell(
        self,
        troubles: tuple[str, ...],
        *,
        broken_off: bool = False,
        balance: Balance | None = None,
    ) -> None:
        """Send the troubles (lines), unless they are the same as the last time.

        ``balance`` is that of the edition whose run they are about.
        """
        settings = self._app.settings
        operator = settings.operator
        is_news, self._last = troubles != self._last, troubles
        if operator is None or not troubles or not is_news:
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

    def _waiting_for_review(self) -> str:
        """Return how many inbound emails wait for the operator, and since when; or nothing."""
        try:
            review = self._app.ledger.reviews.all()
        except (DigestError, SQLAlchemyError):  # the database may be what is told of
            return ""
        if review.since is None:
            return ""
        return f"{review.count} emails in the inbox wait for you, since {review.since:%Y-%m-%d}"

    @contextmanager
    def told_of_a_fault(self) -> Iterator[None]:
        """Tell the error that the body raises, unless it only has to be done later."""
        try:
            yield
        except (Busy, Stopped):
            raise
        except DigestError as error:
            self.tell((str(error),), broken_off=True)
            raise
