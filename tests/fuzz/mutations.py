"""Inputs that are almost right: recorded ones, cut, doubled, swapped and made too large."""

import random
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

LARGEST = 512 * 1024  # octets; what is larger is refused by its reader before it is read
# What has broken readers elsewhere.
SPITEFUL = (
    b"", b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b"\r", b"\r\n", b"\n\n", b"\x1b$B", b"\x85",
    b'"', b"'", b"\\", b"\\u0000", b"\\ud800", b"{{", b"}}", b"<", b"</", b"<!--", b"]]>", b"&#0;",
    b"&#x110000;", b"&nbsp;", b"%00", b"%", b"=?utf-8?q?=00?=", b"=?idna?q?x?=", b"null", b"true",
    b"-1", b"1e999", b"NaN", b"9" * 5000, b"-0", b"0000-00-00", b"9999-12-31T23:59:59-23:59",
    b"1000000000000000000000", b"(" * 300, b"[" * 3000, b'{"a":' * 3000, b"{" * 300, b"$" * 99,
    b"<a>" * 3000, b" " * 9000, b"a" * 70_000, b"@" * 500, b"a@" * 2000, b"." * 3000, b"- " * 2000,
    b"\xe2\x80\xae", b"\xcc\x81" * 500, b"\xf0\x9f\x91\xa9\xe2\x80\x8d" * 100, b"\\" * 999,
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" * 50, b"=\r\n" * 900, b"\t;" * 500,
)  # fmt: skip

Mutation = Callable[[bytes, int, random.Random], bytes]


def _cut(octets: bytes, at: int, chance: random.Random) -> bytes:
    return (
        octets[: at + 1]
        if chance.random() < 0.3
        else octets[:at] + octets[_after(octets, at, chance) :]
    )


def _double(octets: bytes, at: int, chance: random.Random) -> bytes:
    part = octets[at : _after(octets, at, chance)]
    return octets[:at] + part * chance.choice((2, 2, 3, 50, 1000)) + octets[at:]


def _swap(octets: bytes, at: int, chance: random.Random) -> bytes:
    to = _after(octets, at, chance)
    beyond = _after(octets, to, chance)
    return octets[:at] + octets[to:beyond] + octets[at:to] + octets[beyond:]


def _flip(octets: bytes, at: int, chance: random.Random) -> bytes:
    return octets[:at] + bytes([chance.randrange(256)]) + octets[at + 1 :]


def _insert(octets: bytes, at: int, chance: random.Random) -> bytes:
    return octets[:at] + chance.choice(SPITEFUL) + octets[at:]


def _replace(octets: bytes, at: int, chance: random.Random) -> bytes:
    return octets[:at] + chance.choice(SPITEFUL) + octets[_after(octets, at, chance) :]


def _replace_word(octets: bytes, at: int, chance: random.Random) -> bytes:
    """Put something else where a word or a number is, so that the form around it stays whole."""
    begin = end = at
    while begin > 0 and octets[begin - 1 : begin].isalnum():
        begin -= 1
    while end < len(octets) and octets[end : end + 1].isalnum():
        end += 1
    return octets[:begin] + chance.choice(SPITEFUL) + octets[end:]


MUTATIONS: tuple[Mutation, ...] = (
    _cut, _double, _swap, _flip, _insert, _replace, _replace_word, _replace_word,
)  # fmt: skip


def _after(octets: bytes, at: int, chance: random.Random) -> int:
    """Return the end of a part that begins here: some octets, a line, or many."""
    return min(len(octets), at + chance.choice((1, 2, 8, 40, 200, 5000)))


@st.composite
def mutated(draw: st.DrawFn, samples: Sequence[bytes]) -> bytes:
    """Draw one of the samples, with up to eight changes."""
    octets = draw(st.sampled_from(list(samples)))
    # Few draws for many octets: Hypothesis then tries more, and shrinks to fewer changes.
    for seed in draw(st.lists(st.integers(0, 2**32 - 1), max_size=8)):
        chance = random.Random(seed)
        at = chance.randrange(len(octets) + 1)
        octets = chance.choice(MUTATIONS)(octets, at, chance)[:LARGEST]
    return octets


def mutated_text(samples: Sequence[str]) -> st.SearchStrategy[str]:
    """Draw a text that is almost one of the samples, or any other."""
    octets = mutated([sample.encode(errors="surrogatepass") for sample in samples])
    return octets.map(lambda it: it.decode(errors="replace")) | st.text(max_size=400)
