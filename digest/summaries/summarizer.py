"""Have the papers of an edition summarized before it is sent, within bounds of time and money."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event

import structlog

from digest.collect.in_time import in_time
from digest.errors import TemplateError
from digest.ledger.ledger import Ledger
from digest.model.digests import Candidate, Pick
from digest.model.summaries import FAILURES, Reply, Summary, Verdict, Wanted
from digest.settings.settings import Settings
from digest.summaries.answers import judge
from digest.summaries.budget import budget_of, day_begins
from digest.summaries.chat import Chat, Prompt
from digest.summaries.prompts import Prompts, is_of_papers, source_of, version_of

GIVE_UP_AFTER = 5  # failures in a row
_LATER = 600.0  # seconds until the model is asked again after that
_NOTHING = Summary("")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that was made for a paper; without one there was no money left for it."""

    wanted: Wanted
    prompt: Prompt
    reply: Reply | None


class Summarizer:
    """Asks for sentences, and stores them. ``stop`` breaks off, from any thread."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        chat: Chat,
        prompts: Prompts,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._chat = chat
        self._prompts = prompts
        self._clock = clock
        self._stopping = Event()
        self._waited: dict[int, float] = {}  # seconds, by edition
        self._quiet_until = float("-inf")

    def stop(self) -> None:
        """Ask nothing more, and wait for nothing."""
        self._stopping.set()

    def summarize(
        self, edition_id: int, digests: Iterable[tuple[str, Sequence[Pick]]], now: datetime
    ) -> None:
        """Ask for what papers lack that will be sent: to a reader of a language these picks.

        Those with most readers come first. Returns when all are answered, or the edition has waited
        for DIGEST_SUMMARIES_DEADLINE in all. It never raises for a model that fails.
        """
        began = self._clock()
        left = self._settings.summaries_deadline - self._waited.get(edition_id, 0.0)
        if left <= 0 or began < self._quiet_until or self._stopping.is_set():
            return
        readers: Counter[Wanted] = Counter()
        papers: dict[int, Candidate] = {}
        for language, picks in digests:
            for pick in picks:
                papers[pick.candidate.paper_id] = pick.candidate
                readers[pick.candidate.paper_id, language] += 1
        asked = self._ledger.summaries.unasked(
            wanted
            for wanted, _ in readers.most_common()
            if needs_sentence(papers[wanted[0]], wanted[1])
        )
        if not asked:
            return
        try:
            self._ask({wanted: papers[wanted[0]] for wanted in asked}, left, now)
        finally:
            self._waited[edition_id] = self._waited.get(edition_id, 0.0) + self._clock() - began

    def _ask(self, papers: Mapping[Wanted, Candidate], seconds: float, now: datetime) -> None:
        prompts = self._filled(papers)
        budget = budget_of(self._settings, self._ledger.summaries.spent(day_begins(now)))
        http = self._chat.new_http()
        begun: set[Wanted] = set()

        def ask(wanted: Wanted) -> _Asked:
            prompt = prompts[wanted]
            most = prompt.most_tokens
            if not budget.take(most):
                return _Asked(wanted, prompt, None)
            begun.add(wanted)
            reply = self._chat.ask(prompt, http)
            budget.settle(most, reply.tokens)
            return _Asked(wanted, prompt, reply)

        counts: dict[str, int] = {}
        in_a_row, detail = 0, ""
        try:
            for asked in in_time(
                list(prompts), ask, seconds, self._settings.summaries_at_once, self._stopping
            ):
                if asked.reply is None:
                    counts["no money left"] = counts.get("no money left", 0) + 1
                    continue
                begun.discard(asked.wanted)
                verdict = self._keep(
                    asked.wanted, papers[asked.wanted], asked.prompt, asked.reply, now
                )
                counts[verdict] = counts.get(verdict, 0) + 1
                in_a_row = in_a_row + 1 if verdict in FAILURES else 0
                detail = asked.reply.detail or detail
                if in_a_row >= GIVE_UP_AFTER:
                    self._quiet_until = self._clock() + _LATER
                    break
        finally:
            http.stop()
        for wanted in begun.copy():  # they may have cost what they could
            late = Reply("", prompts[wanted].most_tokens, Verdict.NO_ANSWER, "not in time")
            verdict = self._keep(wanted, papers[wanted], prompts[wanted], late, now)
            counts[verdict] = counts.get(verdict, 0) + 1
        log.info("sentences by the language model", of=len(papers), **counts, last_failure=detail)

    def _filled(self, papers: Mapping[Wanted, Candidate]) -> dict[Wanted, Prompt]:
        """Return the requests; none if the operator's template is wrong, which is told."""
        try:
            return {
                wanted: self._prompts.of_paper(source_of(candidate.facts), wanted[1])
                for wanted, candidate in papers.items()
            }
        except TemplateError as error:
            log.error("no sentences are asked for", why=str(error))
            return {}

    def _keep(
        self, wanted: Wanted, candidate: Candidate, prompt: Prompt, reply: Reply, now: datetime
    ) -> Verdict:
        paper_id, language = wanted
        source = source_of(candidate.facts)
        verdict, sentence = judge(reply, source, language, prompt)
        self._ledger.summaries.record(
            paper_id,
            language,
            verdict,
            Summary(sentence.text, sentence.title, self._chat.model),
            prompt=version_of(prompt, source),
            tokens=reply.tokens,
            now=now,
        )
        return verdict


def needs_sentence(candidate: Candidate, language: str) -> bool:
    """Return whether a model is asked about a paper: not if its source has a sentence already."""
    facts = candidate.facts
    if not facts.abstract:
        return False
    return not (is_of_papers(language) and (facts.summary or facts.tldr))
