"""Hugging Face's service on this machine: each day has papers, which say what day they are of."""

import json
from collections.abc import Callable
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

HOST = "127.0.0.1"


class PapersServer:
    """``papers_of`` gives the entries of a day, as the service does; unless it ``rests``."""

    def __init__(self, papers_of: Callable[[date], list[dict[str, Any]]]) -> None:
        self.asked: list[date] = []
        self.rests = False
        self.picture = b""  # what is at every address that ends in .png

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805
                if handler.path.endswith(".png"):
                    handler.send_response(200)
                    handler.send_header("Content-Length", str(len(self.picture)))
                    handler.end_headers()
                    handler.wfile.write(self.picture)
                    return
                asked = parse_qs(urlsplit(handler.path).query)
                day = date.fromisoformat(asked["date"][0])
                self.asked.append(day)
                entries = papers_of(day) if asked["p"] == ["0"] else []
                body = json.dumps(entries).encode()
                handler.send_response(503 if self.rests else 200)
                handler.send_header("Retry-After", "100")  # means nothing with a 200
                handler.send_header("Content-Type", "application/json")
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="papers")

    @property
    def url(self) -> str:
        """For DIGEST_HUGGINGFACE_URL."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


def some_papers(day: date, count: int = 8) -> list[dict[str, Any]]:
    """Another few each day."""
    first = day.toordinal() % 9000 * 10
    return [
        {
            "title": f"Ducks of {day}, part {number}",
            "numComments": number,
            "paper": {
                "id": f"2602.{first + number:05d}",
                "title": f"Ducks of {day}, part {number}",
                "summary": "We let ducks swim on ponds. They swim well.",
                "authors": [{"name": "Ada Duck"}],
                "upvotes": 3 * number,
                "publishedAt": f"{day}T00:00:00.000Z",
                "submittedOnDailyAt": f"{day}T01:00:00.000Z",
            },
        }
        for number in range(count)
    ]
