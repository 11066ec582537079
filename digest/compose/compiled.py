"""An edition's digests: compiled once, filled in for one reader after the other.

The way through Jinja2, MJML and premailer takes milliseconds. Here it is taken once for each
paper, as a card, and once for each layout, as the shell around the cards. What is each reader's own
is held open (see held.py). A digest is then a shell, its cards and the reader's own texts, and has
the same octets as if it had gone the whole way: what could make a difference is part of the keys
below, and what cannot be trusted with that goes the whole way.
"""

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, fields, replace
from itertools import count
from types import SimpleNamespace
from typing import Any

from digest.compose.content import including, mail_of
from digest.compose.cuts import Cuts
from digest.compose.environment import Templates
from digest.compose.held import Computed, Marks, Values
from digest.compose.html import to_html
from digest.compose.message_form import Filled
from digest.compose.piece import Encoded, Piece, Unusual, encoded, piece_of_html, piece_of_text
from digest.compose.surroundings import surroundings
from digest.compose.view import (
    CardView,
    DigestView,
    Links,
    opinion_url_of,
    preheader_of,
    top_title_of,
    topic_of,
    topics_of,
    why_of,
)
from digest.model.digests import Digest, Pick, Section, SkipReason

CARD, CARD_TEXT = "mail/partials/card.mjml.j2", "mail/partials/card.txt.j2"

_LINKS = tuple(field.name for field in fields(Links))

# Classes that MJML writes rules for into the head, where they are used.
_HEAD_CLASSES = re.compile(r"\bmj-[\w-]+")

# Components that MJML numbers through a whole document.
_NUMBERED = re.compile(r"<mj-(?:carousel|navbar)\b")

# The view of a digest with these links.
View = Callable[[Digest, Links], DigestView]


@dataclass(frozen=True, slots=True)
class _Layout:
    """What of a digest decides about its shell, beside the edition."""

    for_you: int
    trending: int
    has_topics: bool
    why_nothing: SkipReason | None


@dataclass(frozen=True, slots=True)
class _Card:
    """A paper, but for what it is to the reader. ``classes`` are those that the head must know."""

    html: Piece
    text: Piece
    classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A layout before MJML, marks in it. ``places`` say where each card stands, as far as that has
    to do with how it comes out. ``shells`` are by the cards' classes.
    """

    mjml: str
    subject: str
    text: "_Shell"
    places: tuple[int, ...]
    shells: "dict[frozenset[str], _Shell]"


@dataclass(frozen=True, slots=True)
class _Shell:
    """Pieces and, between them, cards by their number in the digest."""

    parts: tuple[Piece | int, ...]

    def fill(self, values: Values, cards: list[Piece], own: list[Values]) -> Encoded:
        texts: list[str] = []
        lines: list[bytes] = []
        size = 0
        for part in self.parts:
            its, piece = (own[part], cards[part]) if isinstance(part, int) else (values, part)
            texts.append(piece.fill(its))
            lines += piece.lines
            size += piece.size
        octets, rest = encoded(texts, lines)
        return Encoded(octets, size + rest)


class CompiledEdition:
    """Digests that differ in what is each reader's own, in their papers and in their numbers.

    A note that there is nothing is one without papers. Everything else in ``view`` must be the same
    for all of them.
    """

    def __init__(self, templates: Templates, view: View) -> None:
        self._marks = Marks()
        self._cuts = Cuts()
        self._view = view
        self._language = templates.language
        self._cards_by_templates = templates.compiling(self._marks, {})
        self._shells_by_templates = templates.compiling(
            self._marks, dict.fromkeys((CARD, CARD_TEXT), "{{ card.cut }}")
        )
        for name in (CARD, CARD_TEXT):
            if others := templates.names_in(name) - {"card"}:
                what = ", ".join(sorted(others))
                raise Computed(f"{name}: a card that uses {what} is not the same everywhere")
        self._links = Links(*(self._marks.hold(f"links.{name}") for name in _LINKS))
        self._drafts: dict[_Layout, _Draft] = {}
        self._cards: dict[Hashable, _Card] = {}
        self._places: dict[Hashable, int] = {}

    def fill(self, digest: Digest, links: Links) -> Filled:
        """One reader's digest.

        Raises Computed where the templates cannot be compiled, Unusual where this digest cannot be
        filled in, and TemplateError or BrokenMjml.
        """
        layout = _layout(digest)
        draft = self._drafts.get(layout) or self._draft(layout, digest)
        keys = [
            _card_key(pick, place) for pick, place in zip(digest.picks, draft.places, strict=True)
        ]
        try:
            cards = [self._cards[key] for key in keys]
            shell = draft.shells[_classes(cards)]
        except KeyError:
            self._compile(digest, draft, keys)
            cards = [self._cards[key] for key in keys]
            shell = draft.shells[_classes(cards)]
        values = self._values(digest, links)
        own = [self._own(pick, links) for pick in digest.picks]
        html, size = shell.fill(values, [card.html for card in cards], own)
        text, _ = draft.text.fill(values, [card.text for card in cards], own)
        subject = " ".join(self._marks.fill(draft.subject, values).split())
        return Filled(subject, text, html, size)

    # ---- what is each reader's own -----------------------------------------------------------

    def _values(self, digest: Digest, links: Links) -> Values:
        values = _Values(lambda: self._view(digest, links))
        for name in _LINKS:
            values[f"links.{name}"] = getattr(links, name)
        values["preheader"] = preheader_of(digest, self._language)
        values["top_title"] = top_title_of(digest)
        values["topics"] = topics_of(digest, self._language)
        return values

    def _own(self, pick: Pick, links: Links) -> Values:
        return {
            "card.topic": topic_of(pick.match, self._language),
            "card.why": why_of(pick.match, self._language),
            "card.opinion_url": opinion_url_of(pick.candidate, links.opinions),
        }

    def _held_open(self, view: DigestView) -> DigestView:
        """The view for a shell, in which nothing is known of the cards but their number."""
        numbers = count()
        sections = (
            replace(
                section, cards=tuple(self._place_for_card(next(numbers)) for _ in section.cards)
            )
            for section in view.sections
        )
        return replace(
            view,
            preheader=self._held_if("preheader", view.preheader),
            top_title=self._held_if("top_title", view.top_title),
            topics=self._held_if("topics", view.topics),
            sections=tuple(sections),
        )

    def _place_for_card(self, number: int) -> Any:
        """What a shell sees of a card: it can place it, and print what is in it."""
        held = {
            field.name: self._marks.hold(f"cards.{number}.{field.name}", may_be_empty=True)
            for field in fields(CardView)
        }
        return SimpleNamespace(**held, cut=self._cuts.mark(number))

    def _held_card(self, card: CardView) -> CardView:
        return replace(
            card,
            topic=self._held_if("card.topic", card.topic),
            why=self._held_if("card.why", card.why),
            opinion_url=self._held_if("card.opinion_url", card.opinion_url),
        )

    def _held_if(self, name: str, value: str) -> str:
        return self._marks.hold(name) if value else ""

    # ---- compiling ---------------------------------------------------------------------------

    def _draft(self, layout: _Layout, digest: Digest) -> _Draft:
        mail = self._held_open(self._view(digest, self._links))

        def render(part: str) -> str:
            return self._shells_by_templates.render(f"mail/{mail_of(digest)}/{part}", mail=mail)

        mjml = render("body.mjml.j2")
        self._cuts.split(mjml, len(digest.picks))
        text = self._cuts.split(render("body.txt.j2"), len(digest.picks))
        places = []
        for number, offset in enumerate(self._cuts.offsets(mjml)):
            around = surroundings(mjml, offset) or (layout, number)
            places.append(self._places.setdefault(around, len(self._places)))
        draft = _Draft(
            mjml=mjml,
            subject=render("subject.txt.j2"),
            text=self._shell(text, piece_of_text),
            places=tuple(places),
            shells={},
        )
        self._drafts[layout] = draft
        return draft

    def _compile(self, digest: Digest, draft: _Draft, keys: list[Hashable]) -> None:
        """Make the shell and the cards of a digest, as far as they are not known."""
        view = self._view(digest, self._links)
        include = including(self._shells_by_templates, self._held_open(view))
        cards = [self._held_card(card) for section in view.sections for card in section.cards]
        render = self._cards_by_templates.render
        mjml = [render(CARD, card=card) for card in cards]
        if numbered := _NUMBERED.search("".join(mjml)):
            raise Computed(f"{CARD}: a card with {numbered[0]}> is not the same everywhere")
        html = to_html(self._cuts.enclose(draft.mjml, mjml), include)
        shell, inner = self._cuts.open(html, len(cards))
        for key, card, its_html in zip(keys, cards, inner, strict=True):
            if key not in self._cards:
                self._cards[key] = _Card(
                    html=piece_of_html(its_html, self._marks),
                    text=piece_of_text(render(CARD_TEXT, card=card), self._marks),
                    classes=frozenset(_HEAD_CLASSES.findall(its_html)),
                )
        classes = _classes([self._cards[key] for key in keys])
        draft.shells[classes] = self._shell(shell, piece_of_html)

    def _shell(self, parts: list[str | int], piece_of: Callable[[str, Marks], Piece]) -> _Shell:
        return _Shell(
            tuple(part if isinstance(part, int) else piece_of(part, self._marks) for part in parts)
        )


class _Values(dict[str, str]):
    """Values by name; what a shell prints of a card is looked up when it is asked for."""

    def __init__(self, view: Callable[[], DigestView]) -> None:
        super().__init__()
        self._view = view

    def __missing__(self, name: str) -> str:
        _, number, field = name.split(".")
        cards = [card for section in self._view().sections for card in section.cards]
        return str(getattr(cards[int(number)], field))


def _layout(digest: Digest) -> _Layout:
    """Raises Unusual for papers that are not in the order of the sections, as a view has them."""
    sections = [pick.section for pick in digest.picks]
    for_you, trending = sections.count(Section.FOR_YOU), sections.count(Section.TRENDING)
    if Section.FOR_YOU in sections[for_you:]:
        raise Unusual("papers are not in the order of their sections")
    return _Layout(for_you, trending, bool(digest.topics), digest.why_nothing)


def _card_key(pick: Pick, place: int) -> Hashable:
    reason = pick.match and pick.match.reason
    has_why = bool(reason and (reason.liked or reason.words))
    return pick.candidate.paper_id, reason is not None, has_why, place


def _classes(cards: list[_Card]) -> frozenset[str]:
    return frozenset().union(*(card.classes for card in cards))
