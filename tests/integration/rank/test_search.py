"""Searching what was collected: what is found, in which order, and what the index must not lose."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from digest.collect.merge import keys_of, merge
from digest.ledger.search_index import SearchIndex
from digest.model.papers import Signals
from digest.model.search import SearchOrder, SearchQuery
from digest.rank.index_words import VERSION, index_words
from digest.rank.search import MOST_RANKED, PAGE, Search
from subscribers.errors import TopicError
from subscribers.topics import TopicFilter
from tests.support import TODAY, make_corpus, make_sighting

pytestmark = pytest.mark.both_databases


def collect(ledger, *numbers, index=True, **facts):
    sightings = [make_sighting(number, **facts) for number in numbers]
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))
    if index:
        ledger.search_index.catch_up(VERSION, index_words)


def found(search, typed, **asked):
    query = SearchQuery(TopicFilter.parse(typed), **asked)
    return [pick.candidate.facts.title for pick in search.find(query).picks]


@pytest.fixture(params=[True, False], ids=["indexed", "not indexed"])
def index(request):
    return request.param


@pytest.fixture
def search(ledger):
    return Search(ledger, make_corpus)


def test_papers_of_all_times_are_found_best_first(ledger, search, index):
    collect(ledger, 1, index=index, title="Ducks", abstract="Ducks on ponds.")
    collect(ledger, 2, index=index, title="Robots", abstract="They fold shirts.")
    collect(
        ledger, 3, index=index, title="Ponds", abstract="Ducks dive.", listed_on=date(2023, 5, 4)
    )
    picks = search.find(SearchQuery(TopicFilter.parse("ducks"))).picks
    assert {pick.candidate.facts.title for pick in picks} == {"Ducks", "Ponds"}
    assert picks[0].match.score >= picks[1].match.score
    assert picks[0].match.reason.topic == "ducks"


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("ducks -geese", {"Ducks"}),
        ("ducks upvotes>5", {"Ducks and Geese"}),
        ("ducks comments>5", set()),
        ("ducks stars<5", {"Ducks"}),
        ("title:geese", {"Ducks and Geese"}),
        ("robots title:ducks", set()),
        ('"ducks on ponds"', {"Ducks", "Ducks and Geese"}),
        ('"ponds on ducks"', set()),
        ('"on"', {"Ducks", "Ducks and Geese"}),
        ("author:Kwak", {"Ducks"}),
        ('author:"F. Kwak"', {"Ducks"}),
        ('author:"Kwak, Frida"', {"Ducks"}),
        ('author:"G Kwak"', set()),
        ('author:"Kwak" OR title:geese', {"Ducks", "Ducks and Geese"}),
        ('NOT author:"Kwak"', {"Ducks and Geese"}),
        ('org:"Pond Institute"', {"Ducks"}),
        ("org:MIT", {"Ducks and Geese"}),
        ("org:Elsewhere", set()),
        ("code:yes", {"Ducks"}),
        ("cat:cs.CL", {"Ducks and Geese"}),
        ("keyword:birds", {"Ducks and Geese"}),
        ("title:ducks OR title:geese", {"Ducks", "Ducks and Geese"}),
    ],
)
def test_what_a_filter_restricts_to(ledger, search, index, typed, titles):
    collect(
        ledger, 1, index=index, title="Ducks", abstract="Ducks on ponds.", upvotes=1,
        signals=Signals(upvotes=1, stars=3), authors=("Frida Kwak", "Ö. Ørsted"),
        organisation="The Pond Institute", code_url="https://github.com/kwak/ducks",
    )  # fmt: skip
    collect(
        ledger, 2, index=index, title="Ducks and Geese", abstract="Ducks on ponds.", upvotes=9,
        organisation="Massachusetts Institute of Technology", categories=("cs.CL",),
        keywords=("birds",),
    )  # fmt: skip
    assert set(found(search, typed)) == titles


def test_between_days_and_in_three_orders(ledger, search):
    for number, (day, upvotes, title) in enumerate(
        [
            (3, 5, "Ducks on a pond"),
            (2, 50, "Ducks, ducks, ducks"),
            (1, 20, "A pond and its ducks"),
        ],
        1,
    ):
        listed_on = date(2025, 1, day)
        collect(
            ledger, number, title=title, abstract="Ducks.", upvotes=upvotes, listed_on=listed_on
        )
    newest = ["Ducks on a pond", "Ducks, ducks, ducks", "A pond and its ducks"]
    assert found(search, "ducks", order=SearchOrder.NEWEST) == newest
    by_votes = [newest[1], newest[2], newest[0]]
    assert found(search, "ducks", order=SearchOrder.VOTES) == by_votes
    assert found(search, "code:no") == by_votes  # nothing to rank by
    collect(ledger, 1, title=newest[0], abstract="Ducks.", upvotes=60, listed_on=date(2025, 1, 3))
    assert found(search, "ducks", order=SearchOrder.VOTES) == [newest[0], newest[1], newest[2]]
    second = date(2025, 1, 2)
    assert set(found(search, "ducks", first=second)) == {newest[0], newest[1]}
    assert set(found(search, "ducks", last=second)) == {newest[1], newest[2]}
    assert found(search, "ducks", first=second, last=second) == [newest[1]]
    assert found(search, "ducks", first=TODAY) == []


def test_without_papers_nothing_is_found(search):
    assert search.find(SearchQuery(TopicFilter.parse("ducks"))).total == 0


def test_pages_are_parts_of_one_list(ledger, search):
    collect(ledger, *range(1, 2 * PAGE + 4), abstract="Ducks on ponds.")
    query = SearchQuery(TopicFilter.parse("ducks"))
    every = search.find(query, 0, 100)
    assert every.total == len(every.picks) == 2 * PAGE + 3
    assert not every.is_cut
    parts = [pick for start in (0, PAGE, 2 * PAGE) for pick in search.find(query, start).picks]
    assert [pick.candidate.key for pick in parts] == [pick.candidate.key for pick in every.picks]


def test_of_too_many_papers_the_most_promising_are_ranked(ledger):
    collect(ledger, *range(1, 9), abstract="Ducks on ponds.")
    collect(ledger, 9, title="Ducks, ducks and ducks", abstract="Ducks on ponds.")
    few = Search(ledger, make_corpus, most_ranked=3)
    some = few.find(SearchQuery(TopicFilter.parse("ducks")))
    assert (some.total, some.is_cut) == (3, True)
    assert some.picks[0].candidate.facts.title == "Ducks, ducks and ducks"
    assert MOST_RANKED >= 1000


def test_an_unreadable_filter_is_refused():
    with pytest.raises(TopicError):
        TopicFilter.parse("(ducks")


def test_what_changes_is_seen_at_once(ledger, search):
    collect(ledger, 1, title="Ducks", abstract="They dive.")
    assert found(search, "ducks") == ["Ducks"]
    collect(ledger, 2, title="More ducks", abstract="They dive.", index=False)
    assert set(found(search, "ducks")) == {"Ducks", "More ducks"}
    collect(ledger, 1, title="Robots", abstract="They fold shirts.")  # the paper was revised
    assert found(search, "ducks") == ["More ducks"]
    assert found(search, "robots") == ["Robots"]
    collect(ledger, 2, title="More ducks", abstract="They dive.", upvotes=50)
    [pick] = search.find(SearchQuery(TopicFilter.parse("ducks"))).picks
    assert pick.candidate.signals.upvotes == 50


def test_a_revised_paper_is_found_by_its_new_words_and_not_by_the_old(ledger):
    index = ledger.search_index
    collect(ledger, 1, title="Ducks", abstract="They dive.", authors=("Frida Kwak",))
    assert len(index.having("duck")) == len(index.having("@kwak")) == 1
    collect(ledger, 1, title="Robots", abstract="They fold.", authors=("Jane Doe",), index=False)
    assert index.unread(VERSION, 9) == index.having("duck")
    assert index.catch_up(VERSION, index_words) == 1
    assert index.having("duck") == index.having("@kwak") == []
    assert len(index.having("robot")) == len(index.having("@doe")) == 1
    assert index.unread(VERSION, 9) == []
    assert index.catch_up(VERSION, index_words) == 0


def test_another_version_reads_all_papers_again(ledger):
    collect(ledger, 1, 2, title="Ducks")
    assert ledger.search_index.catch_up(VERSION + 1, lambda facts: ["other"]) == 2
    assert ledger.search_index.having("duck") == []
    assert len(ledger.search_index.having("other")) == 2


def test_without_fts5_the_newest_papers_are_ranked(ledger, search, monkeypatch):
    monkeypatch.setattr("digest.ledger.search_index._FTS5", "CREATE VIRTUAL TABLE x USING fts0(y)")
    collect(ledger, 1, title="Ducks", abstract="They dive.")
    if ledger.engine.dialect.name == "sqlite":
        assert not ledger.search_index.exists()
        assert len(ledger.search_index.unread(VERSION, 9)) == 1
    assert found(search, "ducks") == ["Ducks"]


def test_an_index_that_was_lost_is_made_anew(ledger, search):
    collect(ledger, 1, 2, title="Ducks", abstract="They dive.")
    sqlite = ledger.engine.dialect.name == "sqlite"
    lost = "DROP TABLE paper_search" if sqlite else "DROP INDEX ix_paper_words_search"
    with ledger.engine.begin() as connection:
        connection.execute(text(lost))
    collect(ledger, 3, title="Ducks of old", abstract="They dive.")
    assert len(ledger.search_index.having("duck")) == 3


HOSTILE = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        ['"', "'", '" OR *', "AND", "NEAR(a b)", "a*", "^a", "{words}: a", "a:b", "\0", "a\0b", "-",
         "\\", "\\'", "'; DROP TABLE papers; --", "🦆", "模型", "a & !b", "<->", "x" * 5000, "%s", ":x"]
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def word_index(tmp_path_factory):
    from digest.ledger.database import ensure_current, open_database
    from digest.ledger.ledger import Ledger

    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('index') / 'digest.sqlite3'}")
    ensure_current(engine)
    collect(Ledger(engine), 1, title="Ducks 🦆 模型", abstract="a b words or near not and c++")
    yield SearchIndex(engine)
    engine.dispose()


@given(word=HOSTILE)
def test_no_word_is_read_as_more_than_a_word(word_index, word):
    """Neither FTS5's operators nor quotation marks mean anything in a word."""
    found = word_index.having(word)
    assert found in ([], [1])


@pytest.mark.parametrize("word", ['"', "NEAR(a b)", "a\0b", "\\'", "🦆", "x" * 5000, "'"])
def test_no_word_is_too_strange_for_either_database(ledger, word):
    collect(ledger, 1, title="Ducks")
    assert ledger.search_index.having(word) == []
    ledger.search_index.catch_up(VERSION + 1, lambda facts: [word, "ducks"])
    assert len(ledger.search_index.having("ducks")) == 1


@given(typed=st.one_of(HOSTILE, st.text(max_size=200)))
def test_whatever_is_typed_is_searched_for_or_refused(word_index, typed):
    try:
        topic = TopicFilter.parse(typed)
    except TopicError:
        return
    from digest.ledger.ledger import Ledger

    Search(Ledger(word_index._engine), make_corpus).find(SearchQuery(topic))
