"""The studio's own web server, apart from the public pages."""

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI


def serve(
    app: FastAPI, host: str, port: int, *, ready: Callable[[], None], ending: Callable[[], None]
) -> None:
    """Serve until told to stop (SIGINT or SIGTERM).

    ``ready`` is called once requests are taken, and ``ending`` when the answers that go on for ever
    are to end: the server waits for all of them.
    """
    config = uvicorn.Config(
        app, host=host, port=port, access_log=False, server_header=False, log_config=None
    )
    _Server(config, ready, ending).run()


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], ending: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()
        await super().shutdown(sockets)
