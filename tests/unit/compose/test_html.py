"""From MJML to the HTML of a mail."""

import socket

import lxml.html
import pytest

from digest.compose.html import BrokenMjml, to_html
from digest.errors import TemplateError
from tests.versions import made_with


def document(text="", head=""):
    return (
        f"<mjml><mj-head>{head}</mj-head><mj-body><mj-section><mj-column>"
        f"<mj-text>{text}</mj-text></mj-column></mj-section></mj-body></mjml>"
    )


@pytest.mark.parametrize(
    ("mjml", "what", "shown"),
    [
        ("", "there is no <mjml>", ""),
        ("just text", "text outside of <mjml>", "just"),
        ("<html></html>", "<html> outside of <mjml>", "<html>"),
        ("<mjml><mj-body></mjml>", "<mj-body> is not closed before </mjml>", "<mj-body>"),
        (document("a < b"), r"a bare < \(write &lt;\)", "< b"),
        (document("<b>never closed"), "<b> is not closed before </mj-text>", "<b>"),
        (document("a \x00 NUL"), r"the control character U\+0000", "\x00"),
        pytest.param(
            document("世> x"), "> right after", "> x", marks=made_with("mjml-python")
        ),  # mrml 1.4 panics
        ("<mjml>" * 1000, "<mjml> outside of|not closed", "<mjml>"),
    ],
)
def test_bad_mjml_is_shown_where_it_is_bad(mjml, what, shown):
    with pytest.raises(BrokenMjml, match=what) as caught:
        to_html(mjml)
    assert mjml[caught.value.offset :].startswith(shown)


def test_an_include_gets_what_it_names():
    mjml = document('</mj-text><mj-include path="./parts/x.mjml" /><mj-text>')
    assert "from parts" in to_html(mjml, lambda path: f"<mj-text>from {path[2:7]}</mj-text>")


def test_what_is_wrong_with_an_include_is_told_as_it_is():
    def include(path):
        raise TemplateError(path, 3, "no such thing")

    with pytest.raises(TemplateError, match=r"^x\.mjml, line 3: no such thing$"):
        to_html(document('</mj-text><mj-include path="x.mjml" /><mj-text>'), include)


def test_the_doctype_is_kept():
    assert to_html(document("hello")).lower().startswith("<!doctype html>")


def test_styles_are_inlined():
    html = to_html(
        document('<p class="warm">hi</p>', '<mj-style inline="inline">.warm { color: #a00; }</mj-style>'),
        "x",
    )  # fmt: skip
    (paragraph,) = lxml.html.fromstring(html).cssselect("p.warm")
    assert "color:#a00" in paragraph.get("style").replace(" ", "")


def test_media_queries_and_important_are_kept():
    style = "@media (prefers-color-scheme: dark) { .warm { color: #fff !important; } }"
    html = to_html(document('<p class="warm">hi</p>', f"<mj-style>{style}</mj-style>"))
    kept = " ".join(lxml.html.fromstring(html).xpath("//style/text()"))
    assert "prefers-color-scheme: dark" in kept
    assert "#fff !important" in " ".join(kept.split())
    (paragraph,) = lxml.html.fromstring(html).cssselect("p.warm")
    assert "#fff" not in (paragraph.get("style") or "")


def test_styles_are_ascii():
    html = to_html(document("<b>→</b>", '<mj-style>b::after { content: "→ é" }</mj-style>'))
    assert 'content: "\\2192  \\e9 "' in html
    assert "→</b>" in html


def test_columns_stack_on_a_phone():
    assert "@media only screen and (min-width:480px)" in to_html(document("hello"))


def test_escaped_text_stays_text():
    title = "&lt;script&gt;alert(1)&lt;/script&gt; &amp;lt; &amp;amp; &#39;q&#39;"
    html = to_html(document(f"<p>{title}</p>"))
    assert "<script" not in html
    (paragraph,) = lxml.html.fromstring(html).xpath("//p")
    assert paragraph.text == "<script>alert(1)</script> &lt; &amp; 'q'"


def test_image_widths_are_kept():
    mjml = document().replace(
        "<mj-text></mj-text>", '<mj-image src="https://x/y.png" alt="" width="90px" />'
    )
    (image,) = lxml.html.fromstring(to_html(mjml)).xpath("//img")
    assert image.get("width") == "90"


def test_nothing_is_fetched(monkeypatch):
    asked = []

    def refuse(*args, **kwargs):
        asked.append(args)
        raise OSError("there is no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    head = (
        '<mj-font name="Raleway" href="https://fonts.example.org/css?family=Raleway" />'
        '<mj-raw><link rel="stylesheet" href="https://example.org/x.css" /></mj-raw>'
        '<mj-style>@import url("https://example.org/y.css");</mj-style>'
        '<mj-style inline="inline">@import url("https://example.org/z.css"); p { margin: 0; }</mj-style>'
    )
    assert "hello" in to_html(document("<p>hello</p>", head))
    assert asked == []


def test_no_font_is_loaded_unasked():
    assert "fonts.googleapis.com" not in to_html(document("hello"))
