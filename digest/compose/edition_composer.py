"""The messages of one edition: filled into what is compiled, or each made by itself."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import structlog

from digest.compose.compiled import CompiledEdition
from digest.compose.composer import Composer, fitting
from digest.compose.held import Computed
from digest.compose.html import BrokenMjml
from digest.compose.message import own
from digest.compose.message_form import Filled, MessageForm
from digest.compose.piece import Unusual
from digest.compose.quoted_printable import quoted_printable
from digest.errors import MessageTooLarge, NothingToShow, TemplateError
from digest.model import Candidate, Digest, Edition, Match, Message, Pick, Reason, Section
from subscribers.topics import TopicFilter

_AT_ONCE = 10  # papers in a digest that is tried out
_NOBODY = "0" * 32
_TOPIC = "a topic"
_MATCH = Match(1.0, Reason(_TOPIC, ("word",)))

log = structlog.get_logger()


class EditionComposer:
    """Makes the digests of an edition at one moment, in any number."""

    def __init__(self, composer: Composer, edition: Edition, now: datetime) -> None:
        self._composer = composer
        self._edition = edition
        self._now = now
        self._what = edition.day.isoformat()
        self._form = MessageForm(composer.sender, what=self._what, now=now)
        self._broken: set[int] = set()
        self._compiled: CompiledEdition | None = None
        try:
            self._compiled = CompiledEdition(composer.templates, composer.view)
        except Computed as why:
            self._do_without(why)

    def try_out(self, papers: Iterable[int]) -> None:
        """Render all that digests with these papers may show, before any of them is sent.

        A paper that cannot be rendered is reported, and left out of all. Raises TemplateError for
        a template that cannot.
        """
        wanted = set(papers)
        candidates = [each for each in self._edition.candidates if each.paper_id in wanted]
        for number, group in enumerate(_groups(candidates)):
            for digest in self._both_kinds(group):
                # What is too large, or has no other papers, is for those who would get it.
                with suppress(MessageTooLarge, NothingToShow):
                    self._try(digest)
                    if number == 0:
                        self._compare(self._without_broken(digest))

    def _both_kinds(self, candidates: Sequence[Candidate]) -> tuple[Digest, Digest]:
        """The papers as somebody with topics gets them, and as somebody without does."""
        day, pool_size = self._edition.day, len(self._edition.candidates)
        for_you = tuple(Pick(Section.FOR_YOU, each, _MATCH) for each in candidates)
        trending = tuple(Pick(Section.TRENDING, each) for each in candidates)
        return (
            Digest(day, (TopicFilter(_TOPIC),), for_you, pool_size),
            Digest(day, (), trending, pool_size),
        )

    def compose(self, digest: Digest, *, to: str, public_id: str) -> Message:
        """The message with one subscriber's digest, in the same octets as ``Composer.compose``.

        Raises what that does.
        """
        digest = self._without_broken(digest)
        if to.isascii() and (filled := self._fill(digest, public_id)):
            its = own(self._composer.sender, to=to, public_id=public_id, what=self._what)
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
        if not self._broken:
            return digest
        kept = tuple(p for p in digest.picks if p.candidate.paper_id not in self._broken)
        if not kept:
            raise NothingToShow("none of its papers can be rendered")
        return replace(digest, picks=kept)

    def _try(self, digest: Digest) -> None:
        """Compile what a digest is made of, or find out which of its papers keep it from that."""
        if self._fill(digest, _NOBODY):
            return
        try:
            kept = self._composer.without_broken(digest, _NOBODY).picks
        except NothingToShow:
            kept = ()
        self._broken |= {pick.candidate.paper_id for pick in set(digest.picks) - set(kept)}
        self._fill(self._without_broken(digest), _NOBODY)

    def _compare(self, digest: Digest) -> None:
        """Whether what is compiled comes out as the whole way has it; else do without.

        Templates may hold what nobody has thought of.
        """
        filled = self._fill(digest, _NOBODY)
        if filled is None:
            return
        whole = self._composer.render(digest, _NOBODY)
        text, html = quoted_printable(whole.text), quoted_printable(whole.html)
        if (filled.subject, filled.text, filled.html) != (whole.subject, text, html):
            self._do_without("compiled, a digest looks different")

    def _do_without(self, why: object) -> None:
        self._compiled = None
        log.warning("digests are rendered one by one, which is slow", why=str(why))


def _groups(candidates: Sequence[Candidate]) -> Iterator[Sequence[Candidate]]:
    for start in range(0, len(candidates), _AT_ONCE):
        yield candidates[start : start + _AT_ONCE]
