"""Read the papers that people name: what they paste, or what their programs export. Pure.

That is text with arXiv ids, links or DOIs in it, or a file of references (see reference_files).
All of it is foreign: it is bounded, cleaned, and what cannot be read is told with its place.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from digest.collect.reference_files import Entry, entries_of
from digest.model.identity import arxiv_id, doi, paper_key, title_key
from digest.model.papers import Facts
from digest.model.text import LONGEST_TITLE, clean
from subscribers.sentences import Sentence

LONGEST = 2_000_000  # characters
MOST_PAPERS = 200
MOST_FAULTS = 10
LONGEST_ABSTRACT = 3_000  # of which a paper is known well enough
_LONGEST_FIELD = 20_000  # characters in which an id is looked for
_LONGEST_LINE = 60  # of a line that is quoted

_MONTH = r"\d{2}(?:0[1-9]|1[0-2])"
_ID = rf"(?:{_MONTH}\.\d{{4,5}}|[a-z][a-z-]{{1,20}}(?:\.[A-Z]{{2}})?/\d{{7}})(?:v\d{{1,3}})?"
_IN_LINK = (
    r"arxiv\.org/[a-z-]{2,10}/|alphaxiv\.org/[a-z-]{2,10}/|ar5iv\.[a-z.]{2,20}/(?:html/|abs/)?|"
    r"(?:huggingface\.co|hf\.co)/papers/|arxiv[.:]\s?|oai:arXiv\.org:"
)
# An id in a link, after "arXiv:", or by itself. Behind it may stand .pdf, a query or punctuation.
_ARXIV = re.compile(
    rf"(?:{_IN_LINK})(?P<linked>{_ID})(?![\w/])|(?<![\w./:-])(?P<alone>{_ID})(?![\w/]|\.\d)",
    re.IGNORECASE | re.ASCII,
)
_DOI = re.compile(r"(?<![\w.])10\.\d{4,9}/[^\s\"'<>{}|\\^`]{1,150}", re.ASCII)
_AFTER_DOI = ".,;:)]"


@dataclass(frozen=True, slots=True)
class Bibliography:
    """The papers in a text, each with an arXiv id, a DOI or a title; and what was left out.

    ``form`` is what the text was read as. Of very many faults only the first are told.
    """

    papers: tuple[Facts, ...] = ()
    left_out: tuple[Sentence, ...] = ()
    form: str = ""


def decode(octets: bytes) -> str:
    """Return the text of a file, in whatever encoding programs write; it never fails."""
    if octets[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return octets.decode("utf-16", errors="replace")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("cp1252", errors="replace")


def read_bibliography(text: str) -> Bibliography:
    """Read the papers in a text, each once, in order."""
    bounded = text[:LONGEST].removeprefix("\ufeff")
    form, entries = entries_of(bounded) or ("text", _in_text(bounded))
    papers: dict[str, Facts] = {}
    faults: list[Sentence] = []
    too_many = 0
    for entry in entries:
        if len(papers) == MOST_PAPERS:
            too_many += 1
            continue
        facts = _paper(entry)
        if isinstance(facts, Sentence):
            faults.append(Sentence("%(place)s: %(what)s", place=entry.where, what=facts))
        else:
            papers.setdefault(paper_key(facts.arxiv_id, facts.doi, facts.title), facts)
    left_out = faults[:MOST_FAULTS]
    if len(faults) > MOST_FAULTS:
        left_out.append(
            Sentence("and %(others)s others like these", others=len(faults) - MOST_FAULTS)
        )
    if too_many:
        left_out.append(
            Sentence(
                "%(more)s more: at most %(most)s papers are kept", more=too_many, most=MOST_PAPERS
            )
        )
    if len(text) > LONGEST:
        left_out.append(Sentence("what comes after the first %(most)s characters", most=LONGEST))
    return Bibliography(tuple(papers.values()), tuple(left_out), form)


def _paper(entry: Entry) -> Facts | Sentence:
    """Return what an entry says of a paper or, if that is nothing, why."""
    if entry.fault:
        return entry.fault
    stated_doi = doi(entry.doi[:_LONGEST_FIELD]) or _doi_in(entry.others)
    arxiv = arxiv_id(entry.doi[:_LONGEST_FIELD]) or _arxiv_in(entry.others)
    title = clean(entry.title, LONGEST_TITLE)
    if not title_key(title):
        title = ""
    if not (title or arxiv or stated_doi):
        return Sentence("it has no title, no arXiv id and no DOI")
    is_arxivs = bool(arxiv_id(stated_doi))
    return Facts(
        title=title,
        arxiv_id=arxiv,
        doi="" if is_arxivs else stated_doi,
        abstract=clean(entry.abstract, LONGEST_ABSTRACT),
    )


def _arxiv_in(texts: tuple[str, ...]) -> str:
    """Return the first arXiv id in what an entry says besides its title and abstract."""
    for text in texts:
        if whole := arxiv_id(text[:_LONGEST_FIELD]):
            return whole
    for text in texts:
        for found in _ARXIV.finditer(text[:_LONGEST_FIELD]):
            if found["linked"]:  # others may be numbers of pages
                return arxiv_id(found["linked"])
    return ""


def _doi_in(texts: tuple[str, ...]) -> str:
    for text in texts:
        if "doi.org/" in text[:_LONGEST_FIELD] and (found := _DOI.search(text[:_LONGEST_FIELD])):
            return doi(found[0].rstrip(_AFTER_DOI))
    return ""


def _in_text(text: str) -> Iterator[Entry]:
    """Yield the ids and DOIs in a text; a line without any is told, but for headings and blanks."""
    for number, line in enumerate(text.splitlines(), 1):
        where = Sentence("line %(number)s", number=number)
        found = [
            Entry(where, others=(match["linked"] or match["alone"],))
            for match in _ARXIV.finditer(line)
        ]
        rest = _ARXIV.sub(" ", line)
        found += [
            Entry(where, doi=match[0].rstrip(_AFTER_DOI))
            for match in _DOI.finditer(rest)
            if not match[0].casefold().startswith("10.48550/arxiv")
        ]
        yield from found
        if not found and any(character.isalnum() for character in line):
            quoted = " ".join(line.split())[:_LONGEST_LINE]
            yield Entry(
                where, fault=Sentence("no arXiv id, link or DOI in “%(line)s”", line=quoted)
            )
