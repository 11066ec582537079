"""Sentences for readers: written in English where something is decided, and said in the language of
the reader where they are shown. Pure.

The first argument of a Sentence, and of each error of this package, is what catalogues translate.
"""

from collections.abc import Mapping
from datetime import date
from typing import Protocol


class Spoken(Protocol):
    """A language that sentences are said in; ``code`` is its tag (RFC 5646)."""

    @property
    def code(self) -> str: ...

    def gettext(self, message: str, **values: object) -> str:
        """Translate a message and fill its gaps ``%(name)s``."""

    def number(self, number: int) -> str:
        """Write a number."""

    def medium_date(self, day: date) -> str:
        """Write a day."""

    def isolated(self, text: str) -> str:
        """Keep a text that runs in the other direction from moving what stands beside it."""


class Sentence:
    """An English sentence with gaps ``%(name)s``, and what fills them.

    That is text, numbers, days, and other sentences. As text it is English.
    """

    def __init__(self, message: str, **values: object) -> None:
        self.message = message
        self.values: Mapping[str, object] = values

    def __str__(self) -> str:
        return self.message % self.values

    def said(self, language: Spoken) -> str:
        """Say it in a language."""
        return language.gettext(
            self.message, **{name: said(value, language) for name, value in self.values.items()}
        )


def said(value: object, language: Spoken) -> str:
    """Say a sentence, or what fills one, in a language."""
    match value:
        case Sentence():
            return value.said(language)
        case date():
            return language.medium_date(value)
        case int():
            return language.number(value)
        case _:
            return language.isolated(str(value))
