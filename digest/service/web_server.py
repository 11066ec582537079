"""The web server of the pages and of the studio."""

import socket
from collections.abc import Callable, Sequence

import uvicorn
from fastapi import FastAPI

from digest.errors import ServiceError


class WebServer(uvicorn.Server):
    """A server that listens from the start. In the main thread, SIGINT or SIGTERM ends it.

    ``ready`` is called when it answers, and ``ending`` when endless answers have to end, because it
    waits for all of them. There is no access log: it would have the tokens in the links.
    """

    def __init__(
        self,
        app: FastAPI,
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
                access_log=False,
                server_header=False,
                log_config=None,
                forwarded_allow_ips=list(trusted_proxies),
            )
        )
        self._listening = _listen(host, port)
        self._ready = ready
        self._ending = ending

    def run(self, sockets: list[socket.socket] | None = None) -> None:
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
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (while")[0]  # the place is named already
        raise ServiceError(
            f"cannot listen on {host}, port {port}: {why}; choose others with --host and --port"
        ) from error
