"""Papers and topics as JSON lines: what is read, what is refused by name, and what comes out."""

import json
import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model.digests import Reason
from digest.model.papers import Facts, Signals
from digest.rank.matching import Topic
from digest.rank.rank_files import rank, read_papers, read_topics, reason_text
from digest.rank.readers import THRESHOLDS
from subscribers.preferences import Strictness
from tests.support import make_corpus

NORMAL = THRESHOLDS[Strictness.NORMAL]

DUCKS = {"id": "d1", "title": "Ducks", "abstract": "Ducks on ponds."}
DIVING = {"id": "d2", "title": "Diving", "abstract": "Young ducks dive in water.", "upvotes": 9}
ROBOTS = {"id": "r", "title": "A Robot", "abstract": "It folds shirts with two arms."}
PAPERS = [DUCKS, DIVING, ROBOTS]
OLD = {
    "o1": Facts("Geese", abstract="Geese graze on grass."),
    "o2": Facts("Geese in Flight", abstract="Geese fly over the sea."),
}


def lines(records):
    return [record if isinstance(record, str) else json.dumps(record) for record in records]


def papers_of(*records):
    found, rejected = read_papers(lines(records), "papers.jsonl")
    assert rejected == []
    return found


def topics_of(*records):
    found, rejected = read_topics(lines(records), "topics.jsonl")
    assert rejected == []
    return found


def ranked(topics, papers=PAPERS, **options):
    candidates = papers_of(*papers)
    known = OLD | {candidate.key: candidate.facts for candidate in candidates}
    return list(rank(topics_of(*topics), candidates, make_corpus(), known, NORMAL, **options))


def refusals(read, *records):
    """Where lines were left out, and why; the rest must have been kept."""
    good = {"id": "good", "title": "Kept", "filter": "kept"}
    found, rejected = read(lines([*records, good]), "some.jsonl")
    assert len(found) == 1
    assert {each.file for each in rejected} == {"some.jsonl"}
    return [(each.where, each.why) for each in rejected]


# ---- what is read --------------------------------------------------------------------------------


def test_a_paper_has_what_its_line_says():
    [paper] = papers_of(
        {
            "id": "2602.00001",
            "title": "On $\\alpha$ <b>Ducks</b>",
            "abstract": "One.\nTwo.",
            "authors": ["Ada Lovelace", "", None],
            "keywords": ["ducks"],
            "categories": ["cs.CL"],
            "published": "2026-02-19T00:00:00Z",
            "organisation": "Analytical Engines",
            "code": "http://code.example/ducks",
            "upvotes": 57,
            "comments": 0,
            "stars": None,
            "colour": "green",
        }
    )
    assert paper.key == "2602.00001"
    assert paper.facts == Facts(
        "On α Ducks",
        abstract="One. Two.",
        authors=("Ada Lovelace",),
        keywords=("ducks",),
        categories=("cs.CL",),
        published_on=date(2026, 2, 19),
        organisation="Analytical Engines",
        code_url="https://code.example/ducks",
    )
    assert paper.signals == Signals(upvotes=57, comments=0)


def test_an_id_and_a_title_are_enough():
    [paper] = papers_of({"id": 7, "title": "Ducks"})
    assert (paper.key, paper.facts, paper.signals) == ("7", Facts("Ducks"), Signals())


@pytest.mark.parametrize("count", [None, "57", 5.7, True, [57], {}])
def test_what_is_no_count_is_not_known(count):
    [paper] = papers_of({**DUCKS, "upvotes": count})
    assert paper.signals == Signals()


@pytest.mark.parametrize(
    "given", ["2602.00001", "https://x.example/ü", "強化", " a b ", 0, -7, 10**40]
)
def test_an_id_of_any_kind_comes_back_as_text(given):
    [record] = ranked([{"id": given, "filter": "ducks"}], [{**DUCKS, "id": given}])
    assert record["topic"] == str(given)
    assert [each["id"] for each in record["ranking"]] == [str(given)]


def test_of_two_papers_with_one_id_the_later_counts():
    [paper] = papers_of({**DUCKS, "title": "Old"}, {**DUCKS, "title": "New"})
    assert paper.facts.title == "New"
    [paper] = papers_of({**DUCKS, "id": "7", "title": "B"}, {**DUCKS, "id": 7, "title": "A"})
    assert paper.facts.title == "A"


def test_topics_stay_in_the_order_of_their_lines():
    found = topics_of(
        {"id": "b", "filter": "  world   models "},
        "",
        {"id": "a", "likes": ["x", 7, "x"]},
        {"id": "b", "filter": "ducks", "likes": ["y"]},
    )
    assert [each.id for each in found] == ["b", "a", "b"]
    assert [each.topic for each in found] == [
        Topic("world models"),
        Topic(likes=("x", "7")),
        Topic("ducks", ("y",)),
    ]


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("not JSON", "not JSON"),
        ("[1]", "not a JSON object"),
        ('"id"', "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"id": "a"', "not JSON"),
        ("[" * 100_000, ""),
        ({"title": "No id"}, "expected an id"),
        ({"id": None, "title": "T"}, "expected an id"),
        ({"id": "", "title": "T"}, "expected an id"),
        ({"id": ["a"], "title": "T"}, "expected an id"),
        ({"id": 1.5, "title": "T"}, "expected an id"),
        ('{"id": "\\ud800", "title": "T"}', "surrogates"),  # which nobody could print
        ({"id": "a", "title": "T", "authors": "Ada"}, "authors: expected a list"),
        ({"id": "a", "title": "T", "keywords": {"a": 1}}, "keywords: expected a list"),
        ({"id": "a", "title": "T", "published": "yesterday"}, "yesterday"),
    ],
    ids=range(15),
)
def test_a_paper_that_cannot_be_read_is_named_and_the_rest_kept(line, why):
    [(where, said)] = refusals(read_papers, "", line)
    assert where == "line 2"
    assert why in said


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{}", "expected a filter, or a list of likes"),
        ({"id": "a", "filter": "", "likes": []}, "expected a filter, or a list of likes"),
        ({"id": "a", "likes": "x"}, "expected a filter, or a list of likes"),
        ({"filter": "ducks"}, "expected an id"),
        ({"id": "a", "filter": "!!"}, "a topic needs at least one word"),
        ({"id": "a", "filter": 'ducks "and'}, "column 7: expected a closing quotation mark"),
        ({"id": "a", "filter": "x" * 201}, "at most 200 characters"),
        ({"id": "a", "filter": "a\u0000b"}, "U+0000"),
    ],
    ids=range(8),
)
def test_a_topic_that_cannot_be_read_is_named_and_the_rest_kept(line, why):
    [(where, said)] = refusals(read_topics, line)
    assert where == "line 1"
    assert why in said


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)
fields = (
    "id title abstract authors keywords categories published code organisation upvotes filter likes"
).split()
records = st.dictionaries(st.sampled_from(fields), json_values, max_size=6)


@given(st.lists(records | st.text(), max_size=4), st.sampled_from([read_papers, read_topics]))
def test_each_line_is_read_or_named(given, read):
    typed = [line for line in lines(given) if "\n" not in line]
    found, rejected = read(typed, "f")
    told = sum(bool(line.strip()) for line in typed)
    assert len(rejected) <= told
    if read is read_topics:
        assert len(found) + len(rejected) == told


# ---- what comes out ------------------------------------------------------------------------------


def test_a_line_for_each_topic_has_what_fits_the_best_first():
    ducks, robots = ranked([{"id": 1, "filter": "ducks"}, {"id": 2, "filter": "robots"}])
    assert (ducks["topic"], robots["topic"]) == ("1", "2")
    assert {duck["id"] for duck in ducks["ranking"]} == {"d1", "d2"}
    assert [robot["id"] for robot in robots["ranking"]] == ["r"]
    for record in (ducks, robots):
        scores = [each["score"] for each in record["ranking"]]
        assert scores == sorted(scores, reverse=True)
        assert all(NORMAL <= score <= 1 for score in scores)
        assert all(each["reason"] for each in record["ranking"])


def test_a_topic_that_nothing_fits_has_a_line_as_well():
    assert ranked([{"id": "x", "filter": "medieval poetry"}]) == [{"topic": "x", "ranking": []}]


def test_everything_is_every_paper_once_and_those_that_fit_first():
    topics = [
        {"id": n, "filter": typed}
        for n, typed in enumerate(["ducks", "medieval poetry", "ducks -ponds", "upvotes>=9", "the"])
    ]
    few, many = ranked(topics), ranked(topics, everything=True)
    for some, every in zip(few, many, strict=True):
        assert sorted(each["id"] for each in every["ranking"]) == ["d1", "d2", "r"]
        assert every["ranking"][: len(some["ranking"])] == some["ranking"]
        rest = every["ranking"][len(some["ranking"]) :]
        assert all(each["reason"] == "" and each["score"] < NORMAL for each in rest)
        scores = [each["score"] for each in every["ranking"]]
        assert scores == sorted(scores, reverse=True)


def test_of_equal_scores_votes_decide_and_then_the_id():
    alike = [{**DUCKS, "id": name} for name in "cab"]
    [record] = ranked(
        [{"id": 1, "filter": "ducks"}],
        [*alike, {**DUCKS, "id": "z", "upvotes": 3}, DIVING | {"upvotes": 1}],
    )
    assert [each["id"] for each in record["ranking"] if each["id"] != "d2"] == ["z", "a", "b", "c"]


def test_the_order_of_the_lines_changes_nothing():
    topics = [{"id": n, "filter": typed} for n, typed in enumerate(["ducks", "robots", "water"])]
    papers = [*PAPERS, {**DUCKS, "id": "twin"}, {**DIVING, "id": "other twin"}]
    expected = ranked(topics, papers, everything=True)
    for seed in range(5):
        shuffled = random.Random(seed).sample(papers, len(papers))
        assert ranked(topics, shuffled, everything=True) == expected


def test_likes_are_looked_up_among_all_known_papers():
    geese = {"id": "g", "title": "Over the Sea", "abstract": "Where geese fly, and graze on grass."}
    topics = [
        {"id": "old", "likes": ["o1", "o2"]},
        {"id": "of the day", "likes": ["d1"]},
        {"id": "unknown", "likes": ["nobody"]},
    ]
    old, of_the_day, unknown = ranked(topics, [*PAPERS, geese])
    assert [each["id"] for each in old["ranking"]] == ["g"]
    assert old["ranking"][0]["reason"] in ('like "Geese"', 'like "Geese in Flight"')
    assert of_the_day["ranking"][0] | {"score": 1} == {
        "id": "d1",
        "score": 1,
        "reason": 'like "Ducks"',
    }
    assert unknown["ranking"] == []


@pytest.mark.parametrize("count", [-1, 0, 2**63, 10**30])
def test_any_number_of_votes_is_a_number(count):
    [record] = ranked([{"id": 1, "filter": "ducks"}], [{**DUCKS, "upvotes": count}, DIVING])
    assert {each["id"] for each in record["ranking"]} == {"d1", "d2"}


@pytest.mark.parametrize("everything", [False, True])
def test_without_papers_each_topic_has_an_empty_line(everything):
    found = ranked([{"id": 1, "filter": "ducks"}], [], everything=everything)
    assert found == [{"topic": "1", "ranking": []}]


def test_without_topics_there_is_nothing():
    assert ranked([]) == []


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        (Reason("agents", ("tool", "planning")), '"agents": tool, planning'),
        (Reason("agents"), '"agents"'),
        (Reason("", liked="Ducks, Again"), 'like "Ducks, Again"'),
    ],
)
def test_a_reason_is_said_in_a_line(reason, line):
    assert reason_text(reason) == line
