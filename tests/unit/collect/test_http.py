"""Asking the web politely: attempts, waiting, conditional requests, kept answers."""

import gzip
import re
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from digest.collect import http as http_module
from digest.collect.http import LONGEST_WAIT, Http, Throttle, asked_to_wait
from digest.collect.snapshots import Answer, Snapshots
from digest.errors import SourceError, Stopped
from tests.support import NOW, SleepingClock

URL = "https://source.example/papers"


# ---- how long the server asks us to stay away ---------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 0 "}, 0),
        ({"retry-after": "Fri, 20 Feb 2026 08:01:30 GMT"}, 90),
        ({"retry-after": "Fri, 20 Feb 2026 07:00:00 GMT"}, 0),
        ({"retry-after": "Fri, 20 Feb 2026 09:01:30 +0100"}, 90),
        # "-0000" is a time of no known zone (RFC 5322 section 3.3).
        ({"retry-after": "Fri, 20 Feb 2026 08:01:30 -0000"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "Mon, 99999999999999999999 Feb 2026 00:00:00 GMT"}, None),
        ({"ratelimit": '"default";r=0;t=30'}, 30),
        ({"ratelimit": "limit=100, remaining=0, reset=45"}, 45),
        ({"ratelimit": '"default";r=12;t=30'}, None),
        ({"ratelimit": '"default";r=0'}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "20"}, 20),
        ({"ratelimit-remaining": "3", "ratelimit-reset": "20"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "later"}, None),
        ({"retry-after": "7", "ratelimit": '"default";r=0;t=30'}, 7),
    ],
)
def test_what_the_server_asks_for(headers, seconds):
    assert asked_to_wait(headers, NOW) == seconds


date_like = st.lists(
    st.sampled_from("Fri, 20 Feb 2026 08:01 :30 GMT +0100 -0000 99999999999 0 . ; r=0 t=5".split()),
    max_size=8,
).map(" ".join)


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "ratelimit", "ratelimit-remaining", "ratelimit-reset"]),
        st.text() | date_like,
    )
)
@example({"retry-after": "9" * 400})
def test_whatever_the_server_says_we_wait_no_less_than_nothing(headers):
    seconds = asked_to_wait(headers, NOW)
    assert seconds is None or seconds >= 0


# ---- asking -------------------------------------------------------------------------------------


class Web:
    """Answers one after the other, the last one for ever; keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(
            answer.status_code, headers=answer.headers, content=answer.content, request=request
        )


def ok(text: str = "papers", **headers: str) -> httpx.Response:
    return httpx.Response(200, text=text, headers=headers)


class Client:
    """The web client under test, and how long it slept."""

    def __init__(self, folder: Path, web: Callable, attempts: int = 4) -> None:
        self.slept: list[float] = []
        self.http = Http(
            Snapshots(folder),
            timeout=1,
            attempts=attempts,
            transport=httpx.MockTransport(web),
            sleep=self.slept.append,
        )


def test_an_answer(tmp_path):
    web = Web(ok())
    client = Client(tmp_path, web)
    assert client.http.get(URL, {"a": "x", "b": "ü"}) == Answer(
        f"{URL}?a=x&b=%C3%BC", 200, b"papers"
    )
    assert client.slept == []
    client.http.close()


def test_told_to_stop_it_waits_no_longer_and_asks_nothing_more(tmp_path):
    asked = []

    def web(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        http.stop()
        return httpx.Response(503, headers={"Retry-After": "100"})

    http = Http(Snapshots(tmp_path), timeout=1, attempts=4, transport=httpx.MockTransport(web))
    for _ in range(2):
        with pytest.raises(Stopped, match=re.escape(f"before {URL} had answered")):
            http.get(URL)
    assert len(asked) == 1


def test_the_user_agent_names_the_project(tmp_path):
    web = Web(ok())
    Client(tmp_path, web).http.get(URL)
    assert web.asked[0].headers["User-Agent"].startswith(f"paper-digest/{version('paper-digest')}")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(tmp_path, status):
    web = Web(httpx.Response(status), ok())
    client = Client(tmp_path, web)
    assert client.http.get(URL).body == b"papers"
    assert len(web.asked) == 2
    assert len(client.slept) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_a_plain_no_is_an_answer(tmp_path, status):
    web = Web(httpx.Response(status, text="no"))
    client = Client(tmp_path, web)
    assert client.http.get(URL) == Answer(URL, status, b"no")
    assert len(web.asked) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(tmp_path, status):
    web = Web(httpx.Response(status, headers={"Retry-After": "17"}), ok())
    client = Client(tmp_path, web)
    client.http.get(URL)
    assert client.slept == [17]


def test_retry_after_as_a_date_is_honoured(tmp_path):
    long_ago = format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)
    web = Web(httpx.Response(503, headers={"Retry-After": long_ago}), ok())
    client = Client(tmp_path, web)
    client.http.get(URL)
    assert client.slept == [0]


def test_no_server_makes_us_wait_for_ever(tmp_path):
    web = Web(httpx.Response(429, headers={"Retry-After": "9" * 30}), ok())
    client = Client(tmp_path, web)
    client.http.get(URL)
    assert client.slept == [LONGEST_WAIT]


def test_without_a_word_from_the_server_the_waiting_grows(tmp_path):
    client = Client(tmp_path, Web(httpx.Response(503)), attempts=6)
    with pytest.raises(SourceError):
        client.http.get(URL)
    # Doubling from 1 second up to 30, with up to 1 second of jitter.
    for slept, least in zip(client.slept, [1, 2, 4, 8, 16], strict=True):
        assert least <= slept <= least + 1


def test_giving_up_names_the_address_and_the_status(tmp_path):
    web = Web(httpx.Response(503))
    with pytest.raises(SourceError) as caught:
        Client(tmp_path, web).http.get(URL, {"p": "1"})
    assert str(caught.value) == f"{URL}?p=1: HTTP 503 after 4 attempts"
    assert len(web.asked) == 4


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_transport_errors_are_tried_again(tmp_path, kind):
    web = Web(kind("line is down"), ok())
    client = Client(tmp_path, web)
    assert client.http.get(URL).body == b"papers"
    assert len(client.slept) == 1


def test_giving_up_after_transport_errors_names_the_address_and_the_fault(tmp_path):
    web = Web(httpx.ConnectError("line is down"))
    with pytest.raises(SourceError, match="ConnectError: line is down") as caught:
        Client(tmp_path, web).http.get(URL)
    assert str(caught.value).startswith(URL)
    assert len(web.asked) == 4


def test_one_attempt_is_one_attempt(tmp_path):
    web = Web(httpx.Response(503))
    client = Client(tmp_path, web, attempts=1)
    with pytest.raises(SourceError):
        client.http.get(URL)
    assert (len(web.asked), client.slept) == (1, [])


def test_a_ring_of_redirects_is_an_error(tmp_path):
    web = Web(httpx.Response(302, headers={"Location": URL}))
    with pytest.raises(SourceError, match="TooManyRedirects"):
        Client(tmp_path, web).http.get(URL)


def test_a_redirect_is_followed(tmp_path):
    web = Web(httpx.Response(302, headers={"Location": f"{URL}/new"}), ok())
    assert Client(tmp_path, web).http.get(URL) == Answer(URL, 200, b"papers")


PRIVATE = [
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://169.254.169.254/latest",
    "http://10.1.2.3:8080/",
    "http://[::ffff:127.0.0.1]/",
    "http://0.0.0.0/",
    "http://inside.example/",
]


@pytest.fixture
def _names(monkeypatch):
    def look_up(host: str, *_: object, **__: object) -> list:
        of_names = {"source.example": "93.184.215.14", "inside.example": "192.168.0.7"}
        address = of_names.get(host, host)
        return [(None, None, None, "", (address.strip("[]"), 0))]

    monkeypatch.setattr(http_module.socket, "getaddrinfo", look_up)


@pytest.mark.usefixtures("_names")
@pytest.mark.parametrize("target", PRIVATE)
def test_a_redirect_into_a_private_network_is_refused(tmp_path, target):
    web = Web(httpx.Response(302, headers={"Location": target}), ok("a secret"))
    with pytest.raises(SourceError, match=r"source\.example redirects to the private address"):
        Client(tmp_path, web).http.get(URL)
    assert len(web.asked) == 1


@pytest.mark.usefixtures("_names")
def test_a_source_in_a_private_network_may_redirect_there(tmp_path):
    web = Web(httpx.Response(302, headers={"Location": "http://127.0.0.1/new"}), ok())
    assert Client(tmp_path, web).http.get("http://inside.example/").body == b"papers"


def test_an_answer_that_drips_is_left_when_its_time_is_over(tmp_path):
    clock = SleepingClock()
    dripped = []

    class Drip(httpx.SyncByteStream):
        def __iter__(self):
            for _ in range(10_000):
                clock.sleep(1)
                dripped.append(1)
                yield b"x"

    http = Http(
        Snapshots(tmp_path),
        timeout=5,
        attempts=4,
        transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=Drip())),
        clock=clock,
    )
    with pytest.raises(SourceError, match="no whole answer in 120 seconds") as caught:
        http.get(URL)
    assert str(caught.value).startswith(URL)
    assert len(dripped) == http_module.LONGEST_ANSWER + 1


def raw(body: bytes, encoding: str) -> httpx.Response:
    return httpx.Response(
        200, headers={"Content-Encoding": encoding}, stream=httpx.ByteStream(body)
    )


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate", "br", "gzip,gzip,gzip"])
def test_an_encoding_that_nobody_asked_for_is_refused(tmp_path, encoding):
    packed = gzip.compress(gzip.compress(b"papers"))
    with pytest.raises(SourceError, match="unknown Content-Encoding"):
        Client(tmp_path, lambda _: raw(packed, encoding)).http.get(URL)


def test_an_answer_is_unpacked_no_further_than_is_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(http_module, "LARGEST_ANSWER", 1_000_000)
    packed = gzip.compress(bytes(200_000_000))
    client = Client(tmp_path, lambda request: raw(packed, "gzip"))
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="larger than 1000000 bytes"):
            client.http.get(URL)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("spoil", [lambda p: p[:-9], lambda p: p[:9], lambda p: b"no" + p])
def test_an_answer_that_cannot_be_unpacked_is_an_error(tmp_path, spoil):
    packed = spoil(gzip.compress(b"papers" * 100))
    with pytest.raises(SourceError, match="cannot be unpacked"):
        Client(tmp_path, lambda request: raw(packed, "gzip")).http.get(URL)


def test_an_answer_that_is_too_large_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(http_module, "LARGEST_ANSWER", 10)
    web = Web(ok("x" * 11))
    with pytest.raises(SourceError, match="larger than 10 bytes") as caught:
        Client(tmp_path, web).http.get(URL)
    assert str(caught.value).startswith(URL)
    assert len(web.asked) == 1
    assert Client(tmp_path, Web(ok("x" * 10))).http.get(URL).body == b"x" * 10


def test_each_attempt_waits_for_its_turn(tmp_path):
    waits = []

    class Turns(Throttle):
        def wait(self) -> None:
            waits.append(1)

    Client(tmp_path, Web(httpx.Response(503), ok())).http.get(URL, throttle=Turns(3))
    assert len(waits) == 2


def test_asking_again_is_logged(tmp_path):
    with structlog.testing.capture_logs() as logs:
        Client(tmp_path, Web(httpx.Response(503), ok())).http.get(URL)
    assert [(log["log_level"], log["url"], log["met"]) for log in logs] == [
        ("warning", URL, "HTTP 503")
    ]


# ---- conditional requests and kept answers ------------------------------------------------------


def test_an_unchanged_answer_comes_from_the_last_time(tmp_path):
    first = {"ETag": '"e1"', "Last-Modified": "Fri, 20 Feb 2026 07:00:00 GMT"}
    web = Web(ok("kept", **first), httpx.Response(304), ok("fresh"))
    assert Client(tmp_path, web).http.get(URL).body == b"kept"
    # Another client: the answer is kept in the folder, not in memory.
    client = Client(tmp_path, web)
    assert client.http.get(URL) == Answer(URL, 200, b"kept", *first.values())
    assert client.http.get(URL).body == b"fresh"
    assert "If-None-Match" not in web.asked[0].headers
    assert "If-Modified-Since" not in web.asked[0].headers
    for again in web.asked[1:]:
        assert again.headers["If-None-Match"] == '"e1"'
        assert again.headers["If-Modified-Since"] == "Fri, 20 Feb 2026 07:00:00 GMT"


def test_a_fresh_answer_replaces_the_kept_one(tmp_path):
    web = Web(ok("old", ETag='"e1"'), ok("new", ETag='"e2"'), httpx.Response(304))
    http = Client(tmp_path, web).http
    assert [http.get(URL).body for _ in range(3)] == [b"old", b"new", b"new"]
    assert web.asked[2].headers["If-None-Match"] == '"e2"'


def test_without_an_etag_nothing_is_conditional(tmp_path):
    web = Web(ok(), ok())
    http = Client(tmp_path, web).http
    http.get(URL)
    http.get(URL)
    assert "If-None-Match" not in web.asked[1].headers
    assert "If-Modified-Since" not in web.asked[1].headers


def test_each_address_is_kept_by_itself(tmp_path):
    web = Web(ok("one", ETag='"e1"'), ok("two"))
    http = Client(tmp_path, web).http
    http.get(URL, {"p": "0"})
    http.get(URL, {"p": "1"})
    assert "If-None-Match" not in web.asked[1].headers


def test_a_refusal_is_not_kept(tmp_path):
    web = Web(ok("good", ETag='"e1"'), httpx.Response(404, headers={"ETag": '"e2"'}), ok())
    http = Client(tmp_path, web).http
    for _ in range(3):
        http.get(URL)
    assert web.asked[2].headers["If-None-Match"] == '"e1"'


def test_a_304_that_nobody_asked_for_is_passed_on(tmp_path):
    assert Client(tmp_path, Web(httpx.Response(304))).http.get(URL).status == 304


def test_a_packed_answer_is_unpacked_once(tmp_path):
    # MockTransport hands the bytes on as they are, so they are packed here as a server would.
    packed = gzip.compress(b"papers")

    def web(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=packed)

    assert Client(tmp_path, web).http.get(URL).body == b"papers"
    assert Snapshots(tmp_path).load(URL).body == b"papers"


KEPT = Answer(URL, 200, bytes(range(256)) * 20, '"e1"')


def kept_file(folder: Path) -> Path:
    Snapshots(folder).save(KEPT)
    (path,) = folder.rglob("*.gz")
    return path


def test_a_snapshot_comes_back_as_it_was(tmp_path):
    path = kept_file(tmp_path)
    assert Snapshots(tmp_path).load(URL) == KEPT
    assert path.parent.name == "source.example"
    assert list(path.parent.iterdir()) == [path]


def test_an_address_cannot_leave_the_folder(tmp_path):
    folder = tmp_path / "raw"
    Snapshots(folder).save(Answer("https://../../x/../../y", 200, b""))
    Snapshots(folder).save(Answer("no address", 200, b""))
    assert [each.name for each in tmp_path.iterdir()] == ["raw"]


@pytest.mark.parametrize(
    "content",
    [b"", b"not packed", b"\x1f\x8b", b"[]", b"{}", b'{"body": null}', b'{"body": "!"}', b"\xff"],
)
@pytest.mark.parametrize("packed", [True, False])
def test_a_corrupt_snapshot_is_ignored(tmp_path, content, packed):
    kept_file(tmp_path).write_bytes(gzip.compress(content) if packed else content)
    web = Web(ok())
    assert Client(tmp_path, web).http.get(URL).body == b"papers"
    assert "If-None-Match" not in web.asked[0].headers


def test_a_snapshot_damaged_anywhere_is_ignored_or_whole(tmp_path):
    path = kept_file(tmp_path)
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        assert Snapshots(tmp_path).load(URL) in {None, KEPT}
        path.write_bytes(whole[:position])
        assert Snapshots(tmp_path).load(URL) is None


# ---- the interval between requests --------------------------------------------------------------


def test_the_first_request_does_not_wait():
    clock = SleepingClock()
    Throttle(3, clock=clock, sleep=clock.sleep).wait()
    assert clock.slept == []


def test_requests_start_at_least_an_interval_apart():
    clock = SleepingClock()
    throttle = Throttle(3, clock=clock, sleep=clock.sleep)
    starts = []
    for working in (0.0, 1.0, 2.5, 3.0, 10.0, 0.5):
        throttle.wait()
        starts.append(clock.now)
        clock.now += working
    assert starts == [100, 103, 106, 109, 112, 122]
    assert clock.slept == [3, 2, 0.5]


def test_an_answer_that_cannot_be_kept_is_not_lost(tmp_path):
    in_the_way = tmp_path / "raw"
    in_the_way.write_text("a file where the folder should be")
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=b"papers"))
    http = Http(Snapshots(in_the_way), timeout=1, attempts=1, transport=transport)
    assert http.get(URL).body == b"papers"
