"""Mails as they are meant to look: expected/*.txt to the letter, expected/*.html by its tree.

After a wanted change of the templates, write them anew, look at them, and commit them:

    DIGEST_TEST_UPDATE_GOLDEN=1 pytest tests/golden
"""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import lxml.html
import pytest

from digest.compose.composer import Composer
from digest.compose.content import Content
from digest.compose.environment import Templates
from digest.compose.letters import LetterComposer
from digest.compose.sender import sender_of
from digest.model import Candidate, Digest, Facts, Match, Pick, Reason, Section, Signals
from subscribers.model import Consent, Move, Subscriber
from subscribers.preferences import Preferences
from subscribers.topics import TopicFilter
from tests.raw_message import decoded, read
from tests.support import NOW, TODAY, make_facts, make_settings

EXPECTED = Path(__file__).parent / "expected"
UPDATE = bool(os.environ.get("DIGEST_TEST_UPDATE_GOLDEN"))


def pick(section, number, signals, reason=None, **facts):
    candidate = Candidate(
        number, f"arxiv:2602.{number:05d}", make_facts(number, **facts), signals, TODAY
    )
    return Pick(section, candidate, Match(1.0, reason) if reason else None)


def rich():
    """Every part of a mail: both sections, every kind of reason, every field of a card."""
    robots, models = "robots", "world models & planning"
    return Digest(
        day=TODAY,
        topics=(TopicFilter(robots), TopicFilter(models)),
        pool_size=42,
        picks=(
            pick(
                Section.FOR_YOU,
                1,
                Signals(upvotes=57, comments=1, stars=12_345),
                Reason(robots, ("tidy", "room")),
                title="Robots that Tidy <Up> & Ask “Why?”",
                summary="A robot tidies a room & explains what it did.",
                authors=("Ada Lovelace", "Grace Hopper", "Émilie du Châtelet", "Alan Turing"),
                author_count=9,
                organisation="Analytical Engines",
                code_url="https://code.example/tidy?a=1&b=2",
                project_url="https://tidy.example/",
                published_on=date(2026, 2, 18),
            ),
            pick(
                Section.FOR_YOU,
                2,
                Signals(upvotes=1, comments=0),
                Reason(models, ("dreams",)),
                title="世界モデル: Planning in a Dreamt World",
                abstract="We plan in dreams, e.g. of rooms. " * 20,
                authors=("Ada Lovelace",),
                author_count=1,
            ),
            pick(
                Section.FOR_YOU,
                3,
                Signals(),
                Reason("", liked="A Study of Robots & <Rooms>"),
                title="A Long Title " * 20,
                authors=(),
                author_count=12,
                code_url="https://code.example/long",
            ),
            pick(Section.TRENDING, 4, Signals(upvotes=1234, comments=56, stars=7)),
        ),
    )


def single():
    """One trending paper, for somebody without topics."""
    return Digest(TODAY, (), (pick(Section.TRENDING, 1, Signals(upvotes=3)),), pool_size=1)


def title_only():
    """A paper of which only the title is known."""
    facts = Facts(title="Attention Is All You Need?")
    only = Pick(Section.TRENDING, Candidate(1, "arxiv:2602.00001", facts, Signals(), TODAY))
    return Digest(TODAY, (), (only,), pool_size=7)


PERSON, MOVE = "9f86d081884c7d659a2feaa0c55ad015", "60303ae22b998861bce3b28f33eec1be"


def reader(*topics, **wishes):
    """Somebody at Ada@example.org."""
    filters = tuple(map(TopicFilter, topics))
    wanted = Preferences(**wishes)
    return Subscriber(1, PERSON, "Ada@example.org", filters, wanted, Consent.PENDING, NOW)


def confirm(composer):
    days = frozenset({"mon", "thu", "sun"})
    return composer.confirmation(reader("robots", "AT&T <b>world</b> “models”", days=days), NOW)


def confirm_without_topics(composer):
    return composer.confirmation(reader(), NOW)


def confirm_address(composer):
    move = Move(MOVE, reader(), "o'brien&ada@a-rather-long-name-of-a-department.example.org")
    return composer.address_confirmation(move, NOW)


def address_changed(composer):
    return composer.address_notice(Move(MOVE, reader(), "jos\u00e9@elsewhere.example"), NOW)


def read_again(message):
    """The content of a finished message."""
    mail = read(message.content)
    plain, rich = mail.parts
    return Content(decoded(mail.one("Subject")), plain.text, rich.text)


SAMPLES = {
    "rich": (Composer, lambda composer: composer.render(rich(), PERSON)),
    "single": (Composer, lambda composer: composer.render(single(), PERSON)),
    "title-only": (Composer, lambda composer: composer.render(title_only(), PERSON)),
    "confirm": (LetterComposer, lambda composer: read_again(confirm(composer))),
    "confirm-without-topics": (
        LetterComposer,
        lambda composer: read_again(confirm_without_topics(composer)),
    ),
    "confirm-address": (LetterComposer, lambda composer: read_again(confirm_address(composer))),
    "address-changed": (LetterComposer, lambda composer: read_again(address_changed(composer))),
}


@pytest.fixture(params=SAMPLES)
def sample(request):
    """A name, and what is composed for it."""
    kind, make = SAMPLES[request.param]
    return request.param, make(kind(Templates(), sender_of(make_settings())))


def expected(name, made):
    """The committed file, written anew first if that is asked for."""
    path = EXPECTED / name
    if UPDATE:
        path.write_text(made, encoding="utf-8")
    assert path.is_file(), f"no {path}: {__doc__}"
    return path.read_text(encoding="utf-8")


def test_the_text_is_as_expected(sample):
    name, content = sample
    made = f"Subject: {content.subject}\n\n{content.text}"
    assert made == expected(f"{name}.txt", made)


def test_the_html_is_as_expected(sample):
    name, content = sample
    assert outline(content.html) == outline(expected(f"{name}.html", content.html))


def outline(html: str) -> list[str]:
    """A document's tree, a line for each thing in it; blanks and the order of attributes aside."""
    return list(_lines(lxml.html.document_fromstring(html), 0))


def _lines(element: lxml.html.HtmlElement, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(element.tag, str):
        attributes = "".join(f' {key}="{value}"' for key, value in sorted(element.items()))
        yield f"{indent}<{element.tag}{attributes}>"
    else:
        yield f"{indent}<!-- -->"
    yield from _text(element.text, indent + "  ")
    for child in element:
        yield from _lines(child, depth + 1)
        yield from _text(child.tail, indent + "  ")


def _text(text: str | None, indent: str) -> Iterator[str]:
    if text and text.strip():
        yield indent + " ".join(text.split())


def test_the_outline_sees_what_matters():
    one = '<p class="a" id="b">x <b>y</b>  z</p>'
    assert outline(one) == outline('<p id="b"  class="a">\nx <b>y</b> z</p>')
    for other in (
        '<p class="c" id="b">x <b>y</b> z</p>',
        '<p class="a" id="b">x <i>y</i> z</p>',
        '<p class="a" id="b">x <b>y</b> w</p>',
        '<p class="a" id="b">x <b>y</b> z</p><!-- more -->',
    ):
        assert outline(one) != outline(other)
