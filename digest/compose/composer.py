"""Make the message with a digest."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime

import structlog

from digest.compose.content import Content, fill, mail_of
from digest.compose.environment import Templates
from digest.compose.from_identity import FromIdentity
from digest.compose.message import build_message
from digest.compose.view import DigestView, Links, page_query, view
from digest.errors import MessageTooLarge, NothingToShow, TemplateError
from digest.model.digests import (
    Candidate,
    Digest,
    Edition,
    Match,
    Pick,
    Reason,
    Section,
    SkipReason,
)
from digest.model.messages import Message
from digest.model.page_paths import ARCHIVE, day_path
from digest.model.papers import Facts, Signals
from subscribers.tokens import Purpose
from subscribers.topics import TopicFilter

# Gmail cuts a message off at about 102 KB of HTML, and the way out with it.
WARN_AT = 90_000
REFUSE_AT = 100_000

_NOBODY = "0" * 32
_AT_ONCE = 10  # papers in a digest that is tried out
_MATCH = Match(1.0, Reason("a topic", ("word",)))
_PLAIN_PAPER = Pick(Section.TRENDING, Candidate(0, "", Facts(title="A paper"), Signals(), date.min))

log = structlog.get_logger()


class Composer:
    """Makes the messages with digests, or notes that there is nothing, in one sender's name."""

    def __init__(self, templates: Templates, identity: FromIdentity) -> None:
        self.templates = templates
        self.identity = identity
        self._reported: set[int] = set()  # papers that cannot be rendered

    def compose(
        self, digest: Digest, *, to: str, public_id: str, now: datetime, subject_mark: str = ""
    ) -> Message:
        """Make the message with one subscriber's digest.

        A paper that cannot be rendered is left out and reported; so are the last ones of a message
        that clients would cut off. ``subject_mark`` sets a message apart that is no delivery (a
        test); it gets a Message-ID of its own as well. Raises TemplateError, NothingToShow if
        that leaves no paper, or MessageTooLarge if not even one fits.
        """
        content = self.render(digest, public_id, to)
        what = digest.day.isoformat()
        if subject_mark:
            content = replace(content, subject=f"{subject_mark} {content.subject}")
            what = f"{what}-{now:%H%M%S%f}"
        return build_message(content, self.identity, to=to, public_id=public_id, what=what, now=now)

    def render(self, digest: Digest, public_id: str, address: str = "") -> Content:
        """Render subject, text and HTML of a digest, without what ``compose`` leaves out."""
        try:
            return self._fitting(digest, public_id, address)
        except TemplateError:
            return self._fitting(self._without_broken(digest, public_id), public_id, address)

    def try_out(
        self, edition: Edition, papers: Sequence[Candidate], notes: Iterable[SkipReason] = ()
    ) -> None:
        """Fill in each paper of an edition and each kind of note, before anything is sent.

        A paper that cannot be rendered is reported, and so is a template that cannot be built, and
        is slow. Raises TemplateError for a template that cannot be rendered.
        """
        topics = (TopicFilter("a topic"),)
        empty = Digest(edition.day, (), (), len(edition.candidates), edition.missing)
        digests = []
        for start in range(0, len(papers), _AT_ONCE):
            group = papers[start : start + _AT_ONCE]
            for_you = tuple(Pick(Section.FOR_YOU, paper, _MATCH) for paper in group)
            trending = tuple(Pick(Section.TRENDING, paper) for paper in group)
            digests.append(replace(empty, topics=topics, picks=for_you))
            digests.append(replace(empty, picks=trending))
        for reason in notes:
            note = replace(empty, why_nothing=reason)
            digests += [replace(note, topics=topics), note]
        slow = {}
        for digest in digests:
            # What is too large, or has no papers left, is for those who would get it.
            with suppress(MessageTooLarge, NothingToShow):
                slow[mail_of(digest)] = self.render(digest, _NOBODY).not_built
        for mail, why in slow.items():
            if why:
                log.warning("each email is rendered by itself: slow", mail=mail, why=str(why))

    def links(self, digest: Digest, public_id: str) -> Links:
        """Return a reader's links in a digest; without pages there is only one way to leave."""
        link = self.identity.link
        if not self.identity.base_url:
            return Links(unsubscribe=self.identity.leave_by_mail(public_id))
        query = page_query(digest, self.templates.languages.of_reader(digest.locale))
        return Links(
            unsubscribe=link(Purpose.UNSUBSCRIBE, public_id),
            preferences=link(Purpose.PREFERENCES, public_id),
            archive=f"{self.identity.base_url}{ARCHIVE}{query}",
            edition=f"{self.identity.base_url}{day_path(digest.day)}{query}",
            browser=f"{link(Purpose.DIGEST, public_id)}/{digest.day}",
            opinions=link(Purpose.RATING, public_id),
            follows=link(Purpose.FOLLOW, public_id),
            home=f"{self.identity.base_url}/{query}",
        )

    def view(self, digest: Digest, links: Links, address: str = "") -> DigestView:
        """Return what the templates see of a digest."""
        return view(
            digest,
            links,
            brand=self.identity.name,
            postal_address=self.identity.postal_address,
            language=self.templates.languages.of_reader(digest.locale),
            header=self.identity.header,
            pictures=self.identity.base_url if self.identity.pictures else None,
            address=address,
        )

    def _fill(self, digest: Digest, public_id: str, address: str = "") -> Content:
        mail = self.view(digest, self.links(digest, public_id), address)
        return fill(self.templates.for_reader(mail.language), mail_of(digest), mail)

    def _fitting(self, digest: Digest, public_id: str, address: str) -> Content:
        """Fill in as many papers as fit. Raises MessageTooLarge if not even one fits."""
        kept = digest
        content = self._fill(kept, public_id, address)
        while (size := content.html_part.size) >= REFUSE_AT:
            if len(kept.picks) <= 1:
                raise MessageTooLarge(f"{size} bytes of HTML; mail clients cut off at {REFUSE_AT}")
            kept = replace(kept, picks=kept.picks[:-1])
            content = self._fill(kept, public_id, address)
        if size >= WARN_AT:
            left_out = len(digest.picks) - len(kept.picks)
            log.warning("an email is nearly too large", bytes=size, papers_left_out=left_out)
        return content

    def _without_broken(self, digest: Digest, public_id: str) -> Digest:
        """Return a digest that cannot be rendered without the papers that are to blame.

        Raises TemplateError if a template is to blame, and NothingToShow if no paper is left.
        """
        broken: dict[Pick, TemplateError] = {}
        for pick in digest.picks:
            try:
                self._fill(replace(digest, picks=(pick,)), public_id)
            except TemplateError as error:
                broken[pick] = error
        if not broken:
            self._fill(digest, public_id)
        elif len(broken) == len(digest.picks):
            # A paper that nobody can object to tells who is to blame.
            self._fill(replace(digest, picks=(_PLAIN_PAPER,)), public_id)
        for pick, fault in broken.items():
            candidate = pick.candidate
            if candidate.paper_id not in self._reported:
                self._reported.add(candidate.paper_id)
                title = candidate.facts.title
                log.warning("a paper is left out of an email", title=title, why=str(fault))
        kept = tuple(pick for pick in digest.picks if pick not in broken)
        if not kept:
            raise NothingToShow("none of its papers can be rendered")
        return replace(digest, picks=kept)
