"""A mail's HTML as one kind of reader gets it. Pure."""

import re

from digest.studio.preview_request import Scheme

# Where a template asks for the scheme: in its styles, and in the media of a picture's sources.
_ASKING = re.compile(r"<style\b[^>]*>.*?</style>|\bmedia=\"[^\"]*\"", re.DOTALL | re.IGNORECASE)
_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_CANVAS = re.compile(
    r"(<meta\b[^>]*\bname=\"(?:supported-)?color-schemes?\"[^>]*\bcontent=\")[^\"]*", re.IGNORECASE
)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_TRUE, _FALSE = "(min-width: 0)", "(max-width: 0)"


def picture(html: str, scheme: Scheme) -> str:
    """The document to be shown in a frame, light or dark whatever the operator's screen is."""
    # A frame cannot be told to prefer a scheme: the browser asks the screen that it stands on. So
    # the question is replaced by its answer, within conditions that may ask for more than that.
    answered = _ASKING.sub(lambda found: _answered(found[0], scheme), html)
    answered = _CANVAS.sub(rf"\g<1>{scheme.value}", answered)
    # A link that is clicked would load somebody's page into the frame. In a new window it is
    # nothing: the frame may open none.
    return _HEAD.sub(lambda head: f'{head[0]}<base target="_blank">', answered, count=1)


def policy(*, images: bool) -> str:
    """The Content-Security-Policy of a picture: nothing runs, and only images may be fetched.

    They are the mail's own, as its reader's program would fetch them.
    """
    sources = "https: data:" if images else "'none'"
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src {sources}; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
    )


def _answered(asking: str, scheme: Scheme) -> str:
    return _SCHEME.sub(lambda found: _TRUE if found[1].lower() == scheme.value else _FALSE, asking)
