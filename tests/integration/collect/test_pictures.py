"""Pictures of papers: fetched within limits from servers that are known, stored and left alone."""

import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from threading import Event

import httpx
import pytest
import structlog

from digest.collect import pictures as pictures_module
from digest.collect.collector import Collector
from digest.collect.pictures import PictureFetcher, collect_pictures
from digest.errors import SourceError
from digest.ledger.locks import holding
from digest.model.papers import Harvest
from digest.model.pictures import WantedPicture
from tests.painting import drawn, file_of
from tests.support import NOW, TODAY, make_sighting

pytestmark = pytest.mark.both_databases

HOUR = timedelta(hours=1)
CDN = "https://cdn-thumbnails.huggingface.co/social-thumbnails/papers"
GOOD = file_of(drawn())


class Sent(httpx.SyncByteStream):
    """A body as it comes over the wire."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def __iter__(self) -> Iterator[bytes]:
        yield self._octets


# A status with the body, or where else to look; or what goes wrong.
Answer = tuple[int, bytes | str] | Exception


def server_of(answers: Mapping[str, Answer], asked: list[str]):
    """A transport that answers by address, and writes down what it was asked."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        found = answers.get(str(request.url), (404, b""))
        if isinstance(found, Exception):
            raise found
        status, what = found
        if isinstance(what, str):
            return httpx.Response(status, headers={"Location": what})
        return httpx.Response(status, stream=Sent(what))

    return httpx.MockTransport(answer)


def picture_of(number: int) -> str:
    return f"{CDN}/2602.{number:05d}.png"


class Desk:
    """A ledger with papers of today, whose pictures are where ``answers`` says."""

    def __init__(self, ledger, papers: int = 3) -> None:
        self.ledger = ledger
        self.asked: list[str] = []
        self.answers: dict[str, Answer] = {picture_of(n): (200, GOOD) for n in range(papers)}
        sightings = [
            make_sighting(n, listed_on=TODAY, picture_url=picture_of(n)) for n in range(papers)
        ]
        Collector(ledger, list, lambda moment: moment.date()).keep(Harvest(tuple(sightings)))

    def collect(self, now=NOW, **limits) -> list[str]:
        """Collect, and return what was asked for."""
        self.asked.clear()
        fetcher = PictureFetcher(timeout=1, transport=server_of(self.answers, self.asked), **limits)
        collect_pictures(self.ledger, fetcher, [TODAY], now)
        return sorted(self.asked)

    def shown(self) -> list[str | None]:
        """Return the names of the pictures of an edition's papers, in order."""
        edition = self.ledger.editions.draft(TODAY, TODAY)
        return [paper.picture and paper.picture.name for paper in edition.candidates]


@pytest.fixture
def desk(ledger) -> Desk:
    return Desk(ledger)


# ---- what is stored ----------------------------------------------------------------------------


def test_pictures_are_fetched_once_and_stand_with_the_papers_of_editions(desk):
    assert desk.shown() == [None] * 3
    assert desk.collect() == [picture_of(n) for n in range(3)]
    name, *others = desk.shown()
    assert others == [name, name], "the same picture, the same address"
    assert desk.collect(NOW + 30 * HOUR) == []
    assert desk.ledger.pictures.large(name).startswith(b"\xff\xd8")
    assert desk.ledger.pictures.small(name).startswith(b"\xff\xd8")
    assert desk.ledger.pictures.large("0" * 32) is None


def test_a_frozen_edition_shows_pictures_that_came_later(desk):
    edition = desk.ledger.editions.freeze(TODAY, TODAY, NOW, (), 14)
    assert edition.candidates[0].picture is None
    desk.collect()
    assert desk.ledger.editions.get(edition.id).candidates[0].picture


def test_a_picture_that_fails_costs_itself_only(desk):
    answers = desk.answers
    answers[picture_of(0)] = (500, b"")
    answers[picture_of(1)] = (200, b"<html>")
    with structlog.testing.capture_logs() as logs:
        desk.collect()
    [told] = logs
    assert told["count"] == 2
    assert [name is not None for name in desk.shown()] == [False, False, True]


def test_a_fault_of_our_own_costs_one_picture_only(desk):
    desk.answers[picture_of(0)] = ZeroDivisionError("what?")
    with structlog.testing.capture_logs() as logs:
        desk.collect()
    assert "ZeroDivisionError" in logs[0]["why"]
    assert [name is not None for name in desk.shown()] == [False, True, True]


def test_one_that_fails_is_asked_for_again_later_and_not_for_ever(desk):
    desk.answers[picture_of(0)] = httpx.ConnectError("no route")
    asked_at = [hour for hour in range(80) if picture_of(0) in desk.collect(NOW + hour * HOUR)]
    assert asked_at == [0, 1, 5, 21]
    assert desk.shown()[0] is None


def test_at_another_address_it_is_asked_for_at_once(desk):
    desk.answers[picture_of(0)] = (404, b"")
    desk.collect()
    elsewhere = picture_of(77)
    seen = make_sighting(0, listed_on=TODAY, picture_url=elsewhere, seen_at=NOW + HOUR / 2)
    Collector(desk.ledger, list, lambda moment: moment.date()).keep(Harvest((seen,)))
    desk.answers[elsewhere] = (200, GOOD)
    assert desk.collect(NOW + HOUR / 2) == [elsewhere]
    assert desk.shown()[0]


def test_only_papers_of_the_days_that_are_collected_have_one_fetched(desk):
    fetcher = PictureFetcher(timeout=1, transport=server_of(desk.answers, desk.asked))
    collect_pictures(desk.ledger, fetcher, [TODAY - timedelta(days=1)], NOW)
    assert desk.asked == []


def test_of_very_many_only_some_are_fetched_at_a_time(desk, monkeypatch):
    monkeypatch.setattr(pictures_module, "MOST", 2)
    assert desk.collect() == [picture_of(1), picture_of(2)]
    assert desk.collect() == [picture_of(0)]


def test_while_another_process_fetches_there_is_nothing_to_do(desk):
    with holding(desk.ledger.engine, "pictures") as is_ours:
        assert is_ours
        assert desk.collect() == []
    assert len(desk.collect()) == 3


def test_a_process_that_is_killed_in_between_leaves_the_rest_for_the_next(desk):
    kept = 0
    keep = desk.ledger.pictures.keep

    def keep_one(*given) -> None:
        nonlocal kept
        if kept == 1:
            raise KeyboardInterrupt
        kept += 1
        keep(*given)

    desk.ledger.pictures.keep = keep_one
    with pytest.raises(KeyboardInterrupt):
        desk.collect()
    desk.ledger.pictures.keep = keep
    assert len(desk.collect()) == 2
    assert all(desk.shown())


def test_old_pictures_are_removed_and_the_papers_stay(desk):
    desk.collect()
    old = desk.ledger.old_rows
    assert old.remove_pictures(NOW) == 0
    assert old.remove_pictures(NOW + HOUR) == 3
    assert desk.shown() == [None] * 3


# ---- which servers are asked --------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn-thumbnails.huggingface.co/a.png",
        "https://huggingface.co.evil.example/a.png",
        "https://evilhuggingface.co/a.png",
        "https://cdn-thumbnails.huggingface.co:8443/a.png",
        "https://ada:pw@cdn-thumbnails.huggingface.co/a.png",
        "https://huggingface.co\\@127.0.0.1/a.png",
        "https://127.0.0.1/a.png",
        "https://[::1]/a.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/a.png",
        "file:///etc/passwd",
        "gopher://huggingface.co/1",
        "https://xn--/a.png",
        "//127.0.0.1/a.png",
        "",
    ],
)
def test_no_other_server_is_asked(url):
    asked: list[str] = []
    fetcher = PictureFetcher(timeout=1, transport=server_of({}, asked))
    with pytest.raises(SourceError):
        fetcher.fetch(url)
    redirect = (302, url or "http://127.0.0.1/")
    fetcher = PictureFetcher(timeout=1, transport=server_of({CDN: redirect}, asked))
    with pytest.raises(SourceError):
        fetcher.fetch(CDN)
    assert asked == [CDN]


def test_a_redirect_to_a_known_server_is_followed_and_not_for_ever():
    asked: list[str] = []
    answers = {
        CDN: (302, "https://cas-bridge.hf.co/a.png"),
        "https://cas-bridge.hf.co/a.png": (200, GOOD),
        "https://hf.co/loop": (307, "/loop"),
    }
    fetcher = PictureFetcher(timeout=1, transport=server_of(answers, asked))
    assert fetcher.fetch(CDN) == GOOD
    asked.clear()
    with pytest.raises(SourceError, match="more than 3 redirects"):
        fetcher.fetch("https://hf.co/loop")
    assert len(asked) == 4


def test_the_operators_mirror_may_be_asked_and_nothing_beside_it():
    asked: list[str] = []
    answers = {"http://mirror.lan:8080/a.png": (200, GOOD)}
    fetcher = PictureFetcher(
        "http://mirror.lan:8080", timeout=1, transport=server_of(answers, asked)
    )
    assert fetcher.fetch("https://mirror.lan:8080/a.png") == GOOD, "as addresses are stored"
    for url in ("http://mirror.lan/a.png", "https://mirror.lan:80/", "http://other.lan:8080/"):
        with pytest.raises(SourceError, match="not known"):
            fetcher.fetch(url)


# ---- servers that mean no good ------------------------------------------------------------------


@pytest.fixture
def serving() -> Iterator[Callable[[Callable], str]]:
    """Serve what a test writes, whatever is asked for; gives the address."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), None) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def serve(write: Callable) -> str:
            class Answer(socketserver.StreamRequestHandler):
                def handle(self) -> None:
                    while self.rfile.readline().strip():
                        pass
                    with suppress(OSError):
                        write(self.wfile)

            server.RequestHandlerClass = Answer
            return f"http://127.0.0.1:{server.server_address[1]}"

        yield serve
        server.shutdown()
        thread.join()


HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


def test_one_that_drips_is_left_in_time(serving, monkeypatch):
    monkeypatch.setattr(pictures_module, "LONGEST", 0.2)

    def drip(out) -> None:
        out.write(HEAD + b"\r\n")
        while True:
            out.write(b"-")
            Event().wait(0.01)

    url = serving(drip)
    with pytest.raises(SourceError, match="did not come"):
        PictureFetcher(url, timeout=5).fetch(f"{url}/a.png")


def test_one_that_says_nothing_is_left_in_time(serving):
    over = Event()
    url = serving(lambda _: over.wait(20))
    try:
        with pytest.raises(SourceError, match="Timeout"):
            PictureFetcher(url, timeout=0.1).fetch(f"{url}/a.png")
    finally:
        over.set()


def test_one_that_does_not_end_is_not_read_to_its_end(serving, monkeypatch):
    monkeypatch.setattr(pictures_module, "LARGEST", 10_000)

    def pour(out) -> None:
        out.write(HEAD + b"\r\n")
        while True:
            out.write(b"-" * 1000)

    url = serving(pour)
    with pytest.raises(SourceError, match="larger than"):
        PictureFetcher(url, timeout=5).fetch(f"{url}/a.png")


def test_what_is_packed_is_not_unpacked(serving):
    url = serving(
        lambda out: out.write(
            HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\0\0"
        )
    )
    assert PictureFetcher(url, timeout=5).fetch(f"{url}/a.png") == b"\x1f\x8b\0\0"


def test_all_together_have_an_end(serving):
    """Servers that never answer do not hold up an edition; their threads are left behind."""
    over = Event()
    url = serving(lambda _: over.wait(20))
    wanted = [WantedPicture(number, f"{url}/{number}.png") for number in range(20)]
    try:
        assert list(PictureFetcher(url, timeout=20).fetch_all(wanted, 0.2)) == []
    finally:
        over.set()


def test_asked_to_stop_it_fetches_nothing_more():
    asked: list[str] = []
    fetcher = PictureFetcher(timeout=1, transport=server_of({}, asked))
    fetcher.stop()
    assert list(fetcher.fetch_all([WantedPicture(1, CDN)], 60)) == []
    assert asked == []
