"""Learn short forms and their long ones from how papers introduce them. Pure.

"reinforcement learning from human feedback (RLHF)": the letters of the short form are found in the
words before it, from its end to its beginning (Schwartz and Hearst 2003).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from digest.rank.words import stems

# A short form as papers write it: capitals and digits, two to eight, perhaps with a plural's s.
_INTRODUCED = re.compile(r"\(([A-Za-z][A-Za-z0-9-]{1,9})\)")
_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_REACH = 200  # characters before a short form, in which its long form is looked for
_COMMON = 2  # papers that introduce a form, for it to be more than one paper's own name

# For either form, in stems, the other one.
OtherForms = Mapping[tuple[str, ...], tuple[str, ...]]


def learn(texts: Iterable[str]) -> dict[str, str]:
    """Return the commonest long form of each short form that several texts introduce."""
    met: dict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        for found in _INTRODUCED.finditer(text):
            short = _singular(found[1])
            long = _long_form(short, text[max(0, found.start() - _REACH) : found.start()])
            if long:
                met[short][long] += 1
    return {
        short: min(forms, key=lambda form: (-forms[form], form))
        for short, forms in sorted(met.items())
        if forms.total() >= _COMMON
    }


def other_forms(abbreviations: Mapping[str, str]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return abbreviations in stems, in both directions, without those that have no stems."""
    pairs = [(tuple(stems(short)), tuple(stems(long))) for short, long in abbreviations.items()]
    known = [(short, long) for short, long in pairs if len(short) == 1 and len(long) > 1]
    return {long: short for short, long in known} | dict(known)


def _singular(short: str) -> str:
    return short[:-1] if short.endswith("s") and short[-2].isupper() else short


def _long_form(short: str, before: str) -> str:
    """Return the words at the end of a text that a short form stands for, or ""."""
    if sum(letter.isupper() for letter in short) < 2:  # "(see", "(ours)"
        return ""
    text = before.casefold()
    words = [found.start() for found in _WORD.finditer(text)]
    letters = [letter for letter in short.casefold() if letter.isalnum()]
    earliest = words[-min(len(letters) + 5, len(letters) * 2) :][0] if words else 0
    place = len(text)
    for number, letter in enumerate(reversed(letters)):
        is_first = number == len(letters) - 1
        place = text.rfind(letter, earliest, place)
        while place > earliest and is_first and text[place - 1].isalnum():
            place = text.rfind(letter, earliest, place)
        if place < 0:
            return ""
    if place > 0 and text[place - 1].isalnum():
        return ""
    long = " ".join(text[place:].split())
    return long if len(stems(long)) > 1 and short.casefold() not in long else ""
