"""Parse colours of CSS, and compute their contrast by WCAG 2. Pure."""

from dataclasses import dataclass

from tinycss2 import color4, parse_component_value_list  # type: ignore[import-untyped]

_IN_SRGB = {"srgb", "hsl", "hwb"}  # spaces that tinycss2 converts


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
    """Parse a colour; None if it is not one, or not in sRGB."""
    return _colour(color4.parse_color(text))


def colour_in(shorthand: str) -> Colour | None:
    """Return the first colour in the value of a shorthand property."""
    found = (_colour(color4.parse_color(word)) for word in parse_component_value_list(shorthand))
    return next(filter(None, found), None)


def _colour(parsed: color4.Color | str | None) -> Colour | None:
    if not isinstance(parsed, color4.Color) or parsed.space not in _IN_SRGB:
        return None
    *parts, alpha = parsed.to("srgb")
    red, green, blue = (round(255 * part, 6) for part in parts)
    return Colour(red, green, blue, alpha)


def over(front: Colour, back: Colour) -> Colour:
    """Return the colour that is seen where one lies over another."""
    share = front.alpha
    return Colour(
        front.red * share + back.red * (1 - share),
        front.green * share + back.green * (1 - share),
        front.blue * share + back.blue * (1 - share),
    )


def luminance(shade: Colour) -> float:
    """Return the relative luminance, 0 to 1, as WCAG 2.2 defines it."""
    red, green, blue = (_linear(part / 255) for part in (shade.red, shade.green, shade.blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    # WCAG 2's text says 0.03928; for parts of 255 that makes no difference to sRGB's 0.04045.
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio, 1 to 21: (L1 + 0.05) / (L2 + 0.05), the lighter first."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def needed(size: float, *, is_bold: bool) -> float:
    """Return the contrast that level AA requires (WCAG 1.4.3); large is 24 px, or bold 18.66 px."""
    return 3.0 if size >= 24 or (is_bold and size >= 18.66) else 4.5
