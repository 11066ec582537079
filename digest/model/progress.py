"""Progress of long work, which may be shown."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # called with how many are done, and of how many


def silent(done: int, total: int) -> None:
    """Show nothing."""
