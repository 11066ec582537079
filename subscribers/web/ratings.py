"""More like this, or not for me: the page behind the links below each paper in a mail."""

from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from subscribers.model import Subscriber, Verdict
from subscribers.preferences_form import last
from subscribers.tokens import Purpose
from subscribers.web.page_context import TO_ACT, TO_LOOK, FormFields, PageContext


class RatingPages:
    """``/opinion/TOKEN/PAPER``, where PAPER is a canonical id, such as ``arxiv:2602.00001``."""

    def __init__(self, context: PageContext) -> None:
        self._context = context

    def routes(self) -> APIRouter:
        routes = APIRouter()
        # An arXiv id of the old kind has a slash in it.
        routes.add_api_route("/opinion/{token}/{paper:path}", self.show, methods=TO_LOOK)
        routes.add_api_route("/opinion/{token}/{paper:path}", self.hold, methods=TO_ACT)
        return routes

    def show(self, token: str, paper: str, verdict: str = "") -> HTMLResponse:
        """``verdict`` is which of the two links was followed: its button stands out."""
        person = self._context.reader(Purpose.OPINION, token)
        if person is None:
            return self._context.page("unsubscribed")
        return self._page(person, paper, verdict, said=False)

    def hold(self, token: str, paper: str, fields: FormFields) -> HTMLResponse:
        """Store a verdict; anything else that is sent as one takes it back."""
        context = self._context
        person = context.reader(Purpose.OPINION, token)
        if person is None:
            return context.page("unsubscribed")
        self._title(paper)
        sent = last(fields, "verdict")
        if "verdict" in fields:
            verdict = Verdict(sent) if sent in set(Verdict) else None
            context.registry.ratings.hold(person.id, paper, verdict, context.clock())
        return self._page(person, paper, sent, said="verdict" in fields)

    def _page(self, person: Subscriber, paper: str, wanted: str, *, said: bool) -> HTMLResponse:
        return self._context.page(
            "opinion",
            title=self._title(paper),
            verdict=self._context.registry.ratings.on(person.id, paper),
            wanted=wanted,
            said=said,
            preferences=self._context.tokens.make(Purpose.PREFERENCES, person.public_id),
        )

    def _title(self, paper: str) -> str:
        # PostgreSQL takes no NUL in a text, not even to find nothing.
        title = self._context.title_of(paper) if paper.isprintable() else None
        if title is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return title
