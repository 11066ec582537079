"""The fuzzer finds what it is to find: an error that is not documented, and a reader that is slow."""

import re

import pytest
from hypothesis import strategies as st

from tests.fuzz import __main__ as fuzz
from tests.fuzz.common import Reader
from tests.fuzz.mutations import LARGEST, mutated
from tests.fuzz.readers import READERS


def read(octets):
    if b"{" in octets:
        raise KeyError(octets)
    raise ValueError("not of this form")


def test_an_error_that_is_not_documented_is_found_and_made_small(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(fuzz.tempfile, "gettempdir", lambda: str(tmp_path))
    reader = Reader(read, st.binary(max_size=20), (ValueError,))
    assert not fuzz._try("planted", reader, seconds=30)
    assert "planted: KeyError" in capsys.readouterr().out
    assert (tmp_path / "digest-fuzz-planted.txt").read_text() == "b'{'"


def test_a_documented_error_is_borne(capsys):
    reader = Reader(read, st.just(b"x"), (ValueError,))
    assert fuzz._try("planted", reader, seconds=0.01)
    assert re.match(
        r"planted: [1-9]\d* inputs", capsys.readouterr().out
    )  # in that time, on this machine


def test_a_slow_reader_is_found(monkeypatch):
    monkeypatch.setattr(fuzz, "MOST_SECONDS", 0.01)
    with pytest.raises(fuzz.SlowError):
        fuzz.bears(Reader(lambda number: sum(range(number)), st.none()), 3_000_000)


def test_a_sample_is_changed_and_stays_bounded():
    drawn = set()

    def note(octets):
        drawn.add(octets)
        assert len(octets) <= LARGEST

    fuzz._batch(Reader(note, mutated([b"email,topics\nada@example.org,robots\n"])), note, 1)
    assert len(drawn) > 10


@pytest.mark.parametrize("name", READERS)
def test_every_reader_bears_the_first_inputs(name, monkeypatch):
    monkeypatch.setattr(fuzz, "BATCH", 3)
    fuzz._batch(READERS[name], lambda value: fuzz.bears(READERS[name], value), 0)
