"""The values that templates see: display strings and links, nothing to decide. Pure.

A template gets one ``mail`` (AnyView). Text in it is not escaped; the templates'
environment does that.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from digest.compose.announcement_text import Block
from digest.compose.card import CardView, Picture, Shown, Way, of_reader, shared_card
from digest.compose.groups import Group, arranged
from digest.compose.language import ENGLISH, Language
from digest.compose.phrases import (
    because,
    contents,
    heading,
    headline,
    missing,
    preheader,
    subject,
    why_nothing,
)
from digest.model.announcements import Announced
from digest.model.digests import Digest
from digest.model.wording import truncate
from subscribers.topics import TopicFilter

_ANY_TOPIC = (TopicFilter("any"),)


@dataclass(frozen=True, slots=True)
class Links:
    """The subscriber's own links in one email.

    ``edition`` has all of the day's papers; ``browser`` is the mail as a page; ``home`` is where
    others subscribe. A paper's canonical id is added to ``opinions``, the ``path`` of a Follow to
    ``follows``. Without pages, all but ``unsubscribe`` are empty.
    """

    unsubscribe: str
    preferences: str = ""
    archive: str = ""
    edition: str = ""
    browser: str = ""
    opinions: str = ""
    follows: str = ""
    home: str = ""


@dataclass(frozen=True, slots=True, eq=False)  # looked up by what it is, not by what is in it
class SectionView:
    """Papers under one heading, ``about`` beside it; the contents lead to ``anchor``.

    ``shared`` is the section without a reader's own links: one for many readers. ``opinions`` is
    what those in the cards begin with.
    """

    title: str
    about: str
    cards: tuple[CardView, ...]
    anchor: str
    shared: "SectionView | None" = None
    opinions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """The values that all messages show. ``direction`` is ltr or rtl."""

    brand: str
    postal_address: str
    language: str = ENGLISH.code
    direction: str = ENGLISH.direction
    header: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView(_View):
    """A whole digest as it is shown.

    ``contents`` tell how many papers are on what. ``topics`` are the reader's, as one text;
    ``pool`` is a sentence on the edition, ``missing`` one on what it lacks, ``because`` one on why
    the reader gets it. A note that there is nothing has no sections, and says ``why``.
    """

    subject: str
    date_line: str
    short_date: str
    headline: str
    preheader: str
    top_title: str
    others: int
    contents: tuple[Way, ...]
    sections: tuple[SectionView, ...]
    topics: str
    pool: str
    missing: str
    because: str
    links: Links
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView(_View):
    """A message about a subscription or to the operator, as shown; each uses what it needs.

    ``link`` leads to a page with a button, and is good for ``hours``. ``at_once``: whoever
    presses it gets the latest edition within minutes. ``asked_for_link``: a subscriber wants the
    link to their settings, and is not new. ``address`` is the one that somebody wants,
    or has moved to, ``before`` the one that they had. ``unsubscribe`` is the link
    of whoever has confirmed. The last four are for the operator: what went wrong, where and since
    when, and one by one.
    """

    contact: str
    link: str = ""
    hours: int = 0
    at_once: bool = False
    asked_for_link: bool = False
    topics: str = ""
    how_often: str = ""
    address: str = ""
    before: str = ""
    unsubscribe: str = ""
    what: str = ""
    where: str = ""
    since: str = ""
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementView(_View):
    """An announcement as it is shown: the operator's words, in a frame in the reader's language.

    ``text_direction`` is that of the words, ltr or rtl.
    """

    subject: str
    preheader: str
    blocks: tuple[Block, ...]
    text_direction: str
    because: str
    links: Links


AnyView = DigestView | MessageView | AnnouncementView


def view(
    digest: Digest,
    links: Links,
    *,
    brand: str,
    postal_address: str,
    language: Language = ENGLISH,
    header: Picture | None = None,
    pictures: str | None = None,
    address: str = "",
) -> DigestView:
    """Return everything a template needs for one subscriber's digest; ``address`` is theirs.

    ``pictures`` is what the paths of pictures are added to; None: there are none.
    """
    own_page = links.home.partition("?")[0].rstrip("/")
    # Of the topics that are no paper's reason it only counts whether there are any.
    with_any = replace(digest, topics=digest.topics and _ANY_TOPIC)
    shared = _shared_view(with_any, own_page, brand, postal_address, language, header, pictures)
    return replace(
        shared,
        sections=tuple([_with_links(section, links) for section in shared.sections]),
        topics=language.listed([topic.text for topic in digest.topics]),
        because=because(address, brand, language),
        links=links,
    )


@lru_cache(maxsize=2000)  # some 8 MB; many readers have the same topics, and so the same papers
def _shared_view(
    digest: Digest,
    base_url: str,
    brand: str,
    postal_address: str,
    language: Language,
    header: Picture | None,
    pictures: str | None,
) -> DigestView:
    """Return what is the same for all who get the same digest."""
    groups = arranged(digest.picks)
    lead = groups[0].first if groups else None
    in_order = [*([lead] if lead else []), *(pick for pick in digest.picks if pick is not lead)]
    new = sum(pick.candidate.since is None for pick in in_order)
    shown = Shown(
        language,
        digest.day,
        pictures if digest.pictures else None,
        base_url,
        marks_new=2 * new < len(in_order),
        page_query=page_query(digest, language),
        translated_titles=digest.translated_titles,
    )
    first_words = subject(in_order, language)
    told = contents(groups, language) if groups else []
    return DigestView(
        brand=brand,
        subject=first_words,
        date_line=language.long_date(digest.day),
        short_date=language.short_date(digest.day),
        headline=headline(digest, language),
        preheader=preheader(in_order, first_words, [said for said, _ in told], language)
        or why_nothing(digest, language),
        top_title=truncate(in_order[0].candidate.facts.title, 70) if in_order else "",
        others=max(0, len(in_order) - 1),
        contents=tuple(Way(said, f"#part{number}") for said, number in told),
        sections=tuple(
            _shared_section(group, *heading(group, digest, language), f"part{number}", shown)
            for number, group in enumerate(groups)
        ),
        topics="",
        pool=language.ngettext(
            "Today's edition has %(count)s paper.",
            "Today's edition has %(count)s papers.",
            digest.pool_size,
        )
        if digest.pool_size  # a week's digest may go out on a day without papers of its own
        else "",
        missing=missing(digest.missing, language),
        because="",
        links=Links(unsubscribe=""),
        postal_address=postal_address,
        language=language.code,
        direction=language.direction,
        header=header,
        why=why_nothing(digest, language),
    )


@lru_cache(maxsize=2000)  # many digests have the same papers on a topic
def _shared_section(group: Group, title: str, about: str, anchor: str, shown: Shown) -> SectionView:
    cards = tuple(shared_card(pick, shown, size) for pick, size in group.papers)
    return SectionView(title, about, cards, anchor)


def _with_links(shared: SectionView, links: Links) -> SectionView:
    cards = tuple([of_reader(card, links.opinions) for card in shared.cards])
    return SectionView(shared.title, shared.about, cards, shared.anchor, shared, links.opinions)


def page_query(mail: Digest | Announced, language: Language) -> str:
    """Return what opens our pages in a reader's language, where no token names the reader."""
    return f"?lang={language.code}" if mail.locale else ""
