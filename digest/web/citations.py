r"""Citations of papers for reference managers: BibTeX, RIS, CSL-JSON. Pure.

BibTeX as Patashnik, "BibTeXing" (1988) has it; RIS as https://jira.sbgrid.org's copy of the format
has it; CSL-JSON by https://github.com/citation-style-language/schema. Titles are hostile input: no
character of one may end a field, begin a command, or begin a line.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from digest.model.papers import Facts

# BibTeX counts braces even where a backslash stands before them, so that they need names.
_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{character: f"\\{character}" for character in "$&%#_"},
    }
)
_PARTICLE = re.compile(r"(?:\s|^)((?:[a-z]\S*\s+)*\S+)$")  # "van der Berg": small words, then one
_GROUPS = frozenset("team group lab labs collaboration consortium project initiative".split())
_SMALL_WORDS = frozenset(
    "a an and at for from how in is of on or the to via what when with".split()
)
_KEY = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Name:
    """A name in its two parts; that of a group is a family's alone."""

    family: str
    given: str = ""


def read_name(name: str) -> Name:
    """Split a name: what stands before a comma, else its last word with small words before it."""
    family, comma, given = (part.strip() for part in name.partition(","))
    if comma:
        return Name(family, given) if family and given else Name(family or given)
    words = name.split()
    if not words or words[-1].casefold() in _GROUPS:
        return Name(name.strip())
    found = _PARTICLE.search(name.strip())
    family = found[1] if found else words[-1]
    return Name(family, name.strip().removesuffix(family).strip())


def bibtex(papers: Iterable[Facts]) -> str:
    """Return papers as the entries of a .bib file, each under a key of its own."""
    used: set[str] = set()
    return "\n".join(_entry(facts, _unused(citation_key(facts), used)) for facts in papers)


def ris(papers: Iterable[Facts]) -> str:
    """Return papers as an .ris file."""
    return "".join(f"{tag}  - {value}\r\n" for facts in papers for tag, value in _ris_lines(facts))


def csl_json(papers: Iterable[Facts]) -> str:
    """Return papers as a list of CSL items."""
    used: set[str] = set()
    items = [_item(facts, _unused(citation_key(facts), used)) for facts in papers]
    return json.dumps(items, ensure_ascii=False, indent=2)


# The ends of addresses, with the kind of each and what it is called.
FORMATS: dict[str, tuple[str, str, Callable[[Iterable[Facts]], str]]] = {
    "bib": ("application/x-bibtex", "BibTeX", bibtex),
    "ris": ("application/x-research-info-systems", "RIS", ris),
    "json": ("application/vnd.citationstyles.csl+json", "CSL-JSON", csl_json),
}


def citation_key(facts: Facts) -> str:
    """Return a key such as wen2025dynamicverse, of small letters and digits alone."""
    family = read_name(facts.authors[0]).family if facts.authors else ""
    words = [_letters(word) for word in facts.title.split()]
    telling = [word for word in words if word and word not in _SMALL_WORDS]
    year = str(facts.published_on.year) if facts.published_on else ""
    return f"{_letters(family)}{year}{(telling or words or [''])[0]}" or "paper"


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(_KEY.findall(plain.encode("ascii", "ignore").decode()))


def _unused(key: str, used: set[str]) -> str:
    number, free = 1, key
    while free in used:
        number += 1
        free = f"{key}-{number}"
    used.add(free)
    return free


def _entry(facts: Facts, key: str) -> str:
    names = [_bibtex_name(read_name(name)) for name in facts.authors]
    if facts.author_count > len(facts.authors) and names:
        names.append("others")
    published = facts.published_on
    fields = {
        "title": f"{{{_escaped(facts.title)}}}",  # in braces of its own: styles keep its capitals
        "author": " and ".join(names),
        "year": str(published.year) if published else "",
        "month": f"{published:%b}".lower() if published else "",
        "howpublished": _escaped(facts.venue),
        "eprint": facts.arxiv_id,
        "archiveprefix": "arXiv" if facts.arxiv_id else "",
        "primaryclass": _escaped(facts.categories[0]) if _is_arxiv(facts) else "",
        "doi": _escaped(facts.doi),
        "url": _address(facts).translate({ord("{"): "%7B", ord("}"): "%7D", ord("\\"): "%5C"}),
    }
    # A month is a name that BibTeX knows, and stands without braces.
    lines = [
        f"  {name} = {value if name == 'month' else f'{{{value}}}'}"
        for name, value in fields.items()
        if value
    ]
    return f"@misc{{{key},\n" + ",\n".join(lines) + "\n}\n"


def _bibtex_name(name: Name) -> str:
    if not name.given:
        return f"{{{_escaped(name.family)}}}"
    parts = (_whole(_escaped(part)) for part in (name.family, name.given))
    return ", ".join(parts)


def _whole(part: str) -> str:
    """Put a part into braces that BibTeX would split: at a comma, or at "and"."""
    return f"{{{part}}}" if "," in part or re.search(r"\band\b", part, re.IGNORECASE) else part


def _escaped(text: str) -> str:
    return _one_line(text).translate(_SPECIAL)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _is_arxiv(facts: Facts) -> bool:
    return bool(facts.arxiv_id and facts.categories)


def _address(facts: Facts) -> str:
    """Return the address that a paper is cited by."""
    if facts.arxiv_id:
        return f"https://arxiv.org/abs/{facts.arxiv_id}"
    return f"https://doi.org/{facts.doi}" if facts.doi else facts.page_url


def _ris_lines(facts: Facts) -> list[tuple[str, str]]:
    published = facts.published_on
    names = (read_name(name) for name in facts.authors)
    lines = [
        ("TI", facts.title),
        *(("AU", ", ".join(filter(None, (name.family, name.given)))) for name in names),
        ("PY", str(published.year) if published else ""),
        ("DA", f"{published:%Y/%m/%d}" if published else ""),
        ("T2", facts.venue),
        ("M3", f"arXiv:{facts.arxiv_id}" if facts.arxiv_id else ""),
        ("DO", facts.doi),
        ("UR", _address(facts)),
        *(("KW", keyword) for keyword in facts.keywords),
        ("AB", facts.abstract),
    ]
    kept = [(tag, line) for tag, value in lines if (line := _one_line(value))]
    return [("TY", "JOUR" if facts.venue else "UNPB"), *kept, ("ER", "")]


def _item(facts: Facts, key: str) -> dict[str, Any]:
    published, names = facts.published_on, [read_name(name) for name in facts.authors]
    said = {
        "id": key,
        "type": "article",
        "title": facts.title,
        "author": [
            {"family": name.family, "given": name.given} if name.given else {"literal": name.family}
            for name in names
        ],
        "issued": published and {"date-parts": [[published.year, published.month, published.day]]},
        "container-title": facts.venue,
        "number": f"arXiv:{facts.arxiv_id}" if facts.arxiv_id else "",
        "publisher": "arXiv" if facts.arxiv_id else "",
        "DOI": facts.doi,
        "URL": _address(facts),
        "abstract": facts.abstract,
    }
    return {name: value for name, value in said.items() if value}
