"""Find the language for a reader: the one they chose, their browser's, or the installation's."""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import structlog
from babel.core import get_global, parse_locale

from digest.compose.language import ENGLISH, Language, codes, language
from digest.errors import TemplateError

LONGEST_ACCEPTED = 200  # characters of an Accept-Language, of which browsers send some 40
_ACCEPTED = re.compile(r"\s*([A-Za-z0-9-]{2,35})\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


log = structlog.get_logger()


class Languages:
    """The languages of emails and pages; ``usual`` is the installation's.

    A tag (RFC 5646) is somebody's language, whether there is a catalogue of it or not: for de-AT
    stands the nearest, de. The operator's catalogues are read once. No catalogue is of ``others``.
    """

    def __init__(
        self,
        usual: Language = ENGLISH,
        own_folder: Path | None = None,
        others: Sequence[Language] = (),
    ) -> None:
        self.usual = usual
        self._own_folder = own_folder
        self._read = {known.code: known for known in (*others, usual)}
        self.codes = tuple(sorted({*self._read, *codes(own_folder)}))

    def of_reader(self, locale: str | None, accepted: str = "") -> Language:
        """Return the language of somebody with this preference.

        Without one, or of one that nothing here is near to, it is what their browser accepts
        (RFC 9110 section 12.5.4), if it is asked, and else the installation's, which also stands
        for one whose catalogue is broken.
        """
        for tag in (*([locale] if locale else ()), *_accepted_tags(accepted)):
            if found := nearest(tag, self.codes):
                return self._language(found)
        return self.usual

    def speaks(self, tag: str) -> bool:
        """Return whether there is a language that is near enough to a tag's."""
        return nearest(tag, self.codes) is not None

    @cached_property
    def own_names(self) -> dict[str, str]:
        """Return the name of each language in itself, by code, in the order of the names."""
        names = {
            code: Language(code, ENGLISH.translations).own_name
            for code in filter(self.speaks, self.codes)
        }
        return dict(sorted(names.items(), key=lambda named: named[1].casefold()))

    def _language(self, code: str) -> Language:
        if code not in self._read:
            try:
                self._read[code] = language(code, self._own_folder)
            except TemplateError as error:
                log.error("a language cannot be used", language=code, why=str(error))
                self._read[code] = self.usual
        return self._read[code]


@lru_cache(maxsize=1000)
def nearest(tag: str, known: Sequence[str]) -> str | None:
    """Return the known tag that is nearest to another; None if none is of its language and script.

    Chinese in traditional letters is not near to that in simplified ones.
    """
    tag = tag.replace("_", "-").casefold()
    parts = tag.split("-")
    beginnings = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    by_tag = {code.casefold(): code for code in known}
    written = _language_and_script(tag)
    if written is None:
        return None
    if exact := next((by_tag[found] for found in beginnings if found in by_tag), None):
        return exact if _language_and_script(exact) == written else None
    alike = (code for code in known if _language_and_script(code) == written)
    return next(alike, None)


def _language_and_script(tag: str) -> tuple[str, str] | None:
    """Return a language, and the script that it is usually written in (CLDR); None if unknown."""
    try:
        spoken, territory, script, *_ = parse_locale(tag, sep="-")
    except ValueError:
        return None
    likely = get_global("likely_subtags")
    whole = likely.get(f"{spoken}_{territory}") or likely.get(spoken)
    if whole is None:
        return None
    return spoken, script or parse_locale(whole)[2] or ""


@lru_cache(maxsize=1000)
def _accepted_tags(header: str) -> tuple[str, ...]:
    """Return the tags of an Accept-Language, those that are liked best first."""
    if len(header) > LONGEST_ACCEPTED:
        header = header[:LONGEST_ACCEPTED].rpartition(",")[0]
    liked = list(_liked(header))
    return tuple(tag for _, tag in sorted(liked, key=lambda found: -found[0]))


def _liked(header: str) -> Iterator[tuple[float, str]]:
    for part in header.split(","):
        found = _ACCEPTED.fullmatch(part)
        if found and (quality := float(found[2] or 1)) > 0:
            yield quality, found[1]
