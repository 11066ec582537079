"""Have Python look for garbage less often."""

import gc


def collect_garbage_rarely() -> None:
    """Make garbage collections rare in this process: they took up to a fifth of its time.

    Most objects are of modules that were imported, or of an edition, and stay.
    """
    gc.set_threshold(20_000)
