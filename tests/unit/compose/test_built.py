"""Templates that are built once and filled, against the plain way; and what cannot be built."""

import random
import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from digest.compose import ahead, built
from digest.compose.composer import REFUSE_AT
from digest.compose.content import fill
from digest.errors import MessageTooLarge, NothingToShow, TemplateError
from digest.model.digests import Digest, Match, Pick, Reason, Section, SkipReason
from digest.model.text import clean
from subscribers.topics import TopicFilter
from tests.support import NOW, TODAY, few_of, make_candidate
from tests.unit.compose.both_ways import (
    BODY,
    CARD,
    EARLIER,
    STYLE,
    BothWays,
    candidates,
    make_edition,
    note,
    own_templates,
    replaced,
    some_digest,
)

NOTES = (SkipReason.NOTHING_MATCHED, SkipReason.NO_PAPERS)
TOP = "mail/partials/top.mjml.j2"
TEXT = "mail/digest/body.txt.j2"


# ---- the shipped templates -------------------------------------------------------------------


@pytest.mark.parametrize(("code", "readers"), [("en", 60), ("de", 10)])
def test_readers_get_the_same_either_way(code, readers):
    both = BothWays(code=code)
    both.compare_some(readers, seed=7, most=10)
    assert both.why_not(some_digest(random.Random(1))) is None


def test_with_pictures_it_is_the_same():
    picture = {"header_image": "https://pictures.example/h.png", "header_image_size": "1200x300"}
    BothWays(**picture).compare_some()


lines = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn", "Zl", "Zp"))
    | st.sampled_from("<>&\"'%={}"),
    min_size=1,
    max_size=40,
)
SHIPPED = BothWays()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    topic=lines,
    words=st.lists(lines, max_size=3),
    title=lines.map(lambda text: clean(text, 300)).filter(bool),
    liked=lines,
)
def test_whatever_readers_type_and_papers_say_it_is_the_same(topic, words, title, liked):
    paper = make_candidate(1, title=title)
    for reason in (Reason(topic, tuple(words)), Reason("", liked=liked)):
        picks = (Pick(Section.FOR_YOU, paper, Match(1.0, reason)),)
        SHIPPED.compare(Digest(TODAY, (TopicFilter(topic), TopicFilter("x")), picks, 1))


def test_a_section_is_the_same_either_way_with_a_readers_own_links_and_without():
    digest = Digest(TODAY, (), (Pick(Section.TRENDING, candidates()[0]),), 1)
    without, pages = BothWays(base_url="none", unsubscribe_address="leave@example.org"), BothWays()
    without.templates = pages.templates  # which fill both kinds of links in turn
    for both in (pages, without, pages):
        content = both.compare(digest)
        assert ("verdict=like" in content.html) == (both is pages)


@pytest.mark.parametrize("why", NOTES)
@pytest.mark.parametrize("topics", [(), ("robots",), ("a", "b & <c>")])
def test_a_note_is_the_same_either_way(why, topics):
    SHIPPED.compare(note(why, *topics, missing=("arxiv",)))


def filled_ahead(monkeypatch):
    """Return a list, which will have what is filled: "section" or "card"."""
    filled = []

    def watch(what):
        fill = getattr(ahead.FilledAhead, f"_fill_{what}")

        def seen(kept, *given):
            filled.append(what)
            return fill(kept, *given)

        monkeypatch.setattr(ahead.FilledAhead, f"_fill_{what}", seen)

    watch("section")
    watch("card")
    return filled


IN_TEXT_AND_HTML = 2


def test_a_shipped_section_is_filled_once_for_all_readers(monkeypatch):
    filled, composer = filled_ahead(monkeypatch), BothWays().composer
    digest = Digest(TODAY, (), (Pick(Section.TRENDING, candidates()[0]),), 1)
    for reader in "abc":
        content, links = composer.render(digest, reader), composer.links(digest, reader)
        assert f"{links.opinions}/" in content.html
        assert f"{links.opinions}/" in content.text
    assert Counter(filled) == {"section": IN_TEXT_AND_HTML, "card": IN_TEXT_AND_HTML}


def test_a_section_that_many_readers_have_is_kept_while_others_come_and_go(monkeypatch):
    monkeypatch.setattr(ahead, "_MOST", 3)
    filled, composer = filled_ahead(monkeypatch), BothWays().composer
    trending = Pick(Section.TRENDING, candidates()[0])
    for topic in map(str, range(9)):
        own = Pick(Section.FOR_YOU, candidates()[1], Match(1.0, Reason(topic, (topic,))))
        composer.render(Digest(TODAY, (), (own, trending), 2), "a")
    assert Counter(filled)["section"] == (9 + 1) * IN_TEXT_AND_HTML


def test_a_shipped_card_is_filled_once_for_readers_with_other_topics(monkeypatch):
    filled, composer = filled_ahead(monkeypatch), BothWays().composer
    for topic in ("robots", "agents", "tools"):
        pick = Pick(Section.FOR_YOU, candidates()[0], Match(1.0, Reason(topic, (topic,))))
        composer.render(Digest(TODAY, (), (pick,), 1), "a")
    assert Counter(filled) == {"section": 3 * IN_TEXT_AND_HTML, "card": IN_TEXT_AND_HTML}


# ---- what operators may write ----------------------------------------------------------------

LOOP = '    {% include "mail/partials/card.mjml.j2" %}\n'
TITLE = re.search(r"\{\{ card\.title \}\}.*</h3>", (EARLIER / CARD).read_text())[0]
TEXT_OF_CARD = '<p class="text" dir="auto">'
SECTIONS = "{% for section in mail.sections %}"
INLINE = "p { margin: 0; }"


def section(content):
    return f"<mj-section><mj-column>{content}</mj-column></mj-section>"


def before_sections(mjml):
    return {BODY: (SECTIONS, f"{mjml}{SECTIONS}")}


BUILT = {
    "numbers between cards": {
        BODY: (LOOP, section("<mj-text>{{ loop.index }} of {{ loop.length }}</mj-text>") + LOOP)
    },
    "lines between cards, but not after the last": {
        BODY: (LOOP, LOOP + "{% if not loop.last %}" + section("<mj-divider />") + "{% endif %}\n")
    },
    "every other card in another colour, by a class": {
        BODY: (
            LOOP,
            f"""<mj-wrapper css-class="{{{{ loop.cycle('odd', 'even') }}}}">\n{LOOP}</mj-wrapper>\n""",
        ),
        STYLE: (INLINE, INLINE + " .odd h3 { color: #111111 } .even h3 { color: #222222 }"),
    },
    "every other card in another colour": {
        BODY: (
            LOOP,
            f"""<mj-wrapper background-color="{{{{ loop.cycle('#eee', '#fff') }}}}">{LOOP}</mj-wrapper>\n""",
        ),
    },
    "a table of contents": {
        BODY: (
            SECTIONS,
            section(
                "<mj-text><ol>{% for section in mail.sections %}{% for card in section.cards %}<li>"
                '<a href="{{ card.url }}">{{ card.title }}</a></li>{% endfor %}{% endfor %}</ol></mj-text>'
            )
            + SECTIONS,
        )
    },
    "cards that their own links choose": {
        TEXT: (
            "in section.cards %}",
            "in section.cards if card.opinion_url.count('a') is even %}",
        )
    },
    "own links outside of the cards": {
        TEXT: ("{{ section.title", "{{ section.cards[0].opinion_url }} {{ section.title")
    },
    "a section that asks for the mail": {
        TEXT: ("{{ section.title", "{{ mail.links.browser }} {{ section.title")
    },
    "an own link in another shape": {
        CARD: (TITLE, TITLE + "<p>{{ card.opinion_url | upper | truncate(9) }}</p>")
    },
    "own values in sentences that are folded": {
        "mail/partials/card.txt.j2": (
            "{{ card.title | fold(72) }}",
            (
                "{{ _('On %(topic)s, as you wanted, said a reader: %(link)s and no more of it',"
                " topic=card.topic, link=card.opinion_url) | fold(40) }} {{ card.title | fold(72) }}"
            ),
        ),
    },
    "own values that are folded": {
        "mail/partials/card.txt.j2": (
            "{{ card.title | fold(72) }}",
            "{{ card.opinion_url | fold(12) }} {{ card.reason | fold(12) }} {{ card.title }}",
        ),
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
    "an include by a constant": {
        BODY: '{% set name = "card" %}\n'
        + replaced(BODY, LOOP, '{% include "mail/partials/" ~ name ~ ".mjml.j2" %}\n')
    },
    "filters on what is a reader's own": {
        CARD: (
            TITLE,
            TITLE + "<p>{{ card.topic | upper | truncate(9) }} {{ card.why | title }}</p>",
        ),
        TEXT: (
            "{{ mail.headline }}",
            "{{ mail.topics | fold(20) }} {{ (mail.topics ~ '!') | upper }}",
        ),
        "mail/digest/subject.txt.j2": "{{ mail.top_title | truncate(20) | upper }}: {{ mail.others }}",
    },
    "a reader's value, or another": {
        CARD: (
            TITLE,
            TITLE + "<p>{{ card.topic or card.why }} {{ card.why if card.topic else 'none' }}</p>"
            "<p>{{ not card.why }} {{ card.topic and card.title }} {{ card.topic | length }}</p>",
        )
    },
    "a reader's value, cut and filled up": {
        CARD: (TITLE, TITLE + """<p>{{ _("%(a).3s|%(b)40s|", a=card.topic, b=card.why) }}</p>"""),
        "mail/partials/card.txt.j2": (
            "{{ card.title | fold(72) }}",
            "{% filter upper %}{{ card.topic }}{% endfilter %} {{ card.title | fold(72) }}",
        ),
    },
    "a name that one card sets and the next asks for": {
        BODY: (LOOP, "{% set said = 'outside' %}" + LOOP),
        CARD: (
            TITLE,
            TITLE + "<p>{{ said }}{% if card.topic %}{% set said = card.title %}{% endif %}</p>"
            "{% set own = card.topic %}{% set more = card.url ~ said %}{{ own | upper }}{{ more }}",
        ),
    },
    "a constant that is asked for before it is set": {
        CARD: (
            TITLE,
            "{% if x is defined and card.title %}X{% endif %}{% set x = 1 %}{{ x }}" + TITLE,
        )
    },
    "a constant of a part that a value needs": {
        CARD: (TITLE, '{% set sign = "§" %}{{ sign ~ card.title }}</a></h3>')
    },
    "numbers in the card": {
        BODY: (LOOP, "{% set number = loop.index %}\n" + LOOP),
        CARD: (TITLE, TITLE + "<p>{{ number }}</p>"),
    },
    "a card that asks for the mail": {
        CARD: (TITLE, TITLE + "<p>{{ mail.brand }} {{ mail.topics }}</p>")
    },
    "a method of a text": {CARD: (TITLE, TITLE + "<p>{{ card.topic.upper() }}</p>")},
    "something for some topics": {
        CARD: (TITLE, TITLE + "{% if 'robot' in card.topic %}<p>beep</p>{% endif %}")
    },
    "a card without a template of its own": {
        BODY: (
            LOOP,
            section("<mj-text>{{ card.title }}{% if card.code_url %} code{% endif %}</mj-text>"),
        )
    },
    "a comment for Outlook": {
        CARD: (
            "<mj-column",
            "<mj-raw><!--[if mso]><i>{{ card.stars }}</i><![endif]--></mj-raw><mj-column",
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
        CARD: '<mj-column width="50%"><mj-text><h3>{{ card.title }}</h3></mj-text></mj-column>\n',
    },
    "cards of different kinds": {
        CARD: (
            "<mj-section",
            (
                "{% if card.code_url %}<mj-section><mj-column width='30%'><mj-text>code</mj-text></mj-column>"
                "<mj-column width='70%'><mj-text>{{ card.code_url }}</mj-text></mj-column></mj-section>"
                "{% endif %}<mj-section"
            ),
        )
    },
    "links and hints with texts in them": {
        CARD: (
            TITLE,
            TITLE + '<a href="https://find.example/?q={{ card.topic | urlencode }}" '
            'title="{{ card.topic }}">x</a>',
        )
    },
    "a button, a table, raw HTML": {
        CARD: (
            "</mj-column>",
            (
                '<mj-button href="{{ card.opinion_url }}">{{ card.topic }} &amp; more</mj-button>'
                "<mj-table>{% for c in card.counts %}<tr><td>{{ c }}</td></tr>{% endfor %}</mj-table>"
                "<mj-raw><tr><td><i>{{ card.topic }}</i></td></tr></mj-raw></mj-column>"
            ),
        )
    },
    "classes of MJML's own": {
        STYLE: (
            "<mj-attributes>",
            '<mj-attributes><mj-class name="warm" color="#990000" /><mj-section padding="1px" />',
        ),
        CARD: ("<mj-text>", '<mj-text mj-class="warm">'),
    },
    "a colour for all files": {
        BODY: '{% set accent = "#0044cc" %}\n' + replaced(BODY, "#f3efe7", "{{ accent }}"),
        STYLE: ("a { color: #9a3412; }", "a { color: {{ accent }}; }"),
    },
    "colours on top of the styles": {
        STYLE: '{% set accent = "#0044cc" %}{% set dark = accent ~ "aa" %}\n'
        + replaced(
            STYLE, "a { color: #9a3412; }", "a { color: {{ accent }}; } b { color: {{ dark }} }"
        )
    },
    "a class by condition": {
        CARD: (TEXT_OF_CARD, """<p class="{{ 'text' if card.topic else 'about' }}" dir="auto">""")
    },
    "two classes by condition": {
        CARD: (
            TEXT_OF_CARD,
            (
                '<p class="text{% if card.topic %} about{% endif %}" '
                """id="{{ 'a' if card.code_url else 'b' }}" dir="auto">"""
            ),
        )
    },
    "many classes by condition": {
        CARD: (
            TITLE,
            TITLE
            + "".join(
                f"<p class=\"{{{{ 'a' if card.stars == '{n}' else 'b' }}}}\">x</p>"
                for n in range(5)
            ),
        )
    },
    "a section and its only column by condition": {
        CARD: replaced(
            CARD, 'css-class="card"', """css-class="{{ 'card' if card.topic else 'plain' }}" """
        ).replace('padding="5px 12px"', """padding="{{ '5px' if card.stars else '7px 3px' }}" """)
    },
    "a class by condition around a class by condition": {
        CARD: replaced(
            CARD, TEXT_OF_CARD, """<p class="{{ 'text' if card.counts else 'hot' }}" dir="auto">"""
        ).replace('css-class="card"', """css-class="{{ 'card' if card.topic else 'plain' }}" """),
        STYLE: (INLINE, INLINE + " .plain .hot { color: #123456 } .plain a { color: #654321 }"),
    },
    "a padding by condition": {
        CARD: (
            'padding="5px 12px"',
            """padding="{{ '5px 12px' if card.topic else '9px 12px' }}" """,
        )
    },
    "a width by condition": {
        CARD: (
            "</mj-column>",
            (
                '<mj-image src="https://x.example/y.png" alt="" '
                """width="{{ '100px' if card.topic else '200px' }}" /></mj-column>"""
            ),
        )
    },
    "a style attribute with a value in it": {
        CARD: (TEXT_OF_CARD, """<p style="color: {{ '#111111' if card.topic else '#333333' }}">""")
    },
    "a style attribute by condition": {
        CARD: (TEXT_OF_CARD, '<p class="text"{% if card.topic %} style="color: #111"{% endif %}>')
    },
    "an attribute by condition, with a value": {
        CARD: (
            TEXT_OF_CARD,
            '<p class="text"{% if card.topic %} title="{{ card.topic }}"{% endif %}>',
        )
    },
    "a row of a table in another class": {
        CARD: (
            TITLE,
            TITLE + "<table>{% for count in card.counts %}<tr{% if loop.first %} class='quiet'"
            "{% endif %}><td>{{ count }}</td></tr>{% endfor %}</table>",
        )
    },
    "whole components by condition": before_sections(
        "{% if mail.topics %}"
        + section('<mj-button href="{{ mail.links.preferences }}">{{ mail.topics }}</mj-button>')
        + "{% else %}<mj-wrapper>"
        + section("<mj-text>none</mj-text>")
        + "</mj-wrapper>{% endif %}"
    ),
    "columns of their own widths by condition": before_sections(
        '<mj-section>{% if mail.topics %}<mj-column width="40%"><mj-text>x</mj-text></mj-column>'
        '{% endif %}<mj-column width="60%"><mj-text>y</mj-text></mj-column></mj-section>'
    ),
    "a hero": before_sections(
        '<mj-hero mode="fluid-height" background-url="https://x.example/y.png" background-color="#fff">'
        "{% if mail.topics %}<mj-text>{{ mail.topics }}</mj-text>{% endif %}<mj-text>x</mj-text></mj-hero>"
    ),
    "sections in a wrapper by condition": before_sections(
        "<mj-wrapper>{% if mail.topics %}"
        + section("<mj-text>{{ mail.topics }}</mj-text>")
        + "{% endif %}"
        + section("<mj-text>x</mj-text>")
        + "</mj-wrapper>"
    ),
    "braces that are no tags": {
        BODY: ("<h2>", "<h2>{% raw %}{{ x }} {% y %} {# z #}{% endraw %} {# a comment #}")
    },
    "counting by a namespace": {
        BODY: (
            LOOP,
            "{% set counted.n = counted.n + 1 %}"
            + section("<mj-text>{{ counted.n }}</mj-text>")
            + LOOP,
        ),
        TEXT: ("{% for section", "{% set ns = namespace(n=7) %}{{ ns.n }}{% for section"),
    },
    "some of the cards, and the card in each branch": {
        BODY: replaced(BODY, "in section.cards %}", "in section.cards[:3] %}").replace(
            LOOP, "{% if loop.first %}" + LOOP + "{% else %}" + LOOP + "{% endif %}"
        )
    },
    "sentences with tags and numbers": {
        TOP: (
            "{{ mail.headline }}",
            (
                "{% trans h=mail.headline %}{{ h }} of all{% endtrans %} {% trans count=mail.others %}"
                "{{ count }} more{% pluralize %}{{ count }} others{% endtrans %} {{ -mail.others }}"
                '{{ _("%(h)s 100%% %(b)s", h=mail.headline ~ ")", b=mail.brand) }}'
            ),
        )
    },
    "a layout with blocks that set": {
        "mail/layout.mjml.j2": replaced(
            BODY, SECTIONS, section("<mj-text>{% block top %}{% endblock %}</mj-text>") + SECTIONS
        ),
        BODY: (
            '{% extends "mail/layout.mjml.j2" %}{% set x = mail.headline %}{% set y = "const" %}'
            '{% block top %}{% set z = x %}<p class="text">{{ z }} {{ y }} {{ super() }}</p>{% endblock %}'
        ),
    },
    "letters beyond ASCII in a style": {
        STYLE: (
            ".topic { background-color: #4a2a1b",
            '.link::after { content: "→é" } .topic { background-color: #4a2a1b',
        )
    },
    "a constant that some mails change": {
        CARD: (
            TITLE,
            '{% set mark = "a" %}'
            + TITLE
            + '{% if card.topic %}{% set mark = "b" %}{% endif %}{{ mark }}',
        )
    },
    "a list in a column of its own": before_sections(
        section(
            "<mj-accordion><mj-accordion-element><mj-accordion-title>{{ mail.headline }}"
            "</mj-accordion-title><mj-accordion-text>{{ mail.topics }}</mj-accordion-text>"
            "</mj-accordion-element></mj-accordion>"
        )
    ),
}
BUILT["counting by a namespace"][BODY] = "{% set counted = namespace(n=0) %}\n" + replaced(
    BODY, *BUILT["counting by a namespace"][BODY]
)

# With what is said about them.
NOT_BUILT = {
    "an mj-include": (
        {
            BODY: (SECTIONS, '<mj-include path="./mail/words.mjml" />' + SECTIONS),
            "mail/words.mjml": section("<mj-text>{{ mail.topics }} {{ mail.brand }}</mj-text>"),
        },
        r"body.mjml.j2, line \d+: mj-include is not built: write {% include %}",
    ),
    "a name that is taken": (
        {CARD: (TITLE, "{% set mail = card %}{{ mail.title }}</a></h3>")},
        r"card.mjml.j2, line 7: another mail: choose another name",
    ),
    "a name that is taken in a macro": (
        {CARD: (TITLE, "{% macro b(mail) %}{{ mail.brand }}{% endmacro %}{{ b({'brand': 'x'}) }}</a></h3>")},
        r"card.mjml.j2, line 7: another mail: choose another name",
    ),
    "a width that is computed": (
        {CARD: ('width="264px"', 'width="{{ 200 + card.counts | length }}px"')},
        r"card.mjml.j2, line \d+: {{ 200 .*must know all texts that it can print; write them out",
    ),
    "a class that can be anything": (
        {CARD: (TEXT_OF_CARD, '<p class="{{ card.topic }}">')},
        r"card.mjml.j2, line \d+: {{ card . topic }} in <p>: MJML and CSS must know",
    ),
    "an element that begins in a branch": (
        {
            CARD: (
                TEXT_OF_CARD,
                '{% if card.topic %}<p class="text">{% else %}<p class="about">{% endif %}',
            )
        },
        r"card.mjml.j2, line \d+: <p> is not closed before",
    ),
    "columns that share their section": (
        before_sections(
            "<mj-section>{% if mail.topics %}<mj-column><mj-text>x</mj-text></mj-column>{% endif %}"
            "<mj-column><mj-text>y</mj-text></mj-column></mj-section>"
        ),
        r"body.mjml.j2, line \d+: a column that is not always there: give each column",
    ),
    "MJML in a macro": (
        {
            BODY: "{% macro words(t) %}"
            + section("<mj-text>{{ t }}</mj-text>")
            + "{% endmacro %}\n"
            + replaced(BODY, SECTIONS, "{{ words('x') }}" + SECTIONS)
        },
        r"body.mjml.j2.*",
    ),
    "macros of another file": (
        {
            BODY: '{% from "mail/m.mjml.j2" import b %}\n'
            + replaced(BODY, "{{ section.about }}", "{{ b(section.about) }}"),
            "mail/m.mjml.j2": "{% macro b(t) %}<b>{{ t }}</b>{% endmacro %}",
        },
        r"body.mjml.j2, line 1: macros by {% from %}: include a file instead",
    ),
    "styles that go by place": (
        {STYLE: (INLINE, INLINE + " div + div h3 { color: #123456 } p:first-child { margin: 3px }")},
        r"style.mjml.j2, line \d+: a selector by place",
    ),
    "styles that go by what is around a macro": (
        {
            CARD: (TITLE, "{% set t %}<b class='x'>{{ card.title }}</b>{% endset %}{{ t }}</a></h3>"),
            STYLE: (INLINE, INLINE + " h3 b.x { color: #123456 }"),
        },
        r"style.mjml.j2, line \d+: a selector by place, or by what is around a macro",
    ),
    "a component of the head by condition": (
        {STYLE: ("<mj-style>", "{% if mail.others %}<mj-style>p { color: red }</mj-style>{% endif %}<mj-style>")},
        r"style.mjml.j2, line \d+: {% if mail . others %} in <mj-head>",
    ),
    "elements of a list by loop": (
        before_sections(
            section(
                '<mj-social>{% for s in mail.sections %}<mj-social-element name="x" href="https://x.example">'
                "{{ s.title }}</mj-social-element>{% endfor %}</mj-social>"
            )
        ),
        r"body.mjml.j2, line \d+: {% for .* in <mj-social>: put a whole <mj-social> into each branch",
    ),
    "HTML in an expression": (
        {CARD: (TITLE, TITLE + "{{ ('<p>' ~ card.stars ~ '</p>') | safe }}")},
        r"card.mjml.j2, line \d+: {{ .* }} prints HTML",
    ),
    "a value between components": (
        before_sections("{{ mail.topics | e | replace('x', 'y') if mail.others < 0 else '' }}"),
        r"body.mjml.j2, line \d+: {{ .*}} between components",
    ),
    "an include by what a paper says": (
        {
            BODY: (LOOP, '    {% include "mail/" ~ ("a" if card.code_url else "b") ~ ".mjml.j2" %}\n'),
            "mail/a.mjml.j2": section("<mj-text>a</mj-text>") + "\n",
            "mail/b.mjml.j2": section("<mj-text>b</mj-text>") + "\n",
        },
        r"body.mjml.j2.*card",
    ),
    "a menu in a loop": (
        {CARD: ("<mj-text>", '<mj-navbar><mj-navbar-link href="{{ card.url }}">x</mj-navbar-link></mj-navbar><mj-text>')},
        r"{% for .*%}|<mj-navbar> in a loop",
    ),
    "a condition outside of all blocks": (
        {
            "mail/layout.mjml.j2": replaced(BODY, SECTIONS, section("<mj-text>{% block top %}{% endblock %}</mj-text>") + SECTIONS),
            BODY: '{% extends "mail/layout.mjml.j2" %}{% set x = 1 %}{% if mail.others > 2 %}{% set x = 2 %}{% endif %}'
            "{% block top %}{{ x }}{% endblock %}",
        },
        r"body.mjml.j2, line 1: if outside of all blocks",
    ),
    "a name in two files": (
        {BODY: (SECTIONS, "{% set sign = mail.topics %}" + SECTIONS), CARD: (TITLE, "{% set sign = '§' %}{{ sign ~ card.title }}</a></h3>")},
        r"another sign than in mail/partials/card.mjml.j2: choose another name",
    ),
    "more texts in a class than can be tried": (
        {CARD: (TEXT_OF_CARD, '<p class="' + "".join(f"{{% if card.stars == '{n}' %}} s{n}{{% endif %}}" for n in range(5)) + '">')},
        r"card.mjml.j2, line \d+: {% if .*write them out: .*, at most 16",
    ),
    "classes in classes, more than can be tried": (
        {
            CARD: (
                TITLE,
                TITLE
                + "".join(f"<div class=\"{{{{ 'a' if card.stars == '{n}' else 'b' }}}}\">" for n in range(15))
                + "x"
                + "</div>" * 15,
            )
        },
        r"card.mjml.j2, line \d+: more choices around {{ .* than can be tried",
    ),
    "an inlined style by condition": (
{
        STYLE: (INLINE, INLINE + "{% if mail.topics %} .about { font-size: 9px; }{% endif %}")
    },
r"style.mjml.j2, line \d+: {% if mail . topics %} in a style: choose a class instead",
),
    "a style by condition": (
{
        STYLE: (
            "h1, h2, h3, p {",
            "{% if mail.topics %} h2 { color: #123123 } {% endif %}h1, h2, h3, p {",
        )
    },
r"style.mjml.j2, line \d+: {% if mail . topics %} in a style: choose a class instead",
),
    "defaults by condition": (
{
        STYLE: ('font-size="15px"', """font-size="{{ '15px' if mail.others else '17px' }}" """)
    },
r"style.mjml.j2, line \d+: {{ .* in <mj-text>: only in the content of the body",
),
    "an include that sets what is set outside": (
{
        CARD: (TITLE, "{% set x = 1 %}" + TITLE + '{% include "mail/more.mjml.j2" %}{{ x }}\n'),
        "mail/more.mjml.j2": "{% set x = 2 %}<p>{{ x }} {{ card.title }}</p>\n",
    },
r"more.mjml.j2, line 1: another x: choose another name",
),
    "a macro on top of the file": (
{
        BODY: "{% macro link(to) %}<a class='link' href='{{ to }}'>{{ to }}</a>{% endmacro %}\n"
        + replaced(
            BODY, "{{ section.about }}", "{{ section.about }} {{ link(mail.links.archive) }}"
        )
    },
r"body.mjml.j2, line \d+: text outside of <mjml>",
),
}  # fmt: skip


@pytest.mark.parametrize("what", few_of(BUILT))
def test_what_operators_write_is_built_and_looks_the_same(what, tmp_path):
    both = BothWays(own_templates(tmp_path, BUILT[what]))
    assert both.why_not(some_digest(random.Random(1))) is None
    both.compare_some()


@pytest.mark.parametrize("what", few_of(NOT_BUILT))
def test_what_cannot_be_built_says_why_and_comes_out_nevertheless(what, tmp_path):
    changes, why = NOT_BUILT[what]
    both = BothWays(own_templates(tmp_path, changes))
    assert re.search(why, str(both.why_not(some_digest(random.Random(1)))))
    both.compare_some(2)
    assert both.why_not(note(NOTES[0])) is None or STYLE in changes


# ---- what goes wrong -------------------------------------------------------------------------

FAULTS = [
    (BODY, ("</mj-head>", "{{ mail.nothing }}</mj-head>"), "mail/digest/body.mjml.j2, line 6: "),
    (BODY, ("</mj-head>", "</mj-hed>"), "mail/digest/body.mjml.j2, line 6: </mj-hed> closes noth"),
    (
        CARD,
        (TITLE, "{{ card.title }}</a></h4>"),
        "mail/partials/card.mjml.j2, line 7: </h4> closes nothing",
    ),
    (BODY, ("<mjml ", "astray <mjml "), "mail/digest/body.mjml.j2, line 1: text outside of <mjml>"),
    (CARD, (TITLE, TITLE + "{% if %}"), "mail/partials/card.mjml.j2, line 7: "),
    (CARD, (TITLE, TITLE + " 1 < 2"), "mail/partials/card.mjml.j2, line 7: a bare <"),
    (CARD, ("{{ card.title }}", "{{ card.titel }}"), "line 7: a card has no titel: is title"),
    (CARD, ("{{ card.title }}", "{{ card.preheader }}"), "line 7: a card has no preheader"),
    (CARD, ("{{ card.title }}", "{{ card.title | nofilter }}"), "line 7: No filter named"),
    (
        "mail/partials/footer.mjml.j2",
        ("{{ mail.postal_address }}", "{{ 1 / 0 }}"),
        "mail/partials/footer.mjml.j2, line 13: division by zero",
    ),
    (TEXT, ("{{ mail.headline }}", "{{ mail.headline / 2 }}"), "mail/digest/body.txt.j2, line 4: "),
    (
        "mail/digest/subject.txt.j2",
        "\n{{ mail.top_titel }}",
        "mail/digest/subject.txt.j2, line 2: ",
    ),
]


@pytest.mark.parametrize(("name", "change", "place"), FAULTS)
def test_a_broken_template_stops_all_before_anything_is_sent(name, change, place, tmp_path):
    composer = BothWays(own_templates(tmp_path, {name: change})).composer
    with pytest.raises(TemplateError, match=re.escape(place)):
        composer.try_out(make_edition(), candidates()[:3])


@pytest.mark.parametrize("part", ["body.mjml.j2", "body.txt.j2", "subject.txt.j2"])
def test_a_broken_note_stops_all_only_if_one_is_to_be_sent(part, tmp_path):
    name = f"mail/nothing/{part}"
    composer = BothWays(own_templates(tmp_path, {name: "{{ mail.wy }}"})).composer
    composer.try_out(make_edition(), candidates()[:3])
    with pytest.raises(TemplateError, match=f"{name}, line 1: a digest has no wy: is why meant"):
        composer.try_out(make_edition(), candidates()[:3], NOTES[:1])


def test_a_template_that_is_slow_is_told_before_anything_is_sent(tmp_path):
    changes, _ = NOT_BUILT["a width that is computed"]
    composer = BothWays(own_templates(tmp_path, changes)).composer
    with capture_logs() as said:
        composer.try_out(make_edition(), candidates()[:3], NOTES)
    [warning] = said
    assert warning["mail"] == "digest"
    assert "mail/partials/card.mjml.j2, line " in warning["why"]


def broken_for(title):
    """A card that cannot be rendered for one paper."""
    return {CARD: (TITLE, TITLE + f"{{{{ 1 // (card.title != '{title}') }}}}")}


def test_a_broken_paper_is_told_once_and_left_out_of_all(tmp_path):
    bad, good = candidates()[3:5]
    composer = BothWays(own_templates(tmp_path, broken_for(bad.facts.title))).composer
    picks = tuple(Pick(Section.TRENDING, paper) for paper in (bad, good))
    with capture_logs() as said:
        composer.try_out(make_edition(), candidates())
        for _ in range(3):
            html = composer.render(Digest(TODAY, (), picks, 2), "a").html
            assert bad.facts.title[:20] not in html
            assert good.facts.title[:20] in html
    assert [warning["title"] for warning in said] == [bad.facts.title]


def test_who_would_only_get_a_broken_paper_gets_nothing(tmp_path):
    bad = candidates()[0]
    composer = BothWays(own_templates(tmp_path, broken_for(bad.facts.title))).composer
    composer.try_out(make_edition(), [bad])
    digest = Digest(TODAY, (), (Pick(Section.TRENDING, bad),), 1)
    with pytest.raises(NothingToShow):
        composer.compose(digest, to="a@example.org", public_id="a", now=NOW)


def test_what_does_not_fit_is_left_out():
    papers = [make_candidate(number, title=f"{number} " + "W" * 290) for number in range(1, 140)]
    picks = tuple(Pick(Section.TRENDING, paper) for paper in papers)
    content = SHIPPED.composer.render(Digest(TODAY, (), picks, 139), "a")
    assert "139 WWW" not in content.html
    assert REFUSE_AT / 2 < content.html_part.size < REFUSE_AT


def test_a_paper_that_does_not_fit_by_itself_is_told(monkeypatch):
    monkeypatch.setattr("digest.compose.composer.REFUSE_AT", 500)
    with pytest.raises(MessageTooLarge):
        SHIPPED.composer.render(some_digest(random.Random(1)), "a")


# ---- when it is built ------------------------------------------------------------------------


def filled(both):
    digest = some_digest(random.Random(1))
    return fill(both.templates, "digest", both.view(digest)).html


@pytest.fixture
def builds(monkeypatch):
    """What is built, by the names of templates."""
    names = []
    build = built._build

    def seen(templates, loader, name, known):
        names.append(name)
        return build(templates, loader, name, known)

    monkeypatch.setattr(built, "_build", seen)
    return names


OF_DIGEST = [f"mail/digest/{part}" for part in ("subject.txt.j2", "body.txt.j2", "body.mjml.j2")]


def test_it_is_built_once_and_anew_when_a_template_has_changed(tmp_path, builds):
    both = BothWays(own_templates(tmp_path, {CARD: (TITLE, TITLE + "<p>before</p>")}))
    assert "before" in filled(both)
    assert "before" in filled(both)
    assert builds == OF_DIGEST
    own_templates(tmp_path, {CARD: (TITLE, TITLE + "<p>afterwards</p>")})
    assert "afterwards" in filled(both)
    assert builds == OF_DIGEST * 2


def test_whether_a_template_has_changed_is_looked_at_once_in_a_while(tmp_path, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(built.time, "monotonic", lambda: now)
    both = BothWays(own_templates(tmp_path, {CARD: (TITLE, TITLE + "<p>before</p>")}))
    both.templates.look_every = 5.0
    assert "before" in filled(both)
    filled(both)
    own_templates(tmp_path, {CARD: (TITLE, TITLE + "<p>afterwards</p>")})
    now += 4.9
    assert "before" in filled(both)
    now += 0.1
    assert "afterwards" in filled(both)


def test_it_is_built_for_each_sender(builds):
    one, two = BothWays(), BothWays(header_image="https://x.example/y.png", header_image_size="9x9")
    assert "y.png" not in filled(one)
    two.templates = one.templates
    assert "y.png" in filled(two)
    assert builds == OF_DIGEST * 2


def test_what_is_kept_on_disk_needs_not_be_built(tmp_path, builds):
    folder = own_templates(tmp_path / "own", {CARD: (TITLE, TITLE + "<p>before</p>")})
    first = filled(BothWays(folder, cache=tmp_path / "cache"))
    assert builds == OF_DIGEST
    builds.clear()
    assert filled(BothWays(folder, cache=tmp_path / "cache")) == first
    assert builds == []
    own_templates(folder, {CARD: (TITLE, TITLE + "<p>afterwards</p>")})
    assert "afterwards" in filled(BothWays(folder, cache=tmp_path / "cache"))
    assert builds == OF_DIGEST
    builds.clear()
    BothWays(folder, code="de", cache=tmp_path / "cache").compare_some(1)
    assert builds == OF_DIGEST


def test_what_cannot_be_built_is_kept_as_well(tmp_path, builds):
    changes, why = NOT_BUILT["a width that is computed"]
    folder = own_templates(tmp_path / "own", changes)
    digest = some_digest(random.Random(1))
    said = [BothWays(folder, cache=tmp_path).why_not(digest) for _ in range(2)]
    assert [str(each) for each in said] == [str(said[0])] * 2
    assert re.search(why, str(said[0]))
    assert builds == OF_DIGEST


@pytest.mark.parametrize(
    "damage",
    [
        lambda octets: b"",
        lambda octets: octets[: len(octets) // 2],
        lambda octets: octets.replace(b"card", b"cord"),
        lambda octets: b"\xff\x00" + octets,
        lambda octets: b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
    ],
)
def test_a_broken_file_is_built_anew(tmp_path, builds, damage):
    first = filled(BothWays(cache=tmp_path))
    [file] = tmp_path.iterdir()
    octets = file.read_bytes()
    file.write_bytes(damage(octets))
    builds.clear()
    assert filled(BothWays(cache=tmp_path)) == first
    assert builds == OF_DIGEST
    assert file.read_bytes() == octets
    assert list(tmp_path.iterdir()) == [file]


def test_without_a_place_to_keep_it_it_is_built_each_time(tmp_path, builds):
    (tmp_path / "file").touch()
    for _ in range(2):
        filled(BothWays(cache=tmp_path / "file" / "cache"))
    assert builds == OF_DIGEST * 2
