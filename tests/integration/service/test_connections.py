"""Clients that do not go on, over real sockets: what ends, what stays, and who makes room."""

import socket
from contextlib import ExitStack, contextmanager, suppress
from threading import Event, Semaphore, Thread
from time import sleep
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI, Request, Response

from digest.service import connections
from digest.service.web_server import WebServer

LARGE = 8 * 1024 * 1024  # octets of an answer: more than the buffers of two sockets
WAIT = 10  # seconds: the end of a test that fails


@pytest.fixture(autouse=True)
def bounds(monkeypatch):
    monkeypatch.setattr(connections, "PERIOD", 0.2)
    monkeypatch.setattr(connections, "LEAST", 100)
    monkeypatch.setattr(connections, "MOST", 3)


@pytest.fixture
def go_on():
    return Event()


@pytest.fixture
def began():
    return Semaphore(0)


@pytest.fixture
def port(began, go_on):
    app = FastAPI()

    @app.get("/large")
    def large() -> Response:
        return Response(b"x" * LARGE)

    @app.get("/slow")
    def slow() -> str:
        began.release()
        go_on.wait(WAIT)
        return "done"

    @app.get("/refused")
    def refused() -> str:
        return "no"

    @app.post("/")
    async def post(request: Request) -> int:
        return len(await request.body())

    ready = Event()
    server = WebServer(app, "127.0.0.1", 0, ready=ready.set)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    assert ready.wait(WAIT)
    yield urlsplit(server.url).port  # that the system has chosen
    go_on.set()
    server.should_exit = True
    thread.join(WAIT)
    assert not thread.is_alive()


@contextmanager
def connected(port, *sent):
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT) as client:
        for text in sent:
            client.sendall(text.encode())
        yield client


def answered(client):
    """The status of the answer; "" if the connection ended without one."""
    with suppress(ConnectionError):
        return client.recv(1000).partition(b" ")[2][:3].decode()
    return ""


def drip(client, text="x"):
    """Send drop by drop until the connection ends; how much was sent."""
    for number in range(200):
        try:
            client.sendall(text.encode())
            client.settimeout(0.05)
            if not client.recv(1):
                return number
        except TimeoutError:
            continue
        except ConnectionError:
            return number
    return None


GET = "GET /refused HTTP/1.1\r\nHost: x\r\n"
POST = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize(
    "begun",
    ["", GET, f"{GET}A: ", POST, f"{GET}\r\n{GET}"],
    ids=["nothing", "head", "header", "body", "second request"],
)
def test_a_request_that_comes_drop_by_drop_ends(port, begun):
    with connected(port, begun) as client:
        if "\r\n\r\n" in begun and begun != POST:
            assert answered(client) == "200"
        assert drip(client) is not None


def test_a_client_that_sends_nothing_at_all_ends(port):
    with connected(port) as client:
        assert answered(client) == ""


def test_a_long_body_may_take_several_periods(port):
    with connected(port, POST) as client:
        for _ in range(10):
            client.sendall(b"x" * 100)
            client.settimeout(0.1)
            with suppress(TimeoutError):
                client.recv(1000, socket.MSG_PEEK)
        client.settimeout(WAIT)
        assert answered(client) == "200"


def test_an_answer_that_nobody_takes_ends(port):
    with connected(port, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n") as client:
        Event().wait(1)  # several periods, in which nothing is read
        taken = 0
        with suppress(ConnectionError):
            while octets := client.recv(1024 * 1024):
                taken += len(octets)
        assert taken < LARGE


def test_the_rest_of_a_request_that_was_answered_ends(port):
    stated = f"{GET}Content-Length: 9999999\r\n\r\n"
    with connected(port, stated) as client:
        assert answered(client) == "200"
        assert drip(client, "x" * 200) is not None


def test_a_client_that_waits_for_us_is_never_too_slow(port, go_on):
    with connected(port, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n") as client:
        client.settimeout(1)
        with pytest.raises(TimeoutError):
            client.recv(1)
        go_on.set()
        client.settimeout(WAIT)
        assert answered(client) == "200"


def test_the_client_that_was_waited_for_longest_makes_room(port, monkeypatch):
    monkeypatch.setattr(connections, "PERIOD", WAIT * 10)
    slow = [socket.create_connection(("127.0.0.1", port), timeout=WAIT) for _ in range(12)]
    for _ in range(3):
        with connected(port, f"{GET}\r\n") as client:
            assert answered(client) == "200"
    assert [answered(client) for client in slow[:9]] == [""] * 9
    for client in slow:
        client.close()


def test_where_nobody_can_make_room_a_client_is_asked_to_come_again(port, began, go_on):
    with ExitStack() as busy:
        for _ in range(3):
            busy.enter_context(connected(port, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"))
            assert began.acquire(timeout=WAIT)
        with connected(port, f"{GET}\r\n") as client:
            assert answered(client) == "503"
        go_on.set()


def test_a_head_that_is_too_long_is_refused(port):
    with connected(port, GET, "A: " + "x" * 70_000) as client:
        assert answered(client) in {"400", ""}


def test_a_long_link_may_come_in_pieces(port):
    link = f"/refused?{'topic=' * 6000}"
    with connected(port, f"GET {link[:20_000]}") as client:
        sleep(0.1)  # so that it is read before the rest comes
        client.sendall(f"{link[20_000:]} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
