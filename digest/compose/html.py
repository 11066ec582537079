"""MJML to the HTML of a mail: responsive tables by MJML, CSS inlined by premailer."""

import logging
from functools import lru_cache
from typing import Any

from cssutils import CSSParser  # type: ignore[import-untyped]  # comes with premailer
from mjml import mjml2html
from premailer import Premailer

from digest.errors import TemplateError


class _Offline(Premailer):  # type: ignore[misc]  # it has no types
    """premailer, which fetches what a style sheet imports even with allow_network=False."""

    def _parse_css_string(self, css_body: str, validate: bool = True) -> Any:
        return _parsed_css(css_body, validate)


@lru_cache(maxsize=100)
def _parsed_css(css: str, validate: bool) -> Any:
    return CSSParser(fetcher=lambda _url: ("utf-8", b"")).parseString(css, validate=validate)


def to_html(mjml: str, template: str) -> str:
    """Finished HTML for an MJML document. Raises TemplateError naming ``template``."""
    try:
        responsive = mjml2html(mjml, disable_comments=False, fonts={})
    except (ValueError, OSError) as error:  # mrml's parser raises both
        raise TemplateError(template, 0, f"not valid MJML: {error}") from error
    inlined = _Offline(
        responsive,
        # Nothing is fetched while a mail is made, whatever a template names.
        allow_network=False,
        # Media queries (columns on a phone, the dark colours) must outlive the inlining.
        keep_style_tags=True,
        strip_important=False,
        disable_validation=True,
        cssutils_logging_level=logging.CRITICAL,
        # MJML sets these attributes itself; premailer would rewrite image widths.
        disable_basic_attributes=["width", "height", "bgcolor", "align", "valign"],
    ).transform()
    # premailer drops MJML's lower-case doctype, and without one mail clients turn to quirks mode.
    return inlined if inlined.lower().startswith("<!doctype") else f"<!doctype html>\n{inlined}"
