"""Sentences on papers by a language model: what may be asked for, what came, what it took."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta, tzinfo

from sqlalchemy import func, insert, select

from digest.ledger.tables import summaries
from digest.model.digests import Candidate
from digest.model.summaries import FAILURES, Summary, Tokens, Verdict, Wanted
from subscribers.store.store import Store

MOST_FAILURES = 3  # after which a paper is not asked for again
_BATCH = 500  # papers in one query


class Summaries(Store):
    """The requests of one ledger, a row each."""

    def sentences(
        self, papers: Collection[int], languages: Collection[str]
    ) -> dict[Wanted, Summary]:
        """Return the sentences that are used, by paper and language."""
        its = summaries.c
        found = {}
        for some in _batches(papers):
            query = select(its.paper_id, its.language, its.sentence, its.title, its.model).where(
                its.paper_id.in_(some),
                its.language.in_(sorted(languages)),
                its.verdict == Verdict.USED,
            )
            for row in self._rows(query):
                found[row.paper_id, row.language] = Summary(row.sentence, row.title, row.model)
        return found

    def told(self, papers: Sequence[Candidate], language: str) -> list[Candidate]:
        """Return papers with the sentences that there are in a language."""
        found = self.sentences({paper.paper_id for paper in papers}, {language})
        return [replace(paper, sentence=found.get((paper.paper_id, language))) for paper in papers]

    def unasked(self, wanted: Iterable[Wanted]) -> list[Wanted]:
        """Return, in their order, what may be asked for: no answer was read, and few failed."""
        wanted = list(dict.fromkeys(wanted))
        its = summaries.c
        failures: dict[Wanted, int] = {}
        answered: set[Wanted] = set()
        for some in _batches({paper for paper, _ in wanted}):
            query = select(its.paper_id, its.language, its.verdict, func.count())
            query = query.where(its.paper_id.in_(some))
            for paper, language, verdict, count in self._rows(
                query.group_by(its.paper_id, its.language, its.verdict)
            ):
                if verdict in FAILURES:
                    failures[paper, language] = failures.get((paper, language), 0) + count
                else:
                    answered.add((paper, language))
        return [
            one for one in wanted if one not in answered and failures.get(one, 0) < MOST_FAILURES
        ]

    def record(
        self,
        paper_id: int | None,
        language: str,
        verdict: Verdict,
        sentence: Summary,
        *,
        prompt: str,
        tokens: Tokens,
        now: datetime,
    ) -> None:
        """Store one request and what came of it; ``paper_id`` is None for a topic."""
        self._write(
            insert(summaries).values(
                paper_id=paper_id,
                language=language,
                model=sentence.model,
                prompt=prompt,
                at=now,
                verdict=verdict,
                sentence=sentence.text,
                title=sentence.title,
                tokens_sent=tokens.sent,
                tokens_answered=tokens.answered,
            )
        )

    def spent(self, since: datetime) -> Tokens:
        """Return the tokens of all requests since a moment."""
        its = summaries.c
        query = select(
            func.coalesce(func.sum(its.tokens_sent), 0),
            func.coalesce(func.sum(its.tokens_answered), 0),
        ).where(its.at >= since)
        sent, answered = self._rows(query)[0]
        return Tokens(int(sent), int(answered))

    def counts(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> dict[Verdict, int]:
        """Return how many requests had each verdict, since a moment or ever, before another."""
        query = select(summaries.c.verdict, func.count()).group_by(summaries.c.verdict)
        if since is not None:
            query = query.where(summaries.c.at >= since)
        if until is not None:
            query = query.where(summaries.c.at < until)
        return {Verdict(verdict): count for verdict, count in self._rows(query)}

    def by_day(self, days: Sequence[date], zone: tzinfo) -> dict[date, dict[Verdict, int]]:
        """Return the counts of each of some days of a zone."""
        begins = {day: datetime.combine(day, time(), zone) for day in days}
        return {day: self.counts(at, at + timedelta(days=1)) for day, at in begins.items()}

    def state(self) -> int:
        """Return a number that changes when a sentence comes."""
        return self._count(select(func.max(summaries.c.id)))


def _batches(papers: Collection[int]) -> Iterable[list[int]]:
    ids = sorted(papers)
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))
