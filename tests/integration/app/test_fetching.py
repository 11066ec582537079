"""What is fetched from Amazon SNS has an end in time and size."""

import socketserver
import threading
from contextlib import suppress
from time import sleep

import pytest

from digest.app import web

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


def drip(out):
    with suppress(OSError):
        while True:
            out.write(b"-")
            sleep(0.02)


@pytest.fixture
def address():
    """Serves what a test says over HTTP, whatever is asked for; gives its URL."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), None) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def serve(say, head=HEAD):
            class Answer(socketserver.StreamRequestHandler):
                def handle(self):
                    while self.rfile.readline().strip():
                        pass
                    self.wfile.write(head)
                    say(self.wfile)

            server.RequestHandlerClass = Answer
            return f"http://127.0.0.1:{server.server_address[1]}/certificate.pem"

        yield serve
        server.shutdown()
        thread.join()


def test_a_certificate_is_fetched(address):
    assert web._fetched(address(lambda out: out.write(b"-----BEGIN"))) == b"-----BEGIN"


def test_a_server_that_drips_is_left_in_time(address, monkeypatch):
    monkeypatch.setattr(web, "LONGEST_FETCH", 0.1)
    with pytest.raises(ValueError, match="takes too long"):
        web._fetched(address(drip))


def test_an_answer_that_is_too_large_is_not_read_to_its_end(address):
    with pytest.raises(ValueError, match="too large"):
        web._fetched(address(lambda out: out.write(b"x" * (web.LARGEST_FETCHED + 1))))


def test_an_answer_that_is_none_is_a_value_error(address):
    with pytest.raises(ValueError, match="404"):
        web._fetched(
            address(lambda _: None, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        )
