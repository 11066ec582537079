"""Translate the fixed sentences of emails and pages; write dates, numbers and lists in a language.

English stands in the code and in the templates. Another language is a catalogue,
``locales/CODE.po``. The operator's folder may hold one as well: a new language, or single messages
that win over the shipped ones, those of English too.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from hashlib import sha256
from pathlib import Path
from unicodedata import bidirectional

from babel import Locale, UnknownLocaleError
from babel.dates import (
    format_date,
    format_datetime,
    format_interval,
    format_skeleton,
    get_day_names,
)
from babel.lists import format_list
from babel.messages.catalog import Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_compact_decimal, format_decimal

from digest.errors import SettingError, TemplateError
from digest.settings.settings import variable

SHIPPED = Path(__file__).with_name("locales")

# English is written in our own way: the day before the month, no comma before "and". Of Babel it
# takes names of days and months only, so that no release of Babel changes what readers get.
_WAYS = {"en": "en-GB", "en-XA": "en-GB", "ar-XB": "ar"}
_ENGLISH_DATE, _ENGLISH_MOMENT = "EEEE, d MMMM y", "d MMMM y, HH:mm:ss z"
_ENGLISH_SIZES = ((10**9, "B"), (10**6, "M"), (1000, "K"))
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Language:
    """A language to write in; ``code`` is as RFC 5646 has it: en, pt-BR."""

    code: str
    translations: NullTranslations
    version: str = ""  # another one for other sentences

    @property
    def direction(self) -> str:
        """The direction of its lines: ltr or rtl."""
        return _direction(self.code)

    def gettext(self, message: str, **values: object) -> str:
        """Translate a message and fill its placeholders ``%(name)s``."""
        return self.translations.gettext(message) % values

    def ngettext(self, one: str, many: str, count: int, **values: object) -> str:
        """Translate it in the form that goes with a count, which fills ``%(count)s``."""
        said = self.translations.ngettext(one, many, count)
        return said % {"count": self.number(count), **values}

    def long_date(self, day: date) -> str:
        """Write a day in full: Friday, 20 February 2026."""
        return _dates(self.code, day)[0]

    def medium_date(self, day: date) -> str:
        """Write a day without its name: 17 Feb 2026."""
        return format_date(day, "d MMM y" if self._is_english else "medium", locale=self._locale)

    def short_date(self, day: date) -> str:
        """Write a day of this year: Tue 17 Feb."""
        return _dates(self.code, day)[1]

    def month(self, day: date) -> str:
        """Write the month that a day is in: February 2026."""
        if self._is_english:
            return format_date(day, "MMMM y", locale=self._locale)
        return format_skeleton("yMMMM", day, locale=self._locale)

    def days_between(self, first: date, last: date) -> str:
        """Write the days from one to another: 16–22 February 2026."""
        if not self._is_english:
            return str(format_interval(first, last, "yMMMMd", locale=self._locale))
        whole = format_date(last, "d MMMM y", locale=self._locale)
        if first.year != last.year:
            return f"{format_date(first, 'd MMMM y', locale=self._locale)} – {whole}"
        if first.month != last.month:
            return f"{format_date(first, 'd MMMM', locale=self._locale)} – {whole}"
        return f"{first.day}–{whole}"

    def day_and_month(self, day: date) -> str:
        """Write a day without its year: 17 Feb."""
        if self._is_english:
            return format_date(day, "d MMM", locale=self._locale)
        return format_skeleton("MMMd", day, locale=self._locale)

    def moment(self, moment: datetime) -> str:
        """Write a time with its zone: 20 February 2026, 08:00:00 UTC."""
        form = _ENGLISH_MOMENT if self._is_english else "long"
        return format_datetime(moment, form, tzinfo=moment.tzinfo, locale=self._locale)

    def weekday(self, number: int, *, short: bool = False) -> str:
        """Name a day of the week; Monday is 0."""
        return str(get_day_names("abbreviated" if short else "wide", locale=self._locale)[number])

    def name_of(self, code: str) -> str:
        """Name a language: German."""
        return _locale(code).get_display_name(self._locale) or code

    @property
    def own_name(self) -> str:
        """Name this language in itself, as in a list: Deutsch."""
        try:
            name = Locale.parse(self.code, sep="-").display_name or self.code
        except UnknownLocaleError:  # nobody speaks it
            name = self.code
        return name[:1].upper() + name[1:]  # many languages write it small within a sentence

    def number(self, number: int) -> str:
        """Write a number with its thousands separated."""
        return f"{number:,}" if self._is_english else _decimal(self.code, number)

    def short_number(self, number: int) -> str:
        """Write about how many: 12.3K, if the language has such short forms."""
        if self._is_english:
            return _short_in_english(number)
        short = format_compact_decimal(number, locale=self._locale, fraction_digits=1)
        return self.number(number) if short.isdecimal() else short

    def listed(self, items: Sequence[str]) -> str:
        """List things in words: robots, agents and world models."""
        return _listed(self.code, tuple(map(self.isolated, items))) if items else ""

    @property
    def comma(self) -> str:
        """Return what stands between names that are not listed in words."""
        return self.gettext(", ")

    def isolated(self, text: str) -> str:
        """Keep a text that runs in the other direction from moving what stands beside it."""
        if text.isascii() and self.direction == "ltr":
            return text
        others = {"L"} if self.direction == "rtl" else {"R", "AL"}
        if others.isdisjoint(map(bidirectional, text)):
            return text
        return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"

    @property
    def _is_english(self) -> bool:
        return self.code == ENGLISH.code

    @property
    def _locale(self) -> Locale:
        return _locale(self.code)


@lru_cache(maxsize=1000)  # of the languages with rules of their own it takes long
def _listed(code: str, items: tuple[str, ...]) -> str:
    if code == ENGLISH.code:
        return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))
    return format_list(items, locale=_locale(code))


@lru_cache(maxsize=10_000)  # counts are small, and in each email
def _decimal(code: str, number: int) -> str:
    return format_decimal(number, locale=_locale(code))


def _short_in_english(number: int) -> str:
    for size, letter in _ENGLISH_SIZES:
        if number >= size - size // 20_000:  # 999,950 is 1M, not 1000K
            return f"{number / size:.1f}".removesuffix(".0") + letter
    return str(number)


ENGLISH = Language("en", NullTranslations())


def language(code: str, own_folder: Path | None = None) -> Language:
    """Return the language with a code; ``own_folder`` is the operator's and may hold ``locales``.

    Raises SettingError for one that has no catalogue, and TemplateError for a broken catalogue.
    """
    if code not in (known := codes(own_folder)):
        raise SettingError(f"{variable('language')} is {code!r}: expected {' or '.join(known)}")
    translations = NullTranslations()
    octets = b""
    for file in catalogues(own_folder):
        if file.stem == code:  # asked before the files that come before it
            octets += (compiled := _compiled(file, file.stat().st_mtime_ns))
            more = GNUTranslations(io.BytesIO(compiled))
            more.add_fallback(translations)
            translations = more
    return Language(code, translations, sha256(octets).hexdigest())


def codes(own_folder: Path | None = None) -> tuple[str, ...]:
    """Return the codes of the languages that there are."""
    return tuple(sorted({ENGLISH.code, *(file.stem for file in catalogues(own_folder))}))


def catalogues(own_folder: Path | None = None) -> list[Path]:
    """Return the files with translations, the operator's last."""
    folders = [SHIPPED, *([own_folder / "locales"] if own_folder else [])]
    return [file for folder in folders for file in sorted(folder.glob("*.po"))]


def faults(message: Message) -> list[str]:
    """Return what is wrong with the placeholders in the translations of a message."""
    sources, said = forms(message.id), [form for form in forms(message.string) if form]
    names = set(_PLACEHOLDER.findall(" ".join(sources)))
    return [
        f"{form!r} has other placeholders than {sources[-1]!r}"
        for form in said
        if not names.issuperset(_PLACEHOLDER.findall(form))
        or "%" in _PLACEHOLDER.sub("", form).replace("%%", "")
    ]


def forms(text: str | Sequence[str] | None) -> Sequence[str]:
    """Return what a message has: one text, or one for each plural form."""
    return (text or "",) if isinstance(text, str | None) else text


@lru_cache(maxsize=100)
def _compiled(file: Path, _changed: int) -> bytes:
    """Compile a catalogue for the standard library; once for each version of the file."""
    name = f"locales/{file.name}"
    try:
        catalogue = read_po(io.BytesIO(file.read_bytes()), _locale(file.stem), abort_invalid=True)
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        GNUTranslations(compiled)  # it may object to the rule for plurals
    except PoFileError as error:
        raise TemplateError(name, error.lineno + 1, error.args[0]) from error
    except (OSError, ValueError) as error:
        raise TemplateError(name, 0, str(error)) from error
    for message in catalogue:
        for fault in faults(message) if message.id else ():
            raise TemplateError(name, message.lineno or 0, fault)
    return compiled.getvalue()


@lru_cache(maxsize=100)  # each email has the day twice
def _dates(code: str, day: date) -> tuple[str, str]:
    """Write a day in full, and short."""
    locale = _locale(code)
    if code == ENGLISH.code:
        forms = _ENGLISH_DATE, "EEE d MMM"
        full, short = (format_date(day, form, locale=locale) for form in forms)
        return full, short
    return format_date(day, "full", locale=locale), format_skeleton("MMMEd", day, locale=locale)


@lru_cache(maxsize=100)
def _direction(code: str) -> str:
    return str(_locale(code).text_direction)


@lru_cache(maxsize=100)
def _locale(code: str) -> Locale:
    """Return how a language is written. Raises ValueError for an unknown code."""
    try:
        return Locale.parse(_WAYS.get(code, code), sep="-")
    except UnknownLocaleError as error:
        raise ValueError(str(error)) from None
