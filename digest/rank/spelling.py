"""Bring words that are spelt in several ways to one spelling, the American one. Pure."""

import re

# British words in which the part after the roots differs: roots as in "behavi" + "our".
_OUR = "arm behavi cand col endeav fav ferv flav glam harb hon hum lab neighb od rig rum sav splend"
_OUR += " succ tum val vap vig"
_RE = "calib cent fib lit lust met spect theat"
_OGUE = "anal catal dial epil monol"
_ENCE = "def lic off pret"
_VOWELS = "aesth anaem archaeo caes daem encyclopaed faec gynaec haem leukaem orthopaed paed palaeo"
_VOWELS += " foet oedem oesoph oestr manoeuv"
# Words that end in -ise in American English as well.
_ISE = frozenset(
    "advertise advise appraise apprise bruise chastise circumcise comprise compromise concise "
    "cruise demise denoise despise devise disguise enterprise excise exercise expertise franchise "
    "guise improvise incise likewise merchandise noise otherwise paradise poise praise precise "
    "premise promise raise revise supervise surprise televise treatise".split()
)

_ENDING_IN_ISE = re.compile(r"(.{3,})is(e|es|ed|er|ers|ing|able|ability)")
_RULES = [
    (re.compile(rf"({'|'.join(_OUR.split())})our"), r"\1or"),
    (re.compile(r"isation(al|ally|s)?$"), r"ization\1"),
    (re.compile(r"((?:anal|catal|dial|electrol|paral)y)s(e|es|ed|er|ers|ing)$"), r"\1z\2"),
    (re.compile(r"(.{3,}[ae]l)l(ed|er|ers|ing)$"), r"\1\2"),
    (re.compile(rf"({'|'.join(_RE.split())})re(d|s)?$"), r"\1er\2"),
    (re.compile(rf"({'|'.join(_OGUE.split())})ogue(d|s)?$"), r"\1og\2"),
    (re.compile(rf"^({'|'.join(_ENCE.split())})ence"), r"\1ense"),
    (re.compile(r"^(arte)(?=fact)"), "arti"),
    (re.compile(r"^(gr)ey"), r"\1ay"),
    (re.compile(r"^(judg|ag)e(?=ment|ing)"), r"\1"),
    (re.compile(r"^(program)me"), r"\1"),
]
_HAS_VOWELS = re.compile("|".join(_VOWELS.split()))


def american(word: str) -> str:
    """Return a word in lower case in its American spelling."""
    for pattern, replacement in _RULES:
        word = pattern.sub(replacement, word)
    if _HAS_VOWELS.search(word):
        word = word.replace("ae", "e").replace("oe", "e")
    found = _ENDING_IN_ISE.fullmatch(word)
    if found and f"{found[1]}ise" not in _ISE:
        word = f"{found[1]}iz{found[2]}"
    return word
