"""The messages of one edition: filled into what is compiled, or each made by itself."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import structlog

from digest.compose.compiled import CompiledEdition
from digest.compose.composer import Composer, fitting
from digest.compose.held import Computed
from digest.compose.html import BrokenMjml
from digest.compose.message import own, quoted_printable
from digest.compose.message_form import Filled, MessageForm
from digest.compose.piece import Unusual
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
from subscribers.topics import TopicFilter

_AT_ONCE = 10  # papers in a digest that is tried out
_NOBODY = "0" * 32
_TOPIC = "a topic"
_MATCH = Match(1.0, Reason(_TOPIC, ("word",)))

log = structlog.get_logger()


class EditionComposer:
    """Makes the digests and the notes of an edition at one moment, in any number."""

    def __init__(self, composer: Composer, edition: Edition, now: datetime) -> None:
        self._composer = composer
        self._edition = edition
        self._what = edition.day.isoformat()
        self.date(now)
        self._broken: set[int] = set()
        self._compiled: CompiledEdition | None = None
        try:
            self._compiled = CompiledEdition(composer.templates, composer.view)
        except Computed as why:
            self._do_without(why)

    def date(self, now: datetime) -> None:
        """Make the messages from here on as of another moment."""
        self._now = now
        self._form = MessageForm(self._composer.identity, what=self._what, now=now)

    def try_out(self, papers: Iterable[Candidate], notes: Iterable[SkipReason] = ()) -> None:
        """Render all that digests with these papers may show, before any of them is sent.

        And what notes tell that there is nothing, and why.

        A paper that cannot be rendered is reported, and left out of all. Raises TemplateError for
        a template that cannot.
        """
        candidates = list(papers)
        for start in range(0, len(candidates), _AT_ONCE):
            group = candidates[start : start + _AT_ONCE]
            for digest in (self._digest(group, []), self._digest([], group)):
                self._try(digest)
        if candidates:
            first, others = candidates[:1], candidates[1:_AT_ONCE]
            self._compare(self._digest(first, others))
            self._compare(self._digest([], first))
        for why in notes:
            for topics in ((TopicFilter(_TOPIC),), ()):
                note = replace(self._digest([], []), topics=topics, why_nothing=why)
                self._try(note)
                self._compare(note)

    def _digest(self, for_you: list[Candidate], trending: list[Candidate]) -> Digest:
        """What somebody might get; without topics where nothing is for them."""
        topics = (TopicFilter(_TOPIC),) if for_you else ()
        picks = [Pick(Section.FOR_YOU, paper, _MATCH) for paper in for_you]
        picks += [Pick(Section.TRENDING, paper) for paper in trending]
        edition = self._edition
        pool_size = len(edition.candidates)
        return Digest(edition.day, topics, tuple(picks), pool_size, edition.missing)

    def compose(self, digest: Digest, *, to: str, public_id: str) -> Message:
        """The message with one subscriber's digest, in the same octets as ``Composer.compose``.

        Raises what that does.
        """
        digest = self._without_broken(digest)
        if to.isascii() and (filled := self._fill(digest, public_id)):
            its = own(self._composer.identity, to=to, public_id=public_id, what=self._what)
            return self._form.fill(its, filled)
        return self._composer.compose(digest, to=to, public_id=public_id, now=self._now)

    def _fill(self, digest: Digest, public_id: str) -> Filled | None:
        """The digest by what is compiled; none where it must go the whole way."""
        compiled = self._compiled
        if compiled is None:
            return None
        links = self._composer.links(digest, public_id)

        def make(part: Digest) -> tuple[Filled, int]:
            filled = compiled.fill(part, links)
            return filled, filled.html_size

        try:
            return fitting(digest, make)
        except Computed as why:
            self._do_without(why)
        except (Unusual, TemplateError, BrokenMjml):
            pass  # the whole way it comes out, or it is told what is wrong
        return None

    def _without_broken(self, digest: Digest) -> Digest:
        if not self._broken or not digest.picks:
            return digest
        kept = tuple(p for p in digest.picks if p.candidate.paper_id not in self._broken)
        if not kept:
            raise NothingToShow("none of its papers can be rendered")
        return replace(digest, picks=kept)

    def _try(self, digest: Digest) -> None:
        """Compile what a digest is made of, or find out which of its papers keep it from that."""
        # What is too large, or has no papers left, is for those who would get it.
        with suppress(MessageTooLarge, NothingToShow):
            if self._fill(digest, _NOBODY):
                return
            kept: tuple[Pick, ...] = ()
            with suppress(NothingToShow):
                kept = self._composer.without_broken(digest, _NOBODY).picks
            self._broken |= {pick.candidate.paper_id for pick in set(digest.picks) - set(kept)}
            self._fill(self._without_broken(digest), _NOBODY)

    def _compare(self, digest: Digest) -> None:
        """Whether what is compiled comes out as the whole way has it; else do without.

        Templates may hold what nobody has thought of.
        """
        with suppress(MessageTooLarge, NothingToShow):
            digest = self._without_broken(digest)
            whole = self._composer.render(digest, _NOBODY)
            filled = self._fill(digest, _NOBODY)
            text, html = quoted_printable(whole.text), quoted_printable(whole.html)
            wanted = (whole.subject, text, html)
            if filled and (filled.subject, filled.text, filled.html) != wanted:
                self._do_without("compiled, a digest looks different")

    def _do_without(self, why: object) -> None:
        self._compiled = None
        log.warning("digests are rendered one by one, which is slow", why=str(why))
