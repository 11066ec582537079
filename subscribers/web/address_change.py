"""The end of a change of address: the page behind the link that went to the new mailbox."""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse

from subscribers.errors import AddressError, TokenError
from subscribers.model import Move
from subscribers.tokens import Purpose
from subscribers.web.page_context import TO_ACT, TO_LOOK, Desk

LINK = "link in the mail to the new address"


class MovingPages:
    """``/address/TOKEN``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> APIRouter:
        routes = APIRouter()
        routes.add_api_route("/address/{token}", self.ask_to_confirm, methods=TO_LOOK)
        routes.add_api_route("/address/{token}", self.confirm, methods=TO_ACT)
        return routes

    def ask_to_confirm(self, token: str) -> HTMLResponse:
        move = self._standing(self._desk.registry.moves.find(self._read(token)))
        if move.is_done:
            return self._moved(move)
        return self._desk.page("confirm-address", address=move.address, before=move.person.address)

    def confirm(self, request: Request, token: str, afterwards: BackgroundTasks) -> HTMLResponse:
        desk = self._desk
        try:
            move = self._standing(
                desk.registry.moves.complete(
                    self._read(token),
                    source=LINK,
                    now=desk.clock(),
                    client=desk.client_of(request),
                )
            )
        except AddressError as error:
            return desk.page("address-taken", HTTPStatus.CONFLICT, error=str(error))
        if not move.is_done:  # it is now, and this was the request that did it
            afterwards.add_task(desk.letters.address_changed, move)
        return self._moved(move)

    def _read(self, token: str) -> str:
        return self._desk.tokens.read_at(Purpose.ADDRESS, token, self._desk.clock())

    def _standing(self, move: Move | None) -> Move:
        if move is None:
            raise TokenError("this change of address does not stand any more")
        return move

    def _moved(self, move: Move) -> HTMLResponse:
        token = self._desk.tokens.make(Purpose.PREFERENCES, move.person.public_id)
        return self._desk.page("address-changed", address=move.address, preferences=token)
