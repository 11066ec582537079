"""What the page of the templates stands on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from digest.model.digests import Digest
from digest.model.messages import Outcome
from digest.studio.preview import Preview, Previews
from digest.studio.preview_request import PreviewRequest
from digest.studio.watch import Watch


@dataclass(frozen=True)
class StudioContext:
    """``folder`` holds the templates that the operator edits; what it lacks is in ``built_in``.

    ``previews`` reads the templates of a folder as they are now: to be looked at, or ``to_send`` in
    the operator's name, which raises SettingError for what is missing. ``digest`` finds what a
    choice of an edition means, and ``days`` are those that there are. ``send`` takes a proof to an
    address, as a test; it may raise TransportError and AddressError.
    """

    folder: Path
    built_in: Path
    watch: Watch
    previews: Callable[[Path], Previews]
    previews_to_send: Callable[[], Previews]
    digest: Callable[[PreviewRequest], Digest]
    days: Callable[[], list[date]]
    send: Callable[[Preview, str], Outcome]

    def make(
        self, previews: Previews, preview_request: PreviewRequest, digest: Digest | None
    ) -> Preview:
        """The mail of a choice; ``digest`` is that of an edition. Raises DigestError."""
        return previews.of_digest(digest) if digest else previews.of_sample(preview_request.sample)
