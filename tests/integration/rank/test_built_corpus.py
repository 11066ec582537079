"""A reference corpus of another field, made from the operator's sources: it counts on day one."""

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from structlog.testing import capture_logs
from typer import Exit

from digest.app.app import App
from digest.cli import corpus as corpus_module
from digest.collect.past import past_papers
from digest.errors import SourceError
from digest.model.digests import Candidate, Section
from digest.model.papers import Harvest, Rejection, Sighting, Signals
from digest.rank.corpora import SHIPPED, ReferenceCorpora, learn, load, save
from digest.rank.index_words import VERSION
from digest.rank.ranker import Ranker
from digest.rank.readers import Limits, Reader
from subscribers.preferences import Strictness
from subscribers.topics import TopicFilter
from tests.biology import FIELDS, biology_papers
from tests.support import NOW, TODAY, make_edition, make_sighting

DAY = timedelta(days=1)
PAPERS = dict(enumerate(biology_papers(500, seed=1)))
TODAYS = biology_papers(40, seed=2)


class Biology:
    """A source with some papers each day, back to its ``first`` day."""

    name = "biology"

    def __init__(self, papers, a_day=20, first=date.min):
        self._papers = list(papers)
        self._a_day = a_day
        self._first = first
        self.asked = []

    def collect(self, days, now):
        self.asked += days
        for day in days:
            if day < self._first:
                raise SourceError("HTTP 410")
            some = (TODAY - day).days * self._a_day
            papers = self._papers[some : some + self._a_day]
            sightings = [Sighting(self.name, now, day, facts) for _, facts in papers]
            yield Harvest(tuple(sightings))


def found(corpus, strictness=Strictness.NORMAL):
    """How many of the day's papers each topic finds, and how many of them are about it."""
    candidates = [
        Candidate(number, f"title:{number}", facts, Signals(), TODAY)
        for number, (_, facts) in enumerate(TODAYS)
    ]
    ranker = Ranker(make_edition(*candidates), corpus, Limits(10, 0, strictness))
    right, wrong = Counter(), Counter()
    for topic in FIELDS:
        digest = ranker.digest(Reader(topics=(TopicFilter(topic),)))
        for pick in digest.picks if digest else ():
            assert pick.section is Section.FOR_YOU
            is_right = TODAYS[pick.candidate.paper_id][0] == topic
            (right if is_right else wrong)[topic] += 1
    return right, wrong


def test_on_day_one_topics_of_another_field_find_their_papers(ledger, tmp_path):
    past = past_papers([Biology(PAPERS.values())], NOW, weeks=12, most=500)
    assert len(past.papers) == 500
    save(learn(past.papers), tmp_path / "built.npz")
    assert (tmp_path / "built.npz").stat().st_size < 2_000_000
    corpus = ReferenceCorpora(ledger.papers, built=tmp_path / "built.npz").current()
    with_its_words, wrong = found(corpus)
    assert with_its_words.total() >= 0.4 * len(TODAYS), "no title names its topic"
    assert not wrong
    right, wrong = found(corpus, Strictness.BROAD)
    assert min(right[topic] for topic in FIELDS) >= 4, "of eight each"
    assert right.total() >= 0.75 * len(TODAYS)
    assert not wrong


def test_the_shipped_one_finds_few_of_them(ledger, tmp_path):
    right, _ = found(ReferenceCorpora(ledger.papers, built=tmp_path / "none.npz").current())
    assert right.total() <= 0.25 * len(TODAYS)


def test_one_that_is_damaged_is_not_used(ledger, tmp_path):
    (tmp_path / "built.npz").write_bytes(b"PK\x03\x04 and no more")
    current = ReferenceCorpora(ledger.papers, built=tmp_path / "built.npz").current()
    assert current.keys == load(SHIPPED).keys


@pytest.mark.parametrize("version", [None, VERSION - 1, VERSION + 1])
def test_one_whose_words_were_read_otherwise_is_not_used(ledger, tmp_path, version):
    built = tmp_path / "built.npz"
    save(learn({f"title:{number}": facts for number, (_, facts) in PAPERS.items()}), built)
    arrays = dict(np.load(built))
    del arrays["version"]
    np.savez(built, **arrays, **({} if version is None else {"version": version}))
    with capture_logs() as logs:
        current = ReferenceCorpora(ledger.papers, built=built).current()
    assert current.keys == load(SHIPPED).keys
    assert "build it anew" in logs[0]["why"]


def test_weeks_are_asked_for_until_there_are_enough():
    source = Biology(PAPERS.values())
    told = []
    past = past_papers([source], NOW, 12, 200, lambda done, of: told.append((done, of)))
    assert len(past.papers) == 280
    assert min(source.asked) == TODAY - 13 * DAY
    assert told == [(0, 200), (140, 200), (280, 200), (200, 200)]


def test_a_source_that_fails_is_asked_no_further_and_told():
    failing, other = Biology([], first=TODAY - 3 * DAY), Biology(PAPERS.values())
    other.name = "other"
    past = past_papers([failing, other], NOW, 3, 1000)
    assert past.failures == {"biology": "HTTP 410"}
    assert len(failing.asked) == 7
    assert len(past.papers) == 420


def test_a_day_that_fails_is_told_as_well():
    class Half(Biology):
        def collect(self, days, now):
            yield Harvest(rejected=(Rejection.of_day("biology", days[0], "HTTP 500"),))

    assert past_papers([Half([])], NOW, 3, 10).failures == {"biology": "HTTP 500"}


def test_papers_without_an_abstract_are_left_out():
    class Bare(Biology):
        def collect(self, days, now):
            yield Harvest((make_sighting(1), make_sighting(2, abstract="")))

    assert set(past_papers([Bare([])], NOW, 1, 10).papers) == {"arxiv:2602.00001"}


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command with a source of its own."""

    def run(source, **options):
        app = App({}, None, home=str(tmp_path))
        monkeypatch.setattr(app, "sources", lambda: [source])
        monkeypatch.setattr(corpus_module, "App", lambda: app)
        monkeypatch.setattr(corpus_module, "utc_now", lambda: NOW)
        corpus_module.build(**options)
        return app

    return run


def test_the_command_makes_the_file_that_is_used(command, capsys):
    app = command(Biology(PAPERS.values()), weeks=4)
    assert "The reference corpus has 500 papers" in capsys.readouterr().out
    assert load(app.built_corpus).size == 500


def test_too_few_papers_are_refused(command, tmp_path, capsys):
    with pytest.raises(Exit):
        command(Biology(PAPERS.values()), weeks=1)
    assert "140 papers with an abstract are too few" in capsys.readouterr().err
    assert not (tmp_path / "reference-corpus.npz").exists()
