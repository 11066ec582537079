"""Which work a text means: canonical ids. Pure.

arXiv identifiers: https://info.arxiv.org/help/arxiv_identifier.html
"""

import hashlib
import re
import unicodedata

_NEW_STYLE = r"\d{4}\.\d{4,5}"
_OLD_STYLE = r"[a-z][a-z-]+(?:\.[A-Z]{2})?/\d{7}"
_LONGEST_KEY = 200  # as much of a title as an index has room for, in any script
_ARXIV = re.compile(
    rf"^(?:https?://(?:[a-z]+\.)?arxiv\.org/(?:abs|pdf)/|oai:arXiv\.org:|arXiv:)?"
    rf"(?P<id>{_NEW_STYLE}|{_OLD_STYLE})(?:v\d+)?(?:\.pdf)?$",
    re.IGNORECASE | re.ASCII,
)


def arxiv_id(text: str) -> str:
    """The arXiv id in an id, link or OAI name, without version; "" if there is none.

    An old-style id loses its subject class, which arXiv ignores too: ``math.GT/0309136v1`` is
    ``math/0309136``.
    """
    found = _ARXIV.match(text.strip())
    return re.sub(r"\.[a-z]{2}/", "/", found["id"].lower()) if found else ""


def title_key(title: str) -> str:
    """The same for two spellings of one title: letters and digits only, case and accents folded."""
    decomposed = unicodedata.normalize("NFKD", title).casefold()
    letters = "".join(character for character in decomposed if character.isalnum())
    return letters[:_LONGEST_KEY]


def paper_key(arxiv: str, title: str) -> str:
    """The canonical id of a work: its arXiv id, else a digest of its normalised title.

    Raises ValueError where there is neither.
    """
    if arxiv:
        return f"arxiv:{arxiv}"
    normalised = title_key(title)
    if not normalised:
        raise ValueError("neither an arXiv id nor a title")
    return f"title:{hashlib.sha256(normalised.encode()).hexdigest()[:32]}"
