"""Ask a language model, by the chat completions of an API like OpenAI's."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from digest.collect.http import Http
from digest.collect.snapshots import Snapshots
from digest.errors import SettingError, SourceError, Stopped
from digest.model.summaries import Reply, Tokens, Verdict
from digest.model.text import printable_line
from digest.settings.settings import Settings

LARGEST_ANSWER = 256 * 1024  # octets
ATTEMPTS = 2
MOST_TOKENS = 300  # of an answer
_LONGEST_DETAIL = 200
_CREDIBLE = 10_000_000  # tokens of one request that a server may say
_CHARACTERS = 3  # of a prompt for a token, at least


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request in words: what to do, and with which text."""

    instructions: str
    text: str

    @property
    def most_tokens(self) -> Tokens:
        """Return what a request with it takes, as a careful estimate."""
        letters = len((self.instructions + self.text).encode())
        return Tokens(letters // _CHARACTERS + 50, MOST_TOKENS)


class Chat:
    """A model behind an API. ``new_http`` makes a client whose requests can be broken off."""

    def __init__(self, url: str, model: str, key: str | None, new_http: Callable[[], Http]) -> None:
        self.model = model
        self.new_http = new_http
        self._url = f"{url}/chat/completions"
        self._key = key or ""
        self._named = {"max_tokens": "max_tokens", "temperature": "temperature"}

    def ask(self, prompt: Prompt, http: Http) -> Reply:
        """Return what the model answers, or why it does not."""
        reply, status = self._ask(prompt, http)
        if status == 400 and self._adapt(reply.detail):
            reply, _ = self._ask(prompt, http)
        return reply

    def _ask(self, prompt: Prompt, http: Http) -> tuple[Reply, int]:
        options = {"max_tokens": MOST_TOKENS, "temperature": 0}
        body = {
            "model": self.model,
            "stream": False,
            "messages": [
                {"role": "system", "content": prompt.instructions},
                {"role": "user", "content": prompt.text},
            ],
            **{self._named[name]: value for name, value in options.items() if self._named[name]},
        }
        # What came of a request is not known if nothing did: it may have cost all that it could.
        most = prompt.most_tokens
        try:
            answer = http.post(self._url, body, self._headers)
        except (SourceError, Stopped) as error:
            is_free = isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
            took = Tokens() if is_free else most
            return Reply("", took, Verdict.NO_ANSWER, self._told(str(error))), 0
        if answer.status != 200:
            said = answer.body.decode(errors="replace")
            detail = f"HTTP {answer.status}: {said}"
            return Reply("", Tokens(), Verdict.DECLINED, self._told(detail)), answer.status
        return read_answer(answer.body, most), 200

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def _told(self, words: str) -> str:
        """Return words of a server in a line without the key, which some repeat."""
        hidden = words.replace(self._key, "…") if self._key else words
        return printable_line(hidden, _LONGEST_DETAIL)

    def _adapt(self, complaint: str) -> bool:
        """Learn from a complaint which options a model has; return whether there is news."""
        before = dict(self._named)
        if "max_completion_tokens" in complaint:
            self._named["max_tokens"] = "max_completion_tokens"
        if "temperature" in complaint:
            self._named["temperature"] = ""
        return self._named != before


def chat_of(settings: Settings, snapshots: Snapshots) -> Chat | None:
    """Return the model that is set; None if none is. Raises SettingError."""
    if settings.summaries_url is None:
        return None
    if settings.summaries_model is None:
        raise SettingError("DIGEST_SUMMARIES_URL is set, but not DIGEST_SUMMARIES_MODEL")
    if settings.summaries_cost_per_day and not settings.summaries_prices:
        raise SettingError("DIGEST_SUMMARIES_COST_PER_DAY needs DIGEST_SUMMARIES_PRICES")
    new_http = partial(
        Http,
        snapshots,
        timeout=settings.summaries_timeout,
        attempts=ATTEMPTS,
        longest=settings.summaries_timeout,
        largest=LARGEST_ANSWER,
    )
    model, key = settings.summaries_model, settings.summaries_key
    return Chat(settings.summaries_url, model, key, new_http)


def read_answer(body: bytes, most: Tokens) -> Reply:
    """Read the body of a chat completion; ``most`` is what it counts if it does not say."""
    try:
        answer = json.loads(body)
        choice = answer["choices"][0]
        text = choice["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        why = f"{type(error).__name__} in the answer"
        return Reply("", most, Verdict.UNREADABLE, printable_line(why, _LONGEST_DETAIL))
    if not isinstance(text, str):
        text = ""
    tokens = _tokens(answer.get("usage"), most)
    if choice.get("finish_reason") == "length":
        return Reply(text, tokens, Verdict.CUT_OFF, "it did not come to an end")
    return Reply(text, tokens)


def _tokens(usage: Any, most: Tokens) -> Tokens:
    """Return the tokens that an answer states, as far as it can be believed."""
    said = usage if isinstance(usage, dict) else {}

    def stated(name: str, otherwise: int) -> int:
        value = said.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _CREDIBLE:
            return value
        return otherwise

    return Tokens(stated("prompt_tokens", most.sent), stated("completion_tokens", most.answered))
