"""The page behind the links below each paper in an email: more like this, or not for me."""

from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from subscribers.model import Rating, Subscriber, Verdict
from subscribers.preferences_form import Fields, last
from subscribers.tokens import Purpose
from subscribers.web.page_context import Context, FormFields, NextDigest, PageContext

# A paper is named by its canonical id, such as arxiv:2602.00001; an old arXiv id has a slash.
_RATING = "/opinion/{token}/{paper:path}"

routes = APIRouter()


@routes.get(_RATING)
def show_rating(context: Context, token: str, paper: str, verdict: str = "") -> HTMLResponse:
    """Show both buttons; that of ``verdict``, the link that was followed, stands out."""
    person = context.reader(Purpose.RATING, token)
    _check(context, paper)
    return _page(context, person, paper, wanted=verdict)


@routes.post(_RATING)
def rate(context: Context, token: str, paper: str, fields: FormFields) -> HTMLResponse:
    """Store a verdict; any other value removes it."""
    person = context.reader(Purpose.RATING, token)
    _check(context, paper)
    if "verdict" not in fields:
        return _page(context, person, paper)
    before = context.registry.ratings.on(person.id, paper)
    context.registry.ratings.rate(person.id, paper, verdict_in(fields), context.clock())
    return _page(context, person, paper, wanted=last(fields, "verdict"), before=before, saved=True)


def is_known(context: PageContext, paper: str) -> bool:
    """Return whether there is a paper with this canonical id."""
    # PostgreSQL refuses a NUL in any text, even in a query.
    return paper.isprintable() and paper in context.titles_of([paper])


def verdict_in(fields: Fields) -> Verdict | None:
    """Return the verdict that a form was sent with."""
    sent = last(fields, "verdict")
    return Verdict(sent) if sent in set(Verdict) else None


def _check(context: PageContext, paper: str) -> None:
    if not is_known(context, paper):
        raise HTTPException(HTTPStatus.NOT_FOUND)


def _page(
    context: PageContext,
    person: Subscriber,
    paper: str,
    *,
    wanted: str = "",
    before: Verdict | None = None,
    saved: bool = False,
) -> HTMLResponse:
    """Show the page. ``before`` is the verdict that was replaced, which undoing brings back."""
    rated = context.registry.ratings.of(person.id)
    verdict = _verdict_on(paper, rated)
    return context.page(
        "rating",
        reader=person,
        title=context.titles_of([paper])[paper],
        paper=paper,
        verdict=verdict,
        alike=sum(rating.verdict is verdict for rating in rated),
        before=before if before and before is not verdict else "",
        wanted=wanted,
        saved=saved,
        preferences=context.tokens.make(Purpose.PREFERENCES, person.public_id),
        next_digest=NextDigest.of(person.preferences, context.clock()),
    )


def _verdict_on(paper: str, rated: list[Rating]) -> Verdict | None:
    return next((rating.verdict for rating in rated if rating.paper == paper), None)
