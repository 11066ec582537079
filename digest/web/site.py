"""What the web application stands on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from digest.compose.environment import Templates
from digest.compose.from_identity import FromIdentity
from digest.ledger.editions import Editions
from digest.model.digests import Digest, Pick
from digest.web.health import Watch
from subscribers.model import Subscriber
from subscribers.preferences import Preferences
from subscribers.topics import TopicFilter
from subscribers.web.page_context import PageContext, Render


class Draft(Protocol):
    """The digest of a day for somebody with these wishes; none if nothing matches."""

    def __call__(
        self, day: date, topics: tuple[TopicFilter, ...], wishes: Preferences = ...
    ) -> Digest | None: ...


@dataclass(frozen=True)
class Site:
    """``draft`` makes the digest of a day for some topics, ``own_digest`` the HTML of the mail that
    a subscriber got for a day; each gives none where there is none. ``search`` finds papers that
    fit a topic filter, and raises TopicError.
    """

    identity: FromIdentity
    templates: Templates
    editions: Editions
    context: PageContext
    draft: Draft
    search: Callable[[str], Sequence[Pick]]
    own_digest: Callable[[Subscriber, date], str | None]
    watch: Watch
    api_tokens: tuple[str, ...] = ()


def page_renderer(templates: Templates, identity: FromIdentity) -> Render:
    """Fills page templates, with what every page says of the sender."""

    def render(name: str, **values: object) -> str:
        return templates.render(name, brand=identity.name, postal=identity.postal_address, **values)

    return render
