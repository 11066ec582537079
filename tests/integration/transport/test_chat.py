"""Digests in chat rooms: what services get, and what their answers mean."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from digest.deliver.transport.chat import ChatTransport
from digest.errors import SettingError
from digest.model.messages import Envelope, Message, OutcomeKind

TEXT = "**Robots** · [A paper](https://arxiv.org/abs/1)"
MESSAGE = Message(
    Envelope("a@example.org", "b@example.org"),
    "<abc@example.org>",
    f"Subject: 1 for you\r\nMessage-ID: <abc@example.org>\r\nContent-Type: text/plain; "
    f"charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{TEXT}\r\n".encode(),
)


class Room:
    """A service on this machine: ``status`` is its answer, None: it hangs up."""

    def __init__(self, port: int) -> None:
        self.url = f"json://127.0.0.1:{port}/room"
        self.status: int | None = 200
        self.posts: list[dict[str, str]] = []


@pytest.fixture
def room() -> Iterator[Room]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            served.posts.append(json.loads(body))
            if served.status is not None:
                self.send_response(served.status)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Room(server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield served
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, OutcomeKind.ACCEPTED),
        (403, OutcomeKind.DEFERRED),
        (500, OutcomeKind.DEFERRED),
        (None, OutcomeKind.UNCERTAIN),
    ],
)
def test_what_a_room_answers(room: Room, status: int | None, kind: OutcomeKind) -> None:
    room.status = status
    with ChatTransport(room.url) as transport:
        outcome = transport.send(MESSAGE)
    assert outcome.kind is kind, outcome
    assert (room.posts[0]["title"], room.posts[0]["message"]) == ("1 for you", TEXT)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "hooks.slack.com"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "discord.com"),
        ("matrixs://user:token@matrix.example.org/#room?mode=slack", "matrix.example.org"),
    ],
)
def test_the_forms_of_known_services(url: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[requests.PreparedRequest] = []

    def take(_self: object, request: requests.PreparedRequest, **_: object) -> requests.Response:
        sent.append(request)
        response = requests.Response()
        response.status_code, response._content, response.request = 200, b"ok", request
        return response

    monkeypatch.setattr(HTTPAdapter, "send", take)
    assert ChatTransport(url).send(MESSAGE).kind is OutcomeKind.ACCEPTED
    assert all(f"//{host}" in str(request.url) for request in sent)
    body = sent[-1].body
    said = body.decode() if isinstance(body, bytes) else str(body)
    assert "https://arxiv.org/abs/1" in said
    assert "1 for you" in said


def test_a_folder_gets_markdown_and_the_same_message_once(tmp_path: Path) -> None:
    transport = ChatTransport((tmp_path / "digests").as_uri())
    assert transport.send(MESSAGE).kind is OutcomeKind.ACCEPTED
    assert transport.send(MESSAGE).kind is OutcomeKind.ACCEPTED
    (file,) = (tmp_path / "digests").iterdir()
    assert (file.name, file.read_text()) == ("abc.md", f"# 1 for you\n\n{TEXT}\n")


def test_what_no_service_has_is_refused_without_its_secrets() -> None:
    with pytest.raises(SettingError, match="Apprise cannot read") as error:
        ChatTransport("nobody://secret@token")
    assert "secret" not in str(error.value)
