"""The functions and values that the web application needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Protocol

from digest.compose.environment import Templates
from digest.compose.from_identity import FromIdentity
from digest.compose.view import CardView, card
from digest.inbound.webhook_signatures import Headers
from digest.inbound.webhooks import WebhookAnswer
from digest.ledger.editions import Editions
from digest.model.digests import Digest, Edition, Pick, Section
from digest.rank.popularity import by_popularity
from subscribers.model import Subscriber
from subscribers.preferences import Preferences
from subscribers.topics import TopicFilter
from subscribers.web.page_context import PageContext, Render


class Draft(Protocol):
    """Make the digest of a day for these topics and preferences; None if nothing matches."""

    def __call__(
        self, day: date, topics: tuple[TopicFilter, ...], preferences: Preferences = ...
    ) -> Digest | None: ...


@dataclass(frozen=True)
class Site:
    """Everything that the pages call.

    ``search`` finds papers for a topic filter, and raises TopicError. ``own_digest`` is the HTML of
    the mail that a subscriber got for a day. ``missing`` says in a word what keeps the pages from
    working. ``figures`` are metrics in Prometheus's text format, shown for one of the tokens.
    ``webhook`` takes a service's name, headers and body.
    """

    identity: FromIdentity
    templates: Templates
    editions: Editions
    context: PageContext
    draft: Draft
    search: Callable[[str], Sequence[Pick]]
    own_digest: Callable[[Subscriber, date], str | None]
    missing: Callable[[], str]
    figures: Callable[[], bytes]
    webhook: Callable[[str, Headers, bytes], WebhookAnswer]
    metrics_tokens: Sequence[str] = ()
    api_tokens: tuple[str, ...] = ()


def page_renderer(templates: Templates, identity: FromIdentity) -> Render:
    """Return what fills page templates, with what every page says of the sender."""
    return partial(
        templates.render, brand=identity.name, postal=identity.postal_address, root=identity.root
    )


def cards_of(edition: Edition) -> list[CardView]:
    """Return all papers of an edition as they are shown, the most popular first."""
    candidates = by_popularity(edition.candidates)
    return [card(Pick(Section.TRENDING, candidate)) for candidate in candidates]
