"""The web server, which says when it is ready."""

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI


def serve(app: FastAPI, host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve until told to stop (SIGINT or SIGTERM); ``ready`` is called once requests are taken.

    There is no access log: it would hold the tokens in the links.
    """
    config = uvicorn.Config(
        app, host=host, port=port, access_log=False, server_header=False, log_config=None
    )
    _Server(config, ready).run()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()
