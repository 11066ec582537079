"""How elements look in light and in dark."""

import pytest
from lxml.html import document_fromstring

from digest.checks.cascade import Mode, has_dark_rules, is_hidden, looks


def look(html, mode=Mode.LIGHT):
    """That of the element with the id x."""
    tree = document_fromstring(f"<html>{html}</html>")
    return looks(tree, mode)[tree.get_element_by_id("x")]


def colours(html, mode=Mode.LIGHT):
    seen = look(html, mode)
    return str(seen.colour), str(seen.background)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p id=x>", ("#000000", "#ffffff")),
        ("<div style='color: red; background: blue url(a)'><p id=x>", ("#ff0000", "#0000ff")),
        ("<table bgcolor=red><tr><td id=x>", ("#000000", "#ff0000")),
        ("<font color=red><b id=x>", ("#ff0000", "#ffffff")),
        ("<a href=y id=x>", ("#0000ee", "#ffffff")),
        ("<a id=x>", ("#000000", "#ffffff")),
        ("<div style='background: red'><p id=x style='background: none'>", ("#000000", "#ff0000")),
        (
            "<style>p {background: red}</style><p id=x style='background: none'>",
            ("#000000", "#ffffff"),
        ),
        (
            "<div style='background: #000'><p id=x style='background: #ffffff80'>",
            ("#000000", "#808080"),
        ),
        ("<p id=x style='color: #00000080'>", ("#7f7f7f", "#ffffff")),
    ],
)
def test_colours_are_declared_and_inherited(html, expected):
    assert colours(html) == expected


@pytest.mark.parametrize(
    "html",
    [
        "<style>p {color: blue} p {color: red}</style><p id=x>",
        "<style>.a {color: red} p {color: blue}</style><p id=x class=a>",
        "<style>div p {color: red} p {color: blue}</style><div><p id=x>",
        "<style>p {color: blue}</style><p id=x style='color: red'>",
        "<style>p {color: red !important}</style><p id=x style='color: blue'>",
        "<style>#x {color: blue} p {color: red !important}</style><p id=x>",
        "<style>p {color: blue !important}</style><p id=x style='color: red !important'>",
        "<style>a {color: red}</style><a href=y id=x>",
        "<style>p {color: red} p:hover, p::before {color: blue} p! {color: blue}</style><p id=x>",
        "<style>p {color: red} @media print {p {color: blue}}</style><p id=x>",
        "<style>p {color: blue} @MEDIA Screen {p {color: red}}</style><p id=x>",
        "<style>p {color: blue} @Supports (a: b) {p {color: red}}</style><p id=x>",
        "<style>p {color: red} @media (max-width: 1px) {p {color: blue}}</style><p id=x>",
        "<style>p {color: red}</style><!--[if mso]><style>p {color: blue}</style><![endif]--><p id=x>",
    ],
)
def test_the_cascade_decides(html):
    assert colours(html)[0] == "#ff0000"


def test_dark_has_rules_of_its_own():
    css = "p {color: blue} @media (prefers-color-scheme:dark) {p {color: red} b {color: blue}}"
    html = f"<style>{css}</style><p id=x>"
    assert colours(html, Mode.LIGHT)[0] == "#0000ff"
    assert colours(html, Mode.DARK)[0] == "#ff0000"
    assert has_dark_rules(css)
    assert not has_dark_rules("p {color: blue} @media (prefers-color-scheme: light) {p {a: b}}")


@pytest.mark.parametrize(
    ("style", "size"),
    [
        ("10px", 10),
        ("12PT", 16),
        ("2em", 40),
        ("150%", 30),
        ("2rem", 32),
        ("Large", 18),
        ("larger", 24),
        ("smaller", 20 / 1.2),
        ("0", 0),
        ("calc(1px)", 20),
        ("3foo", 20),
        ("", 20),
    ],
)
def test_sizes_in_pixels(style, size):
    html = f"<div style='font-size: 20px'><p id=x style='font-size: {style}'>"
    assert look(html).size == pytest.approx(size)


@pytest.mark.parametrize(
    ("html", "size", "is_bold"),
    [
        ("<p id=x>", 16, False),
        ("<h1 id=x>", 32, True),
        ("<b><i id=x>", 16, True),
        ("<b style='font-weight: normal'><i id=x>", 16, False),
        ("<p id=x style='font-weight: 700'>", 16, True),
        ("<p id=x style='font-weight: 600'>", 16, False),
        ("<p id=x style='font-weight: BOLDER'>", 16, True),
    ],
)
def test_weight_and_size_of_browsers(html, size, is_bold):
    assert (look(html).size, look(html).is_bold) == (size, is_bold)


@pytest.mark.parametrize(
    "html",
    [
        "<div style='display: NONE'><p id=x>",
        "<p hidden id=x>",
        "<p id=x style='visibility: Hidden'>",
        "<p id=x style='opacity: 0'>",
        "<style>p {display: none}</style><p id=x>",
        "<style id=x></style>",
    ],
)
def test_what_is_hidden(html):
    assert look(html).is_hidden


@pytest.mark.parametrize("html", ["<p id=x>", "<p id=x style='opacity: 0.5; display: block'>"])
def test_what_is_not_hidden(html):
    assert not look(html).is_hidden


def test_an_element_hides_itself():
    tree = document_fromstring("<div style='display:none'><p>a</p></div>")
    assert is_hidden(tree.find(".//div"))
    assert not is_hidden(tree.find(".//p"))
