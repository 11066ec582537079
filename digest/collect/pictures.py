"""Fetch the pictures of papers from the servers that are known for them, within limits.

The address of a picture comes from outside. So it is only asked for where the source itself keeps
its pictures, over https, and so is each address that an answer redirects to.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from threading import Event

import httpx
import structlog

from digest.collect.http import USER_AGENT
from digest.collect.in_time import in_time
from digest.collect.picture_encoding import PictureError, encode
from digest.errors import SourceError
from digest.ledger.ledger import Ledger
from digest.ledger.locks import holding
from digest.model.pictures import WantedPicture

# Hugging Face's own: cdn-thumbnails.huggingface.co, cdn-uploads.huggingface.co, cas-bridge.hf.co.
HOSTS = ("huggingface.co", "hf.co")
MOST = 150  # pictures in one collection
MOST_SECONDS = 60.0  # for all of them, because an edition may wait for them
AT_ONCE = 4
LARGEST = 6 * 1024 * 1024  # octets of a picture as it comes
LONGEST = 15.0  # seconds for one
MOST_REDIRECTS = 3

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FetchedPicture:
    """The octets that came, or why none did."""

    wanted: WantedPicture
    octets: bytes = b""
    problem: str = ""


class PictureFetcher:
    """Fetches pictures. ``mirror`` is the address of another server that may be asked."""

    def __init__(
        self,
        mirror: str = "",
        *,
        timeout: float,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mirror = httpx.URL(mirror) if mirror else None
        self._clock = clock
        self._stopping = Event()
        self._client = httpx.Client(
            timeout=min(timeout, LONGEST),
            transport=transport,
            # As it is sent: what is packed could be unpacked to any size.
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )

    def fetch_all(
        self, wanted: Sequence[WantedPicture], most_seconds: float
    ) -> Iterator[FetchedPicture]:
        """Yield the pictures as they come, for so long; one that fails costs itself only.

        What has not come by then is left behind, in threads that end by themselves.
        """
        yield from in_time(
            wanted, self._fetched, most_seconds, AT_ONCE, self._stopping, self._clock
        )

    def _fetched(self, wanted: WantedPicture) -> FetchedPicture:
        try:
            return FetchedPicture(wanted, self.fetch(wanted.url))
        except SourceError as error:
            return FetchedPicture(wanted, problem=str(error))
        except Exception as error:  # noqa: BLE001  told by the thread that waits
            return FetchedPicture(wanted, problem=f"a fault of its own: {error!r}")

    def fetch(self, url: str) -> bytes:
        """Return what is at an address. Raises SourceError."""
        until = self._clock() + LONGEST
        try:
            for _ in range(MOST_REDIRECTS + 1):
                asked = self._checked(url)
                with self._client.stream("GET", asked) as response:
                    if response.has_redirect_location:
                        url = str(asked.join(response.headers["Location"]))
                        continue
                    return self._body(response, until)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise SourceError(f"{type(error).__name__}: {error}") from error
        raise SourceError(f"more than {MOST_REDIRECTS} redirects")

    def _checked(self, text: str) -> httpx.URL:
        """Return an address that may be asked. Raises SourceError for any other.

        A mirror is asked as it is set, because all addresses in entries are stored with https.
        """
        url = httpx.URL(text)
        if self._mirror and url.netloc == self._mirror.netloc:
            return url.copy_with(scheme=self._mirror.scheme)
        is_known = any(url.host == host or url.host.endswith(f".{host}") for host in HOSTS)
        if url.scheme != "https" or url.port is not None or url.userinfo or not is_known:
            raise SourceError(f"{url.scheme}://{url.host} is not known for pictures")
        return url

    def _body(self, response: httpx.Response, until: float) -> bytes:
        if response.status_code != httpx.codes.OK:
            raise SourceError(f"HTTP {response.status_code}")
        body = bytearray()
        for part in response.iter_raw():
            body += part
            if len(body) > LARGEST:
                raise SourceError(f"it is larger than {LARGEST} bytes")
            if self._clock() > until or self._stopping.is_set():
                raise SourceError(f"it did not come within {LONGEST:.0f} seconds")
        return bytes(body)

    def stop(self) -> None:
        """Fetch nothing more; from any thread."""
        self._stopping.set()


def collect_pictures(
    ledger: Ledger,
    fetcher: PictureFetcher,
    days: Sequence[date],
    now: datetime,
    most_seconds: float = MOST_SECONDS,
) -> None:
    """Fetch the pictures that the papers of some days lack, and store them, small.

    What is not there in time, or cannot be had, is fetched by a later collection. If another
    process does this already, there is nothing to do.
    """
    with holding(ledger.engine, "pictures") as is_ours:
        wanted = ledger.pictures.wanted(days, now, MOST) if is_ours else []
        problems = []
        for fetched in fetcher.fetch_all(wanted, most_seconds):
            problem = fetched.problem
            if not problem:
                try:  # here, one after the other, because a decoded picture takes memory
                    ledger.pictures.keep(fetched.wanted, encode(fetched.octets), now)
                except PictureError as error:
                    problem = str(error)
            if problem:
                ledger.pictures.put_off(fetched.wanted, problem, now)
                problems.append(f"{fetched.wanted.url}: {problem}")
    if problems:
        log.warning("pictures could not be had", count=len(problems), why=problems[0])
