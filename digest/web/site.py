"""The functions and values that the web application needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol

from fastapi.responses import HTMLResponse

from digest.compose.card import CardView, Shown, card
from digest.compose.environment import Templates
from digest.compose.from_identity import FromIdentity
from digest.compose.report_words import report_view
from digest.inbound.webhook_signatures import Headers
from digest.inbound.webhooks import WebhookAnswer
from digest.ledger.browsing import Browsing
from digest.ledger.chosen_papers import ChosenPapers
from digest.ledger.editions import Editions
from digest.ledger.pictures import Pictures
from digest.model.digests import Candidate, Digest, Edition, Pick, Section
from digest.model.papers import Facts
from digest.model.search import Found, SearchQuery
from digest.rank.popularity import by_popularity
from digest.web.caching import Versions
from digest.web.limiter import Limiter
from digest.web.privacy import Privacy
from digest.web.sample import Kept
from digest.web.timely_reports import Report
from digest.web.visit import Visit
from subscribers.model import Subscriber
from subscribers.preferences import Preferences, Strictness
from subscribers.topic_reports import TopicReport
from subscribers.topics import TopicFilter
from subscribers.web.page_context import PageContext, Render


class Draft(Protocol):
    """Make the digest of a day for these topics and preferences; None if nothing matches."""

    def __call__(
        self, day: date, topics: tuple[TopicFilter, ...], preferences: Preferences = ...
    ) -> Digest | None: ...


class ReportSoon(Protocol):
    """Report what topics would have matched lately; None if that takes longer than a moment."""

    async def __call__(
        self, topics: Sequence[TopicFilter], strictness: Strictness | None
    ) -> Sequence[TopicReport] | None: ...


@dataclass(frozen=True)
class Site:
    """Everything that the pages call.

    ``search`` finds papers, from a number on and so many. ``related`` returns the
    canonical ids of the papers that are most like one. ``topic_reports`` tells what topics would
    have matched lately, and so does ``reports``, for what is under the limit already.
    ``own_digest`` is the HTML of the mail that a subscriber got for a day. ``sample`` is a digest
    for the landing page, and ``sample_mail`` its HTML.
    ``missing`` says in a word what keeps the pages from working. ``figures`` are metrics in
    Prometheus's text format, shown for one of the tokens. ``webhook`` takes a service's name,
    headers and body. ``versions`` are those of what the pages show, ``file_versions`` those of the
    templates alone. All that ranks is done under the limit of ``ranking``, and all else that is the
    same for everybody under that of ``showing``, but for pictures: an email to many readers is no
    reason for pages to wait.
    """

    identity: FromIdentity
    templates: Templates
    editions: Editions
    pictures: Pictures
    browsing: Browsing
    told: Callable[[Sequence[Candidate], str], Sequence[Candidate]]
    chosen: ChosenPapers
    context: PageContext
    privacy: Privacy
    draft: Draft
    search: Callable[[SearchQuery, int, int], Found]
    related: Callable[[str, Facts], list[str]]
    topic_reports: ReportSoon
    reports: Report
    own_digest: Callable[[Subscriber, date], str | None]
    missing: Callable[[], str]
    figures: Callable[[], bytes]
    webhook: Callable[[str, Headers, bytes], WebhookAnswer]
    versions: Versions
    file_versions: Versions
    sample: Kept[Digest]
    sample_mail: Callable[[Digest], str]
    ranking: Limiter = field(default_factory=Limiter)
    showing: Limiter = field(default_factory=Limiter)
    picturing: Limiter = field(default_factory=Limiter)
    metrics_tokens: Sequence[str] = ()
    api_tokens: tuple[str, ...] = ()

    @property
    def usual_visit(self) -> Visit:
        """Return the visit of somebody of whom nothing is known."""
        return Visit(self.templates.languages, self.identity, self.templates.language)

    def page(
        self, name: str, visit: Visit, status: HTTPStatus = HTTPStatus.OK, **values: Any
    ) -> HTMLResponse:
        """Fill the template of a page that is the same for everybody."""
        return replace(self.context, visit=visit).page(name, status, **values)

    @property
    def pictures_at(self) -> str | None:
        """Return what the paths of pictures on pages are added to; None: they show none."""
        return self.identity.root if self.identity.pictures else None

    def latest_day(self) -> date | None:
        """Return the day of the latest edition."""
        days = self.editions.days(1)
        return days[0][0] if days else None


def page_renderer(
    templates: Templates,
    identity: FromIdentity,
    *,
    asks_proof: bool = False,
    translates: bool = False,
) -> Render:
    """Return the function that fills page templates, with what all pages say.

    ``asks_proof`` is whether the sign-up form asks for a proof of work, ``translates`` whether
    there is a model that translates titles.
    """

    def render(name: str, visit: Visit, **values: object) -> str:
        language = visit.language
        return templates.for_reader(language.code).render(
            name,
            brand=identity.name,
            postal=identity.postal_address,
            contact=identity.reply_to,
            files=identity.root,
            root=visit.root,
            base_url=visit.base_url,
            lang=language.code,
            direction=language.direction,
            alternates=visit.alternates,
            asks_proof=asks_proof,
            translates=translates,
            report_view=partial(report_view, language=language),
            **values,
        )

    return render


def cards_of(edition: Edition, most: int | None = None) -> list[CardView]:
    """Return the papers of an edition as they are shown, the most popular first."""
    candidates = by_popularity(edition.candidates)[:most]
    return [card(Pick(Section.TRENDING, paper), Shown(day=edition.day)) for paper in candidates]
