"""What all pages about subscribers stand on."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from subscribers.addresses import AddressPolicy, address_key
from subscribers.model import AddressChange, Consent, Subscriber
from subscribers.preferences import Preferences
from subscribers.preferences_form import Fields
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose, Tokens

TO_LOOK = ["GET", "HEAD"]
TO_ACT = ["POST"]

# Mails that a form may lead to in an hour: enough for a slip of the pen, too few to flood anybody.
MOST_PER_ADDRESS = 3
MOST_PER_CLIENT = 10
LONGEST_CLIENT = 45  # an IPv6 address; what a proxy states in its place may be anything


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
    """The mails about a subscription. Each is sent at once, and tells its own failures."""

    def confirm(self, person: Subscriber) -> None:
        """Ask a pending subscriber to confirm."""

    def welcome(self, person: Subscriber) -> None:
        """Tell somebody who has just confirmed what will come."""

    def goodbye(self, person: Subscriber, undo_until: datetime) -> None:
        """Tell somebody who has just left that they have, and how to undo it until a moment."""

    def confirm_address(self, change: AddressChange) -> None:
        """Ask at the new address whether it is the person's."""

    def address_changed(self, change: AddressChange) -> None:
        """Tell the old address that the person has moved."""


@dataclass(frozen=True)
class PageContext:
    """The registry with all that it takes to serve people at it.

    ``defaults`` is what a new reader's form starts with, ``suggestions`` gives topics to choose
    from, ``title_of`` the title of a paper by its canonical id (none for an unknown one).
    ``keeps_clients`` is whether the network address that a consent came from is written down,
    ``welcomes`` whether joining leads to a mail, and ``says_goodbye`` whether leaving does.
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

    def page(self, name: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> HTMLResponse:
        """Fill the template of a page."""
        return HTMLResponse(self.render(f"pages/{name}.html.j2", **values), status)

    def reader(self, purpose: Purpose, token: str) -> Subscriber | None:
        """Return whom a link belongs to; None for somebody who has left. Raises TokenError."""
        person = self.registry.by_public_id(self.tokens.read(purpose, token))
        return None if person is None or person.consent is Consent.WITHDRAWN else person

    def bad_link(self) -> HTMLResponse:
        """Answer every token that is not valid alike, whatever is wrong with it."""
        return self.page("bad-link", HTTPStatus.NOT_FOUND)

    def welcome(self, person: Subscriber) -> HTMLResponse:
        """Show the page for whoever has just become a reader, or has come back."""
        token = self.tokens.make(Purpose.PREFERENCES, person.public_id)
        return self.page("welcome", address=person.address, preferences=token)

    def client_of(self, request: Request) -> str:
        """Return where a request came from, if that is to be written down; else nothing."""
        return _host_of(request)[:LONGEST_CLIENT] if self.keeps_clients else ""

    def may_mail(self, address: str, request: Request | None = None) -> bool:
        """Tell whether a request may lead to a mail to an address; it counts against that.

        ``request`` is how a stranger asked: it counts against where they are as well.
        """
        limits = {f"address {address_key(address)}": MOST_PER_ADDRESS}
        if request is not None:
            limits[f"client {self.tokens.keyed(_host_of(request))}"] = MOST_PER_CLIENT
        return self.registry.may_ask(limits, self.clock())


async def _context_of(request: Request) -> PageContext:
    context: PageContext = request.app.state.context
    return context


# What the pages and the API are served from; whoever builds an application puts it in its state.
Context = Annotated[PageContext, Depends(_context_of)]


def _host_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"
