"""Readers' own papers: read from what they give, found in the ledger, or looked up at arXiv."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import structlog

from digest.collect.bibliography import decode, read_bibliography
from digest.ledger.papers import Papers
from digest.model.identity import paper_key
from digest.model.papers import Harvest
from digest.model.wording import truncate
from subscribers.own_papers import LONGEST_ABSTRACT, LONGEST_TITLE, GivenPapers, OwnPaper
from subscribers.sentences import Sentence
from subscribers.store.own_papers import OwnPapers

MOST_LOOKED_UP = 500  # papers in one collection
AT_ONCE = 100  # ids in one request, whose papers are kept before the next
_ARXIV = "arxiv:"

LookUp = Callable[[Sequence[str], datetime], Harvest]

log = structlog.get_logger()


def read_own_papers(papers: Papers, given: str | bytes, now: datetime) -> GivenPapers:
    """Read the papers in a text or a file, and find those that the ledger has.

    Of a paper that the ledger lacks there must be a title, or an arXiv id, by which it is looked up
    at the next collection.
    """
    read = read_bibliography(decode(given) if isinstance(given, bytes) else given)
    found = papers.like(read.papers)
    own, left_out = [], list(read.left_out)
    for facts in read.papers:
        key, known = found.get(facts) or (
            paper_key(facts.arxiv_id, facts.doi, facts.title),
            facts,
        )
        if not (known.title or facts.arxiv_id):
            left_out.append(
                Sentence("%(doi)s: a DOI alone, of a paper that is not known here", doi=facts.doi)
            )
            continue
        title = truncate(facts.title or known.title, LONGEST_TITLE)
        own.append(OwnPaper(key, title, truncate(facts.abstract, LONGEST_ABSTRACT), now))
    known_keys = frozenset(key for key, _ in found.values())
    return GivenPapers(tuple({one.paper: one for one in own}.values()), known_keys, tuple(left_out))


class OwnPapersLookUp:
    """Looks up, at arXiv, the own papers of which only the id is known."""

    def __init__(self, own: OwnPapers, papers: Papers, look_up: LookUp) -> None:
        self._own = own
        self._papers = papers
        self._look_up = look_up

    def run(self, now: datetime) -> Iterator[Harvest]:
        """Keep what arXiv, or the ledger, knows of them, and yield it, some at a time.

        Each is asked for once, and again only if arXiv did not answer. Raises SourceError.
        """
        keys = self._own.to_look_up(_ARXIV, MOST_LOOKED_UP)
        known = self._papers.facts_of(keys)
        for key, facts in known.items():
            self._own.looked_up(key, facts.title, _shortened(facts.abstract), now)
        unknown = [key for key in keys if key not in known]
        for start in range(0, len(unknown), AT_ONCE):
            some = unknown[start : start + AT_ONCE]
            harvest = self._look_up([key.removeprefix(_ARXIV) for key in some], now)
            found = {f"{_ARXIV}{one.facts.arxiv_id}": one.facts for one in harvest.sightings}
            for key in some:
                seen = found.get(key)
                title, abstract = (seen.title, seen.abstract) if seen else ("", "")
                self._own.looked_up(key, title, _shortened(abstract), now)
            yield harvest


def _shortened(abstract: str) -> str:
    return truncate(abstract, LONGEST_ABSTRACT)
