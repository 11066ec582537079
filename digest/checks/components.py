"""MJML 4's components: where each may stand, and which attributes it has.

By the public documentation of MJML 4.15 (documentation.mjml.io). mrml takes any name of a tag and
of an attribute in silence, and what it does not know does nothing.
"""

from dataclasses import dataclass

# Whatever makes a body has these two; mrml reads them too.
_EVERYWHERE = "css-class mj-class"
_PADDING = "padding padding-top padding-right padding-bottom padding-left"
_BORDER = "border border-top border-right border-bottom border-left border-radius"
_INNER_BORDER = " ".join(f"inner-{name}" for name in _BORDER.split())
_FONT = "font-family font-size font-style font-weight line-height letter-spacing"
_DECORATION = "text-decoration text-transform"
_BACKGROUND = (
    "background-color background-url background-repeat background-size background-position "
    "background-position-x background-position-y"
)
_LINK = "href rel target title name"
_ICONS = (
    "icon-align icon-width icon-height icon-position icon-wrapped-url icon-wrapped-alt "
    "icon-unwrapped-url icon-unwrapped-alt"
)
_THUMBNAILS = "tb-border tb-border-radius tb-hover-border-color tb-selected-border-color"

_BODY_ATTRIBUTES = {
    "mj-body": "background-color width id",
    "mj-wrapper": f"{_PADDING} {_BORDER} {_BACKGROUND} full-width text-align direction gap",
    "mj-section": (
        f"{_PADDING} {_BORDER} {_BACKGROUND} full-width text-align text-padding direction"
    ),
    "mj-group": "background-color direction vertical-align width",
    "mj-column": (
        f"{_PADDING} {_BORDER} {_INNER_BORDER} background-color inner-background-color direction "
        "vertical-align width"
    ),
    "mj-hero": (
        f"{_PADDING} background-color background-url background-width background-height "
        "background-position border-radius container-background-color height mode vertical-align "
        "width inner-background-color inner-padding inner-padding-top inner-padding-right "
        "inner-padding-bottom inner-padding-left"
    ),
    "mj-text": (
        f"{_PADDING} {_FONT} {_DECORATION} color align height container-background-color "
        "vertical-align"
    ),
    "mj-button": (
        f"{_PADDING} {_BORDER} {_FONT} {_DECORATION} {_LINK} align background-color color "
        "container-background-color height inner-padding text-align vertical-align width"
    ),
    "mj-image": (
        f"{_PADDING} {_BORDER} {_LINK} align alt src srcset sizes usemap width height max-height "
        "fluid-on-mobile font-size container-background-color"
    ),
    "mj-divider": (
        f"{_PADDING} align border-color border-style border-width container-background-color width"
    ),
    "mj-spacer": f"{_PADDING} height container-background-color",
    "mj-table": (
        f"{_PADDING} {_FONT} align border cellpadding cellspacing color role table-layout "
        "container-background-color vertical-align width"
    ),
    "mj-raw": "position",
    "mj-social": (
        f"{_PADDING} {_FONT} align border-radius color container-background-color icon-height "
        "icon-padding icon-size inner-padding mode table-layout text-decoration text-padding"
    ),
    "mj-social-element": (
        f"{_PADDING} {_FONT} {_LINK} align alt background-color border-radius color icon-height "
        "icon-padding icon-position icon-size src srcset sizes text-decoration text-padding "
        "vertical-align"
    ),
    "mj-navbar": (
        f"{_PADDING} align base-url hamburger ico-align ico-open ico-close ico-color ico-font-size "
        "ico-font-family ico-text-transform ico-text-decoration ico-line-height ico-padding "
        "ico-padding-top ico-padding-right ico-padding-bottom ico-padding-left"
    ),
    "mj-navbar-link": f"{_PADDING} {_FONT} {_DECORATION} {_LINK} color",
    "mj-accordion": f"{_PADDING} {_ICONS} border font-family container-background-color",
    "mj-accordion-element": f"{_ICONS} background-color border font-family",
    "mj-accordion-title": f"{_PADDING} {_FONT} background-color color",
    "mj-accordion-text": f"{_PADDING} {_FONT} background-color color",
    "mj-carousel": (
        f"{_PADDING} {_THUMBNAILS} align border-radius container-background-color icon-width "
        "left-icon right-icon tb-width thumbnails"
    ),
    "mj-carousel-image": (
        f"{_THUMBNAILS} alt border-radius href rel src target thumbnails-src title"
    ),
}
_HEAD_ATTRIBUTES = {
    "mjml": "lang dir owa version",
    "mj-head": "",
    "mj-attributes": "",
    "mj-breakpoint": "width",
    "mj-font": "name href",
    "mj-html-attributes": "",
    "mj-selector": "path",
    "mj-html-attribute": "name",
    "mj-preview": "",
    "mj-style": "inline",
    "mj-title": "",
    "mj-include": "path type css-inline",
}

_IN_COLUMN = "mj-column mj-hero"
_PARENTS = {
    "mjml": "",
    "mj-head": "mjml",
    "mj-body": "mjml",
    **dict.fromkeys(
        (
            "mj-attributes",
            "mj-breakpoint",
            "mj-font",
            "mj-html-attributes",
            "mj-preview",
            "mj-style",
            "mj-title",
        ),
        "mj-head",
    ),
    "mj-selector": "mj-html-attributes",
    "mj-html-attribute": "mj-selector",
    "mj-wrapper": "mj-body",
    "mj-section": "mj-body mj-wrapper",
    "mj-hero": "mj-body mj-wrapper",
    "mj-group": "mj-section",
    "mj-column": "mj-section mj-group",
    **dict.fromkeys(
        (
            "mj-text",
            "mj-button",
            "mj-image",
            "mj-divider",
            "mj-spacer",
            "mj-table",
            "mj-social",
            "mj-navbar",
            "mj-accordion",
            "mj-carousel",
        ),
        _IN_COLUMN,
    ),
    "mj-social-element": "mj-social",
    "mj-navbar-link": "mj-navbar",
    "mj-accordion-element": "mj-accordion",
    "mj-accordion-title": "mj-accordion-element",
    "mj-accordion-text": "mj-accordion-element",
    "mj-carousel-image": "mj-carousel",
    "mj-raw": (
        "mjml mj-head mj-body mj-wrapper mj-section mj-group mj-column mj-hero mj-social "
        "mj-navbar mj-accordion mj-accordion-element"
    ),
    "mj-include": "mjml mj-head mj-body mj-wrapper mj-section mj-group mj-column mj-hero",
}

# What may have HTML in it, which is nobody's business but HTML's.
_HOLDING_HTML = frozenset(
    "mj-text mj-button mj-table mj-raw mj-accordion-title mj-accordion-text mj-navbar-link "
    "mj-social-element mj-title mj-preview mj-style".split()
)


@dataclass(frozen=True, slots=True)
class Component:
    """``parents`` are where it may stand; none for the root."""

    parents: tuple[str, ...]
    attributes: frozenset[str]
    holds_html: bool


def _components() -> dict[str, Component]:
    attributes = _HEAD_ATTRIBUTES | {
        name: f"{own} {_EVERYWHERE}" for name, own in _BODY_ATTRIBUTES.items()
    }
    return {
        name: Component(
            tuple(_PARENTS[name].split()), frozenset(own.split()), name in _HOLDING_HTML
        )
        for name, own in attributes.items()
    }


COMPONENTS = _components()
# In mj-attributes, defaults are set: of one component, of all, or of those with an mj-class.
ANY_ATTRIBUTE = frozenset(" ".join(_BODY_ATTRIBUTES.values()).split()) | {"css-class"}
DEFAULTS = {"mj-all": ANY_ATTRIBUTE, "mj-class": ANY_ATTRIBUTE | {"name"}} | {
    name: COMPONENTS[name].attributes for name in _BODY_ATTRIBUTES
}
