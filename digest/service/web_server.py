"""The web server of the pages and of the studio."""

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI


class WebServer(uvicorn.Server):
    """Serves an application. In the main thread it ends on SIGINT or SIGTERM.

    ``ready`` is called once requests are taken, and ``ending`` when answers that go on for ever are
    to end: the server waits for all answers. There is no access log: it would hold the tokens in
    the links.
    """

    def __init__(
        self,
        app: FastAPI,
        host: str,
        port: int,
        *,
        ready: Callable[[], None],
        ending: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app, host=host, port=port, access_log=False, server_header=False, log_config=None
            )
        )
        self._ready = ready
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()
        await super().shutdown(sockets)
