"""A reader's private feed, on their preferences page: made, given another address, and removed."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from subscribers.tokens import Purpose
from subscribers.web.choosing import preferences_page
from subscribers.web.page_context import Context, FormFields

routes = APIRouter()


@routes.post("/preferences/{token}/feed")
def change(context: Context, token: str, fields: FormFields) -> HTMLResponse:
    """Give the feed a new address, which ends the old one; or end it, with the field ``remove``."""
    person = context.reader(Purpose.PREFERENCES, token)
    if "remove" in fields:
        context.registry.feed_links.remove(person.id)
    else:
        context.registry.feed_links.renew(person.public_id, context.clock())
    return preferences_page(context, person, opened="private-feed")
