"""Translate topics that are not in the language of papers, as proposals to their readers."""

import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock

import structlog

from digest.errors import TemplateError
from digest.ledger.ledger import Ledger
from digest.model.summaries import Summary, Verdict
from digest.rank.topic_language import is_language
from digest.settings.settings import Settings
from digest.summaries.answers import Source, is_refusal, plain
from digest.summaries.budget import budget_of, day_begins
from digest.summaries.chat import Chat
from digest.summaries.prompts import PAPERS_LANGUAGE, Prompts, version_of
from subscribers.errors import TopicError
from subscribers.topics import LONGEST_TOPIC, TopicFilter

KEPT = 1000  # translations
_LATER = 600.0  # seconds until the model is asked again after it failed

log = structlog.get_logger()


class TopicTranslator:
    """Asks for translations, one at a time, and keeps them; who comes meanwhile gets none."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        chat: Chat,
        prompts: Prompts,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._chat = chat
        self._prompts = prompts
        self._now = now
        self._clock = clock
        self._kept: dict[str, str] = {}
        self._quiet_until = float("-inf")
        self._asking = Lock()

    def __call__(self, topic: str, language: str) -> str:
        """Return a topic in the language of papers; empty if there is no good translation."""
        if topic in self._kept:
            return self._kept[topic]
        if self._clock() < self._quiet_until or not self._asking.acquire(blocking=False):
            return ""
        try:
            return self._ask(topic, language)
        except TemplateError as error:
            log.error("a topic is not translated", why=str(error))
            return ""
        finally:
            self._asking.release()

    def _ask(self, topic: str, language: str) -> str:
        prompt, now = self._prompts.of_topic(topic, language), self._now()
        spent = self._ledger.summaries.spent(day_begins(now))
        if not budget_of(self._settings, spent).take(prompt.most_tokens):
            return ""
        reply = self._chat.ask(prompt, self._chat.new_http())
        text = "" if reply.failure else _read(reply.text, topic)
        verdict = reply.failure or (Verdict.USED if text else Verdict.EMPTY)
        self._ledger.summaries.record(
            None,
            PAPERS_LANGUAGE,
            verdict,
            Summary("", "", self._chat.model),  # whose topic it is, or what, is not kept
            prompt=version_of(prompt, Source(topic, "")),
            tokens=reply.tokens,
            now=now,
        )
        if reply.failure:
            self._quiet_until = self._clock() + _LATER
            return ""
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[topic] = text
        return text


def _read(answer: str, topic: str) -> str:
    """Return the topic in an answer; empty if there is none that can be one."""
    text = plain(answer, 2 * LONGEST_TOPIC).rstrip(".")
    if len(text) > LONGEST_TOPIC or is_refusal(text) or text.casefold() == topic.casefold():
        return ""
    try:
        read = TopicFilter.parse(text).text
    except TopicError:
        return ""
    return text if read == text and is_language(text, PAPERS_LANGUAGE, is_short=True) else ""
