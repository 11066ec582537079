"""Joining, by double opt-in: the form, the mail that it leads to, and the page behind its link.

The answer to the form is the same whatever is known of the address, and mail goes out after it, so
that nobody learns from it who subscribes.
"""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse

from subscribers.addresses import address_key, normalise_address
from subscribers.errors import AddressError, TopicError
from subscribers.link_pages import TO_ACT, TO_LOOK, FormFields, LinkPages, Render
from subscribers.model import Subscriber
from subscribers.registry import Registry
from subscribers.tokens import Purpose, Tokens
from subscribers.wishes import last, read_topics

# Confirmations in an hour: enough for a slip of the pen, too few to flood anybody.
MOST_PER_ADDRESS = 3
MOST_PER_CLIENT = 10

# What is written down as evidence; the number goes up when the form's words change.
FORM = "sign-up form, text 1"
LINK = "link in the confirmation mail"


class SignupPages(LinkPages):
    """``/subscribe`` and ``/confirm/TOKEN``."""

    def __init__(
        self,
        registry: Registry,
        tokens: Tokens,
        render: Render,
        clock: Callable[[], datetime],
        send_confirmation: Callable[[Subscriber], None],
    ) -> None:
        super().__init__(registry, tokens, render, clock)
        self._send_confirmation = send_confirmation

    def routes(self) -> APIRouter:
        routes = APIRouter()
        routes.add_api_route("/subscribe", self.show_form, methods=TO_LOOK)
        routes.add_api_route("/subscribe", self.subscribe, methods=TO_ACT)
        routes.add_api_route("/confirm/{token}", self.ask_to_confirm, methods=TO_LOOK)
        routes.add_api_route("/confirm/{token}", self.confirm, methods=TO_ACT)
        return routes

    def show_form(self) -> HTMLResponse:
        return self._form()

    def subscribe(
        self, request: Request, afterwards: BackgroundTasks, fields: FormFields
    ) -> HTMLResponse:
        typed_address, typed_topics = last(fields, "address"), last(fields, "topics")
        try:
            wanted = read_topics(typed_topics)
            to = normalise_address(typed_address)
        except (AddressError, TopicError) as error:
            return self._form(typed_address, typed_topics, str(error))
        now = self.clock()
        client = request.client.host if request.client else "unknown"
        limits = {
            f"address {address_key(to)}": MOST_PER_ADDRESS,
            f"client {self.tokens.keyed(client)}": MOST_PER_CLIENT,
        }
        if self.registry.may_ask(limits, now):
            asked = self.registry.ask(to, wanted, source=FORM, now=now)
            if asked:
                afterwards.add_task(self._send_confirmation, asked)
        return self.page("check-your-inbox", address=to)

    def ask_to_confirm(self, token: str) -> HTMLResponse:
        self.tokens.read_at(Purpose.CONFIRM, token, self.clock())
        return self.page("confirm")

    def confirm(self, token: str) -> HTMLResponse:
        now = self.clock()
        public_id = self.tokens.read_at(Purpose.CONFIRM, token, now)
        person = self.registry.confirm(public_id, source=LINK, now=now)
        return self.page("unsubscribed") if person is None else self.welcome(person)

    def _form(self, address: str = "", topics: str = "", error: str = "") -> HTMLResponse:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
        values = {"typed_address": address, "typed_topics": topics, "error": error}
        return self.page("subscribe", status, **values)
