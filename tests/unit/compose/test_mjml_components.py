"""Cards of every MJML component with all its attributes: built, they look as the plain way has them."""

import random

import pytest

from digest.checks.components import COMPONENTS
from tests.unit.compose.both_ways import BODY, CARD, BothWays, own_templates, some_digest
from tests.versions import other_versions

VALUES = {
    "align": "center",
    "alt": "{{ card.title }}",
    "background-height": "300px",
    "background-position": "top left",
    "background-position-x": "10%",
    "background-position-y": "10%",
    "background-repeat": "no-repeat",
    "background-size": "cover",
    "background-width": "600px",
    "border": "1px solid #123456",
    "border-style": "dashed",
    "css-class": "own",
    "direction": "ltr",
    "fluid-on-mobile": "true",
    "font-family": "Georgia, serif",
    "font-style": "italic",
    "font-weight": "bold",
    "full-width": "full-width",
    "gap": "4px",
    "hamburger": "hamburger",
    "href": "{{ card.url }}",
    "icon-position": "left",
    "inline": "inline",
    "left-icon": "https://pictures.example/left.png",
    "line-height": "1.4",
    "mj-class": "warm",
    "mode": "horizontal",
    "name": "facebook",
    "rel": "noopener",
    "right-icon": "https://pictures.example/right.png",
    "role": "presentation",
    "sizes": "100vw",
    "srcset": "https://pictures.example/2.png 2x",
    "table-layout": "fixed",
    "target": "_blank",
    "text-align": "left",
    "text-decoration": "underline",
    "text-transform": "uppercase",
    "thumbnails": "visible",
    "title": "{{ card.topic }}",
    "usemap": "#map",
    "vertical-align": "top",
}
CONTENT = {
    "mj-table": "<tr><td>{{ card.title }} {{ card.topic }}</td></tr>",
    "mj-raw": "<i>{{ card.title }} {{ card.topic }}</i>",
    "mj-social": '<mj-social-element name="x">{{ card.title }}</mj-social-element>',
    "mj-navbar": '<mj-navbar-link href="{{ card.url }}">{{ card.title }}</mj-navbar-link>',
    "mj-accordion": (
        "<mj-accordion-element><mj-accordion-title>{{ card.title }}</mj-accordion-title>"
        "<mj-accordion-text>{{ card.why }} {{ card.text }}</mj-accordion-text></mj-accordion-element>"
    ),
    "mj-accordion-element": "<mj-accordion-title>{{ card.title }}</mj-accordion-title>",
    "mj-carousel": '<mj-carousel-image src="https://pictures.example/1.png" alt="{{ card.title }}" />',
    "mj-hero": "<mj-text>{{ card.title }} {{ card.topic }}</mj-text>",
    "mj-column": "<mj-text>{{ card.title }} {{ card.topic }}</mj-text>",
    "mj-group": "<mj-column><mj-text>{{ card.title }} {{ card.topic }}</mj-text></mj-column>",
    "mj-section": "<mj-column><mj-text>{{ card.title }} {{ card.topic }}</mj-text></mj-column>",
    "mj-wrapper": (
        "<mj-section><mj-column><mj-text>{{ card.title }} {{ card.topic }}</mj-text></mj-column>"
        "</mj-section>"
    ),
}
EMPTY = {"mj-image", "mj-divider", "mj-spacer", "mj-carousel-image"}
AROUND = {
    "mj-column": "mj-section",
    "mj-group": "mj-section",
    "mj-social-element": "mj-social",
    "mj-navbar-link": "mj-navbar",
    "mj-accordion-element": "mj-accordion",
    "mj-accordion-title": "mj-accordion-element",
    "mj-accordion-text": "mj-accordion-element",
    "mj-carousel-image": "mj-carousel",
}
# MJML counts them through an email, which a loop over cards cannot.
NOT_BUILT = {"mj-navbar", "mj-navbar-link", "mj-carousel", "mj-carousel-image"}
ROOTS = ("mj-section", "mj-wrapper", "mj-hero")
IN_BODY = [
    name
    for name, component in COMPONENTS.items()
    if component.parents and not {"mj-head", "mjml", "mj-selector", "mj-html-attributes"} & set(component.parents)
] + ["mj-raw"]  # fmt: skip


def value_of(attribute):
    if attribute in VALUES:
        return VALUES[attribute]
    if "color" in attribute:
        return "#336699"
    if any(part in attribute for part in ("url", "src")):
        return "https://pictures.example/{{ card.title | length }}.png"
    return "10px"


def card_of(name):
    """A card in which the component stands, with every attribute that it has."""
    known = COMPONENTS[name].attributes if name != "mj-raw" else ()  # mrml takes none there
    attributes = " ".join(f'{name}="{value_of(name)}"' for name in sorted(known))
    content = CONTENT.get(name, "{{ card.title }} {{ card.topic }}")
    mjml = (
        f"<{name} {attributes} />" if name in EMPTY else f"<{name} {attributes}>{content}</{name}>"
    )
    while name not in ROOTS:
        name = AROUND.get(name, "mj-column")
        mjml = f"<{name}>{mjml}</{name}>"
    return f"{mjml}\n"


@pytest.mark.parametrize("name", IN_BODY)
def test_every_component_with_all_its_attributes(name, tmp_path):
    head = "<mj-attributes><mj-class name='warm' color='#990000' />"
    changes = {CARD: card_of(name), "mail/partials/style.mjml.j2": ("<mj-attributes>", head)}
    both = BothWays(own_templates(tmp_path, changes))
    # Whether values and tags may stand there depends on the markup that mrml makes.
    why = both.why_not(some_digest(random.Random(1)))
    assert (why is None) is (name not in NOT_BUILT) or other_versions("mjml-python"), why
    both.compare_some(2, most=4)


HEADS = {
    "mj-breakpoint": '<mj-breakpoint width="400px" />',
    "mj-font": '<mj-font name="Own" href="https://fonts.example/own.css" />',
    "mj-style": "<mj-style>.own { color: #123456 } @media print { p { color: #000 } }</mj-style>",
    "mj-style inline": '<mj-style inline="inline">.card p > i, h3 a { color: #123456 }</mj-style>',
    "mj-attributes": '<mj-attributes><mj-text padding="1px" /><mj-all color="#101010" /></mj-attributes>',
    "mj-raw": "<mj-raw><meta name='x' content='{{ mail.brand }}' /></mj-raw>",
}


@pytest.mark.parametrize("name", HEADS)
def test_everything_that_a_head_may_have(name, tmp_path):
    both = BothWays(own_templates(tmp_path, {BODY: ("</mj-head>", HEADS[name] + "</mj-head>")}))
    assert both.why_not(some_digest(random.Random(1))) is None
    both.compare_some(3)
