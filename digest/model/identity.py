"""Identity: the canonical id of a paper. Pure.

arXiv identifiers: https://info.arxiv.org/help/arxiv_identifier.html
DOIs: https://www.doi.org/doi-handbook/HTML/encoding-rules-for-urls.html
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from subscribers.follows import FollowKind

_NEW_STYLE = r"\d{4}\.\d{4,5}"
_OLD_STYLE = r"[a-z][a-z-]+(?:\.[A-Z]{2})?/\d{7}"
_LONGEST_KEY = 200  # characters of a title; an index has room for them in any script
LONGEST_NAME_KEY = 120  # characters of an author's or an organisation's name
_LONGEST_DOI = 150
_LONGEST_IN_KEY = 70  # characters of a DOI; the column has room for 80
_DOI = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/[!-~]+)$", re.IGNORECASE)
_ARXIV = re.compile(
    rf"^(?:https?://(?:[a-z]+\.)?arxiv\.org/(?:abs|pdf)/|oai:arXiv\.org:|arXiv:|10\.48550/arXiv\.)?"
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


def doi(text: str) -> str:
    """Return the DOI in a DOI or a link to it, in lower case; "" if there is none."""
    found = _DOI.match(text.strip())
    return found[1].lower() if found and len(found[1]) <= _LONGEST_DOI else ""


def title_key(title: str) -> str:
    """Return the letters and digits of a title without case and accents, to compare titles."""
    decomposed = unicodedata.normalize("NFKD", title).casefold()
    letters = "".join(character for character in decomposed if character.isalnum())
    return letters[:_LONGEST_KEY]


def paper_key(arxiv: str, doi: str, title: str) -> str:
    """Return the canonical id of a paper: its arXiv id, else its DOI, else a hash of its title.

    A long DOI is hashed as well, as titles are, after normalising. Raises ValueError if there is
    nothing of these.
    """
    if arxiv:
        return f"arxiv:{arxiv}"
    if doi:
        return f"doi:{doi}" if len(doi) <= _LONGEST_IN_KEY else f"doi:{_hash(doi)}"
    if normalised := title_key(title):
        return f"title:{_hash(normalised)}"
    raise ValueError("neither an arXiv id nor a DOI nor a title")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def name_key(name: str) -> str:
    """Return a name of a person or an organisation without case, accents and punctuation.

    Its words are kept apart, because "Lin Ai" and "Li Nai" are two people.
    """
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    letters = (
        character if character.isalnum() else " "
        for character in decomposed
        if not unicodedata.combining(character)
    )
    return " ".join("".join(letters).split())[:LONGEST_NAME_KEY].rstrip()


def names_of(authors: Iterable[str], organisation: str) -> set[tuple[FollowKind, str]]:
    """Return the names that a paper is found by, as ``name_key`` writes them."""
    people = {(FollowKind.AUTHOR, name_key(name)) for name in authors}
    return {
        (kind, key)
        for kind, key in {*people, (FollowKind.ORGANISATION, name_key(organisation))}
        if key
    }
