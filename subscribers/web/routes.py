"""All pages about subscribers, as one router."""

from fastapi import APIRouter

from subscribers.web.address_change import MovingPages
from subscribers.web.choosing import ChoosingPages
from subscribers.web.leaving import LeavingPages
from subscribers.web.page_context import PageContext
from subscribers.web.ratings import RatingPages
from subscribers.web.signup import SignupPages


def subscriber_routes(context: PageContext) -> APIRouter:
    routes = APIRouter()
    for pages in (SignupPages, LeavingPages, ChoosingPages, MovingPages, RatingPages):
        # Not include_router: it makes each route a second time, to add what `routes` has for all
        # of them (dependencies, a prefix), which is nothing.
        routes.routes.extend(pages(context).routes().routes)
    return routes
