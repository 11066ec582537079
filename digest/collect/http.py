"""Ask the web for something, politely.

There are time-outs, a few attempts with back-off and jitter, the server's own word on when to come
back (Retry-After, RFC 9110 section 10.2.3; RateLimit, draft-ietf-httpapi-ratelimit-headers),
conditional requests (RFC 9110 section 13), an interval between requests where a source asks for
one, and a copy of every answer under DIGEST_HOME.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from threading import Event

import httpx
import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    wait_exponential_jitter,
)

from digest.collect.snapshots import Answer, Snapshots
from digest.errors import SourceError, Stopped

USER_AGENT = f"paper-digest/{version('paper-digest')} (self-hosted research digest)"
LONGEST_WAIT = 120.0
LARGEST_ANSWER = 50 * 1024 * 1024
AGAIN = {408, 425, 429, 500, 502, 503, 504}

log = structlog.get_logger()


@dataclass
class Throttle:
    """Keep at least ``interval`` seconds between the starts of two requests."""

    interval: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _last: float | None = field(default=None, init=False)

    def wait(self) -> None:
        if self._last is not None and (left := self._last + self.interval - self.clock()) > 0:
            self.sleep(left)
        self._last = self.clock()


class Http:
    """A web client for sources. ``sleep`` is how it waits between attempts."""

    def __init__(
        self,
        snapshots: Snapshots,
        *,
        timeout: float,
        attempts: int,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._snapshots = snapshots
        self._attempts = attempts
        self._stopping = Event()
        self._sleep = sleep or self._stay_away
        self._client = httpx.Client(
            timeout=timeout,
            follow_redirects=True,
            transport=transport,
            headers={"User-Agent": USER_AGENT},
        )

    def get(
        self, url: str, params: Mapping[str, str] | None = None, throttle: Throttle | None = None
    ) -> Answer:
        """Return the answer to a GET, from the server or, where nothing changed, the last one.

        Raises SourceError when there is none after all attempts, saying what the last one met, and
        Stopped once it was told to stop.
        """
        full_url = str(httpx.URL(url, params=dict(params or {})))
        kept = self._snapshots.load(full_url)
        retrying = Retrying(
            stop=stop_after_attempt(self._attempts),
            retry=retry_if_exception_type(httpx.TransportError)
            | retry_if_result(lambda answer: answer.status_code in AGAIN),
            wait=_wait,
            sleep=self._sleep,
            before_sleep=_report,
            # After the last attempt: the exception itself, or the unwelcome answer.
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        try:
            response = retrying(self._ask, full_url, kept, throttle)
        except httpx.HTTPError as error:
            self._check_stop(full_url)
            raise SourceError(f"{full_url}: {type(error).__name__}: {error}") from error
        if response.status_code in AGAIN:
            self._check_stop(full_url)
            said = f"HTTP {response.status_code} after {self._attempts} attempts"
            raise SourceError(f"{full_url}: {said}")
        if response.status_code == 304 and kept is not None:
            self._snapshots.used(full_url)
            return kept
        answer = Answer(
            full_url,
            response.status_code,
            response.content,
            etag=response.headers.get("ETag", ""),
            last_modified=response.headers.get("Last-Modified", ""),
        )
        if response.is_success:
            self._keep(answer)
        return answer

    def _keep(self, answer: Answer) -> None:
        try:
            self._snapshots.save(answer)
        except OSError as error:  # a full disk, say: the answer itself is not lost for that
            log.warning("an answer cannot be kept", url=answer.url, why=str(error))

    def _ask(self, url: str, kept: Answer | None, throttle: Throttle | None) -> httpx.Response:
        self._check_stop(url)
        if throttle:
            throttle.wait()
            self._check_stop(url)
        condition = (
            {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified} if kept else {}
        )
        stated = {name: value for name, value in condition.items() if value}
        with self._client.stream("GET", url, headers=stated) as response:
            body = bytearray()
            for part in response.iter_bytes():
                self._check_stop(url)
                body += part
                if len(body) > LARGEST_ANSWER:
                    raise SourceError(f"{url}: the answer is larger than {LARGEST_ANSWER} bytes")
        return httpx.Response(
            response.status_code, headers=_plain(response.headers), content=bytes(body)
        )

    def _check_stop(self, url: str) -> None:
        if self._stopping.is_set():
            raise Stopped(f"told to stop before {url} had answered")

    def _stay_away(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def stop(self) -> None:
        """Ask nothing more, and wait for nothing; from any thread."""
        self._stopping.set()

    def close(self) -> None:
        self._client.close()


def asked_to_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return how many seconds the server asks us to stay away; None if it does not say. Pure.

    Understands ``Retry-After`` as seconds or as a date, ``RateLimit: …;r=0;t=30``, and the older
    pair ``RateLimit-Remaining: 0`` with ``RateLimit-Reset: 30``.
    """
    if retry_after := headers.get("retry-after", "").strip():
        if retry_after.isdecimal():
            return float(retry_after)
        try:
            return max(0.0, (parsedate_to_datetime(retry_after) - now).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None
    limit = headers.get("ratelimit", "")
    if re.search(r"\b(?:r|remaining)=0\b", limit):
        reset = re.search(r"\b(?:t|reset)=(\d+)", limit)
        return float(reset[1]) if reset else None
    if headers.get("ratelimit-remaining", "").strip() == "0":
        seconds = headers.get("ratelimit-reset", "").strip()
        return float(seconds) if seconds.isdecimal() else None
    return None


_back_off = wait_exponential_jitter(initial=1, max=30, jitter=1)


def _wait(state: RetryCallState) -> float:
    """Return the seconds to the next attempt: as the server asks, else back-off with jitter."""
    outcome = state.outcome
    if outcome is not None and not outcome.failed:
        asked = asked_to_wait(outcome.result().headers, datetime.now(UTC))
        if asked is not None:
            return min(asked, LONGEST_WAIT)
    return _back_off(state)


def _report(state: RetryCallState) -> None:
    outcome = state.outcome
    assert outcome is not None
    met = repr(outcome.exception()) if outcome.failed else f"HTTP {outcome.result().status_code}"
    log.warning(
        "asking a source again", url=state.args[0], met=met, seconds=round(state.upcoming_sleep, 1)
    )


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Return the headers for a body that is already decoded."""
    of_encoded = {"content-encoding", "content-length", "transfer-encoding"}
    return {name: value for name, value in headers.items() if name not in of_encoded}
