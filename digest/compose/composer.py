"""From a digest to a message."""

from dataclasses import replace
from datetime import date, datetime

import structlog

from digest.compose.content import Content, fill
from digest.compose.environment import Templates
from digest.compose.message import build_message
from digest.compose.sender import Sender
from digest.compose.view import Links, view
from digest.errors import MessageTooLarge, NothingToShow, TemplateError
from digest.model import Candidate, Digest, Facts, Message, Pick, Section, Signals
from subscribers.tokens import Purpose

# Gmail cuts a message off at about 102 KB of HTML, and the way out with it.
WARN_AT = 90_000
REFUSE_AT = 100_000

_PLAIN_PAPER = Pick(Section.TRENDING, Candidate(0, "", Facts(title="A paper"), Signals(), date.min))

log = structlog.get_logger()


class Composer:
    """Makes the mails with digests, in one sender's name."""

    def __init__(self, templates: Templates, sender: Sender) -> None:
        self._templates = templates
        self._sender = sender

    def compose(
        self, digest: Digest, *, to: str, public_id: str, now: datetime, subject_mark: str = ""
    ) -> Message:
        """The message with one subscriber's digest.

        A paper that cannot be rendered is left out and reported; so are the last ones of a mail
        that clients would cut off. ``subject_mark`` sets a mail apart that is no delivery (a
        test); it then gets a Message-ID of its own as well. Raises TemplateError,
        NothingToShow where that leaves no paper, or MessageTooLarge where not even one fits.
        """
        content = self.render(digest, public_id)
        what = digest.day.isoformat()
        if subject_mark:
            content = replace(content, subject=f"{subject_mark} {content.subject}")
            what = f"{what}-{now:%H%M%S%f}"
        return build_message(content, self._sender, to=to, public_id=public_id, what=what, now=now)

    def render(self, digest: Digest, public_id: str) -> Content:
        """Subject, text and HTML of a digest, without what ``compose`` leaves out."""
        try:
            content = self._fill(digest, public_id)
        except TemplateError as error:
            digest = self._without_broken(digest, public_id, error)
            content = self._fill(digest, public_id)
        kept = digest
        while (size := len(content.html.encode())) >= REFUSE_AT:
            if len(kept.picks) == 1:
                raise MessageTooLarge(f"{size} bytes of HTML; mail clients cut off at {REFUSE_AT}")
            kept = replace(kept, picks=kept.picks[:-1])
            content = self._fill(kept, public_id)
        if size >= WARN_AT:
            left_out = len(digest.picks) - len(kept.picks)
            log.warning("a mail is nearly too large", bytes=size, papers_left_out=left_out)
        return content

    def _fill(self, digest: Digest, public_id: str) -> Content:
        sender = self._sender
        links = Links(
            unsubscribe=sender.link(Purpose.UNSUBSCRIBE, public_id),
            preferences=sender.link(Purpose.PREFERENCES, public_id),
            archive=f"{sender.base_url}/archive",
            browser=f"{sender.link(Purpose.DIGEST, public_id)}/{digest.day}",
            opinions=sender.link(Purpose.OPINION, public_id),
        )
        mail = view(digest, links, brand=sender.name, postal_address=sender.postal_address)
        return fill(self._templates, "digest", mail)

    def _without_broken(self, digest: Digest, public_id: str, error: TemplateError) -> Digest:
        """The digest without the papers that cannot be rendered on their own.

        Where that is all of them, a paper that nobody can object to tells who is to blame. Raises
        TemplateError if it is the template, and NothingToShow if it is the papers.
        """
        broken: dict[Pick, TemplateError] = {}
        for pick in digest.picks:
            try:
                self._fill(replace(digest, picks=(pick,)), public_id)
            except TemplateError as its_own:
                broken[pick] = its_own
        if not broken:
            raise error
        if len(broken) == len(digest.picks):
            self._fill(replace(digest, picks=(_PLAIN_PAPER,)), public_id)
            raise NothingToShow(f"none of its papers can be rendered: {error}") from error
        for pick, fault in broken.items():
            title = pick.candidate.facts.title
            log.warning("a paper is left out of a mail", title=title, why=str(fault))
        return replace(digest, picks=tuple(pick for pick in digest.picks if pick not in broken))
