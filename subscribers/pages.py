"""The pages behind the links in a mail.

GET never changes anything: link scanners fetch every link. A page shows a button, and POST acts.
The one-click POST of RFC 8058 is the same POST: no cookie, no login, no redirect, and doing it
twice is doing it once. Its body is never read, so that nothing in it can keep anybody from leaving.
"""

from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from subscribers.errors import PreferenceError, TopicError
from subscribers.link_pages import TO_ACT, TO_LOOK, FormFields, LinkPages
from subscribers.model import Consent, Subscriber
from subscribers.preferences import MOST_PAPERS, WEEKDAYS
from subscribers.tokens import Purpose
from subscribers.transfer import to_record
from subscribers.wishes import LONGEST_FIELD, last, read_wishes

LINK = "link in a mail"
UNDO_WITHIN = timedelta(hours=24)
PAUSE = timedelta(days=30)
WEEKLY = frozenset({"mon"})

_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class SubscriberPages(LinkPages):
    """Leaving, taking it back, and what a subscriber wants: each by a signed link."""

    def bad_link(self, _request: Request, _error: Exception) -> HTMLResponse:
        """The one answer to every token that is not valid, whatever is wrong with it.

        For the application to register as its handler of TokenError.
        """
        return self.page("bad-link", HTTPStatus.NOT_FOUND)

    def routes(self) -> APIRouter:
        routes = APIRouter()
        routes.add_api_route("/unsubscribe/{token}", self.ask_to_unsubscribe, methods=TO_LOOK)
        routes.add_api_route("/unsubscribe/{token}", self.unsubscribe, methods=TO_ACT)
        routes.add_api_route("/unsubscribe/{token}/instead", self.stay, methods=TO_ACT)
        routes.add_api_route("/undo/{token}", self.undo, methods=TO_ACT)
        routes.add_api_route("/preferences/{token}", self.show_preferences, methods=TO_LOOK)
        routes.add_api_route("/preferences/{token}", self.save_preferences, methods=TO_ACT)
        routes.add_api_route("/preferences/{token}/export", self.export, methods=TO_LOOK)
        routes.add_api_route("/preferences/{token}/delete", self.ask_to_delete, methods=TO_LOOK)
        routes.add_api_route("/preferences/{token}/delete", self.delete, methods=TO_ACT)
        return routes

    # ---- leaving -----------------------------------------------------------------------------

    def ask_to_unsubscribe(self, token: str) -> HTMLResponse:
        subscriber = self._person(Purpose.UNSUBSCRIBE, token)
        if subscriber is None:
            return self.page("unsubscribed")
        is_weekly = len(subscriber.preferences.days) == 1
        return self.page(
            "unsubscribe", address=subscriber.address, token=token, is_weekly=is_weekly
        )

    def unsubscribe(self, token: str) -> HTMLResponse:
        public_id, now = self.tokens.read(Purpose.UNSUBSCRIBE, token), self.clock()
        left = self.registry.withdraw(public_id, source=LINK, now=now)
        undo = ""
        # To undo must not be a way around confirming.
        if left is not None and self.registry.has_confirmed(left):
            undo = self.tokens.make_until(Purpose.UNDO, public_id, now + UNDO_WITHIN)
        return self.page("unsubscribed", undo=undo)

    def stay(self, token: str, fields: FormFields) -> HTMLResponse:
        """Fewer mails, or a pause, instead of leaving."""
        subscriber = self._person(Purpose.UNSUBSCRIBE, token)
        if subscriber is None:
            return self.page("unsubscribed")
        wishes = subscriber.preferences
        if last(fields, "instead") == "pause":
            wishes = replace(wishes, paused_until=(self.clock() + PAUSE).date())
        else:
            wishes = replace(wishes, days=WEEKLY)
        kept = self.registry.set_wishes(subscriber.public_id, subscriber.topics, wishes)
        return self._preferences(kept or subscriber, saved=True)

    def undo(self, token: str) -> HTMLResponse:
        now = self.clock()
        public_id = self.tokens.read_at(Purpose.UNDO, token, now)
        person = self.registry.undo(public_id, source="page after leaving", now=now)
        return self.page("unsubscribed") if person is None else self.welcome(person)

    # ---- choosing ----------------------------------------------------------------------------

    def show_preferences(self, token: str) -> HTMLResponse:
        subscriber = self._person(Purpose.PREFERENCES, token)
        return self.page("unsubscribed") if subscriber is None else self._preferences(subscriber)

    def save_preferences(self, token: str, fields: FormFields) -> HTMLResponse:
        subscriber = self._person(Purpose.PREFERENCES, token)
        if subscriber is None:
            return self.page("unsubscribed")
        try:
            topics, wishes = read_wishes(fields, subscriber.preferences)
        except (TopicError, PreferenceError) as error:
            typed = last(fields, "topics")
            shown = typed if len(typed) <= LONGEST_FIELD else ""
            return self._preferences(subscriber, shown, error=str(error))
        saved = self.registry.set_wishes(subscriber.public_id, topics, wishes)
        return self._preferences(saved or subscriber, saved=True)

    def export(self, token: str) -> JSONResponse:
        """Everything that is stored about the person; an empty object for somebody unknown."""
        subscriber = self.registry.by_public_id(self.tokens.read(Purpose.PREFERENCES, token))
        file = subscriber and self.registry.file_of(subscriber.address)
        name = 'attachment; filename="paper-digest.json"'
        return JSONResponse(to_record(file) if file else {}, headers={"Content-Disposition": name})

    def ask_to_delete(self, token: str) -> HTMLResponse:
        subscriber = self.registry.by_public_id(self.tokens.read(Purpose.PREFERENCES, token))
        return self.page("delete", address=subscriber.address) if subscriber else self._deleted()

    def delete(self, token: str) -> HTMLResponse:
        subscriber = self.registry.by_public_id(self.tokens.read(Purpose.PREFERENCES, token))
        if subscriber:
            self.registry.remove(subscriber.address)
        return self._deleted()

    # ---- pages -------------------------------------------------------------------------------

    def _person(self, purpose: Purpose, token: str) -> Subscriber | None:
        """Whom a link belongs to; none for somebody who left. Raises TokenError."""
        subscriber = self.registry.by_public_id(self.tokens.read(purpose, token))
        if subscriber is None or subscriber.consent is Consent.WITHDRAWN:
            return None
        return subscriber

    def _preferences(
        self,
        subscriber: Subscriber,
        typed: str = "",
        *,
        saved: bool = False,
        error: str = "",
    ) -> HTMLResponse:
        wishes = subscriber.preferences
        return self.page(
            "preferences",
            HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
            address=subscriber.address,
            token=self.tokens.make(Purpose.PREFERENCES, subscriber.public_id),
            typed=typed or "\n".join(topic.text for topic in subscriber.topics),
            exclusions="\n".join(topic.text for topic in wishes.exclusions),
            days=[
                {"name": day, "label": label, "chosen": day in wishes.days}
                for day, label in zip(WEEKDAYS, _DAY_NAMES, strict=True)
            ],
            wishes=wishes,
            most_papers=MOST_PAPERS,
            saved=saved,
            error=error,
        )

    def _deleted(self) -> HTMLResponse:
        return self.page("deleted")
