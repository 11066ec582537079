"""The context that all pages about subscribers share."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Annotated, Protocol

import structlog
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from subscribers.addresses import AddressPolicy, mailbox_key
from subscribers.model import AddressChange, Consent, Subscriber
from subscribers.preferences import Preferences
from subscribers.preferences_form import Fields
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose, Tokens

TO_LOOK = ["GET", "HEAD"]
TO_ACT = ["POST"]

# Emails per hour that a form may cause: enough to correct a typing error, too few for a flood.
MOST_PER_ADDRESS = 3
MOST_PER_CLIENT = 10
LONGEST_CLIENT = 45  # an IPv6 address; a proxy may state anything in its place
UNDO_WITHIN = timedelta(hours=24)
_HOUR = 3600  # seconds, after which the limits allow more
_TRUSTED_PROXIES = "DIGEST_TRUSTED_PROXIES"

log = structlog.get_logger()


class NotSubscribedError(Exception):
    """Raised for the link of a person who has left, or was removed (None)."""

    def __init__(self, person: Subscriber | None) -> None:
        super().__init__("the person has left")
        self.person = person


async def _form_fields(request: Request) -> Fields:
    fields = defaultdict(list)
    async with request.form() as form:
        for name, typed in form.multi_items():
            if isinstance(typed, str):  # and no file
                fields[name].append(typed)
    return dict(fields)


FormFields = Annotated[Fields, Depends(_form_fields)]


class Render(Protocol):
    """Fills a page template with values."""

    def __call__(self, name: str, **values: object) -> str: ...


class TransactionalMail(Protocol):
    """The emails about a subscription. Each is sent at once and logs its own failure."""

    def confirm(self, person: Subscriber) -> None:
        """Ask a pending subscriber to confirm."""

    def welcome(self, person: Subscriber) -> None:
        """Tell somebody who has just confirmed what will come."""

    def goodbye(self, person: Subscriber, undo_until: datetime) -> None:
        """Confirm to somebody that they have left, with a link to undo it until a moment."""

    def confirm_address(self, change: AddressChange) -> None:
        """Ask at the new address whether it is the person's."""

    def address_changed(self, change: AddressChange) -> None:
        """Tell the old address that the person now uses another one."""


@dataclass(frozen=True)
class PageContext:
    """The registry, and everything else that the pages call.

    ``defaults`` are the preferences on a new sign-up form, ``suggestions`` returns topics to choose
    from, and ``title_of`` the title of a paper by its canonical id (None if it is unknown).
    ``keeps_clients``: the network address behind each consent is stored. ``welcomes`` and
    ``says_goodbye``: an email is sent to people who join or leave. ``most_sign_ups`` is the limit
    per hour over all people; ``warn_operator`` is called when it is reached.
    """

    registry: Registry
    tokens: Tokens
    render: Render
    clock: Callable[[], datetime]
    mail: TransactionalMail
    address_policy: AddressPolicy
    defaults: Preferences
    suggestions: Callable[[], Sequence[str]]
    title_of: Callable[[str], str | None]
    keeps_clients: bool = False
    welcomes: bool = False
    says_goodbye: bool = False
    most_sign_ups: int = 200
    warn_operator: Callable[[str], None] = log.warning

    def page(self, name: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> HTMLResponse:
        """Fill the template of a page."""
        return HTMLResponse(self.render(f"pages/{name}.html.j2", **values), status)

    def reader(self, purpose: Purpose, token: str) -> Subscriber:
        """Return whose link it is. Raises TokenError or NotSubscribedError."""
        person = self.registry.by_public_id(self.tokens.read(purpose, token))
        if person is None or person.consent is Consent.WITHDRAWN:
            raise NotSubscribedError(person)
        return person

    def bad_link(self) -> HTMLResponse:
        """Answer a token that is not valid: always alike, whatever is wrong with it."""
        return self.page("bad-link", HTTPStatus.NOT_FOUND, address="", error="")

    def left(self, person: Subscriber | None) -> HTMLResponse:
        """Show the page after leaving. It offers to undo if the person had ever confirmed.

        Otherwise undoing would be a way around confirming.
        """
        if person is None or not self.registry.has_confirmed(person):
            return self.page("unsubscribed")
        undo_until = self.clock() + UNDO_WITHIN
        undo = self.tokens.make_until(Purpose.UNDO, person.public_id, undo_until)
        return self.page("unsubscribed", undo=undo)

    def welcome(self, person: Subscriber) -> HTMLResponse:
        """Show the page for somebody who has just joined, or has come back."""
        token = self.tokens.make(Purpose.PREFERENCES, person.public_id)
        return self.page("welcome", address=person.address, preferences=token)

    def client_of(self, request: Request) -> str:
        """Return the network address of a request if it is to be stored, else nothing."""
        return _host_of(request)[:LONGEST_CLIENT] if self.keeps_clients else ""

    def may_mail(self, address: str, request: Request | None = None) -> bool:
        """Count a request for an email to an address; return whether it is within the limits.

        A stranger's ``request`` also counts against their network address.
        """
        limits = {f"mailbox {mailbox_key(address)}": MOST_PER_ADDRESS}
        if request is None:
            return self.registry.is_within_limits(limits, self.clock())
        limits[f"client {self.tokens.keyed(_network_of(request))}"] = MOST_PER_CLIENT
        # In this order: requests over a limit of their own must not use up everybody's.
        return self.registry.is_within_limits(limits, self.clock()) and self._is_below_ceiling()

    def _is_below_ceiling(self) -> bool:
        now, within = self.clock(), self.registry.is_within_limits
        if within({"all": self.most_sign_ups}, now):
            return True
        if within({"warning": 1}, now):
            self.warn_operator(
                f"More than {self.most_sign_ups} sign-ups in an hour: further ones are told to try "
                "again later (DIGEST_SIGN_UPS_PER_HOUR)"
            )
        return False

    def try_later(self) -> HTMLResponse:
        """Refuse a request that is over a limit; the answer is the same for every limit."""
        page = self.page("try-later", HTTPStatus.TOO_MANY_REQUESTS)
        page.headers["Retry-After"] = str(_HOUR)
        return page


async def _context_of(request: Request) -> PageContext:
    context: PageContext = request.app.state.context
    return context


# The application's state must hold the context.
Context = Annotated[PageContext, Depends(_context_of)]


def _host_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _network_of(request: Request) -> str:
    """Return the network that a request comes from: of IPv6 the /64, which one client has whole."""
    host = _host_of(request)
    # The server replaces the port by 0 where it has taken the address from a trusted proxy.
    if "x-forwarded-for" in request.headers and request.client and request.client.port:
        log.warning("a proxy is not trusted", proxy=host, setting=_TRUSTED_PROXIES)
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or int(address) >> 64)
