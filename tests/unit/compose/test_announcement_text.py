"""The text of an announcement: paragraphs, lists, links; and nothing else comes through."""

import re

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.compose.announcement_text import Run, blocks_of
from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.errors import AnnouncementError, MessageTooLarge
from digest.model.announcements import LONGEST_TEXT, Audience, draft_of, previewed
from tests.support import NOW, make_settings

COMPOSER = Composer(Templates(), from_identity(make_settings()))
OURS = "https://digest.example.org/"


def said(text):
    """The blocks as plain text, each line of a list after a dash."""
    return [
        [("- " if block.is_list else "") + line.text for line in block.lines]
        for block in blocks_of(text)
    ]


def runs(text):
    [block] = blocks_of(text)
    [line] = block.lines
    return list(line.runs)


def announced(text, subject="A subject"):
    return previewed(draft_of(subject, text, Audience()))


def rendered(text, subject="A subject"):
    content = COMPOSER.render_announcement(announced(text, subject), "0" * 32)
    return lxml.html.document_fromstring(content.html), content


def test_a_blank_line_ends_a_paragraph_and_others_are_joined():
    assert said("one\n  two \n\n \t\nthree") == [["one two"], ["three"]]


def test_lines_with_a_dash_are_a_list():
    assert said("before:\n- one\n  goes on\n* two\n• three\n\n- four") == [
        ["before:"],
        ["- one goes on", "- two", "- three"],
        ["- four"],
    ]


@pytest.mark.parametrize("text", ["-one", "2 - 1 = 1", "*bold*", "--", "-", "1. one"])
def test_what_looks_like_markup_is_text(text):
    assert said(text) == [[text]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://a.example/x.", [Run("see "), Run("https://a.example/x", "https://a.example/x"), Run(".")]),
        ("(https://a.example/x_(y))", [Run("("), Run("https://a.example/x_(y)", "https://a.example/x_(y)"), Run(")")]),
        ("https://a.example?b=1&c=2", [Run("https://a.example?b=1&c=2", "https://a.example?b=1&c=2")]),
        ("a [b c](https://d.example/) e", [Run("a "), Run("b c", "https://d.example/"), Run(" e")]),
        ("[a](https://b.example)[c](https://d.example)", [Run("a", "https://b.example"), Run("c", "https://d.example")]),
    ],
)  # fmt: skip
def test_links(text, found):
    assert runs(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "[a](javascript:alert(1))",
        "[a](JAVASCRIPT:alert(1))",
        "[a](data:text/html,x)",
        "[a](http://a.example)",
        "[a](//a.example)",
        "[a]( https://)",
        "[](https://)",
        "[a](https:// a.example)",
        "javascript:alert(1)",
        "http://a.example",
        "https://",
        '[a](" onclick="alert(1))',
    ],
)
def test_what_is_no_link_over_https_is_text(text):
    assert runs(text) == [Run(text)]


def test_plain_text_has_the_addresses_that_words_lead_to():
    assert said("[a b](https://c.example) https://d.example") == [
        ["a b (https://c.example) https://d.example"]
    ]


HOSTILE = (
    '<script>alert(1)</script><img src=x onerror=alert(1)> <a href="javascript:x">y</a> &lt;b&gt; '
    "{{ mail.brand }} {% include 'x' %} <mj-text> </mj-text> ]]> <!-- --> \u202eevil\u202c "
    '[x"><b>](https://a.example/"onmouseover=alert(1)) https://a.example/<b> 模型 🎉 \u0627\u0644'
)


def test_markup_is_shown_as_it_stands():
    document, content = rendered(HOSTILE, HOSTILE[:180])
    assert not document.xpath("//script | //img[not(@alt)]")
    assert not [name for element in document.iter() for name in element.attrib if name[:2] == "on"]
    shown = " ".join(document.body.text_content().split())
    for part in (
        "<script>alert(1)</script>",
        "{{ mail.brand }}",
        "&lt;b&gt;",
        "<mj-text>",
        "模型 🎉",
    ):
        assert part in shown
        assert part in " ".join(content.text.split())
    for link in document.xpath("//a/@href"):
        assert link.startswith((OURS, "https://a.example/", "mailto:"))


@given(st.text(alphabet=st.sampled_from("a b[]()<>\"'&-*\n https://.x\u202e模"), max_size=300))
def test_every_link_is_https_and_no_letter_is_lost(text):
    blocks = blocks_of(text)
    for block in blocks:
        for line in block.lines:
            for run in line.runs:
                assert run.text
                assert not run.url or re.fullmatch(r"https://[^\s<>\"]+", run.url)
    shown = "".join(line.text for block in blocks for line in block.lines)
    letters = re.sub(r"[\s\[\]()*-]", "", text)
    assert re.sub(r"[\s\[\]()*-]", "", shown) == letters


def test_a_word_that_never_ends_and_the_longest_text_are_taken_or_refused_in_words():
    _, content = rendered("x" * LONGEST_TEXT)
    assert content.text.count("x") >= LONGEST_TEXT
    with pytest.raises(MessageTooLarge, match="bytes of HTML"):
        rendered("&" * LONGEST_TEXT)


@pytest.mark.parametrize("text", ["\x00", "a\x0bb", "a\x85b"])
def test_control_characters_never_come_so_far(text):
    with pytest.raises(AnnouncementError):
        announced(text)


def test_it_has_the_headers_of_the_list_and_a_test_has_an_id_of_its_own():
    given = announced("Text")
    first = COMPOSER.compose(given, to="a@x.example", public_id="p", now=NOW)
    again = COMPOSER.compose(given, to="a@x.example", public_id="p", now=NOW)
    head = first.content.partition(b"\r\n\r\n")[0].decode()
    assert first == again
    assert f"List-Unsubscribe: <{OURS}unsubscribe/" in head
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in head
    assert "Feedback-ID: announcement-1:daily:" in head
    test = COMPOSER.compose(given, to="a@x.example", public_id="p", now=NOW, subject_mark="[test]")
    assert b"Subject: [test] A subject" in test.content
    assert test.message_id != first.message_id


def test_without_pages_it_can_be_left_by_mail():
    composer = Composer(Templates(), from_identity(make_settings(base_url="none")))
    content = composer.render_announcement(announced("Text"), "p")
    assert "mailto:unsubscribe@example.org?subject=" in content.html
    assert "Change your topics" not in content.html


@pytest.mark.parametrize(
    ("text", "direction"),
    [("Hello", "ltr"), ("12: \u0645\u0631\u062d", "rtl"), ("\u05e9 a", "rtl"), ("a \u05e9", "ltr"), ("!?", "ltr")],
)  # fmt: skip
def test_words_have_the_direction_of_their_first_letter_whatever_the_frame_has(text, direction):
    document, _ = rendered(text)
    [around] = document.xpath("//div[@align]")
    assert around.get("dir") == direction
    assert around.get("align") == {"ltr": "left", "rtl": "right"}[direction]
