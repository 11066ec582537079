"""Tags, attributes, images, and what is forbidden."""

import pytest

from digest.checks import mjml as markup
from digest.checks.components import COMPONENTS
from digest.checks.finding import Level
from tests.unit.checks.making import TEMPLATE, document, line_of, rendered, told, with_more

IN_COLUMN = {
    '<mj-text colour="red">a</mj-text>': "<mj-text> has no attribute colour; did you mean color?",
    '<mj-text href="https://a.example">a</mj-text>': "<mj-text> has no attribute href",
    '<mj-image width="1px" heigth="1px" src="" alt="" />': (
        "<mj-image> has no attribute heigth; did you mean height?"
    ),
    '<mj-spacer css-clas="a" />': "<mj-spacer> has no attribute css-clas; did you mean css-class?",
    '<mj-raw colour="red"></mj-raw>': "<mj-raw> has no attribute colour",
    "<mj-txt>a</mj-txt>": "there is no <mj-txt> in MJML; did you mean mj-text?",
    "<mj-qqq />": "there is no <mj-qqq> in MJML",
    "<p>a</p>": "HTML in <mj-column>: <p> goes into <mj-text>",
    "<mj-column></mj-column>": (
        "<mj-column> is in <mj-column>, but belongs in <mj-section> or <mj-group>"
    ),
    "<mj-text><mj-button>a</mj-button></mj-text>": (
        "<mj-button> is in <mj-text>, but belongs in <mj-column> or <mj-hero>"
    ),
    "<mj-social-element>a</mj-social-element>": (
        "<mj-social-element> is in <mj-column>, but belongs in <mj-social>"
    ),
}


@pytest.mark.parametrize("inner", IN_COLUMN)
def test_what_mjml_has_not_is_told_with_its_line(inner):
    mjml = document(inner)
    (found,) = markup.unknown(rendered(mjml, html="<p>"))
    assert (found.what, found.level) == (IN_COLUMN[inner], Level.ERROR)
    assert (found.template, found.line) == (TEMPLATE, line_of(mjml, inner))


@pytest.mark.parametrize(
    "inner",
    [
        '<mj-text color="red" mj-class="a" css-class="b"><p foo="bar">a<blink/></p></mj-text>',
        '<mj-raw><table colour="red"></table></mj-raw>',
        '<mj-button href="https://a.example" inner-padding="1px">a <b x="y">c</b></mj-button>',
        "<mj-table><tr><td>a</td></tr></mj-table>",
        "<mj-accordion><mj-accordion-element /></mj-accordion>",
        '<mj-carousel><mj-carousel-image src="a" /></mj-carousel>',
        '<mj-image src="a" alt="" padding-left="1px" border-bottom="1px solid red" />',
        "<mj-include path='a.mjml' />",
    ],
)
def test_what_mjml_has_is_left_alone(inner):
    assert list(markup.unknown(rendered(document(inner), html="<p>"))) == []


def test_a_text_belongs_into_a_column():
    mjml = '<mjml><mj-body><mj-text colour="red">a</mj-text></mj-body></mjml>'
    assert told(markup.unknown(rendered(mjml, html="<p>"))) == [
        ("<mj-text> is in <mj-body>, but belongs in <mj-column> or <mj-hero>", 1)
    ]


def test_defaults_are_of_components():
    head = (
        '<mj-attributes><mj-all color="red" />\n<mj-class name="a" width="1px" />\n'
        '<mj-text color="red" />\n<mj-text src="a" />\n<mj-style inline="inline" />\n'
        '<mj-all colour="red" />\n<p /></mj-attributes>'
    )
    mjml = document(head=head)
    assert told(markup.unknown(rendered(mjml, html="<p>"))) == [
        ("<mj-text> has no attribute src", line_of(mjml, '<mj-text src="a"')),
        (
            "<mj-style> in <mj-attributes> sets no component's defaults",
            line_of(mjml, '<mj-style inline="inline" />'),
        ),
        ("<mj-all> has no attribute colour; did you mean color?", line_of(mjml, "<mj-all colour")),
        ("<p> in <mj-attributes> sets no component's defaults", line_of(mjml, "<p /></mj-at")),
    ]


def test_an_unknown_tag_is_told_of_once_whatever_is_in_it():
    mjml = document("<mj-colum><mj-text>a<b>c</b></mj-text></mj-colum>")
    assert told(markup.unknown(rendered(mjml, html="<p>"))) == [
        ("there is no <mj-colum> in MJML; did you mean mj-column?", line_of(mjml, "<mj-colum>"))
    ]


def test_every_component_may_stand_where_some_component_is():
    assert {parent for each in COMPONENTS.values() for parent in each.parents} <= set(COMPONENTS)
    assert [name for name, each in COMPONENTS.items() if not each.parents] == ["mjml"]


def test_crossed_tags_are_told():
    mjml = document("<mj-text>\n<p><b>a</p></b></mj-text>")
    assert told(markup.unclosed(rendered(mjml, html="<p>"))) == [
        ("<b> is not closed before </p>", line_of(mjml, "<b>a"))
    ]
    assert list(markup.unclosed(rendered())) == []


IMAGES = {
    '<mj-image src="a" />': "<mj-image> has no alt",
    '<mj-image src="a" alt=" " href="https://a.example" />': (
        "<mj-image> is a link, but its alt is empty"
    ),
    '<mj-text><img src="a"></mj-text>': "<img> has no alt",
    '<mj-social><mj-social-element name="x">a</mj-social-element></mj-social>': (
        "<mj-social-element> has no alt"
    ),
    '<mj-image src="a" alt="" />': None,
    '<mj-image src="a" alt="A house" href="https://a.example" />': None,
    '<mj-hero background-url="https://a.example/b.png"></mj-hero>': None,
}


@pytest.mark.parametrize("inner", IMAGES)
def test_images_are_described(inner):
    mjml = document(inner)
    says = IMAGES[inner]
    expected = [(says, line_of(mjml, inner))] if says else []
    assert told(markup.undescribed(rendered(mjml, html="<p>"))) == expected


def test_defaults_of_images_describe_nothing():
    head = '<mj-attributes>\n<mj-image padding="0" />\n</mj-attributes>'
    assert list(markup.undescribed(rendered(document(head=head)))) == []


def test_images_are_measured():
    mjml = document(
        '<mj-image src="https://a.example/1" alt="" width="10px" />\n'
        '<mj-image src="https://a.example/2" alt="" width="10px" height="20px" />\n'
        '<mj-text><img src="https://a.example/3?a&amp;b" alt=""></mj-text>'
    )
    assert told(markup.unmeasured(rendered(mjml))) == [
        ("the image https://a.example/1 has no height in pixels", line_of(mjml, "example/1")),
        (
            "the image https://a.example/3?a&b has no width and no height in pixels",
            line_of(mjml, "example/3"),
        ),
    ]


FORBIDDEN = {
    "<script>a</script>": "<script> is not allowed in email",
    '<form action="https://a.example"></form>': "<form> is not allowed in email",
    '<iframe src="https://a.example"></iframe>': "<iframe> is not allowed in email",
    '<link rel="StyleSheet" href="https://a.example/a.css">': (
        "the style sheet https://a.example/a.css is loaded from elsewhere"
    ),
    '<style>@import "a.css";</style>': "@import loads a style sheet from elsewhere",
    '<p onclick="a()">b</p>': "onclick on <p> is a script",
}


@pytest.mark.parametrize("inner", FORBIDDEN)
def test_what_has_no_place_in_a_mail(inner):
    mjml = document(f"<mj-raw>\n{inner}</mj-raw>")
    found = list(markup.forbidden(rendered(mjml, html=f"<body>{inner}</body>")))
    assert told(found) == [(FORBIDDEN[inner], line_of(mjml, inner))]
    assert found[0].level is Level.ERROR


def test_what_has_its_place():
    assert list(markup.forbidden(rendered(html='<link rel="icon" href="a"><p>b</p>'))) == []


@pytest.mark.parametrize(
    ("size", "is_told"),
    [('width="1" height="1"', True), ('width="1"', True), ('width="0" height="0"', True),
     ('width="600" height="1"', False), ("", False)],
)  # fmt: skip
def test_a_picture_of_one_pixel_is_told_of(size, is_told):
    html = with_more(f'<img src="https://a.example/p.gif" alt="" {size}>')
    assert bool(list(markup.invisible(rendered(html=html)))) is is_told


def test_a_property_that_css_has_not_is_told_of_with_its_line():
    style = (
        '<mj-style inline="inline">\n.a { colr: red;\n--own: 1; -webkit-x: 1; mso-y: 1 }</mj-style>'
    )
    mjml = document('<mj-text><p style="margn: 1px; color: red">a</p></mj-text>', style)
    assert told(markup.unknown_properties(rendered(mjml))) == [
        ("there is no CSS property colr; did you mean color?", line_of(mjml, "colr")),
        ("there is no CSS property margn; did you mean margin?", line_of(mjml, "margn")),
    ]
