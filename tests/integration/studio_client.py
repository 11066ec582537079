"""Asks the studio as a browser on the operator's machine would."""

import asyncio

import httpx

HERE = "http://127.0.0.1:8001"


class Client:
    """Asks an application; what fails in it is an answer too."""

    def __init__(self, app):
        self._app = app

    def ask(self, method, path, **values):
        async def once():
            transport = httpx.ASGITransport(app=self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=HERE) as http:
                return await http.request(method, path, **values)

        return asyncio.run(once())

    def get(self, path, **values):
        return self.ask("GET", path, **values)

    def post(self, path, **values):
        return self.ask("POST", path, **values)
