"""Show an email's HTML as one kind of reader sees it. Pure."""

import re

from digest.studio.preview_request import Scheme
from digest.studio.samples import PICTURE_NAME

# A template asks for the scheme in its styles, and in the media of a picture's sources.
_ASKING = re.compile(r"<style\b[^>]*>.*?</style>|\bmedia=\"[^\"]*\"", re.DOTALL | re.IGNORECASE)
_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_CANVAS = re.compile(
    r"(<meta\b[^>]*\bname=\"(?:supported-)?color-schemes?\"[^>]*\bcontent=\")[^\"]*", re.IGNORECASE
)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
# No page has the pictures of samples: a drawn landscape is shown in their place.
_OF_SAMPLE = re.compile(rf"\bsrc=\"[^\"]*/picture/{PICTURE_NAME}(?:-small)?\.jpg\"")
_DRAWN = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 240 130' "
    "preserveAspectRatio='none'%3E%3Cpath fill='%23c9cad4' d='M0 0h240v130H0z'/%3E"
    "%3Cpath fill='%238f93a8' d='M0 130 80 50l45 45 35-30 80 65z'/%3E"
    "%3Ccircle fill='%23f4f4f1' cx='185' cy='35' r='14'/%3E%3C/svg%3E"
)
_TRUE, _FALSE = "(min-width: 0)", "(max-width: 0)"


def picture(html: str, scheme: Scheme) -> str:
    """Return the document for a frame, light or dark whatever the operator's screen prefers."""
    # A frame cannot be told to prefer a scheme: the browser uses that of the screen. So the
    # question is replaced by its answer; the condition around it may ask for more than that.
    answered = _ASKING.sub(lambda found: _answered(found[0], scheme), html)
    answered = _CANVAS.sub(rf"\g<1>{scheme.value}", answered)
    answered = _OF_SAMPLE.sub(lambda _: f'src="{_DRAWN}"', answered)
    # A click on a link would load another site into the frame. With this it would open a window,
    # which the frame is not allowed to.
    return _HEAD.sub(lambda head: f'{head[0]}<base target="_blank">', answered, count=1)


def policy(*, images: bool) -> str:
    """Return a picture's Content-Security-Policy: nothing runs, only its images are fetched."""
    sources = "https: data:" if images else "'none'"
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src {sources}; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
    )


def _answered(asking: str, scheme: Scheme) -> str:
    return _SCHEME.sub(lambda found: _TRUE if found[1].lower() == scheme.value else _FALSE, asking)
