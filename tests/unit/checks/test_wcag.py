"""Colours and contrast, against values that WCAG and others publish."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.checks.wcag import (
    BLACK,
    WHITE,
    Colour,
    colour,
    colour_in,
    contrast,
    luminance,
    needed,
    over,
)

parts = st.integers(0, 255)
colours = st.builds(Colour, parts, parts, parts)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000", "#fff", 21),
        ("#777", "#fff", 4.478),
        ("#767676", "#fff", 4.542),
        ("#f00", "#fff", 3.998),
        ("#00f", "#fff", 8.592),
        ("#0f0", "#fff", 1.372),
        ("#808080", "#808080", 1),
    ],
)
def test_contrast_is_as_published(one, other, ratio):
    assert contrast(colour(one), colour(other)) == pytest.approx(ratio, abs=0.001)


@given(colours, colours)
def test_contrast_is_between_1_and_21_and_has_no_direction(one, other):
    assert 1 <= contrast(one, other) <= 21
    assert contrast(one, other) == contrast(other, one)


def test_luminance_goes_from_black_to_white():
    assert luminance(BLACK) == 0
    assert luminance(WHITE) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#1af", Colour(17, 170, 255)),
        (" #11AAFF ", Colour(17, 170, 255)),
        ("#1af0", Colour(17, 170, 255, 0)),
        ("#11aaff33", Colour(17, 170, 255, 0.2)),
        ("White", WHITE),
        ("transparent", Colour(0, 0, 0, 0)),
        ("rgb(17, 170, 255)", Colour(17, 170, 255)),
        ("rgba(17,170,255,.5)", Colour(17, 170, 255, 0.5)),
        ("rgb(100% 0% 0% / 50%)", Colour(255, 0, 0, 0.5)),
        ("#12345", None),
        ("rgb(1, 2)", None),
        ("rgb(a, b, c)", None),
        ("inherit", None),
        ("var(--red)", None),
        ("", None),
    ],
)
def test_colours_as_css_writes_them(text, expected):
    assert colour(text) == expected


@pytest.mark.parametrize(
    ("shorthand", "expected"),
    [
        ("#fff url(red.png) no-repeat", WHITE),
        ("url('a.png') center / cover rgb(255, 255, 255)", WHITE),
        ("no-repeat white", WHITE),
        ("none", None),
        ("url(white.png)", None),
    ],
)
def test_the_colour_of_a_shorthand(shorthand, expected):
    assert colour_in(shorthand) == expected


def test_a_colour_lets_another_through():
    assert over(Colour(0, 0, 0, 0.25), WHITE) == Colour(191.25, 191.25, 191.25)
    assert str(over(Colour(0, 0, 0, 0.25), WHITE)) == "#bfbfbf"
    assert over(Colour(1, 2, 3), WHITE) == Colour(1, 2, 3)


@pytest.mark.parametrize(
    ("size", "is_bold", "ratio"),
    [(24, False, 3), (23.9, False, 4.5), (18.66, True, 3), (18.6, True, 4.5), (18.66, False, 4.5)],
)
def test_large_text_needs_less(size, is_bold, ratio):
    assert needed(size, is_bold=is_bold) == ratio
