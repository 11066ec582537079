"""Digests that are filled into what is compiled, against those that go the whole way."""

import random
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.cli.demo import SAMPLE_EDITION
from digest.collect.file import read_file
from digest.compose import edition_composer
from digest.compose.composer import REFUSE_AT, Composer
from digest.compose.edition_composer import EditionComposer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.compose.language import language
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
from digest.model.text import clean
from subscribers.topics import TopicFilter
from tests.support import NOW, TODAY, examples, make_candidate, make_settings
from tests.versions import other_versions

CARD = "mail/partials/card.mjml.j2"
BODY = "mail/digest/body.mjml.j2"
TOPICS = (
    "robots",
    "agents & tools",
    "video <generation>",
    "世界モデル",
    "“quotes”",
    "O'Brien's \"x\"",
)
NOTES = (SkipReason.NOTHING_MATCHED, SkipReason.NO_PAPERS)
WORDS = ("sim2real", "café", "a<b", "R&D", "100%", "%s")


@cache
def candidates():
    sightings = read_file(SAMPLE_EDITION, None, NOW).sightings
    return tuple(
        Candidate(number, f"arxiv:{seen.facts.arxiv_id}", seen.facts, seen.signals, TODAY)
        for number, seen in enumerate(sightings, 1)
    )


def make_edition(papers=None, missing=()):
    return Edition(1, TODAY, candidates() if papers is None else papers, missing)


def note(why, *topics, missing=()):
    """That there is nothing, to a reader with these topics."""
    return Digest(TODAY, tuple(map(TopicFilter, topics)), (), len(candidates()), missing, why)


def some_digest(chance: random.Random, most=10):
    """What a reader with a few topics might get, or one without."""
    papers = chance.sample(candidates(), chance.randint(1, most))
    for_you = chance.randint(0, len(papers))
    topics = tuple(map(TopicFilter, chance.sample(TOPICS, chance.randint(1, 4))))
    picks = [Pick(Section.FOR_YOU, paper, some_match(chance, topics)) for paper in papers[:for_you]]
    picks += [Pick(Section.TRENDING, paper) for paper in papers[for_you:]]
    has_topics = for_you or chance.random() < 0.5
    return Digest(TODAY, topics if has_topics else (), tuple(picks), len(candidates()))


def some_match(chance, topics):
    if chance.random() < 0.2:
        return Match(0.7, Reason("", liked="A liked paper & more"))
    words = chance.sample(WORDS, chance.randint(0, 3))
    return Match(0.9, Reason(chance.choice(topics).text, tuple(words)))


@cache
def shipped_templates(code):
    return Templates(None, language(code))


class Both:
    """The two ways to a message, over one set of templates."""

    def __init__(self, own: Path | None = None, code="en", papers=None, missing=(), **fixed: str):
        identity = from_identity(make_settings(**fixed))
        templates = Templates(own, language(code)) if own else shipped_templates(code)
        self.composer = Composer(templates, identity)
        self.edition = make_edition(papers, missing)
        self.compiled = EditionComposer(self.composer, self.edition, NOW)

    @property
    def is_compiled(self):
        return self.compiled._compiled is not None

    def compare(self, digest, number=0):
        """The octets, which must be the same."""
        to, public_id = f"reader{number}@example.org", f"{number:032x}"
        whole = self.composer.compose(digest, to=to, public_id=public_id, now=NOW)
        filled = self.compiled.compose(digest, to=to, public_id=public_id)
        assert filled == whole
        return filled.content

    def compare_some(self, count=8, seed=1, most=10):
        chance = random.Random(seed)
        for number in range(count):
            digest = replace(some_digest(chance, most), missing=self.edition.missing)
            self.compare(digest, number)


def own_templates(folder: Path, changed: Mapping[str, str | tuple[str, str]]) -> Path:
    """A folder with some templates: whole ones, or shipped ones in which something is replaced."""
    for name, change in changed.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change if isinstance(change, str) else replaced(name, *change))
    return folder


def replaced(name, what, by):
    """A shipped template with a change."""
    source = (Path("templates") / name).read_text(encoding="utf-8")
    assert what in source, f"{what!r} is not in {name} any more"
    return source.replace(what, by)


# ---- the shipped templates -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "readers"), [("en", 60), ("de", 15), pytest.param("en", 500, marks=pytest.mark.long)]
)
def test_readers_get_the_same_octets_either_way(code, readers):
    both = Both(code=code)
    both.compiled.try_out(candidates())
    both.compare_some(readers, seed=7)
    assert both.is_compiled


def test_it_is_the_same_without_having_been_tried_out():
    both = Both()
    both.compare_some(10)
    assert both.is_compiled


def test_with_pictures_it_is_the_same():
    both = Both(
        thumbnails="yes",
        header_image="https://pictures.example/h.png",
        header_image_size="1200x300",
    )
    both.compare_some()
    assert both.is_compiled


def test_an_address_beyond_ascii_goes_the_whole_way():
    both, digest = Both(), some_digest(random.Random(3))
    whole = both.composer.compose(digest, to="josé@example.org", public_id="a" * 32, now=NOW)
    assert both.compiled.compose(digest, to="josé@example.org", public_id="a" * 32) == whole


def test_papers_in_any_order_come_out_the_same():
    both, chance = Both(), random.Random(4)
    for _ in range(10):
        digest = some_digest(chance)
        shuffled = chance.sample(digest.picks, len(digest.picks))
        both.compare(replace(digest, picks=tuple(shuffled)))


@pytest.mark.parametrize("code", ["en", "de"])
def test_an_edition_that_lacks_something_says_so_either_way(code):
    both = Both(code=code, missing=("arxiv", "huggingface"))
    both.compiled.try_out(candidates()[:3], list(NOTES))
    both.compare_some(4)
    both.compare(note(NOTES[0], "robots", missing=both.edition.missing))
    assert both.is_compiled


lines = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn", "Zl", "Zp"))
    | st.sampled_from("<>&\"'%={}"),
    min_size=1,
    max_size=40,
)


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow])
@given(
    topic=lines,
    words=st.lists(lines, max_size=3),
    title=lines.map(lambda text: clean(text, 300)).filter(bool),
    liked=lines,
)
def test_whatever_readers_type_and_papers_say_it_is_the_same(topic, words, title, liked):
    paper = make_candidate(1, title=title)
    reasons = (Reason(topic, tuple(words)), Reason("", liked=liked))
    both = Both(papers=(paper,))
    for reason in reasons:
        picks = (Pick(Section.FOR_YOU, paper, Match(1.0, reason)),)
        both.compare(Digest(TODAY, (TopicFilter(topic), TopicFilter("x")), picks, 1))


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow])
@given(why=st.sampled_from(NOTES), topics=st.lists(lines, max_size=3))
def test_a_note_has_the_same_octets_either_way(why, topics):
    both = Both()
    for number in range(3):  # as first, and from what that has left
        both.compare(note(why, *topics), number)
    assert both.is_compiled


def test_a_note_is_a_mail_of_the_list(tmp_path):
    both = Both()
    digest = note(NOTES[0], "robots")
    content = both.compare(digest)
    for name in (b"List-Unsubscribe", b"List-Unsubscribe-Post", b"List-Id", b"Feedback-ID"):
        assert content.count(b"\r\n" + name + b": ") == 1
    of_digest = both.compare(some_digest(random.Random(1)))
    [note_id, digest_id] = (
        re.findall(rb"\nMessage-ID: (.+)\r", octets) for octets in (content, of_digest)
    )
    assert note_id == digest_id  # one for edition and reader, whatever it is


def test_a_note_is_not_kept_back_by_papers_that_cannot_be_rendered(tmp_path):
    papers = candidates()[:3]
    both = Both(own_templates(tmp_path, broken_for(papers[0].facts.title)), papers=papers)
    both.compiled.try_out(papers, NOTES)
    both.compare(replace(note(NOTES[1]), pool_size=3))


@pytest.mark.parametrize("part", ["body.mjml.j2", "body.txt.j2", "subject.txt.j2"])
def test_a_broken_note_stops_all_only_where_one_is_to_be_sent(part, tmp_path):
    name = f"mail/nothing/{part}"
    folder = own_templates(tmp_path, {name: "{{ mail.wy }}"})
    Both(folder).compiled.try_out(candidates()[:3])
    with pytest.raises(TemplateError, match=f"{name}, line 1: a digest has no wy: is why meant"):
        Both(folder).compiled.try_out(candidates()[:3], NOTES[:1])


def test_a_note_that_cannot_be_compiled_comes_out_nevertheless(tmp_path):
    change = ("{{ mail.why }}", "{{ mail.why }} {{ mail.topics.upper() }}")
    both = Both(own_templates(tmp_path, {"mail/nothing/body.mjml.j2": change}))
    both.compare(note(NOTES[0], "robots"))
    assert not both.is_compiled


def test_what_does_not_fit_is_left_out_either_way():
    papers = tuple(
        make_candidate(number, title=f"{number} " + "W" * 290) for number in range(1, 40)
    )
    both = Both(papers=papers)
    picks = tuple(Pick(Section.TRENDING, paper) for paper in papers)
    content = both.compare(Digest(TODAY, (), picks, 39))
    assert both.is_compiled
    assert b"39 WWW" not in content
    assert len(content) > REFUSE_AT / 2


def test_a_paper_that_does_not_fit_by_itself_is_told(monkeypatch):
    monkeypatch.setattr("digest.compose.composer.REFUSE_AT", 500)
    both = Both()
    with pytest.raises(MessageTooLarge):
        both.compiled.compose(some_digest(random.Random(1)), to="a@example.org", public_id="a")


# ---- what operators may write ----------------------------------------------------------------

LOOP = '    {% include "mail/partials/card.mjml.j2" %}\n'
HEAD = '{% include "mail/partials/style.mjml.j2" %}'
TITLE = "{{ card.title }}</a></h3>"

COMPILED = {
    "numbers in the shell": {
        BODY: (
            LOOP,
            "<mj-section><mj-column><mj-text>{{ loop.index }} of {{ loop.length }}</mj-text>"
            "</mj-column></mj-section>" + LOOP,
        )
    },
    "lines between cards, but not after the last": {
        BODY: (
            LOOP,
            LOOP + "{% if not loop.last %}<mj-section><mj-column><mj-divider /></mj-column>"
            "</mj-section>{% endif %}\n",
        )
    },
    "every other card in another colour, by its surroundings": {
        BODY: (
            LOOP,
            """<mj-wrapper css-class="{{ loop.cycle('odd', 'even') }}">\n"""
            + LOOP
            + "</mj-wrapper>\n",
        ),
        "mail/partials/style.mjml.j2": (
            "p { margin: 0; }",
            "p { margin: 0; } .odd h3 { color: #111111 } .even h3 { color: #222222 }",
        ),
    },
    "styles that go by place": {
        "mail/partials/style.mjml.j2": (
            "p { margin: 0; }",
            "p { margin: 0; } div + div h3 { color: #123456 } div:nth-child(3) h3 { color: #654321 }",
        )
    },
    "cards side by side": {
        BODY: (
            "{% for card in section.cards %}\n" + LOOP + "    {% endfor %}",
            (
                "{% for row in section.cards | batch(2) %}<mj-section>{% for card in row %}"
                '{% include "mail/partials/card.mjml.j2" %}{% endfor %}</mj-section>{% endfor %}'
            ),
        ),
        CARD: "<mj-column><mj-text><h3>{{ card.title }}</h3>{{ card.topic }}</mj-text></mj-column>\n",
    },
    "a table of contents": {
        BODY: (
            "{% for section in mail.sections %}",
            (
                "<mj-section><mj-column><mj-text><ol>{% for section in mail.sections %}"
                '{% for card in section.cards %}<li><a href="{{ card.url }}">{{ card.title }}</a></li>'
                "{% endfor %}{% endfor %}</ol></mj-text></mj-column></mj-section>"
                "{% for section in mail.sections %}"
            ),
        )
    },
    "a macro, and a variable": {
        CARD: (
            TITLE,
            (
                "{% macro bold(text) %}<b>{{ text }}</b>{% endmacro %}"
                "{% set name = card.title %}{{ bold(name) }}{{ bold(card.topic) }}</a></h3>"
            ),
        )
    },
    "another template in the card": {
        CARD: (TITLE, TITLE + '{% include "mail/partials/more.mjml.j2" %}\n'),
        "mail/partials/more.mjml.j2": "<p>{{ card.why }} {{ card.title }}</p>\n",
    },
    "an mj-include": {
        BODY: (
            "{% for section in mail.sections %}",
            '<mj-include path="./mail/partials/words.mjml" />{% for section in mail.sections %}',
        ),
        "mail/partials/words.mjml": (
            "<mj-section><mj-column><mj-text>{{ mail.topics }} {{ mail.brand }}</mj-text>"
            "</mj-column></mj-section>"
        ),
    },
    "filters on what is a reader's own": {
        CARD: (
            TITLE,
            TITLE + "<p>{{ card.topic | upper | truncate(9) }} {{ card.why | title }}</p>",
        ),
        "mail/digest/body.txt.j2": (
            "{{ mail.headline }}",
            "{{ mail.headline }} {{ mail.topics | fold(20) }} {{ (mail.topics ~ '!') | upper }}",
        ),
        "mail/digest/subject.txt.j2": "{{ mail.top_title | truncate(20) | upper }}: {{ mail.others }}",
    },
    "cards of different kinds": {
        CARD: (
            '<mj-column css-class="card"',
            (
                '{% if card.code_url %}<mj-column width="30%"><mj-text>code</mj-text></mj-column>'
                '<mj-column width="70%"{% else %}<mj-column width="{{ 40 + card.title | length % 9 }}%"'
                '{% endif %} css-class="card"'
            ),
        )
    },
    "a link with a topic in it": {
        CARD: (
            TITLE,
            TITLE + '<a href="https://find.example/?q={{ card.topic | urlencode }}">x</a>',
        )
    },
    "hints by title": {CARD: (TITLE, TITLE + '<p title="{{ card.topic }}">x</p>')},
    "a button, a table, raw HTML": {
        CARD: (
            "</mj-column>",
            (
                '<mj-button href="{{ card.opinion_url }}">{{ card.topic }} &amp; more</mj-button>'
                "<mj-table><tr><td>{{ card.why }}</td></tr></mj-table>"
                "<mj-raw><tr><td><i>{{ card.topic }}</i></td></tr></mj-raw></mj-column>"
            ),
        )
    },
    "classes of MJML's own": {
        "mail/partials/style.mjml.j2": (
            "<mj-attributes>",
            '<mj-attributes><mj-class name="warm" color="#990000" /><mj-section padding="1px" />',
        ),
        CARD: ("<mj-text>", '<mj-text mj-class="warm">'),
    },
}
COMMENT = "a topic in a comment for Outlook"
ONE_BY_ONE = {
    "numbers in the card": {
        BODY: (LOOP, "{% set number = loop.index %}\n" + LOOP),
        CARD: (TITLE, TITLE + "<p>{{ number }}</p>"),
    },
    "a card that asks for the mail": {CARD: (TITLE, TITLE + "<p>{{ mail.brand }}</p>")},
    "a topic in capitals, by its method": {
        CARD: (TITLE, TITLE + "<p>{{ card.topic.upper() }}</p>")
    },
    "something for some topics": {
        CARD: (TITLE, TITLE + "{% if 'robot' in card.topic %}<p>beep</p>{% endif %}")
    },
    "a card without a template of its own": {
        BODY: (
            LOOP,
            (
                "<mj-section><mj-column><mj-text>{{ card.title }}{% if card.code_url %} has code"
                "{% endif %}</mj-text></mj-column></mj-section>"
            ),
        )
    },
    COMMENT: {
        CARD: (
            "<mj-column",
            "<mj-raw><!--[if mso]><i>{{ card.topic }}</i><![endif]--></mj-raw><mj-column",
        )
    },
}


@pytest.mark.parametrize("what", COMPILED)
def test_templates_of_all_kinds_come_out_the_same_compiled(what, tmp_path):
    both = Both(own_templates(tmp_path, COMPILED[what]))
    both.compiled.try_out(candidates()[:3])
    both.compare_some(most=5)
    # Whether a card can be cut out depends on the markup that mrml puts around it.
    assert both.is_compiled or other_versions("mjml-python")


@pytest.mark.parametrize("what", ONE_BY_ONE)
def test_what_cannot_be_compiled_comes_out_nevertheless(what, tmp_path):
    if what == COMMENT and (others := other_versions("mjml-python")):
        pytest.skip(f"whether a comment for Outlook may stand there: {others}")
    both = Both(own_templates(tmp_path, ONE_BY_ONE[what]))
    both.compare_some(10, most=5)
    assert not both.is_compiled


def test_what_nobody_thought_of_is_seen_before_anything_is_sent(monkeypatch):
    """As if compiling had a fault: the text of a hole comes out in capitals."""
    both = Both()
    monkeypatch.setattr("digest.compose.piece._in_text", str.upper)
    both.compiled.try_out(candidates()[:2])
    assert not both.is_compiled
    both.compare_some(3)


# ---- what goes wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "change", "place"),
    [
        (
            BODY,
            ("</mj-head>", "{{ mail.nothing }}</mj-head>"),
            r"mail/digest/body.mjml.j2, line 6: ",
        ),
        (
            BODY,
            ("</mj-head>", "</mj-hed>"),
            r"mail/digest/body.mjml.j2, line 6: </mj-hed> closes noth",
        ),
        (CARD, (TITLE, "{{ card.title }}</a></h4>"), r"mail/partials/card.mjml.j2, line \d+: "),
        (CARD, (TITLE, TITLE + "{% if %}"), r"mail/partials/card.mjml.j2, line \d+: "),
        (CARD, (TITLE, TITLE + " 1 < 2"), r"mail/partials/card.mjml.j2, line \d+: a bare <"),
        ("mail/digest/body.txt.j2", ("{{ mail.headline }}", "{{ mail.headline / 2 }}"), "line 4"),
        ("mail/digest/subject.txt.j2", "\n{{ mail.top_titel }}", "subject.txt.j2, line 2: "),
    ],
)
def test_a_broken_template_stops_all_before_anything_is_sent(name, change, place, tmp_path):
    folder = own_templates(tmp_path, {name: change})
    with pytest.raises(TemplateError, match=place):
        Both(folder).compiled.try_out(candidates()[:3])


def broken_for(title):
    """A card that cannot be rendered for one paper."""
    return {CARD: (TITLE, TITLE + f"{{{{ 1 // (card.title != '{title}') }}}}")}


def test_a_broken_paper_is_found_once_and_left_out_of_all(tmp_path, monkeypatch):
    bad = candidates()[3]
    both = Both(own_templates(tmp_path, broken_for(bad.facts.title)))
    both.compiled.try_out(candidates())
    assert both.is_compiled
    monkeypatch.setattr(edition_composer.Composer, "without_broken", None)
    chance = random.Random(5)
    for number in range(30):
        digest = some_digest(chance)
        left = tuple(pick for pick in digest.picks if pick.candidate != bad)
        if left:
            content = both.compiled.compose(digest, to="a@example.org", public_id="a").content
            without = replace(digest, picks=left)
            whole = both.composer.compose(without, to="a@example.org", public_id="a", now=NOW)
            assert content == whole.content, number


def test_who_would_only_get_a_broken_paper_gets_nothing(tmp_path):
    bad = candidates()[0]
    both = Both(own_templates(tmp_path, broken_for(bad.facts.title)))
    both.compiled.try_out([bad])
    digest = Digest(TODAY, (), (Pick(Section.TRENDING, bad),), 1)
    with pytest.raises(NothingToShow):
        both.compiled.compose(digest, to="a@example.org", public_id="a")


def test_a_broken_paper_that_was_not_tried_out_is_left_out_all_the_same(tmp_path):
    bad, good = candidates()[:2]
    both = Both(own_templates(tmp_path, broken_for(bad.facts.title)))
    picks = tuple(Pick(Section.TRENDING, paper) for paper in (bad, good))
    content = both.compare(Digest(TODAY, (), picks, 2))
    assert good.facts.title[:20].encode() in content
