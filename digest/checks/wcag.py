"""Colours of CSS, and their contrast by WCAG 2. Pure."""

import re
from dataclasses import dataclass

from cssutils.css.colors import COLORS  # type: ignore[import-untyped]  # comes with premailer

_HEX = re.compile(r"#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$")
_RGB = re.compile(r"rgba?\(\s*([^)]+?)\s*\)$")
# A colour's own word in a shorthand such as that of background.
_WORDS = re.compile(r"rgba?\([^)]*\)|#[0-9a-f]+|[a-z]+(?![\w(-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Colour:
    """Red, green and blue from 0 to 255, opacity from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def __str__(self) -> str:
        return f"#{round(self.red):02x}{round(self.green):02x}{round(self.blue):02x}"


BLACK, WHITE = Colour(0, 0, 0), Colour(255, 255, 255)


def colour(text: str) -> Colour | None:
    """The colour that CSS calls so, by name, ``#…`` or ``rgb(…)``; None if it is none of these."""
    text = text.strip().lower()
    if text in COLORS:
        red, green, blue, opacity = COLORS[text]
        return Colour(red, green, blue, opacity)
    if _HEX.match(text):
        digits = text[1:]
        wide = digits if len(digits) > 4 else "".join(digit * 2 for digit in digits)
        values = (int(wide[at : at + 2], 16) for at in range(0, len(wide), 2))
        reds, greens, blues, *alpha = values
        return Colour(reds, greens, blues, alpha[0] / 255 if alpha else 1.0)
    if found := _RGB.match(text):
        parts = re.split(r"[\s,/]+", found[1])
        try:
            red, green, blue = (_part(part, 255) for part in parts[:3])
            return Colour(red, green, blue, _part(parts[3], 1) if len(parts) > 3 else 1.0)
        except ValueError:
            return None
    return None


def colour_in(shorthand: str) -> Colour | None:
    """The colour among the words of a shorthand property."""
    found = (colour(word) for word in _WORDS.findall(re.sub(r"url\([^)]*\)", "", shorthand)))
    return next((each for each in found if each), None)


def _part(text: str, whole: float) -> float:
    return float(text[:-1]) * whole / 100 if text.endswith("%") else float(text)


def over(front: Colour, back: Colour) -> Colour:
    """What is seen of a colour that lets another through."""
    share = front.alpha
    return Colour(
        front.red * share + back.red * (1 - share),
        front.green * share + back.green * (1 - share),
        front.blue * share + back.blue * (1 - share),
    )


def luminance(shade: Colour) -> float:
    """Relative luminance, 0 to 1, as WCAG 2.2 defines it."""
    red, green, blue = (_linear(part / 255) for part in (shade.red, shade.green, shade.blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    # WCAG 2's text says 0.03928; for parts of 255 that makes no difference to sRGB's 0.04045.
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def contrast(one: Colour, other: Colour) -> float:
    """From 1 to 21: (L1 + 0.05) / (L2 + 0.05), the lighter first."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def needed(size: float, *, is_bold: bool) -> float:
    """What level AA asks of text (WCAG 1.4.3): large is 24 px, or bold 14 pt, which is 18.66 px."""
    return 3.0 if size >= 24 or (is_bold and size >= 18.66) else 4.5
