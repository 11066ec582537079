"""The end of a change of address: the page behind the link that went to the new mailbox."""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse

from subscribers.errors import AddressError, TokenError
from subscribers.model import AddressChange
from subscribers.tokens import Purpose
from subscribers.web.page_context import TO_ACT, TO_LOOK, PageContext

LINK = "link in the mail to the new address"


class MovingPages:
    """``/address/TOKEN``."""

    def __init__(self, context: PageContext) -> None:
        self._context = context

    def routes(self) -> APIRouter:
        routes = APIRouter()
        routes.add_api_route("/address/{token}", self.ask_to_confirm, methods=TO_LOOK)
        routes.add_api_route("/address/{token}", self.confirm, methods=TO_ACT)
        return routes

    def ask_to_confirm(self, token: str) -> HTMLResponse:
        move = self._standing(self._context.registry.address_changes.find(self._read(token)))
        if move.is_done:
            return self._moved(move)
        return self._context.page(
            "confirm-address", address=move.address, before=move.person.address
        )

    def confirm(self, request: Request, token: str, afterwards: BackgroundTasks) -> HTMLResponse:
        context = self._context
        try:
            move = self._standing(
                context.registry.address_changes.complete(
                    self._read(token),
                    source=LINK,
                    now=context.clock(),
                    client=context.client_of(request),
                )
            )
        except AddressError as error:
            return context.page("address-taken", HTTPStatus.CONFLICT, error=str(error))
        if not move.is_done:  # it is now, and this was the request that did it
            afterwards.add_task(context.letters.address_changed, move)
        return self._moved(move)

    def _read(self, token: str) -> str:
        return self._context.tokens.read_at(Purpose.ADDRESS, token, self._context.clock())

    def _standing(self, move: AddressChange | None) -> AddressChange:
        if move is None:
            raise TokenError("this change of address does not stand any more")
        return move

    def _moved(self, move: AddressChange) -> HTMLResponse:
        token = self._context.tokens.make(Purpose.PREFERENCES, move.person.public_id)
        return self._context.page("address-changed", address=move.address, preferences=token)
