"""The web server of the pages and of the studio."""

import socket
import sys
from collections.abc import Callable, Sequence

import uvicorn
from starlette.types import ASGIApp

from digest.errors import ServiceError
from digest.service import connections

# Seconds after which a thread that computes, such as one that ranks, lets others go on. With the
# usual 5 ms, somebody who leaves would wait for that a dozen times.
SWITCH_INTERVAL = 0.0005
# Octets of a request before its body that may come in pieces. A feed on twenty of the longest
# topics has 36 KB in its address; h11 alone would refuse it, from 16 KiB on, when it is slow.
LARGEST_HEAD = 65536


class WebServer(uvicorn.Server):
    """A server that listens from the start. In the main thread, SIGINT or SIGTERM ends it.

    ``ready`` is called when it answers, and ``ending`` when endless answers have to end, because it
    waits for all of them. There is no access log: it would have the tokens in the links.
    """

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        ready: Callable[[], None],
        ending: Callable[[], None] = lambda: None,
        trusted_proxies: Sequence[str] = ("127.0.0.1", "::1"),
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=connections.BoundedConnection,
                h11_max_incomplete_event_size=LARGEST_HEAD,
                # Above it the answer is 503: then no connection could make room.
                limit_concurrency=connections.MOST + 1,
                backlog=connections.ACCEPTED_AT_ONCE,
                access_log=False,
                server_header=False,
                log_config=None,
                forwarded_allow_ips=list(trusted_proxies),
            )
        )
        self._host = host
        self._listening = _listen(host, port)
        self._ready = ready
        self._ending = ending

    @property
    def url(self) -> str:
        """Return where it listens; the system has chosen the port if 0 was given."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._listening.getsockname()[1]}/"

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL)
        super().run([*(sockets or []), self._listening])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises ServiceError."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, UnicodeError) as error:  # UnicodeError: of a name that cannot be one
        why = (getattr(error, "strerror", "") or str(error)).partition(" (while")[
            0
        ]  # the place is named already
        raise ServiceError(
            f"cannot listen on {host}, port {port}: {why}; choose others with --host and --port"
        ) from error
