"""Contrast in light and in dark, and colours that dark forgets."""

import pytest

from digest.checks import colours
from digest.checks.finding import Level
from tests.unit.checks.making import document, line_of, rendered, told

DARK = "@media (prefers-color-scheme: dark) {{ {} }}"
FORGOTTEN = ", which has no colour of its own for dark"


def page(css, body):
    """A mail's HTML."""
    return f"<html><head><style>{css}</style></head><body>{body}</body></html>"


def test_a_clean_mail_can_be_read():
    assert list(colours.poor_contrast(rendered())) == []
    assert list(colours.forgotten_in_dark(rendered())) == []


def test_pale_text_is_told_of_once_with_its_rule():
    head = '<mj-style inline="inline">\n.about { color: #949494; }\n</mj-style>'
    body = '<p class="about">a</p>\n<p class="about">b</p>\n<h1 class="about">large</h1>'
    mjml = document(head=head, body=body)
    light = "contrast 3.03:1 of #949494 on #ffffff (needs 4.5:1), in light, class `about`"
    found = set(colours.poor_contrast(rendered(mjml)))
    assert told(found) == [(light, line_of(mjml, ".about {"))]
    assert {each.level for each in found} == {Level.ERROR}


def test_dark_is_computed_too():
    css = ".a { color: #000 } b { color: #000 }" + DARK.format(
        "body { background-color: #222 !important } .a { color: #555 !important }"
    )
    mjml = document(
        head=f"<mj-style>\n.a {{ color: #000 }}\n{DARK.format('.a { color: #555 }')}</mj-style>"
    )
    html = page(css, "<p class=a>one</p><b>Some <i></i>words</b>")
    assert told(colours.poor_contrast(rendered(mjml, html=html))) == [
        (
            "contrast 2.13:1 of #555555 on #222222 (needs 4.5:1), in dark, class `a`",
            line_of(mjml, ".a { color: #555 }"),
        ),
        (
            f"contrast 1.31:1 of #000000 on #222222 (needs 4.5:1), in dark, a <b> without a class{FORGOTTEN}",
            0,
        ),
    ]


def test_a_text_without_class_is_found_by_its_words():
    mjml = document(body="\n<p>Some &amp; more</p>")
    html = page("p { color: #eee }", "<p>Some &amp; more</p>")
    found = list(colours.poor_contrast(rendered(mjml, html=html)))
    says = "contrast 1.16:1 of #eeeeee on #ffffff (needs 4.5:1), in {}, a <p> without a class"
    line = line_of(mjml, "Some")
    assert told(found) == [
        (says.format("light"), line),
        (f"{says.format('dark')}{FORGOTTEN}", line),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "<p style='display: none'>a</p>",
        "<p style='font-size: 0'>a</p>",
        "<p> \u200c&nbsp;\u034f </p>",
        "<p><b style='color: #000'>a</b></p>",
        "<p style='color: #949494; font-size: 24px'>a</p>",
        "<p style='color: #949494; font-size: 19px; font-weight: bold'>a</p>",
        "<p style='color: #767676'>a</p>",
    ],
)
def test_what_nobody_has_to_read_or_can(body):
    assert list(colours.poor_contrast(rendered(html=page("p { color: #fff }", body)))) == []


@pytest.mark.parametrize(
    "body",
    [
        "<p style='color: #777777'>a</p>",
        "<p style='color: #949494; font-size: 23px'>a</p>",
        "<p><b style='color: #000'>a</b> b</p>",
    ],
)
def test_what_can_nearly_be_read(body):
    found = colours.poor_contrast(rendered(html=page("p { color: #fff }", body)))
    assert [each.what.split()[0] for each in found] == ["contrast", "contrast"]


# ---- dark --------------------------------------------------------------------------------------


def test_no_rules_for_dark_at_all():
    mail = rendered(html=page("p { color: #000 }", "<p>a</p>"))
    (found,) = colours.forgotten_in_dark(mail)
    assert found.level is Level.WARNING
    assert "no rules for dark" in found.what


def test_a_colour_that_stays_while_its_background_changes():
    mjml = document(head="<mj-style>\n.grey { color: #808080 }</mj-style>")
    css = ".grey { color: #808080 }" + DARK.format("body { background: #000 !important }")
    mail = rendered(
        mjml, html=page(css, "<p class='grey big'>a</p><p style='color:#808080'>unheard</p>")
    )
    assert told(colours.forgotten_in_dark(mail)) == [
        ("class `grey` stays #808080 in dark: no rule changes it", line_of(mjml, ".grey {")),
        ("a <p> without a class stays #808080 in dark: no rule changes it", 0),
    ]


def test_a_background_that_glares_in_dark():
    css = ".card { background: #fffdf9; color: #000 }" + DARK.format("body { background: #000 }")
    mail = rendered(html=page(css, "<p class=card>a</p>"))
    (found,) = colours.forgotten_in_dark(mail)
    assert (found.level, found.what) == (
        Level.WARNING,
        "class `card` stays on #fffdf9 in dark: no rule changes that background",
    )


@pytest.mark.parametrize(
    "rules",
    [
        "body { background: #000 } p { color: #fff }",
        "p { background: #9a3412; color: #fff }",
    ],
)
def test_what_dark_need_not_change(rules):
    css = "p { background: #9a3412; color: #fff }" if "9a3412" in rules else ""
    mail = rendered(html=page(css + DARK.format(rules), "<p>a</p>"))
    assert list(colours.forgotten_in_dark(mail)) == []
