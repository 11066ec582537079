"""What a subscriber wants, and what is stored about them: by the preferences link in each mail."""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse, JSONResponse

from subscribers.errors import AddressError, PreferenceError, SubscriberError
from subscribers.model import Subscriber
from subscribers.preferences_form import WishesForm, last
from subscribers.tokens import Purpose
from subscribers.transfer import to_record
from subscribers.web.form_view import form_view
from subscribers.web.page_context import TO_ACT, TO_LOOK, Desk, FormFields


class ChoosingPages:
    """``/preferences/TOKEN`` and what is below it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> APIRouter:
        routes = APIRouter(prefix="/preferences/{token}")
        routes.add_api_route("", self.show, methods=TO_LOOK)
        routes.add_api_route("", self.save, methods=TO_ACT)
        routes.add_api_route("/address", self.ask_to_move, methods=TO_ACT)
        routes.add_api_route("/export", self.export, methods=TO_LOOK)
        routes.add_api_route("/delete", self.ask_to_delete, methods=TO_LOOK)
        routes.add_api_route("/delete", self.delete, methods=TO_ACT)
        return routes

    def show(self, token: str) -> HTMLResponse:
        person = self._desk.reader(Purpose.PREFERENCES, token)
        if person is None:
            return self._desk.page("unsubscribed")
        return preferences_page(self._desk, person)

    def save(self, token: str, fields: FormFields) -> HTMLResponse:
        desk = self._desk
        person = desk.reader(Purpose.PREFERENCES, token)
        if person is None:
            return desk.page("unsubscribed")
        form = WishesForm.of(person.topics, person.preferences)
        try:
            if "topics" not in fields:  # nobody's wish to have none
                raise PreferenceError("the form arrived without its topics")
            form = form.filled(fields)
            topics, wishes = form.read(person.preferences)
        except SubscriberError as error:
            return preferences_page(desk, person, form, error=str(error))
        saved = desk.registry.set_wishes(person.public_id, topics, wishes)
        return preferences_page(desk, saved or person, saved=True)

    def ask_to_move(
        self, request: Request, token: str, afterwards: BackgroundTasks, fields: FormFields
    ) -> HTMLResponse:
        """Start a change of address. Whether the new one is known already is not told."""
        desk = self._desk
        person = desk.reader(Purpose.PREFERENCES, token)
        if person is None:
            return desk.page("unsubscribed")
        typed = last(fields, "address")
        try:
            address = desk.gate.admit(typed)
            if address == person.address:
                raise AddressError(f"{address} is the address that you have")
        except AddressError as error:
            return preferences_page(desk, person, address=typed, error=str(error))
        if desk.may_mail(address, request):
            move = desk.registry.moves.ask(person, address, desk.clock())
            if not desk.registry.suppressions.covers(address):
                afterwards.add_task(desk.letters.confirm_address, move)
        return desk.page("check-new-inbox", address=address, before=person.address)

    def export(self, token: str) -> JSONResponse:
        """Everything that is stored about the person; an empty object for somebody unknown."""
        person = self._whoever(token)
        file = person and self._desk.registry.file_of(person.address)
        name = 'attachment; filename="paper-digest.json"'
        return JSONResponse(to_record(file) if file else {}, headers={"Content-Disposition": name})

    def ask_to_delete(self, token: str) -> HTMLResponse:
        person = self._whoever(token)
        if person is None:
            return self._desk.page("deleted")
        return self._desk.page("delete", address=person.address)

    def delete(self, token: str) -> HTMLResponse:
        if person := self._whoever(token):
            self._desk.registry.remove(person.address)
        return self._desk.page("deleted")

    def _whoever(self, token: str) -> Subscriber | None:
        """Whom a link belongs to, even if they have left. Raises TokenError."""
        public_id = self._desk.tokens.read(Purpose.PREFERENCES, token)
        return self._desk.registry.by_public_id(public_id)


def preferences_page(
    desk: Desk,
    person: Subscriber,
    form: WishesForm | None = None,
    *,
    saved: bool = False,
    address: str = "",
    error: str = "",
) -> HTMLResponse:
    """A subscriber's own page, with what they have or, after an error, what they typed."""
    return desk.page(
        "preferences",
        HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        address=person.address,
        token=desk.tokens.make(Purpose.PREFERENCES, person.public_id),
        form=form_view(form or WishesForm.of(person.topics, person.preferences), ()),
        typed_address=address,
        saved=saved,
        error=error,
    )
