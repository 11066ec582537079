"""Identity: the canonical id of a paper. Pure.

arXiv identifiers: https://info.arxiv.org/help/arxiv_identifier.html
"""

import hashlib
import re
import unicodedata

_NEW_STYLE = r"\d{4}\.\d{4,5}"
_OLD_STYLE = r"[a-z][a-z-]+(?:\.[A-Z]{2})?/\d{7}"
_LONGEST_KEY = 200  # characters of a title; an index has room for them in any script
_ARXIV = re.compile(
    rf"^(?:https?://(?:[a-z]+\.)?arxiv\.org/(?:abs|pdf)/|oai:arXiv\.org:|arXiv:)?"
    rf"(?P<id>{_NEW_STYLE}|{_OLD_STYLE})(?:v\d+)?(?:\.pdf)?$",
    re.IGNORECASE | re.ASCII,
)


def arxiv_id(text: str) -> str:
    """Return the arXiv id in an id, link or OAI name, without version; "" if there is none.

    The subject class of an old-style id is removed, because arXiv ignores it: ``math.GT/0309136v1``
    gives ``math/0309136``.
    """
    found = _ARXIV.match(text.strip())
    return re.sub(r"\.[a-z]{2}/", "/", found["id"].lower()) if found else ""


def title_key(title: str) -> str:
    """Return the letters and digits of a title without case and accents, to compare titles."""
    decomposed = unicodedata.normalize("NFKD", title).casefold()
    letters = "".join(character for character in decomposed if character.isalnum())
    return letters[:_LONGEST_KEY]


def paper_key(arxiv: str, title: str) -> str:
    """Return the canonical id of a paper: its arXiv id, else a hash of its normalised title.

    Raises ValueError if it has neither.
    """
    if arxiv:
        return f"arxiv:{arxiv}"
    if normalised := title_key(title):
        return f"title:{hashlib.sha256(normalised.encode()).hexdigest()[:32]}"
    raise ValueError("neither an arXiv id nor a title")
