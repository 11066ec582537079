"""All pages about subscribers, as one router."""

from fastapi import APIRouter

from subscribers.web.choosing import ChoosingPages
from subscribers.web.desk import Desk
from subscribers.web.leaving import LeavingPages
from subscribers.web.moving import MovingPages
from subscribers.web.opinions import OpinionPages
from subscribers.web.signup import SignupPages


def subscriber_routes(desk: Desk) -> APIRouter:
    routes = APIRouter()
    for pages in (SignupPages, LeavingPages, ChoosingPages, MovingPages, OpinionPages):
        routes.include_router(pages(desk).routes())
    return routes
