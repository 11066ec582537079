"""A server that speaks the protocol of a language model: chat completions, without streaming."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass
class ModelServer:
    """What is answered, and what was asked.

    ``answer`` makes an answer of the texts of a request: a text, or a body as it is, with its
    status. A slow server answers when ``released`` is set.
    """

    answer: Callable[[str, str], Any]
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    released: Event = field(default_factory=Event)
    url: str = ""

    def texts(self) -> list[str]:
        return [request["messages"][1]["content"] for request in self.asked]


def completion(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 400, "completion_tokens": 50, "total_tokens": 450},
        }
    ).encode()


@contextmanager
def model_server(answer: Callable[[str, str], Any], *, slow: bool = False) -> Iterator[ModelServer]:
    model = ModelServer(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.asked.append(request)
            model.keys.append(self.headers.get("Authorization"))
            if slow:
                model.released.wait(10)
            said = model.answer(*(message["content"] for message in request["messages"]))
            status, body, headers = (200, completion(said), {}) if isinstance(said, str) else said
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", headers.get("X-Length", str(len(body))))
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # nobody waits for it any longer
                return

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        try:
            yield model
        finally:
            model.released.set()
            server.shutdown()
            thread.join()
