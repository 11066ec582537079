"""Embeddings are kept, and made again where that is needed."""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from digest.rank import embedding_store
from digest.rank.embedding_store import SHORTEST, EmbeddingStore

LONG = "a paper of some length " * 20


class Counting:
    """Stands in for a model, and remembers what it was asked."""

    name = "counting"

    def __init__(self, fingerprint: str = "f") -> None:
        self.fingerprint = fingerprint
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        rows = np.array([[len(t), sum(map(ord, t)) % 97, 1] for t in texts], np.float32)
        rows = rows.reshape(len(texts), 3 if len(texts) else 0)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)


def paper(number: int) -> str:
    return f"{number} {LONG}"


def test_papers_are_embedded_once(tmp_path):
    model = Counting()
    store = EmbeddingStore(model, tmp_path)
    first = store([paper(1), paper(2), paper(1)])
    assert model.asked == [paper(1), paper(2)]
    assert first.dtype == np.float32
    assert np.array_equal(first[0], first[2])
    second = store([paper(2), paper(3)])
    assert model.asked == [paper(1), paper(2), paper(3)]
    assert np.array_equal(second[0], first[1])


def test_and_by_the_next_process_as_well(tmp_path):
    first = EmbeddingStore(Counting(), tmp_path / "home")([paper(1), paper(2)])
    model = Counting()
    assert np.array_equal(
        EmbeddingStore(model, tmp_path / "home")([paper(2), paper(1)]), first[::-1]
    )
    assert model.asked == []
    assert [each.name for each in (tmp_path / "home").iterdir()] == ["embeddings-counting.npz"]


def test_a_changed_text_is_embedded_anew(tmp_path):
    EmbeddingStore(Counting(), tmp_path)([paper(1)])
    model = Counting()
    EmbeddingStore(model, tmp_path)([paper(1) + "!"])
    assert model.asked == [paper(1) + "!"]


def test_another_model_of_that_name_makes_its_own(tmp_path):
    EmbeddingStore(Counting(), tmp_path)([paper(1)])
    other = Counting("another")
    EmbeddingStore(other, tmp_path)([paper(1)])
    assert other.asked == [paper(1)]


def test_what_readers_type_is_not_kept(tmp_path):
    EmbeddingStore(Counting(), tmp_path)(["x" * (SHORTEST - 1)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"no archive", b"PK\x03\x04 cut off"], ids=["empty", "text", "cut"]
)
def test_a_broken_file_is_made_anew(tmp_path, content):
    path = tmp_path / "embeddings-counting.npz"
    path.write_bytes(content)
    model = Counting()
    made = EmbeddingStore(model, tmp_path)([paper(1)])
    assert model.asked == [paper(1)]
    again = Counting()
    assert np.array_equal(EmbeddingStore(again, tmp_path)([paper(1)]), made)
    assert again.asked == []


def test_a_file_that_was_cut_off_anywhere_is_made_anew(tmp_path):
    path = tmp_path / "embeddings-counting.npz"
    EmbeddingStore(Counting(), tmp_path)([paper(1)])
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        assert len(EmbeddingStore(Counting(), tmp_path)([paper(1)])) == 1


def test_a_file_of_another_shape_is_made_anew(tmp_path):
    path = tmp_path / "embeddings-counting.npz"
    np.savez(
        path, model=np.array("f"), keys=np.zeros(5, np.uint8), rows=np.zeros((2, 3), np.float16)
    )
    model = Counting()
    EmbeddingStore(model, tmp_path)([paper(1)])
    assert model.asked == [paper(1)]


def test_a_folder_that_cannot_be_written_is_no_hindrance(tmp_path):
    (tmp_path / "home").write_text("a file stands where the folder should be")
    assert EmbeddingStore(Counting(), tmp_path / "home")([paper(1)]).shape == (1, 3)


def test_what_was_used_longest_ago_is_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(embedding_store, "MOST", 3)
    store = EmbeddingStore(Counting(), tmp_path)
    store([paper(1), paper(2), paper(3)])
    store([paper(1), paper(4)])
    model = Counting()
    EmbeddingStore(model, tmp_path)([paper(1), paper(3), paper(4), paper(2)])
    assert model.asked == [paper(2)]


def test_more_than_are_kept_are_answered_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(embedding_store, "MOST", 2)
    monkeypatch.setattr(embedding_store, "_BLOCK", 2)
    assert EmbeddingStore(Counting(), tmp_path)([paper(n) for n in range(7)]).shape == (7, 3)


def test_who_stops_in_between_has_what_was_made(tmp_path, monkeypatch):
    monkeypatch.setattr(embedding_store, "_BLOCK", 2)
    stopping = Counting()

    def embed(texts):
        if paper(2) in texts:
            raise KeyboardInterrupt
        return Counting.embed(stopping, texts)

    model = SimpleNamespace(name="counting", fingerprint="f", embed=embed)
    with pytest.raises(KeyboardInterrupt):
        EmbeddingStore(model, tmp_path)([paper(n) for n in range(4)])
    again = Counting()
    EmbeddingStore(again, tmp_path)([paper(n) for n in range(4)])
    assert again.asked == [paper(2), paper(3)]
