"""Makes the mails that are looked at, once for each change, and keeps the last good one of each."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from digest.compose.samples import Sample
from digest.errors import DigestError
from digest.model.digests import Digest
from digest.studio.before import before
from digest.studio.context import StudioContext
from digest.studio.preview import Preview
from digest.studio.preview_request import PreviewRequest
from subscribers.errors import SubscriberError

_KEPT = 40  # mails; some hundred kilobytes each
# Ranking a day takes seconds, and a day changes seldom; templates change while we look.
_DIGEST_IS_GOOD_FOR = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class CachedPreview:
    """A mail, made.

    Where an ``error`` kept it from being made, ``preview`` is the last that could be, if there was
    one; ``made`` says when that was, and how long it took.
    """

    preview: Preview | None = None
    error: DigestError | SubscriberError | None = None
    made: datetime | None = None
    milliseconds: int = 0

    @property
    def version(self) -> str:
        """A short text that is another one for another picture."""
        return sha256(self.preview.content.html.encode()).hexdigest()[:12] if self.preview else ""


class PreviewCache:
    """Safe to be used by several threads: one at a time makes something."""

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
        """The samples there are, by name: those of editions first, then those of each other mail.

        Where they cannot be read, it is those there were.
        """
        try:
            found = self._context.previews(self._context.folder).samples()
            order = sorted(
                found.values(), key=lambda its: (not its.is_of_edition, its.mail, its.name)
            )
            self._samples = {sample.name: sample for sample in order}
        except DigestError:
            pass  # it shows as well when one of them is made
        return self._samples

    def develop(self, preview_request: PreviewRequest) -> CachedPreview:
        """A mail with the templates as they are now."""
        with self._lock:
            stamp, digest, cached = self._cached.pop(preview_request, ("", None, CachedPreview()))
            try:
                made_of = self._context.watch.stamp(), self.digest(preview_request)
                if made_of != (stamp, digest):
                    stamp, digest = made_of
                    cached = self._make(preview_request, digest, cached)
            except (DigestError, SubscriberError) as error:
                stamp, cached = "", replace(cached, error=error)
            self._cached[preview_request] = stamp, digest, cached
            while len(self._cached) > _KEPT:
                self._cached.popitem(last=False)
            return cached

    def before(self, preview_request: PreviewRequest) -> Preview | None:
        """A mail with the templates as they were before they were changed; none if they never were.

        Raises DigestError.
        """
        with self._lock, before(self._context.folder, self._context.built_in) as was:
            if was is None:
                return None
            digest = self.digest(preview_request)
            return self._context.make(self._context.previews(was.folder), preview_request, digest)

    def to_send(self, preview_request: PreviewRequest) -> Preview:
        """A mail in the operator's name. Raises DigestError."""
        with self._lock:
            digest = self.digest(preview_request)
            return self._context.make(self._context.previews_to_send(), preview_request, digest)

    def digest(self, preview_request: PreviewRequest) -> Digest | None:
        """What an edition's mail is made of; none for a sample. Raises DigestError."""
        if not preview_request.is_edition:
            return None
        good_until, digest = self._digests.get(preview_request, (0.0, None))
        if digest is None or self._clock() >= good_until:
            digest = self._context.digest(preview_request)
            self._digests = {preview_request: (self._clock() + _DIGEST_IS_GOOD_FOR, digest)}
        return digest

    def _make(
        self, preview_request: PreviewRequest, digest: Digest | None, last: CachedPreview
    ) -> CachedPreview:
        began = time.perf_counter()
        try:
            previews = self._context.previews(self._context.folder)
            preview = self._context.make(previews, preview_request, digest)
        except DigestError as error:
            return replace(last, error=error)
        took = round((time.perf_counter() - began) * 1000)
        return CachedPreview(preview, None, datetime.now().astimezone(), took)
