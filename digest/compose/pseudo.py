"""Two languages that nobody speaks, for tests and the studio: they show what is not translated.

Each message is English in other letters, longer by a third, and in brackets, so that what is cut
off, hard-coded or put together of parts shows. The codes are those that Unicode's CLDR has for
this.
"""

import re
from gettext import NullTranslations
from pathlib import Path

from digest.compose.language import Language, language

ACCENTED, MIRRORED = "en-XA", "ar-XB"
PSEUDO = {ACCENTED: "Pseudo: longer", MIRRORED: "Pseudo: right to left"}
BEGIN, END = "⟦", "⟧"

_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ACCENTS = str.maketrans(_PLAIN, "áƀçđéƒğĥíĵķĺɱñóþɋŕšţúṽŵẋýžÅƁÇĐÉƑĞĤÎĴĶĹṀÑÓÞɊŔŠŢÛṼŴẊÝŽ")
# Placeholders, markup and references are for programs.
_FIXED = re.compile(r"(%\(\w+\)s|%%|<[^<>]*>|&#?\w+;)")
_WORD = re.compile(r"[^\W\d_]+")
_MORE = "ōñé ţŵó ţĥŕéé ƒóúŕ ƒíṽé šíẋ šéṽéñ éíğĥţ ñíñé ţéñ "


def studio_language(code: str, own_folder: Path | None = None) -> Language:
    """Return a language as ``language`` does, or one of the two that nobody speaks."""
    if code in PSEUDO:
        return Language(code, _Pseudo(is_mirrored=code == MIRRORED), code)
    return language(code, own_folder)


def pseudo_languages() -> list[Language]:
    """Return the two that nobody speaks."""
    return [studio_language(code) for code in PSEUDO]


class _Pseudo(NullTranslations):
    def __init__(self, *, is_mirrored: bool) -> None:
        super().__init__()
        self._is_mirrored = is_mirrored

    def gettext(self, message: str) -> str:
        more = (_MORE * (len(message) // 100 + 1))[: len(message) // 3]
        parts = _FIXED.split(f"{message} {more}".rstrip())
        parts[::2] = map(self._changed, parts[::2])
        return f"{BEGIN}{''.join(parts)}{END}"

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.gettext(one if count == 1 else many)

    def _changed(self, text: str) -> str:
        accented = text.translate(_ACCENTS)
        if not self._is_mirrored:
            return accented
        return _WORD.sub("\N{RIGHT-TO-LEFT OVERRIDE}\\g<0>\N{POP DIRECTIONAL FORMATTING}", accented)
