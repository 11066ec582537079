"""Text and HTML beside each other, sizes, and what stands at the top."""

from dataclasses import replace

import pytest
from markupsafe import escape

from digest.checks import parts
from digest.checks.finding import Level
from tests.unit.checks.making import (
    CLEAN,
    LEAVE,
    PAPER,
    TEXT,
    document,
    line_of,
    rendered,
    told,
    with_more,
)

SMALL = replace(CLEAN, warn_at=2000, refuse_at=3000)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1999, []),
        (2000, [(Level.WARNING, "has 2,000 octets, it is refused at 3,000")]),
        (2999, [(Level.WARNING, "has 2,999 octets, it is refused at 3,000")]),
        (3000, [(Level.ERROR, "has 3,000 octets, 3,000 are too many")]),
    ],
)
@pytest.mark.parametrize("part", ["html", "text"])
def test_size_is_counted_in_octets(size, expected, part):
    content = "é" * (size // 2) + "a" * (size % 2)
    mail = rendered(**{"html": "<p>", "text": "a", part: content})
    name = {"html": "HTML", "text": "text"}[part]
    found = [(each.level, each.what) for each in parts.too_large(mail, SMALL)]
    assert found == [(level, f"the {name} {what}") for level, what in expected]


def test_the_largest_sample_says_how_large_it_is():
    mail = rendered(html="<p>", text="é", is_largest=True)
    assert [(each.level, each.what) for each in parts.too_large(mail, SMALL)] == [
        (Level.NOTE, "the HTML has 3 octets of 3,000 at most"),
        (Level.NOTE, "the text has 2 octets of 3,000 at most"),
    ]


# ---- text and HTML -----------------------------------------------------------------------------


def test_parts_in_step():
    assert list(parts.out_of_step(rendered())) == []


def test_an_empty_text_is_all_there_is_to_say():
    (found,) = parts.out_of_step(rendered(text=" \n"))
    assert (found.what, found.level) == ("the text part is empty", Level.ERROR)


def test_papers_are_in_both_parts():
    title, url = "Another\u00a0 paper", "https://papers.example/12"
    mail = rendered(titles=(title,), urls=(url,))
    assert [each.what for each in parts.out_of_step(mail)] == [
        f"the paper “{title}” is not in the HTML",
        f"the paper “{title}” is not in the text",
        f"the link {url} is not in the HTML",
        f"the link {url} is not in the text",
    ]
    folded = replace(
        mail,
        text=f"{TEXT}\nAnother\n  paper: {url}.",
        html=with_more(f'<p>Another paper</p><a href="{url}">a</a>'),
    )
    assert list(parts.out_of_step(folded)) == []


def test_an_address_is_more_than_the_beginning_of_another():
    mail = rendered(text=TEXT.replace(PAPER, f"{PAPER}3"))
    assert [each.what for each in parts.out_of_step(mail)] == [
        f"the link {PAPER} is not in the text"
    ]


def test_links_of_the_html_are_in_the_text():
    mjml = document(
        '<mj-text>\n<a href="https://a.example/b?c=1&amp;d">a</a>\n<a href="mailto:a@b.example">b</a>'
        '<img src="https://a.example/e.png" alt=""></mj-text>'
    )
    says = "the link https://a.example/b?c=1&d is not in the text"
    (found,) = parts.out_of_step(rendered(mjml))
    assert (found.what, found.level) == (says, Level.WARNING)
    assert found.line == line_of(mjml, "https://a.example/b")


@pytest.mark.parametrize("said", ["https://a.example/b?c=1&d", "https://a.example/b"])
def test_the_text_may_leave_out_a_query(said):
    html = with_more('<a href="https://a.example/b?c=1&amp;d">a</a>')
    assert list(parts.out_of_step(rendered(html=html, text=TEXT)))
    assert list(parts.out_of_step(rendered(html=html, text=f"{TEXT}{said}"))) == []


def test_an_address_with_quotes_stands_between_blanks():
    odd = "https://a.example/?b=\"'"
    html = with_more(f'<a href="{escape(odd)}">a</a>')
    assert list(parts.out_of_step(rendered(html=html, text=f"{TEXT}{odd}\n"))) == []


# ---- the top -----------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [20, 180])
def test_a_preheader_of_use(length):
    mjml = document().replace("What a list of mails shows beside it", "x" * length)
    assert list(parts.preheader(rendered(mjml))) == []


@pytest.mark.parametrize("length", [1, 19, 181])
def test_a_preheader_of_another_length(length):
    mjml = document().replace("What a list of mails shows beside it", "x" * length)
    says = f"the preheader has {length} characters: use 20 to 180"
    assert told(parts.preheader(rendered(mjml))) == [(says, line_of(mjml, "<mj-preview"))]


@pytest.mark.parametrize(
    "html",
    [
        "<body></body>",
        "<body><p>A text that is long enough to be one</p></body>",
        '<body><div style="display: none"> </div><p>b</p></body>',
        '<body><p>a</p><div style="display: none">A text that is long enough</div></body>',
    ],
)
def test_no_preheader(html):
    (found,) = parts.preheader(rendered(html=html))
    assert (found.what, found.level) == ("there is no preheader (mj-preview)", Level.WARNING)


def test_a_document_has_a_title_and_a_language():
    assert list(parts.unnamed(rendered())) == []
    mjml = document().replace(' lang="en"', "").replace("<mj-title>Test", "<mj-title>")
    assert told(parts.unnamed(rendered(mjml))) == [
        ("the HTML has no title (mj-title)", line_of(mjml, "<mj-title")),
        ("the HTML has no language (lang of mjml)", 1),
    ]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("x" * 150, []),
        ("x" * 151, [(Level.WARNING, "the subject has 151 characters, more than 150")]),
        ("a\r\nb", [(Level.WARNING, "the subject has line breaks")]),
        (" ", [(Level.ERROR, "the subject is empty")]),
    ],
)
def test_a_subject_is_one_line(subject, expected):
    found = list(parts.subject(rendered(subject=subject)))
    assert [(each.level, each.what) for each in found] == expected
    assert all(each.template == "mail/test/subject.txt.j2" for each in found)


def test_lines_of_the_text():
    fine = "x " * 39 + "\n" + f"Leave: {LEAVE}{'x' * 80}"
    assert list(parts.long_lines(rendered(text=fine))) == []
    (found,) = parts.long_lines(rendered(text=f"{fine}\n{'y' * 79}\n{'z' * 90}"))
    says = f"2 lines of the text are longer than 78 characters: {'y' * 79}"
    assert (found.what, found.level) == (says, Level.NOTE)
