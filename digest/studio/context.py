"""What the page of the templates stands on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from digest.model.digests import Digest
from digest.model.messages import Outcome
from digest.studio.preview import Proof, Proofs
from digest.studio.preview_request import Choice
from digest.studio.watch import Watch


@dataclass(frozen=True)
class Workbench:
    """``folder`` holds the templates that the operator edits; what it lacks is in ``built_in``.

    ``proofs`` reads the templates of a folder as they are now: to be looked at, or ``to_send`` in
    the operator's name, which raises SettingError for what is missing. ``digest`` finds what a
    choice of an edition means, and ``days`` are those that there are. ``send`` takes a proof to an
    address, as a test; it may raise TransportError and AddressError.
    """

    folder: Path
    built_in: Path
    watch: Watch
    proofs: Callable[[Path], Proofs]
    proofs_to_send: Callable[[], Proofs]
    digest: Callable[[Choice], Digest]
    days: Callable[[], list[date]]
    send: Callable[[Proof, str], Outcome]

    def make(self, proofs: Proofs, choice: Choice, digest: Digest | None) -> Proof:
        """The mail of a choice; ``digest`` is that of an edition. Raises DigestError."""
        return proofs.of_digest(digest) if digest else proofs.of_sample(choice.sample)
