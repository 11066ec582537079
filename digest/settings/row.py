"""One row of the table of settings (see config.py)."""

from collections.abc import Callable
from dataclasses import field
from typing import Any


def setting(
    default: str, read: Callable[[str], Any], about: str, *, example: str = "", secret: bool = False
) -> Any:
    """A row: ``default`` is text as the environment would give it; "" is "not set" (None)."""
    return field(
        metadata={
            "default": default,
            "read": read,
            "about": about,
            "example": example or default,
            "secret": secret,
        }
    )
