"""Logs go to standard error: lines for people at a terminal, JSON elsewhere, or as is set.

Those of libraries go the same way, from warnings on. What must not be seen is masked in all.
"""

import logging
import sys
from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from digest.monitoring.masking import Mask

_mask = Mask()
_form = "auto"


def configure_logs() -> None:
    """Set up the logs of this process, before anything is logged."""
    marks: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    # Traces without the values in them; what their errors say is masked with the rest.
    ends: list[Processor] = [structlog.processors.format_exc_info, _masked, _rendered]
    structlog.configure(
        processors=[*marks, *ends], logger_factory=structlog.PrintLoggerFactory(sys.stderr)
    )
    from_libraries = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*marks, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ends],
    )
    _libraries.setFormatter(from_libraries)
    logging.getLogger().addHandler(_libraries)  # which it is once, however often this is called
    logging.captureWarnings(capture=True)


def mask_in_logs(secrets: Iterable[str], *, addresses: bool) -> None:
    """Set the texts that logs never show, and whether they show addresses."""
    _mask.hide(secrets)
    _mask.shows_addresses = addresses


def show_logs_as(form: str) -> None:
    """Set the form of the log: DIGEST_LOG_FORMAT."""
    global _form  # noqa: PLW0603  as the mask, one for the process
    _form = form


class _ToStderr(logging.Handler):
    """Writes to the standard error of that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"{self.format(record)}\n")
        except Exception:  # noqa: BLE001  as all handlers: to log must not fail what is logged
            self.handleError(record)


_libraries = _ToStderr()


def _masked(_logger: object, _name: str, event: EventDict) -> EventDict:
    return {name: _mask.value(value) for name, value in event.items()}


def _rendered(logger: Any, name: str, event: EventDict) -> str | bytes:
    is_for_people = sys.stderr.isatty() if _form == "auto" else _form == "lines"
    return (_LINES if is_for_people else _JSON)(logger, name, event)


_JSON = structlog.processors.JSONRenderer(ensure_ascii=False)
_LINES = structlog.dev.ConsoleRenderer(
    colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
)
