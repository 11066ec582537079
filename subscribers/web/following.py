"""The pages to follow an author or an organisation, and to stop.

A link in an email leads to a page with one button; only its POST changes anything.
"""

from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from subscribers.errors import PreferenceError
from subscribers.follows import Follow
from subscribers.model import Subscriber
from subscribers.preferences_form import last
from subscribers.sentences import Sentence
from subscribers.tokens import Purpose
from subscribers.web.choosing import preferences_page
from subscribers.web.page_context import Context, FormFields, PageContext

routes = APIRouter()

# The name of an organisation may have a slash.
_PAGE = "/follow/{token}/{kind}/{name:path}"


@routes.get(_PAGE)
def show(context: Context, token: str, kind: str, name: str) -> HTMLResponse:
    person = context.reader(Purpose.FOLLOW, token)
    return _page(context, person, _named(kind, name))


@routes.post(_PAGE)
def change(context: Context, token: str, kind: str, name: str, fields: FormFields) -> HTMLResponse:
    """Follow, or stop following if the field ``follow`` is empty."""
    person = context.reader(Purpose.FOLLOW, token)
    follow = _named(kind, name)
    if "follow" not in fields:
        return _page(context, person, follow)
    try:
        saved = context.registry.set_follow(
            person.public_id, follow, wanted=bool(last(fields, "follow"))
        )
    except PreferenceError as error:
        return _page(context, person, follow, error=error)
    return _page(context, saved or person, follow, saved=True)


@routes.post("/preferences/{token}/follows")
def change_list(context: Context, token: str, fields: FormFields) -> HTMLResponse:
    """Follow the ``name`` of a ``kind``, or stop following what ``remove`` says."""
    person = context.reader(Purpose.PREFERENCES, token)
    removed = last(fields, "remove")
    try:
        follow = (
            Follow.parse(removed)
            if removed
            else Follow.of(last(fields, "kind"), last(fields, "name"))
        )
        saved = context.registry.set_follow(person.public_id, follow, wanted=not removed)
    except PreferenceError as error:
        return preferences_page(context, person, opened="follows", error=error)
    return preferences_page(context, saved or person, saved=True, opened="follows")


def _named(kind: str, name: str) -> Follow:
    try:
        return Follow.of(kind, name)
    except PreferenceError:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None


def _page(
    context: PageContext,
    person: Subscriber,
    follow: Follow,
    *,
    saved: bool = False,
    error: Sentence | None = None,
) -> HTMLResponse:
    return context.page(
        "follow",
        HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        reader=person,
        follow=follow,
        is_followed=person.preferences.is_following(follow),
        saved=saved,
        error=error,
        preferences=context.tokens.make(Purpose.PREFERENCES, person.public_id),
    )
