"""Make the message with a digest, or with an announcement."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime

import structlog

from digest.compose.announcement_text import blocks_of, direction_of
from digest.compose.content import ANNOUNCEMENT, Content, fill, mail_of
from digest.compose.environment import Templates
from digest.compose.from_identity import FromIdentity
from digest.compose.message import build_message
from digest.compose.phrases import because
from digest.compose.view import AnnouncementView, DigestView, Links, page_query, view
from digest.errors import MessageTooLarge, NothingToShow, TemplateError
from digest.model.announcements import Announced
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
from digest.model.wording import truncate
from subscribers.tokens import Purpose
from subscribers.topics import TopicFilter

# Gmail cuts a message off at about 102 KB of HTML, and the way out with it.
WARN_AT = 90_000
REFUSE_AT = 100_000

_NOBODY = "0" * 32
_PREHEADER = 120  # characters
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
        self,
        mail: Digest | Announced,
        *,
        to: str,
        public_id: str,
        now: datetime,
        subject_mark: str = "",
    ) -> Message:
        """Make the message with one subscriber's digest, or an announcement.

        A paper that cannot be rendered is left out and reported; so are the last ones of a message
        that clients would cut off. ``subject_mark`` sets a message apart that is no delivery (a
        test); it gets a Message-ID of its own as well. Raises TemplateError, NothingToShow if
        that leaves no paper, or MessageTooLarge if not even one fits.
        """
        if isinstance(mail, Announced):
            content, what = self.render_announcement(mail, public_id, to), mail.what
        else:
            content, what = self.render(mail, public_id, to), mail.day.isoformat()
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

    # ---- announcements ----

    def render_announcement(self, mail: Announced, public_id: str, address: str = "") -> Content:
        """Render subject, text and HTML of an announcement. Raises MessageTooLarge."""
        shown = self.announcement_view(mail, public_id, address)
        content = fill(self.templates.for_reader(shown.language), ANNOUNCEMENT, shown)
        if (size := content.html_part.size) >= REFUSE_AT:
            raise MessageTooLarge(f"{size} bytes of HTML; mail clients cut off at {REFUSE_AT}")
        return content

    def announcement_view(
        self, mail: Announced, public_id: str, address: str = ""
    ) -> AnnouncementView:
        """Return what the templates see of an announcement."""
        draft, identity = mail.announcement.draft, self.identity
        language = self.templates.languages.of_reader(mail.locale)
        blocks = blocks_of(draft.text)
        archive = f"{identity.base_url}{ARCHIVE}{page_query(mail, language)}"
        return AnnouncementView(
            brand=identity.name,
            postal_address=identity.postal_address,
            language=language.code,
            direction=language.direction,
            header=identity.header,
            subject=draft.subject,
            preheader=truncate(blocks[0].lines[0].text, _PREHEADER),
            blocks=blocks,
            text_direction=direction_of(draft.text),
            because=because(address, identity.name, language),
            links=Links(
                unsubscribe=identity.link(Purpose.UNSUBSCRIBE, public_id)
                or identity.leave_by_mail(public_id),
                preferences=identity.link(Purpose.PREFERENCES, public_id),
                archive=archive if identity.base_url else "",
            ),
        )

    # ---- digests that fit, and can be rendered ----

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
