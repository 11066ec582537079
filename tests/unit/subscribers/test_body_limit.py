"""The limit on bodies, spoken to in ASGI: what is read is counted, whatever length is stated."""

import asyncio

import pytest
from fastapi import FastAPI, HTTPException, Request, Response

from subscribers.web.body_limit import BodyLimit

MOST = 10


def limits(path):
    return 100 if path == "/large" else MOST


class Client:
    """Sends a request in pieces, as a server would pass it on, and takes the answer."""

    def __init__(self, path, headers, pieces):
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [
                (name.lower().encode(), value.encode("latin-1")) for name, value in headers
            ],
        }
        self.messages = [
            {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
            for number, piece in enumerate(pieces, 1)
        ]
        self.taken = 0
        self.status = None
        self.body = b""

    async def receive(self):
        if self.taken == len(self.messages):
            return {"type": "http.disconnect"}
        self.taken += 1
        return self.messages[self.taken - 1]

    async def send(self, message):
        if message["type"] == "http.response.start":
            assert self.status is None, "answered twice"
            self.status = message["status"]
        else:
            self.body += message["body"]


@pytest.fixture
def read():
    """The bodies that reached the application."""
    return []


@pytest.fixture
def ask(read):
    app = FastAPI(openapi_url=None)

    @app.post("/{path}")
    async def echo(request: Request, path: str):
        read.append(await request.body())
        return Response(read[-1])

    @app.exception_handler(HTTPException)
    async def on_refusal(request: Request, error: HTTPException):
        return Response("too much", error.status_code)

    app.add_middleware(BodyLimit, most=limits)

    def ask(*pieces, path="/small", stated=None):
        headers = [] if stated is None else [("Content-Length", stated)]
        client = Client(path, headers, pieces)
        asyncio.run(app(client.scope, client.receive, client.send))
        return client

    return ask


# ---- how much ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pieces", [[b""], [b"x"], [b"x" * MOST], [b"xxxx", b"", b"xxxx", b"xx"], [b"x"] * MOST]
)
@pytest.mark.parametrize("states", [True, False])
def test_a_body_up_to_the_limit_passes(ask, read, pieces, states):
    body = b"".join(pieces)
    client = ask(*pieces, stated=str(len(body)) if states else None)
    assert (client.status, client.body) == (200, body)
    assert read == [body]


@pytest.mark.parametrize(
    "pieces", [[b"x" * (MOST + 1)], [b"x"] * (MOST + 1), [b"x" * MOST, b"", b"x", b"x"]]
)
@pytest.mark.parametrize("states", [True, False])
def test_a_body_above_the_limit_is_refused(ask, read, pieces, states):
    client = ask(*pieces, stated=str(len(b"".join(pieces))) if states else None)
    assert (client.status, client.body) == (413, b"too much")
    assert read == []


@pytest.mark.parametrize(
    "stated",
    ["0", "1", str(MOST), "9" * 5000, "0" * 5000, "", "-1", "ten", "1e9", "²", "0x99", "9, 9"],
)
def test_a_length_that_lies_changes_nothing(ask, stated):
    assert ask(b"x" * MOST, stated=stated).status == 200
    assert ask(b"x" * MOST, b"x", stated=stated).status == 413


def test_what_comes_after_the_limit_is_not_read(ask):
    client = ask(*[b"x" * MOST] * 1000)
    assert (client.status, client.taken) == (413, 2)


def test_each_request_is_counted_afresh(ask):
    assert [ask(b"x" * MOST).status for _ in range(3)] == [200] * 3


def test_a_body_that_nobody_reads_is_in_nobodys_way():
    async def app(scope, receive, send):
        await Response("read nothing")(scope, receive, send)

    client = Client("/small", [("Content-Length", "1000")], [b"x" * 1000])
    asyncio.run(BodyLimit(app, limits)(client.scope, client.receive, client.send))
    assert (client.status, client.taken) == (200, 0)


# ---- paths -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/large", 100, 200), ("/large", 101, 413), ("/small", 100, 413), ("/other", 10, 200)],
)
def test_each_path_has_its_own_limit(ask, path, size, status):
    assert ask(b"x" * size, path=path).status == status


# ---- what is no request ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_no_request_passes_untouched(kind):
    seen = []

    async def app(*given):
        seen.append(given)

    scope, receive, send = {"type": kind}, object(), object()
    asyncio.run(BodyLimit(app, limits)(scope, receive, send))
    assert seen == [(scope, receive, send)]
