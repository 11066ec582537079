"""Do work in the background, so that nobody waits for it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import structlog

log = structlog.get_logger()


def in_background(at_once: int, trouble: str) -> Callable[[Callable[[], None]], None]:
    """Return what does work in threads of its own: a relay may hang, ranking is slow.

    A fault is logged as ``trouble``.
    """
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="background")

    def run(work: Callable[[], None]) -> None:
        pool.submit(work).add_done_callback(partial(_log_fault, trouble))

    return run


def _log_fault(trouble: str, done: Future[None]) -> None:
    if error := done.exception():
        log.error(trouble, exc_info=error)
