"""The program as a person has it: a folder, an environment, and the command."""

import asyncio
import io
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from digest.cli.main import main

# The mail servers of the integration tests serve here too.
from tests.integration.conftest import (  # noqa: F401
    authority,
    good_certificate,
    new_sqlite,
    smtp_server,
    start_smtp,
    stranger,
)
from tests.support import SENDING

PATIENCE = 60  # seconds that a command may take to start or to stop


@dataclass(frozen=True)
class Done:
    """The end of a command, and its output."""

    returncode: int
    stdout: str
    stderr: str


class _Text(io.TextIOWrapper):
    """A standard stream that keeps what is written, as text or as octets."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")

    @property
    def written(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode()


class _Keyboard(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@contextmanager
def outside_of_loops() -> Iterator[None]:
    """Leave the event loop that Playwright runs tests in, because a command may begin its own."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


@dataclass
class Person:
    """Somebody at a shell in an empty folder. ``settings`` are their environment."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, given: str = "", at_a_terminal: bool = False) -> Done:
        """Run `digest WORDS` with a text on standard input, or typed at a terminal.

        In this process, because a hundred starts take minutes.
        """
        stdout, stderr = _Text(), _Text()
        with pytest.MonkeyPatch.context() as patch, outside_of_loops():
            patch.chdir(self.folder)
            patch.setattr(os, "environ", self._environment())
            patch.setattr(sys, "argv", ["digest", *words])
            stdin = (_Keyboard if at_a_terminal else io.TextIOWrapper)(io.BytesIO(given.encode()))
            patch.setattr(sys, "stdin", stdin)
            patch.setattr(sys, "stdout", stdout)
            patch.setattr(sys, "stderr", stderr)
            umask_before = os.umask(0o022)
            try:
                main()
            except SystemExit as end:
                return Done(int(end.code or 0), stdout.written, stderr.written)
            finally:
                os.umask(umask_before)
        return Done(0, stdout.written, stderr.written)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `digest WORDS` as a process of its own, whose standard error can be read."""
        return subprocess.Popen(
            [sys.executable, "-m", "digest", *words],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def digest(self, *words: str) -> str:
        """Return what `digest WORDS` prints; it must succeed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def digest_json(self, *words: str) -> Any:
        return json.loads(self.digest(*words, "--json"))

    def fails(self, *words: str) -> str:
        """Return the standard error of `digest WORDS`, which must fail."""
        done = self.run(*words)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return " ".join(done.stderr.split())

    def mailbox(self) -> list[Path]:
        return sorted((self.folder / "var" / "outbox").glob("*.eml"))

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DIGEST_")}
        return {**kept, "COLUMNS": "100", **self.settings}


@pytest.fixture
def newcomer(tmp_path: Path) -> Person:
    """Nothing is set."""
    return Person(tmp_path)


def operator_in(folder: Path) -> Person:
    """Everything that sending needs is set; mail goes into a folder."""
    named = {f"DIGEST_{name.rstrip('_').upper()}": value for name, value in SENDING.items()}
    return Person(folder, named)


@pytest.fixture
def operator(tmp_path: Path, new_sqlite: Path) -> Person:  # noqa: F811  the fixture
    """The database is there already, and nothing in it: to make it takes a while."""
    return operator_with(new_sqlite, tmp_path)


def operator_with(database: Path, folder: Path) -> Person:
    """The cache is beside the database, for all who begin with it: to build templates takes a while."""
    cache = database.with_name("cache")
    cache.mkdir(exist_ok=True)
    (folder / "var").mkdir()
    (folder / "var" / "cache").symlink_to(cache)
    shutil.copy(database, folder / "var" / "digest.sqlite3")
    return operator_in(folder)


@pytest.fixture(scope="module")  # while it runs, no other event loop can in this thread
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@dataclass
class Api:
    """A server that answers like Hugging Face's API: ``days`` holds the entries of each day."""

    url: str
    days: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            query = parse_qs(urlsplit(self.path).query)
            entries = served.days.get(query["date"][0], []) if query["p"][0] == "0" else []
            body = json.dumps(entries).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Api(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield served
        server.shutdown()
        thread.join()


def entry(number: int, title: str, **paper: Any) -> dict[str, Any]:
    """An entry of the API, of an invented paper."""
    return {
        "paper": {
            "id": f"2602.{number:05d}",
            "title": title,
            "summary": f"Invented abstract number {number}. It says little. It says no more.",
            "authors": [{"name": "Ada Lovelace", "hidden": False}, {"name": "Émilie du Châtelet"}],
            "publishedAt": "2026-02-19T00:00:00.000Z",
            "upvotes": number,
            **paper,
        },
        "title": title,
        "numComments": 1,
    }


Start = Callable[..., subprocess.Popen[str]]


@contextmanager
def starting() -> Iterator[Start]:
    """Start commands that run on, wait for a sign of each, and stop them all at the end."""
    running: list[subprocess.Popen[str]] = []

    def start_and_wait(person: Person, *words: str, sign: str) -> subprocess.Popen[str]:
        process = person.start(*words)
        running.append(process)
        lines = []
        for line in process.stderr:
            lines.append(line)
            if sign in line:
                return process
        raise AssertionError(f"it ended without saying {sign!r}, but: {lines}")

    yield start_and_wait
    for process in running:
        process.terminate()
        process.wait(PATIENCE)
        process.stderr.close()


@pytest.fixture
def start() -> Iterator[Start]:
    with starting() as start:
        yield start


@pytest.fixture(scope="module")
def start_for_all() -> Iterator[Start]:
    """Do the same for all tests of a module."""
    with starting() as start:
        yield start
