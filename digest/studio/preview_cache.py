"""Render the emails that are shown, once per change, and keep the last good picture of each."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

from digest.errors import DigestError
from digest.model.digests import Digest
from digest.model.messages import Outcome
from digest.studio.preview import Preview, Previews
from digest.studio.preview_request import PreviewRequest
from digest.studio.samples import Sample
from digest.studio.template_folders import before
from digest.studio.watch import Watch
from subscribers.errors import SubscriberError

_KEPT = 40  # previews; some hundred kilobytes each
# Ranking a day takes seconds, and a day seldom changes; templates change all the time.
_DIGEST_IS_GOOD_FOR = 30.0  # seconds


@dataclass(frozen=True)
class StudioContext:
    """The objects that the templates page needs.

    ``folder`` holds the templates that the operator edits; the others are in ``built_in``.
    ``previews`` reads the templates of a folder as they are now, in the language with a code ("" is
    the installation's); ``previews_to_send`` uses the operator's name, and raises SettingError if
    it is not set. ``languages`` names those that may be chosen, by code. ``digest`` makes the
    digest that a request asks for, and ``days`` lists the editions. ``send`` sends a preview to an
    address as a test; it may raise TransportError and AddressError.
    """

    folder: Path
    built_in: Path
    watch: Watch
    previews: Callable[[Path, str], Previews]
    previews_to_send: Callable[[str], Previews]
    languages: Callable[[], Mapping[str, str]]
    digest: Callable[[PreviewRequest], Digest]
    days: Callable[[], list[date]]
    send: Callable[[Preview, str], Outcome]


@dataclass(frozen=True, slots=True)
class CachedPreview:
    """The last preview that could be rendered, if any, and the ``error`` that came after it.

    ``made`` and ``milliseconds`` say when it was rendered, and how long that took.
    """

    preview: Preview | None = None
    error: DigestError | SubscriberError | None = None
    made: datetime | None = None
    milliseconds: int = 0

    @property
    def version(self) -> str:
        """Return a short text that differs for each picture."""
        return sha256(self.preview.content.html.encode()).hexdigest()[:12] if self.preview else ""


class PreviewCache:
    """The previews by request. Several threads may use it: one at a time renders."""

    def __init__(
        self, studio_context: StudioContext, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._context = studio_context
        self._clock = clock
        self._lock = threading.Lock()
        self._cached: OrderedDict[PreviewRequest, tuple[str, Digest | None, CachedPreview]] = (
            OrderedDict()
        )
        self._digests: dict[PreviewRequest, tuple[float, Digest]] = {}
        self._samples: dict[str, Sample] = {}

    def samples(self) -> dict[str, Sample]:
        """Return the samples by name, those of editions first.

        If they cannot be read, the last ones that could be are returned.
        """
        try:
            found = self._context.previews(self._context.folder, "").samples()
            order = sorted(
                found.values(), key=lambda its: (not its.is_of_edition, its.mail, its.name)
            )
            self._samples = {sample.name: sample for sample in order}
        except DigestError:
            pass  # rendering one of them reports it
        return self._samples

    def current(self, preview_request: PreviewRequest) -> CachedPreview:
        """Return the preview with the templates as they are now."""
        with self._lock:
            stamp, digest, cached = self._cached.pop(preview_request, ("", None, CachedPreview()))
            try:
                made_of = self._context.watch.stamp(), self.digest(preview_request)
                if made_of != (stamp, digest):
                    stamp, digest = made_of
                    cached = self._make(preview_request, cached)
            except (DigestError, SubscriberError) as error:
                stamp, cached = "", replace(cached, error=error)
            self._cached[preview_request] = stamp, digest, cached
            while len(self._cached) > _KEPT:
                self._cached.popitem(last=False)
            return cached

    def before(self, preview_request: PreviewRequest) -> Preview | None:
        """Return the preview before any change of the templates; None if nothing can have changed.

        Raises DigestError.
        """
        with self._lock, before(self._context.folder, self._context.built_in) as was:
            if was is None:
                return None
            previews = self._context.previews(was.folder, preview_request.language)
            return self._preview(previews, preview_request)

    def to_send(self, preview_request: PreviewRequest) -> Preview:
        """Return the preview in the operator's name. Raises DigestError."""
        with self._lock:
            previews = self._context.previews_to_send(preview_request.language)
            return self._preview(previews, preview_request)

    def digest(self, preview_request: PreviewRequest) -> Digest | None:
        """Return the digest that a request asks for; None for a sample. Raises DigestError."""
        if not preview_request.is_edition:
            return None
        good_until, digest = self._digests.get(preview_request, (0.0, None))
        if digest is None or self._clock() >= good_until:
            digest = self._context.digest(preview_request)
            self._digests = {preview_request: (self._clock() + _DIGEST_IS_GOOD_FOR, digest)}
        return digest

    def _preview(self, previews: Previews, preview_request: PreviewRequest) -> Preview:
        digest = self.digest(preview_request)
        return previews.of_digest(digest) if digest else previews.of_sample(preview_request.sample)

    def _make(self, preview_request: PreviewRequest, last: CachedPreview) -> CachedPreview:
        began = time.perf_counter()
        try:
            previews = self._context.previews(self._context.folder, preview_request.language)
            preview = self._preview(previews, preview_request)
        except DigestError as error:
            return replace(last, error=error)
        took = round((time.perf_counter() - began) * 1000)
        return CachedPreview(preview, None, datetime.now().astimezone(), took)
