"""The reference corpus: shipped, learned from what was collected, saved and read again."""

import numpy as np
import pytest

from digest.cli.make_corpus import read_recorded
from digest.collect.merge import keys_of, merge
from digest.rank import corpora, reference_corpus
from digest.rank.corpora import SHIPPED, ReferenceCorpora, learn, load, save
from digest.rank.matching import Matching, Topic
from tests.support import make_facts, make_sighting
from tests.unit.rank.test_meaning import BROAD, CANDIDATES, MEANT, embed, known_papers


def collect(ledger, numbers, **facts):
    sightings = [make_sighting(number, **facts) for number in numbers]
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))


def test_the_shipped_one_is_large_enough_and_holds_no_texts():
    shipped = load(SHIPPED)
    assert shipped.size >= 500
    assert shipped.abbreviations["RLHF"] == "reinforcement learning from human feedback"
    assert max(len(word.split()) for word in shipped.words) == 2, "or whole sentences could be read"


def test_a_saved_one_is_the_same(tmp_path):
    made = learn({f"arxiv:{n}": make_facts(n, title=f"On birds and bees {n}") for n in range(9)})
    save(made, tmp_path / "some.npz")
    again = load(tmp_path / "some.npz")
    assert (again.keys, again.words) == (made.keys, made.words)
    assert (again.counts != made.counts).nnz == 0
    assert np.allclose(again.papers.positions, made.papers.positions)


def test_until_enough_is_collected_it_is_the_shipped_one(ledger, monkeypatch):
    monkeypatch.setattr(corpora, "ENOUGH", 3)
    current = ReferenceCorpora(ledger.papers).current
    assert current().keys == load(SHIPPED).keys
    collect(ledger, [1, 2])
    assert current().keys == load(SHIPPED).keys
    collect(ledger, [3])
    assert current().keys == ("arxiv:2602.00001", "arxiv:2602.00002", "arxiv:2602.00003")


@pytest.mark.parametrize("is_built", [True, False])
def test_a_model_has_its_embeddings_on_the_first_day(ledger, monkeypatch, tmp_path, is_built):
    path = tmp_path / "corpus.npz"
    save(learn(known_papers(), embed), path, embed)
    if not is_built:
        monkeypatch.setattr(corpora, "SHIPPED", path)
    built = path if is_built else None
    corpus = ReferenceCorpora(ledger.papers, embed, built=built).current()
    found = Matching(corpus, CANDIDATES, embed=embed).match([Topic(MEANT)]).scores[0]
    assert found.argmax() == 0
    assert found[0] >= BROAD
    assert ReferenceCorpora(ledger.papers, built=built).current().embeddings is None


def test_it_is_made_once_until_papers_come(ledger, monkeypatch):
    monkeypatch.setattr(corpora, "ENOUGH", 1)
    monkeypatch.setattr(corpora, "MOST", 2)
    current = ReferenceCorpora(ledger.papers).current
    collect(ledger, [1, 2])
    first = current()
    assert current() is first
    collect(ledger, [3])
    assert current().keys == ("arxiv:2602.00002", "arxiv:2602.00003"), "the newest"


def test_papers_without_an_abstract_say_too_little(ledger, monkeypatch):
    monkeypatch.setattr(corpora, "ENOUGH", 1)
    collect(ledger, [1], abstract="")
    assert ReferenceCorpora(ledger.papers).current().keys == load(SHIPPED).keys


@pytest.fixture
def axes_of(ledger, monkeypatch, tmp_path):
    """The axes as a new process has them, and whether it computed them."""
    monkeypatch.setattr(corpora, "ENOUGH", 3)
    computed = []

    def counted(papers):
        computed.append(papers)
        return compute_axes(papers)

    compute_axes = reference_corpus._axes
    monkeypatch.setattr(reference_corpus, "_axes", counted)

    def axes_of(folder=tmp_path / "cache"):
        computed.clear()
        axes = ReferenceCorpora(ledger.papers, cache=folder).current().axes
        return axes, bool(computed)

    collect(ledger, range(1, 40))
    return axes_of


def test_the_axes_are_computed_once_and_then_read_to_the_bit(axes_of, tmp_path):
    made, computed = axes_of()
    assert computed
    read, computed = axes_of()
    assert not computed
    assert (read.dtype, read.shape) == (made.dtype, made.shape)
    assert read.tobytes() == made.tobytes()
    [file] = (tmp_path / "cache").iterdir()
    assert file.stat().st_mode & 0o077 == 0


def test_axes_of_other_papers_are_computed_anew_in_the_same_file(axes_of, ledger, tmp_path):
    before, _ = axes_of()
    collect(ledger, [50], title="Zebras and quaggas")
    after, computed = axes_of()
    assert computed
    assert after.shape != before.shape
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert not axes_of()[1]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-4],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: content.replace(b"\n", b"", 1),
    ],
    ids=["empty", "cut off", "one bit", "no first line"],
)
def test_axes_in_a_damaged_file_are_computed_anew(axes_of, tmp_path, damage):
    made, _ = axes_of()
    [file] = (tmp_path / "cache").iterdir()
    file.write_bytes(damage(file.read_bytes()))
    again, computed = axes_of()
    assert computed
    assert (again == made).all()
    assert not axes_of()[1], "the file was mended"


def test_axes_that_cannot_be_kept_are_computed_each_time(axes_of, tmp_path):
    (tmp_path / "file").touch()
    assert axes_of(tmp_path / "file" / "cache")[1]
    assert axes_of(tmp_path / "file" / "cache")[1]


@pytest.mark.parametrize("folder", ["hf_daily"])
def test_it_is_made_anew_from_recorded_answers(corpus, folder):
    recorded = read_recorded([corpus / folder])
    assert len(recorded) > 500
