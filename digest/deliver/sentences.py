"""Add to digests what a language model says of their papers in their readers' languages."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from digest.ledger.summaries import Summaries
from digest.model.digests import Candidate, Digest
from digest.model.summaries import Wanted


class Sentences:
    """Keeps papers with their sentences; ``language_of`` tells the language of a reader's locale.

    Sentences that are not there may still come, so they are looked for again.
    """

    def __init__(self, summaries: Summaries, language_of: Callable[[str | None], str]) -> None:
        self._summaries = summaries
        self._language_of = language_of
        self._kept: dict[Wanted, Candidate] = {}

    def added(self, digests: Mapping[int, Digest]) -> dict[int, Digest]:
        """Return digests with the sentences that there are."""
        languages = {key: self._language_of(digest.locale) for key, digest in digests.items()}
        papers = {
            (pick.candidate.paper_id, languages[key]): pick.candidate
            for key, digest in digests.items()
            for pick in digest.picks
        }
        missing = papers.keys() - self._kept.keys()
        found = self._summaries.sentences(
            {paper for paper, _ in missing}, {language for _, language in missing}
        )
        for wanted in missing & found.keys():
            self._kept[wanted] = replace(papers[wanted], sentence=found[wanted])
        return {key: self._with(digest, languages[key]) for key, digest in digests.items()}

    def _with(self, digest: Digest, language: str) -> Digest:
        picks = tuple(
            pick._replace(candidate=kept)
            if (kept := self._kept.get((pick.candidate.paper_id, language)))
            else pick
            for pick in digest.picks
        )
        return replace(digest, picks=picks)
