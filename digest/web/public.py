"""The pages that show what one gets, or would get."""

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from digest.compose.phrases import topic, why
from digest.model.digests import Digest
from digest.web.paper_rows import rows
from digest.web.site import Site
from digest.web.visit import Visit, Visited
from subscribers.errors import SubscriberError
from subscribers.preferences_form import Fields, last
from subscribers.tokens import Purpose
from subscribers.topic_reports import TopicReport
from subscribers.web.page_context import Context, FormFields, PageContext
from subscribers.web.signup import sent_form, shown_form

LONGEST_ADDRESS = 320
# An email has its style in each element, and may show the operator's picture, from anywhere.
MAIL_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex",
}


def personal_routes(site: Site) -> APIRouter:
    """Return ``/preview`` and ``/digest``: for one person."""
    routes = APIRouter(default_response_class=HTMLResponse)

    # A POST, to keep an address that is typed already out of the page's own.
    @routes.post("/preview", response_model=None)
    async def preview(visit: Visited, context: Context, fields: FormFields) -> HTMLResponse:
        """Show what the latest edition would have been for somebody with these preferences."""
        return await site.ranking.run(
            preview_of, visit, context, fields, await reports_of(context, fields)
        )

    async def reports_of(context: PageContext, fields: Fields) -> Sequence[TopicReport] | None:
        """Return what the topics in a form would have matched lately; nothing if they are wrong."""
        try:
            topics, preferences = sent_form(context, fields).read(context.defaults)
        except SubscriberError:
            return ()
        return await site.topic_reports(topics, preferences.strictness)

    def preview_of(
        visit: Visit,
        context: PageContext,
        fields: Fields,
        reports: Sequence[TopicReport] | None,
    ) -> HTMLResponse:
        language = visit.language
        latest = site.latest_day()
        digest: Digest | None = None
        error: SubscriberError | None = None
        try:
            topics, preferences = sent_form(context, fields).read(context.defaults)
            digest = site.draft(latest, topics, preferences) if latest else None
        except SubscriberError as refused:
            error = refused
        picks = digest.picks if digest else ()
        return context.page(
            "preview",
            HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
            day=latest,
            rows=rows([pick.candidate for pick in picks], site.pictures_at, language),
            reasons=[(topic(pick.match, language), why(pick.match, language)) for pick in picks],
            reports=reports,
            form=shown_form(context, fields),
            address=last(fields, "address")[:LONGEST_ADDRESS],
            error=error,
        )

    @routes.get("/digest/{token}/{day}")
    def own_digest(context: Context, token: str, day: date) -> HTMLResponse:
        """Show a subscriber's own email as it was sent, behind a signed link."""
        person = context.registry.by_public_id(context.tokens.read(Purpose.DIGEST, token))
        html = person and site.own_digest(person, day)
        if not html:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return HTMLResponse(html, headers=MAIL_HEADERS)

    return routes
