"""From a digest to a message."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar

import structlog

from digest.compose.content import Content, fill, mail_of
from digest.compose.environment import Templates
from digest.compose.from_identity import FromIdentity
from digest.compose.message import build_message
from digest.compose.view import DigestView, Links, view
from digest.errors import MessageTooLarge, NothingToShow, TemplateError
from digest.model.digests import Candidate, Digest, Pick, Section
from digest.model.messages import Message
from digest.model.papers import Facts, Signals
from subscribers.tokens import Purpose

# Gmail cuts a message off at about 102 KB of HTML, and the way out with it.
WARN_AT = 90_000
REFUSE_AT = 100_000

_PLAIN_PAPER = Pick(Section.TRENDING, Candidate(0, "", Facts(title="A paper"), Signals(), date.min))

Made = TypeVar("Made")

log = structlog.get_logger()


class Composer:
    """Makes the messages with digests, or notes that there is nothing, in one sender's name.

    Each goes the whole way by itself; for many of one edition there is EditionComposer.
    """

    def __init__(self, templates: Templates, identity: FromIdentity) -> None:
        self.templates = templates
        self.identity = identity

    def compose(
        self, digest: Digest, *, to: str, public_id: str, now: datetime, subject_mark: str = ""
    ) -> Message:
        """Make the message with one subscriber's digest.

        A paper that cannot be rendered is left out and reported; so are the last ones of a message
        that clients would cut off. ``subject_mark`` sets a message apart that is no delivery (a
        test); it gets a Message-ID of its own as well. Raises TemplateError, NothingToShow where
        that leaves no paper, or MessageTooLarge where not even one fits.
        """
        content = self.render(digest, public_id)
        what = digest.day.isoformat()
        if subject_mark:
            content = replace(content, subject=f"{subject_mark} {content.subject}")
            what = f"{what}-{now:%H%M%S%f}"
        return build_message(content, self.identity, to=to, public_id=public_id, what=what, now=now)

    def render(self, digest: Digest, public_id: str) -> Content:
        """Render subject, text and HTML of a digest, without what ``compose`` leaves out."""

        def make(part: Digest) -> tuple[Content, int]:
            content = self._fill(part, public_id)
            return content, len(content.html.encode())

        try:
            return fitting(digest, make)
        except TemplateError:
            return fitting(self.without_broken(digest, public_id), make)

    def without_broken(self, digest: Digest, public_id: str) -> Digest:
        """Return the digest without the papers that cannot be rendered, which are reported.

        Raises TemplateError if a template is to blame, and NothingToShow if that leaves none.
        """
        try:
            self._fill(digest, public_id)
        except TemplateError as error:
            broken = self._broken(digest, public_id)
            if not broken:
                raise
            if len(broken) == len(digest.picks):
                # A paper that nobody can object to tells who is to blame.
                self._fill(replace(digest, picks=(_PLAIN_PAPER,)), public_id)
                raise NothingToShow(f"none of its papers can be rendered: {error}") from error
            for pick, fault in broken.items():
                title = pick.candidate.facts.title
                log.warning("a paper is left out of a mail", title=title, why=str(fault))
            return replace(digest, picks=tuple(p for p in digest.picks if p not in broken))
        return digest

    def links(self, digest: Digest, public_id: str) -> Links:
        """Return a reader's links in a digest."""
        link = self.identity.link
        return Links(
            unsubscribe=link(Purpose.UNSUBSCRIBE, public_id),
            preferences=link(Purpose.PREFERENCES, public_id),
            archive=f"{self.identity.base_url}/archive",
            edition=f"{self.identity.base_url}/archive/{digest.day}",
            browser=f"{link(Purpose.DIGEST, public_id)}/{digest.day}",
            opinions=link(Purpose.RATING, public_id),
        )

    def view(self, digest: Digest, links: Links) -> DigestView:
        """Return what the templates see of a digest."""
        return view(
            digest,
            links,
            brand=self.identity.name,
            postal_address=self.identity.postal_address,
            language=self.templates.language,
            header=self.identity.header,
            thumbnails=self.identity.thumbnails,
        )

    def _fill(self, digest: Digest, public_id: str) -> Content:
        mail = self.view(digest, self.links(digest, public_id))
        return fill(self.templates, mail_of(digest), mail)

    def _broken(self, digest: Digest, public_id: str) -> dict[Pick, TemplateError]:
        """Return the papers that cannot be rendered on their own, and why."""
        broken: dict[Pick, TemplateError] = {}
        for pick in digest.picks:
            try:
                self._fill(replace(digest, picks=(pick,)), public_id)
            except TemplateError as error:
                broken[pick] = error
        return broken


def fitting(digest: Digest, make: Callable[[Digest], tuple[Made, int]]) -> Made:
    """Make something of a digest with as many of its papers as fit.

    ``make`` also gives the octets of HTML. Raises MessageTooLarge where not even one paper fits.
    """
    kept = digest
    made, size = make(kept)
    while size >= REFUSE_AT:
        if len(kept.picks) <= 1:
            raise MessageTooLarge(f"{size} bytes of HTML; mail clients cut off at {REFUSE_AT}")
        kept = replace(kept, picks=kept.picks[:-1])
        made, size = make(kept)
    if size >= WARN_AT:
        left_out = len(digest.picks) - len(kept.picks)
        log.warning("a mail is nearly too large", bytes=size, papers_left_out=left_out)
    return made
