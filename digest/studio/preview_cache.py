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
from digest.studio.context import Workbench
from digest.studio.preview import Proof
from digest.studio.preview_request import Choice
from subscribers.errors import SubscriberError

_KEPT = 40  # mails; some hundred kilobytes each
# Ranking a day takes seconds, and a day changes seldom; templates change while we look.
_DIGEST_IS_GOOD_FOR = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Shot:
    """A mail, made.

    Where an ``error`` kept it from being made, ``proof`` is the last that could be, if there was
    one; ``made`` says when that was, and how long it took.
    """

    proof: Proof | None = None
    error: DigestError | SubscriberError | None = None
    made: datetime | None = None
    milliseconds: int = 0

    @property
    def version(self) -> str:
        """A short text that is another one for another picture."""
        return sha256(self.proof.content.html.encode()).hexdigest()[:12] if self.proof else ""


class Darkroom:
    """Safe to be used by several threads: one at a time makes something."""

    def __init__(self, workbench: Workbench, clock: Callable[[], float] = time.monotonic) -> None:
        self._workbench = workbench
        self._clock = clock
        self._lock = threading.Lock()
        self._shots: OrderedDict[Choice, tuple[str, Digest | None, Shot]] = OrderedDict()
        self._digests: dict[Choice, tuple[float, Digest]] = {}
        self._samples: dict[str, Sample] = {}

    def samples(self) -> dict[str, Sample]:
        """The samples there are, by name: those of editions first, then those of each other mail.

        Where they cannot be read, it is those there were.
        """
        try:
            found = self._workbench.proofs(self._workbench.folder).samples()
            order = sorted(
                found.values(), key=lambda its: (not its.is_of_edition, its.mail, its.name)
            )
            self._samples = {sample.name: sample for sample in order}
        except DigestError:
            pass  # it shows as well when one of them is made
        return self._samples

    def develop(self, choice: Choice) -> Shot:
        """A mail with the templates as they are now."""
        with self._lock:
            stamp, digest, shot = self._shots.pop(choice, ("", None, Shot()))
            try:
                made_of = self._workbench.watch.stamp(), self.digest(choice)
                if made_of != (stamp, digest):
                    stamp, digest = made_of
                    shot = self._make(choice, digest, shot)
            except (DigestError, SubscriberError) as error:
                stamp, shot = "", replace(shot, error=error)
            self._shots[choice] = stamp, digest, shot
            while len(self._shots) > _KEPT:
                self._shots.popitem(last=False)
            return shot

    def before(self, choice: Choice) -> Proof | None:
        """A mail with the templates as they were before they were changed; none if they never were.

        Raises DigestError.
        """
        with self._lock, before(self._workbench.folder, self._workbench.built_in) as was:
            if was is None:
                return None
            digest = self.digest(choice)
            return self._workbench.make(self._workbench.proofs(was.folder), choice, digest)

    def to_send(self, choice: Choice) -> Proof:
        """A mail in the operator's name. Raises DigestError."""
        with self._lock:
            digest = self.digest(choice)
            return self._workbench.make(self._workbench.proofs_to_send(), choice, digest)

    def digest(self, choice: Choice) -> Digest | None:
        """What an edition's mail is made of; none for a sample. Raises DigestError."""
        if not choice.is_edition:
            return None
        good_until, digest = self._digests.get(choice, (0.0, None))
        if digest is None or self._clock() >= good_until:
            digest = self._workbench.digest(choice)
            self._digests = {choice: (self._clock() + _DIGEST_IS_GOOD_FOR, digest)}
        return digest

    def _make(self, choice: Choice, digest: Digest | None, last: Shot) -> Shot:
        began = time.perf_counter()
        try:
            proofs = self._workbench.proofs(self._workbench.folder)
            proof = self._workbench.make(proofs, choice, digest)
        except DigestError as error:
            return replace(last, error=error)
        took = round((time.perf_counter() - began) * 1000)
        return Shot(proof, None, datetime.now().astimezone(), took)
