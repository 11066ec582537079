"""No mail whatever raises, or costs more than a moment."""

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.inbound.report import Kind
from digest.inbound.report_reader import read_report
from tests.unit.inbound.test_report_forms import MAILS

HEAD = b"From: MAILER-DAEMON@example.net\nTo: us@example.com\nSubject: Undelivered mail\n"
TEN_MB = 10_000_000
SECONDS = 20  # a quadratic step takes minutes; a busy machine takes some of these
MEGABYTES = 60

FORMS = [path.read_bytes() for path in sorted(MAILS.iterdir())]
LINES = [
    b"@", b"a@", b"<", b"a.", b" ", b"fail ", b"could not ", b"user unknown ", b".,", b"5.1.1 ",
    b"rcpt to:", b"u@x.org ", b">", b"(", b'"a', b"host.host.", b"a b c copy of ", b"=?",
    b">>> rcpt to: ", b"user x ", b"user not ", b'{"a":', b"[",
]  # fmt: skip


def huge(line, kind=b"", octets=TEN_MB):
    full = line * (990 // len(line)) + b"\n"
    return HEAD + kind + b"\n" + full * (octets // len(full))


def seconds_for(content):
    begun = time.process_time()
    read_report(content)
    return time.process_time() - begun


@pytest.mark.parametrize("line", LINES, ids=repr)
@pytest.mark.parametrize(
    ("octets", "seconds"),
    [(TEN_MB // 100, SECONDS / 5), pytest.param(TEN_MB, SECONDS, marks=pytest.mark.long)],
)
def test_much_of_anything_is_read_in_a_moment(line, octets, seconds):
    assert seconds_for(huge(line, octets=octets)) < seconds


def test_ten_megabytes_of_everything_are_read_in_a_moment():
    assert seconds_for(huge(b"".join(LINES))) < SECONDS


@pytest.mark.parametrize(
    "content",
    [
        HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(50_000)),
        HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(59)) + b"a\n" * 400_000,
        HEAD + b"Content-Type: message/rfc822\n\n" * 50_000,
        HEAD + b"Content-Type: multipart/mixed" + b";a" * 400_000 + b"\n\n",
        HEAD + b"Content-Type: multipart/mixed" + b"\n ;a" * 400_000 + b"\n\n",
        HEAD + b"Content-Type: text/plain; charset=punycode\n\n" + b"a-b" * 400_000,
        HEAD + b"X-Failed-Recipients: " + b"a@b.example, " * 400_000 + b"\n\n",
        HEAD + b"\n" + b"".join(b"u%d@example.org: 550 no such user\n" % n for n in range(100_000)),
        huge(b"<p ", b"Content-Type: text/html\n"),
        huge(b"<!-- <style> ", b"Content-Type: text/html\n"),
        HEAD + b"\nada@example.org failed\n>>> rcpt to:" + b" " * 290 + (b"\n" + b" " * 590) * 20_000,
        HEAD.replace(b"MAILER-DAEMON@example.net", b"a@sns.amazonaws.com") + b"\n" + b'{"a":[' * 2_000_000,
    ],
    ids=range(12),
)  # fmt: skip
def test_a_bomb_does_not_go_off(content):
    assert seconds_for(content) < SECONDS


def test_what_is_nested_too_deep_says_nothing():
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(500)
    )
    assert (
        read_report(HEAD + deep + b"\nada@example.org: 550 5.1.1 no such user\n").kind
        is Kind.UNKNOWN
    )


def test_a_huge_mail_costs_little_memory():
    content = (
        HEAD + b"\nNot delivered:\n\nada@example.org: 550 5.1.1 nobody\n" + b"x" * 70 * 150_000
    )
    tracemalloc.start()
    try:
        report = read_report(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.kind is Kind.HARD
    assert peak < MEGABYTES * 1_000_000


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\0" * 1000, b"\xff\xfe" * 500, b":\n:\n", b"From: \n\n\n"]
)
def test_what_is_no_mail_is_unknown(content):
    assert read_report(content).kind is Kind.UNKNOWN


@given(st.binary(max_size=400))
def test_no_octets_raise(content):
    read_report(content)
    read_report(HEAD + b"\n" + content)
    read_report(HEAD + content)


@given(st.sampled_from(FORMS), st.data())
def test_no_damage_to_a_report_raises(content, data):
    at = data.draw(st.integers(0, len(content)))
    to = data.draw(st.integers(at, len(content)))
    read_report(content[:at] + data.draw(st.binary(max_size=20)) + content[to:])


@given(st.sampled_from(["unknown-8bit", "idna", "rot13", "undefined", "utf-7", "a\0b", "utf-16"]))
def test_no_charset_raises(name):
    kind = f'Content-Type: text/plain; charset="{name}"\n\n'.encode()
    read_report(HEAD + kind + b"ada@example.org: 550 +AGE- no such user \xff\n")
