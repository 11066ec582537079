"""What a subscriber wants, and what is stored about them: by the preferences link in each mail."""

from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse, JSONResponse

from subscribers.errors import AddressError, PreferenceError, SubscriberError
from subscribers.model import Subscriber
from subscribers.preferences_form import PreferencesForm, last
from subscribers.tokens import Purpose
from subscribers.transfer import to_record
from subscribers.web.form_view import form_view
from subscribers.web.page_context import TO_ACT, TO_LOOK, FormFields, PageContext


class ChoosingPages:
    """``/preferences/TOKEN`` and what is below it."""

    def __init__(self, context: PageContext) -> None:
        self._context = context

    def routes(self) -> APIRouter:
        routes = APIRouter(prefix="/preferences/{token}")
        routes.add_api_route("", self.show, methods=TO_LOOK)
        routes.add_api_route("", self.save, methods=TO_ACT)
        routes.add_api_route("/address", self.ask_for_address_change, methods=TO_ACT)
        routes.add_api_route("/export", self.export, methods=TO_LOOK)
        routes.add_api_route("/delete", self.ask_to_delete, methods=TO_LOOK)
        routes.add_api_route("/delete", self.delete, methods=TO_ACT)
        return routes

    def show(self, token: str) -> HTMLResponse:
        person = self._context.reader(Purpose.PREFERENCES, token)
        if person is None:
            return self._context.page("unsubscribed")
        return preferences_page(self._context, person)

    def save(self, token: str, fields: FormFields) -> HTMLResponse:
        context = self._context
        person = context.reader(Purpose.PREFERENCES, token)
        if person is None:
            return context.page("unsubscribed")
        form = PreferencesForm.of(person.topics, person.preferences)
        try:
            if "topics" not in fields:  # nobody's wish to have none
                raise PreferenceError("the form arrived without its topics")
            form = form.filled(fields)
            topics, wishes = form.read(person.preferences)
        except SubscriberError as error:
            return preferences_page(context, person, form, error=str(error))
        saved = context.registry.set_preferences(person.public_id, topics, wishes)
        return preferences_page(context, saved or person, saved=True)

    def ask_for_address_change(
        self, request: Request, token: str, afterwards: BackgroundTasks, fields: FormFields
    ) -> HTMLResponse:
        """Start a change of address. Whether the new one is known already is not told."""
        context = self._context
        person = context.reader(Purpose.PREFERENCES, token)
        if person is None:
            return context.page("unsubscribed")
        typed = last(fields, "address")
        try:
            address = context.address_policy.admit(typed)
            if address == person.address:
                raise AddressError(f"{address} is the address that you have")
        except AddressError as error:
            return preferences_page(context, person, address=typed, error=str(error))
        if context.may_mail(address, request):
            move = context.registry.address_changes.ask(person, address, context.clock())
            if not context.registry.suppressions.covers(address):
                afterwards.add_task(context.letters.confirm_address, move)
        return context.page("check-new-inbox", address=address, before=person.address)

    def export(self, token: str) -> JSONResponse:
        """Everything that is stored about the person; an empty object for somebody unknown."""
        person = self._whoever(token)
        file = person and self._context.registry.file_of(person.address)
        name = 'attachment; filename="paper-digest.json"'
        return JSONResponse(to_record(file) if file else {}, headers={"Content-Disposition": name})

    def ask_to_delete(self, token: str) -> HTMLResponse:
        person = self._whoever(token)
        if person is None:
            return self._context.page("deleted")
        return self._context.page("delete", address=person.address)

    def delete(self, token: str) -> HTMLResponse:
        if person := self._whoever(token):
            self._context.registry.remove(person.address)
        return self._context.page("deleted")

    def _whoever(self, token: str) -> Subscriber | None:
        """Whom a link belongs to, even if they have left. Raises TokenError."""
        public_id = self._context.tokens.read(Purpose.PREFERENCES, token)
        return self._context.registry.by_public_id(public_id)


def preferences_page(
    context: PageContext,
    person: Subscriber,
    form: PreferencesForm | None = None,
    *,
    saved: bool = False,
    address: str = "",
    error: str = "",
) -> HTMLResponse:
    """A subscriber's own page, with what they have or, after an error, what they typed."""
    return context.page(
        "preferences",
        HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        address=person.address,
        token=context.tokens.make(Purpose.PREFERENCES, person.public_id),
        form=form_view(form or PreferencesForm.of(person.topics, person.preferences), ()),
        typed_address=address,
        saved=saved,
        error=error,
    )
