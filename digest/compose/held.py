"""What is each reader's own, held open while a mail is compiled.

A template is filled once with a `Held` in place of each text that differs from reader to reader. It
prints as a mark, which `Marks` finds again in what became of the template. It may be printed, asked
whether it is empty, and given to filters, which then wait for the real text. Whatever would need
that text at once raises Computed: such a template cannot be compiled.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, NoReturn, Self

from markupsafe import Markup

# What a reader's own texts are filled in from: by name.
Values = Mapping[str, str]

# Filters that print what they are given, or choose among it: a mark does as well as the text.
_PRINTING = frozenset({"d", "default", "e", "escape", "join", "string", "trim"})
# Filters whose result is no text that is escaped later, but markup.
_MAKING_MARKUP = frozenset({"forceescape", "safe", "tojson"})


class Computed(Exception):  # noqa: N818  the name says it without "Error"
    """A template computes with what is each reader's own. ``str()`` of it says with what."""


class Held(str):
    """A text that is not known yet; ``str`` of it is its mark.

    It is known not to be empty, unless it ``may_be_empty``: then that cannot be asked either.
    """

    __slots__ = ("_may_be_empty", "_name")
    _name: str
    _may_be_empty: bool

    def __new__(cls, mark: str, name: str, *, may_be_empty: bool = False) -> Self:
        held = super().__new__(cls, mark)
        held._name = name
        held._may_be_empty = may_be_empty
        return held

    def __bool__(self) -> bool:
        return self._refuse() if self._may_be_empty else True

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, spec: str) -> str:
        return self._refuse() if spec else str(self)

    def _refuse(self, *_args: object, **_named: object) -> NoReturn:
        raise Computed(
            f"{self._name} is each reader's own: it can be printed, but not computed with"
        )


# Of all that a text can be asked or told, this is left. The rest would be asked of the mark.
_KEPT = frozenset(
    "__add__ __bool__ __class__ __format__ __getattribute__ __init__ __new__ __repr__ __setattr__ "
    "__str__ _refuse".split()
)
for _method in set(dir(Held)) - _KEPT:
    if callable(getattr(Held, _method)):
        setattr(Held, _method, Held._refuse)  # noqa: SLF001  of a class that is being made


class Marks:
    """The marks of one set of templates: each stands for a name, or for a filter yet to be applied.

    A mark is letters and figures, so that neither MJML nor HTML nor a link changes it. It cannot be
    guessed, so that no paper has one in its title.
    """

    def __init__(self) -> None:
        self._sign = f"q{secrets.token_hex(8)}q"
        self._pattern = re.compile(f"{self._sign}([0-9]+)z")
        self._numbers: dict[str, int] = {}
        self._readings: list[Callable[[Values], str]] = []

    def hold(self, name: str, *, may_be_empty: bool = False) -> Held:
        """Stands for the value of that name."""
        mark = self._mark(name, lambda values: values[name])
        return Held(mark, name, may_be_empty=may_be_empty)

    def split(self, text: str) -> Iterator[str | Callable[[Values], str]]:
        """A text between its marks, and what each of these stands for, in turn.

        Raises Computed where something has changed a mark.
        """
        parts = self._pattern.split(text)
        for number, part in enumerate(parts):
            if number % 2:
                yield self._readings[int(part)]
            elif self._sign in part.lower():
                raise Computed("a template changes what is each reader's own, after printing it")
            else:
                yield part

    def fill(self, text: str, values: Values) -> str:
        """The text with its marks read."""
        return self._pattern.sub(lambda mark: self._readings[int(mark[1])](values), text)

    def waiting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The filter, but one that waits where it gets a mark in a text."""
        if name in _PRINTING:
            return function

        @wraps(function)
        def call(*args: Any, **named: Any) -> Any:
            given = (*args, *named.values())
            if not any(isinstance(value, str) and self._sign in str(value) for value in given):
                return function(*args, **named)
            is_markup = any(isinstance(value, Markup) for value in given)
            needs = getattr(function, "jinja_pass_arg", None)
            makes_markup = is_markup or name in _MAKING_MARKUP
            if makes_markup or (needs and needs.name != "environment"):
                raise Computed(f"the filter {name} gets what is each reader's own")

            def read(values: Values) -> str:
                texts = (self._read(value, values) for value in args)
                return str(function(*texts, **{k: self._read(v, values) for k, v in named.items()}))

            what = f"what the filter {name} gives"
            return Held(self._mark(f"{name} {args!r} {named!r}", read), what, may_be_empty=True)

        return call

    def _read(self, given: Any, values: Values) -> Any:
        return self.fill(str(given), values) if isinstance(given, str) else given

    def _mark(self, key: str, reading: Callable[[Values], str]) -> str:
        """The mark of that key: the same each time, so that a template compiles to the same."""
        if key not in self._numbers:
            self._numbers[key] = len(self._readings)
            self._readings.append(reading)
        return f"{self._sign}{self._numbers[key]}z"
