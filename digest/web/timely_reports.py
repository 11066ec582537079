"""Reports on topics for pages that show them only if they are there in a moment."""

from collections.abc import Callable, Sequence
from threading import Semaphore

import structlog
from anyio import from_thread

from digest.web.limiter import Limiter
from subscribers.preferences import Strictness
from subscribers.topic_reports import TopicReport
from subscribers.topics import TopicFilter

A_MOMENT = 1.5  # seconds
MOST_THREADS = 8  # that wait at a time: the others are for pages that never wait

Report = Callable[[Sequence[TopicFilter], Strictness | None], Sequence[TopicReport]]

log = structlog.get_logger()


class TimelyReports:
    """Reports on topics, made under a limit. None stands for numbers that are not there yet.

    What is begun is finished, and kept by ``report`` for the next time.
    """

    def __init__(self, report: Report, limiter: Limiter, seconds: float = A_MOMENT) -> None:
        self._report = report
        self._limiter = limiter
        self._seconds = seconds
        self._threads = Semaphore(MOST_THREADS)

    async def soon(
        self, topics: Sequence[TopicFilter], strictness: Strictness | None
    ) -> Sequence[TopicReport] | None:
        """Return a report on each topic, or None after a moment."""
        try:
            return await self._limiter.run_within(self._seconds, self._report, topics, strictness)
        except Exception:  # a page without numbers is better than none
            log.exception("topics were not reported on")
            return None

    def __call__(
        self, topics: Sequence[TopicFilter], strictness: Strictness | None
    ) -> Sequence[TopicReport] | None:
        """Do as ``soon``, from a thread of the server."""
        if not topics:
            return ()
        if not self._threads.acquire(blocking=False):
            return None
        try:
            return from_thread.run(self.soon, topics, strictness)
        finally:
            self._threads.release()
