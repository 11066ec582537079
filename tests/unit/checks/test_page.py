"""CSS taken apart."""

from hypothesis import given
from hypothesis import strategies as st

from digest.checks.page import Declaration, Rule, declarations, rules


def test_rules_and_what_is_around_them():
    css = """
    /* a { b: c } */
    @import url("x;y.css");
    a, b > c { Color: Red ; --My-Thing: 1 }
    @media (prefers-color-scheme: dark) { .d { color: red !IMPORTANT } }
    @font-face { font-family: x }
    """
    dark = "@media (prefers-color-scheme: dark)"
    assert rules(css) == (
        Rule('@import url("x;y.css")', ()),
        Rule("a, b > c", (Declaration("color", "Red"), Declaration("--My-Thing", "1"))),
        Rule(".d", (Declaration("color", "red", is_important=True),), (dark,)),
        Rule(dark, ()),
        Rule("@font-face", (Declaration("font-family", "x"),)),
    )
    assert [rule.is_at_rule for rule in rules(css)] == [True, False, False, True, True]


def test_texts_and_brackets_keep_what_is_in_them():
    style = "background: url(data:image/png;base64,a}b) no-repeat; content: '};\\'x'; a: min(1px, (2px))"
    assert declarations(style) == (
        Declaration("background", "url(data:image/png;base64,a}b) no-repeat"),
        Declaration("content", '"};\'x"'),
        Declaration("a", "min(1px, (2px))"),
    )


def test_what_cannot_be_read_is_passed_over():
    assert declarations("a; b:; :c; d: e;;") == (Declaration("d", "e"),)
    assert rules("} x { y: z } '") == (Rule("} x", (Declaration("y", "z"),)),)
    assert rules("/* never closed") == ()


def test_what_is_not_closed_ends_with_the_sheet():
    assert rules("a { b: c") == (Rule("a", (Declaration("b", "c"),)),)


@given(st.text("ab:;{}()'\"@/*!\\ \n", max_size=40))
def test_whatever_it_is_it_ends(css):
    assert all(declaration.name for rule in rules(css) for declaration in rule.declarations)
    assert all(declaration.value for declaration in declarations(css))
