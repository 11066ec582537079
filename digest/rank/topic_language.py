"""Tell the language of a topic that papers do not use, and whether a text is in one. Pure.

A script that no paper is written in decides by itself. In Latin letters, most of a topic's words
must be unknown to the reference corpus. Then a word that is common in one language decides (see
topic_languages.toml), and else py3langid, which compares with what languages look like. English
topics with foreign names, abbreviations and words that no paper has yet stay English.
"""

import re
import tomllib
import unicodedata
from collections import Counter
from copy import copy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from digest.rank.reference_corpus import ReferenceCorpus
from digest.rank.words import spelt_stems

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# The language of each script, as Unicode's names of its letters begin; Latin is looked at further.
_SCRIPTS = {
    "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CYRILLIC": "ru",
    "ARABIC": "ar", "HEBREW": "he", "DEVANAGARI": "hi", "BENGALI": "bn", "TAMIL": "ta",
    "TELUGU": "te", "THAI": "th", "GREEK": "el", "GEORGIAN": "ka", "ARMENIAN": "hy",
}  # fmt: skip
_KNOWN_PAPERS = 1  # of the corpus that have a word, for it to be one that papers use
_FEWEST_LETTERS = 7  # of unknown words: less may be any abbreviation
_PLAIN_WORD = re.compile(r"\b[^\W\d_A-Z]\w*", re.UNICODE)  # without a capital letter
_COMPARED = ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "pl", "tr")
# The least part of a topic's letters in unknown words, the least probability of a language and the
# most of English: with few known words a guess is enough, with more of them it must be sure.
_LISTED = 0.3
_PLAUSIBLE = 0.2  # probability of the language that a text should be in
_RULES = ((0.6, 0.45, 0.02), (0.35, 0.85, 0.01))


def foreign_language(text: str, corpus: ReferenceCorpus) -> str:
    """Return the code of the language of a topic's words that papers do not use, else ""."""
    if script := _script(text):
        return "" if _knows(text, corpus) else script
    words = [(stem, word.casefold()) for stem, word in spelt_stems(text)]
    unknown = [word for stem, word in words if corpus.papers_with(stem) < _KNOWN_PAPERS]
    letters, whole = sum(map(len, unknown)), sum(len(word) for _, word in words)
    if letters < _FEWEST_LETTERS:
        return ""
    share = letters / whole
    if share >= _LISTED and (language := _by_listed_words(unknown)):
        return language
    plain = " ".join(_PLAIN_WORD.findall(text))  # names look like any language
    return _by_looks(plain, share) if len(plain) >= _FEWEST_LETTERS else ""


def is_language(text: str, language: str, *, is_short: bool = False) -> bool:
    """Return whether a text is in a language, as far as one can tell.

    Names and terms of another language may stand in it. A short text is only looked at for its
    script.
    """
    code = language.partition("-")[0]
    script = _script(text)
    if script or code in _SCRIPTS.values():
        return script == code
    if is_short:
        return True
    try:
        ranked = _identifier_with(code).rank(text)
    except ValueError:  # a language that it does not know
        return True
    return bool(ranked[0][0] == code or dict(ranked)[code] >= _PLAUSIBLE)


def _script(text: str) -> str:
    """Return the language of the script that most letters are of; "" for Latin."""
    letters = Counter(
        unicodedata.name(letter, "?").replace("-", " ").split()[0]
        for letter in text
        if letter.isalpha()
    )
    foreign = {script: letters[script] for script in letters if script in _SCRIPTS}
    if sum(foreign.values()) * 2 <= letters.total() or sum(foreign.values()) < 2:
        return ""
    if foreign.keys() & {"HIRAGANA", "KATAKANA"}:  # among Chinese characters as well
        return "ja"
    return _SCRIPTS[max(foreign, key=lambda script: foreign[script])]


def _knows(text: str, corpus: ReferenceCorpus) -> bool:
    """Return whether papers use a word of a text."""
    return any(corpus.papers_with(stem) >= _KNOWN_PAPERS for stem, _ in spelt_stems(text))


def _by_listed_words(unknown: list[str]) -> str:
    """Return the language that has most of some words among its common ones."""
    found = {code: len(words.intersection(unknown)) for code, words in _listed().items()}
    best = max(found, key=lambda code: found[code])
    return best if found[best] else ""


def _by_looks(text: str, unknown_share: float) -> str:
    ranked = _identifier().rank(text)
    (language, probability), english = ranked[0], dict(ranked)["en"]
    is_foreign = language != "en" and any(
        unknown_share >= share and probability >= least and english <= most
        for share, least, most in _RULES
    )
    return str(language) if is_foreign else ""


@cache
def _listed() -> dict[str, frozenset[str]]:
    file = Path(__file__).with_name("topic_languages.toml")
    return {
        code: frozenset(words.split())
        for code, words in tomllib.loads(file.read_text(encoding="utf-8")).items()
    }


@cache
def _identifier() -> "LanguageIdentifier":
    """Return py3langid's model: it takes half a second and 100 MB, and few topics need it."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(_COMPARED))
    return identifier


@cache
def _identifier_with(code: str) -> "LanguageIdentifier":
    """Return one that knows a language as well; both share the model."""
    identifier = copy(_identifier())
    identifier.set_languages(sorted({*_COMPARED, code}))
    return identifier
