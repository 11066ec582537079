"""How far something is that takes long: whoever does it says so, and somebody may show it."""

from collections.abc import Callable

# Told how much of how much is done.
Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Nobody shows it."""
