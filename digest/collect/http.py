"""Ask web servers for answers, politely and within limits.

Polite: a few attempts with back-off and jitter, the server's own word on when to come back
(Retry-After, RFC 9110 section 10.2.3; RateLimit, draft-ietf-httpapi-ratelimit-headers), conditional
requests (RFC 9110 section 13), and an interval between requests if a source asks for one. A copy of
every answer to a GET is kept under DIGEST_HOME.
"""

import ipaddress
import re
import socket
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from threading import Event
from typing import Any

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
from digest.errors import SourceError, Stopped, Unreachable

USER_AGENT = f"paper-digest/{version('paper-digest')} (self-hosted research digest)"
LONGEST_WAIT = 120.0  # seconds between two attempts
LONGEST_ANSWER = 120.0  # seconds until an answer is whole
LARGEST_ANSWER = 50 * 1024 * 1024  # octets, unpacked
AGAIN = {408, 425, 429, 500, 502, 503, 504}
_PIECE = 64 * 1024  # octets that are unpacked at a time

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
    """A web client for sources. ``sleep`` is how it waits between attempts.

    An answer may take ``longest`` seconds, and have ``largest`` octets when it is unpacked, if not
    so much as is usual.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        *,
        timeout: float,
        attempts: int,
        longest: float | None = None,
        largest: int | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._snapshots = snapshots
        self._attempts = attempts
        self._longest, self._largest = longest or LONGEST_ANSWER, largest or LARGEST_ANSWER
        self._stopping = Event()
        self._sleep = sleep or self._stay_away
        self._clock = clock
        self._client = httpx.Client(
            timeout=timeout,
            follow_redirects=True,
            transport=transport,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"},
            event_hooks={"request": [_refuse_private_redirect]},
        )

    def get(
        self, url: str, params: Mapping[str, str] | None = None, throttle: Throttle | None = None
    ) -> Answer:
        """Return the answer to a GET: the server's or, if nothing has changed, the one kept.

        Raises SourceError if there is none after all attempts, with the fault of the last one
        (Unreachable if nothing came at all), and Stopped once asked to stop.
        """
        full_url = str(httpx.URL(url, params=dict(params or {})))
        kept = self._snapshots.load(full_url)
        condition = (
            {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified} if kept else {}
        )
        stated = {name: value for name, value in condition.items() if value}
        response = self._answer(full_url, throttle, "GET", headers=stated)
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
            try:
                self._snapshots.save(answer)
            except OSError as error:  # a full disk, say: the answer itself is not lost for that
                log.warning("an answer cannot be kept", url=full_url, why=str(error))
        return answer

    def post(
        self,
        url: str,
        body: Any,
        headers: Mapping[str, str],
        throttle: Throttle | None = None,
    ) -> Answer:
        """Return the answer to a POST of JSON. It is not kept; the errors are those of ``get``.

        No redirect is followed, because another host must not get a key in ``headers``.
        """
        response = self._answer(
            url, throttle, "POST", json=body, headers=headers, follow_redirects=False
        )
        return Answer(url, response.status_code, response.content)

    def _answer(
        self, url: str, throttle: Throttle | None, method: str, **request: Any
    ) -> httpx.Response:
        """Ask until there is an answer, or no attempt is left."""
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
            response = retrying(self._ask, url, throttle, method, **request)
        except httpx.HTTPError as error:
            self._check_stop(url)
            raise Unreachable(f"{url}: {type(error).__name__}: {error}") from error
        if response.status_code in AGAIN:
            self._check_stop(url)
            said = f"HTTP {response.status_code} after {self._attempts} attempts"
            raise SourceError(f"{url}: {said}")
        return response

    def _ask(
        self, url: str, throttle: Throttle | None, method: str, **request: Any
    ) -> httpx.Response:
        self._check_stop(url)
        if throttle:
            throttle.wait()
            self._check_stop(url)
        until = self._clock() + self._longest
        extensions = {"asked_host": httpx.URL(url).host}
        with self._client.stream(method, url, extensions=extensions, **request) as response:
            encoding = response.headers.get("Content-Encoding", "").strip().lower()
            body = bytearray()
            for piece in _unpacked(self._in_time(response, until, url), encoding, url):
                body += piece
                if len(body) > self._largest:
                    raise SourceError(f"{url}: the answer is larger than {self._largest} bytes")
        of_packed = {"content-encoding", "content-length", "transfer-encoding"}
        headers = {name: it for name, it in response.headers.items() if name not in of_packed}
        return httpx.Response(response.status_code, headers=headers, content=bytes(body))

    def _in_time(self, response: httpx.Response, until: float, url: str) -> Iterator[bytes]:
        assert isinstance(response.stream, httpx.SyncByteStream)
        for part in response.stream:  # as it was sent; iter_bytes would unpack without limit
            self._check_stop(url)
            if self._clock() > until:
                raise SourceError(f"{url}: no whole answer in {self._longest:.0f} seconds")
            yield part

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


def _unpacked(parts: Iterable[bytes], encoding: str, url: str) -> Iterator[bytes]:
    """Yield a body unpacked, piece by piece, so that a few octets cannot become a full memory."""
    if encoding in ("", "identity"):
        yield from parts
        return
    if encoding not in ("gzip", "x-gzip"):  # nothing else was asked for; nor twice the same
        raise SourceError(f"{url}: the answer has the unknown Content-Encoding {encoding[:60]!r}")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for part in parts:
            packed = part
            while packed and not unpacker.eof:
                yield unpacker.decompress(packed, _PIECE)
                packed = unpacker.unconsumed_tail
    except zlib.error as error:
        raise SourceError(f"{url}: the answer cannot be unpacked: {error}") from None
    if not unpacker.eof:
        raise SourceError(f"{url}: the answer cannot be unpacked: it ends too early")


def _refuse_private_redirect(request: httpx.Request) -> None:
    """Follow no redirect into a private network, unless the source itself is in one."""
    asked, host = request.extensions["asked_host"], request.url.host
    if host != asked and _is_private(host) and not _is_private(asked):
        raise SourceError(f"{asked} redirects to the private address {host}, which is refused")


def _is_private(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):  # nor can it be connected to
        return False
    addresses = [ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in found]
    return any(
        not (getattr(address, "ipv4_mapped", None) or address).is_global for address in addresses
    )
