"""Which features a mail uses, by caniemail's names."""

import pytest

from digest.checks.caniemail import table
from digest.checks.features import features_used

KNOWN = frozenset(table())


def used(html):
    return features_used(html, KNOWN)


@pytest.mark.parametrize(
    ("css", "slugs"),
    [
        ("p { border-radius: 1px }", {"css-border-radius", "css-selector-type", "css-unit-px"}),
        ("p { border-top-left-radius: 0 }", {"css-border-radius", "css-selector-type"}),
        ("p { border-top-color: #1e1e1e }", {"css-border", "css-selector-type"}),
        ("p { margin-top: -1.5em }", {"css-margin", "css-unit-em", "css-selector-type"}),
        ("p { display: none }", {"css-display", "css-display-none", "css-selector-type"}),
        ("p { display: flex }", {"css-display", "css-display-flex", "css-selector-type"}),
        (
            "p { flex-flow: column wrap }",
            {"css-flex-direction", "css-flex-wrap", "css-selector-type"},
        ),
        (
            "p { width: calc(100% - 1vw) }",
            {"css-width", "css-unit-calc", "css-unit-percent", "css-unit-vw", "css-selector-type"},
        ),
        ("p { color: rgba(1, 2, 3, 0.5) }", {"css-rgba", "css-selector-type"}),
        ("p { color: oklch(1 2 3) }", {"css-modern-color", "css-selector-type"}),
        (
            "p { color: var(--x) !important }",
            {"css-variables", "css-important", "css-selector-type"},
        ),
        ("p { --x: 1 }", {"css-variables", "css-selector-type"}),
        (
            "p { font-size: clamp(1rem, 2px) }",
            {
                *("css-font-size", "css-function-clamp", "css-unit-rem", "css-unit-px"),
                "css-selector-type",
            },
        ),
        ("p { font-family: system-ui }", {"css-sytem-ui", "css-selector-type"}),
        (
            "p { background: linear-gradient(red, blue) }",
            {
                *("css-background", "css-linear-gradient", "css-selector-type"),
            },
        ),
        (".a.b { }", {"css-selector-class", "css-selector-chaining"}),
        (".a .b { }", {"css-selector-class", "css-selector-descendant"}),
        ("#a > b { }", {"css-selector-id", "css-selector-child", "css-selector-type"}),
        ("a + b { }", {"css-selector-adjacent-sibling", "css-selector-type"}),
        ("a ~ b { }", {"css-selector-general-sibling", "css-selector-type"}),
        ("* { }", {"css-selector-universal"}),
        ("[a='b > c'] { }", {"css-selector-attribute"}),
        ("a, b { }", {"css-selector-grouping", "css-selector-type"}),
        ("a:hover { }", {"css-pseudo-class-hover", "css-selector-type"}),
        ("a::before { }", {"css-pseudo-element-before", "css-selector-type"}),
        ("a { b { color: red } }", {"css-nesting", "css-selector-type"}),
        ("@import url(a.css);", {"css-at-import"}),
        ("@font-face { }", {"css-at-font-face"}),
        (
            "@media (prefers-color-scheme: dark) { }",
            {"css-at-media", "css-at-media-prefers-color-scheme"},
        ),
        ("@ { } @( { }", set()),
        ("@MEDIA (Hover) { }", {"css-at-media", "css-at-media-hover"}),
        ("p { WIDTH: 1PX }", {"css-width", "css-unit-px", "css-selector-type"}),
        ("@media (any-hover: hover) { }", {"css-at-media", "css-at-media-hover"}),
        (
            "@media (-webkit-min-device-pixel-ratio: 2) { }",
            {"css-at-media", "css-at-media-device-pixel-ratio"},
        ),
        ("/* a */", {"css-comments"}),
        ("p { content: '1vw rgb(calc(' }", {"css-selector-type"}),
    ],
)
def test_features_of_css(css, slugs):
    assert set(used(f"<style>{css}</style>")) - {"html-style", "html-body"} == slugs


@pytest.mark.parametrize(
    ("html", "slugs"),
    [
        ("<!DOCTYPE html><p>a", {"html-doctype", "html-p"}),
        ("<p>a<!-- b --></p>", {"html-p", "html-comments"}),
        ("<h3 align=left>a</h3>", {"html-h1-h6", "html-align"}),
        ("<ul><li>a</ul>", {"html-lists"}),
        ("<section role=a aria-label=b>", {"html-semantics", "html-role", "html-aria-label"}),
        ("<input><input type=RADIO>", {"html-input-text", "html-input-radio"}),
        ("<button>a</button>", {"html-button-submit"}),
        ("<map></map>", {"html-image-maps"}),
        ("<meta name=color-scheme>", {"html-meta-color-scheme"}),
        ("<p><a href='#b'>a</a></p>", {"html-p", "html-anchor-links"}),
        ("<p><a href='MAILTO:b@c'>a</a></p>", {"html-p", "html-mailto-links"}),
        (
            "<p><img src='a.PNG?b=c' width=1></p>",
            {
                *("html-p", "html-img", "html-width", "image-png"),
            },
        ),
        (
            "<p><img src='data:image/gif;base64,a' srcset=b></p>",
            {
                *("html-p", "html-img", "html-srcset", "image-base64"),
            },
        ),
        ("<p style='opacity: 0.5'>a", {"html-p", "css-opacity"}),
        ("<!--[if mso]><p style='opacity: 0'><video></video></p><![endif]-->", {"html-comments"}),
    ],
)
def test_features_of_html(html, slugs):
    assert set(used(html)) - {"html-body"} == slugs


def test_features_are_counted():
    html = "<style>p { margin: 1px } b { margin: 0 }</style><p style='margin: 0'>a</p><p>b</p>"
    assert used(html)["css-margin"] == 3
    assert used(html)["html-p"] == 2
    assert features_used(html, frozenset({"html-p"})) == {"html-p": 2}


def test_nothing_is_used_by_nothing():
    assert used("") == {}


def test_nearly_all_that_is_known_can_be_found():
    """A slug whose name says nothing to us would never be told of: only these do not."""
    from digest.checks import features

    by_table = {slug for table in features._TABLES.values() for slug in table}
    assert by_table <= KNOWN
