"""What is followed: found by its names, and first in a digest."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model.digests import Reason, Section
from digest.model.papers import Revision
from digest.rank.following import Followed
from digest.rank.names import person
from digest.rank.ranker import Ranker
from digest.rank.readers import Limits, Reader
from subscribers.follows import Follow, FollowKind, parse_follows
from subscribers.topics import TopicFilter
from tests.support import make_candidate, make_corpus, make_edition, make_facts

LIMITS = Limits(for_you=5, trending=5)


def paper(number: int, title: str, *authors: str, upvotes: int = 0, **facts: Any):
    return make_candidate(number, title=title, authors=authors, upvotes=upvotes, **facts)


DAY = (
    paper(1, "Ducks of a River", "Ada Byron", upvotes=5),
    paper(2, "Ducks that Dive", "Jane Doe", "Ada Byron", upvotes=2),
    paper(3, "Geese over the Sea", "J. Doe", upvotes=4),
    paper(4, "A Nest of Swans", "José Núñez", organisation="AI at Meta", upvotes=7),
    paper(5, "A Robot at Home", "Li Wei", organisation="Meta", upvotes=60),
    paper(6, "Gaits", "Wei Lin", upvotes=1),
    paper(7, "Bonds", organisation="Some Lab"),
)
EARLIER = replace(paper(8, "Ponds", "Jane Q. Doe"), since=DAY[0].listed_on)


def follows(*typed: str) -> tuple[Follow, ...]:
    return parse_follows(typed)


def rank(*topics: str, day=DAY, limits: Limits = LIMITS, rising=(), **wanted: Any):
    edition = replace(make_edition(*day), rising=tuple(rising))
    reader = Reader(tuple(map(TopicFilter, topics)), **wanted)
    return Ranker(edition, make_corpus(), limits).digest(reader)


def for_you(digest) -> list[tuple[int, str]]:
    return [
        (pick.candidate.paper_id, pick.match.reason.followed)
        for pick in digest.picks
        if pick.section is Section.FOR_YOU
    ]


# ---- found ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("author:Jane Doe", (1, 2)),
        ("author:Doe, J. Q.", (1, 2)),
        ("author:jose nunez", (3,)),
        ("author:Wei Li", (4,)),
        ("author:Nobody Here", ()),
        ("organisation:FAIR", (3,)),
        ("organisation:meta", (3, 4)),
        ("organisation:Lab", (6,)),
        ("organisation:Jane Doe", ()),
        ("author:Meta", ()),
    ],
)
def test_papers_are_found_by_the_names_of_what_is_followed(typed, numbers):
    assert Followed(DAY).by(Follow.parse(typed)) == numbers


NAMES = st.text("aAbBcé. -'", min_size=1, max_size=12)


@given(st.lists(st.lists(NAMES, max_size=3), max_size=6), NAMES.filter(str.strip))
def test_a_look_up_finds_what_reading_every_name_would(authors, name):
    day = [paper(number, "Ducks", *names) for number, names in enumerate(authors)]
    follow, wanted = Follow(FollowKind.AUTHOR, name), person(name)
    expected = tuple(
        number
        for number, names in enumerate(authors)
        if any(wanted.may_be(person(author)) for author in names)
    )
    assert Followed(day).by(follow) == expected


# ---- first ---------------------------------------------------------------------------------------


def test_what_is_followed_is_first_whatever_the_topics_say_and_the_reason_is_the_name():
    digest = rank("ducks", follows=follows("author:Wei Lin", "author:DOE Jane"))
    assert for_you(digest)[:3] == [(3, "DOE Jane"), (2, "DOE Jane"), (6, "Wei Lin")]
    assert for_you(digest)[3:] == [(1, "")]
    assert digest.picks[0].match.reason == Reason("", followed="DOE Jane")


def test_no_paper_is_there_twice():
    digest = rank("ducks", follows=follows("author:Jane Doe", "author:Ada Byron", "organisation:x"))
    numbers = [pick.candidate.paper_id for pick in digest.picks]
    assert len(numbers) == len(set(numbers))
    assert {number for number, followed in for_you(digest) if followed} == {1, 2, 3}


@pytest.mark.parametrize("most", [1, 2, None])
def test_there_are_as_many_as_the_reader_wants(most):
    digest = rank(
        "ducks", follows=follows("author:Jane Doe", "organisation:Meta"), most=most, limits=LIMITS
    )
    assert len(for_you(digest)) == (most or LIMITS.for_you)
    assert all(followed for _, followed in for_you(digest)[:4])


def test_without_topics_what_is_followed_is_for_you_and_the_rest_is_trending():
    digest = rank(follows=follows("author:Wei Lin"))
    assert for_you(digest) == [(6, "Wei Lin")]
    assert [pick.candidate.paper_id for pick in digest.picks[1:]] == [5, 4, 1, 3, 2]


def test_where_nobody_followed_has_written_nothing_changes():
    nobody = follows("author:Nobody Here", "organisation:Nowhere")
    assert rank("ducks", follows=nobody) == rank("ducks")
    assert rank("medieval poetry", follows=nobody) is None


def test_what_is_followed_counts_as_a_match():
    assert for_you(rank("medieval poetry", follows=follows("author:Wei Lin"))) == [(6, "Wei Lin")]
    assert rank("medieval poetry", follows=follows("author:Wei Lin"), least=2) is None


@pytest.mark.parametrize(
    "unwanted",
    [
        {"exclusions": (TopicFilter("geese"),)},
        {"exclusions": (TopicFilter('author:"J Doe"'),)},
        {"mutes": (DAY[2].key,)},
        {"shown": {3}},
    ],
    ids=["a word", "an author", "a paper", "shown before"],
)
def test_what_a_reader_does_not_want_is_not_there_for_being_followed(unwanted):
    digest = rank("swans", follows=follows("author:Jane Doe"), **unwanted)
    assert 3 not in [pick.candidate.paper_id for pick in digest.picks]


def test_a_withdrawn_paper_is_not_there_for_being_followed():
    withdrawn = paper(9, "Hoax", "Wei Lin", revision=Revision.WITHDRAWN)
    digest = rank("ducks", follows=follows("author:Wei Lin"), day=(*DAY, withdrawn))
    assert 9 not in [pick.candidate.paper_id for pick in digest.picks]


def test_neither_weights_nor_mutes_nor_likeness_come_before():
    twin = paper(9, "Geese over the Sea", "Jane Doe", upvotes=1)
    likes = {f"arxiv:2601.0000{n}": make_facts(title="Geese over the Sea") for n in range(3)}
    edition = make_edition(*DAY, twin)
    reader = Reader(
        (TopicFilter("ducks ^10"),), follows=follows("author:Jane Doe"), mutes=tuple(likes)
    )
    digest = Ranker(edition, make_corpus(), LIMITS, likes).digest(reader)
    assert {number for number, followed in for_you(digest)[:3] if followed} == {2, 3, 9}


def test_a_late_riser_by_somebody_followed_is_shown_once():
    digest = rank("ducks", follows=follows("author:Jane Doe"), rising=[EARLIER])
    assert (8, "Jane Doe") in for_you(digest)
    digest = rank("ducks", follows=follows("author:Jane Doe"), rising=[EARLIER], shown={8})
    assert 8 not in [pick.candidate.paper_id for pick in digest.picks]


@given(
    st.lists(
        st.builds(
            Reader,
            topics=st.lists(st.sampled_from(["ducks", "geese ^10", "swans"]).map(TopicFilter),
                            max_size=2, unique=True).map(tuple),
            follows=st.lists(st.sampled_from(["author:Doe", "author:Wei Lin", "organisation:Meta",
                                              "author:Nobody"]), unique=True).map(parse_follows),
            exclusions=st.lists(st.just(TopicFilter("geese")), max_size=1).map(tuple),
            most=st.none() | st.integers(1, 6),
            shown=st.frozensets(st.integers(1, 7), max_size=3),
        ),
        max_size=4,
    )
)  # fmt: skip
def test_readers_together_get_what_each_gets_alone_and_first_all_that_they_follow(readers):
    ranker = Ranker(make_edition(*DAY), make_corpus(), LIMITS)
    by = Followed(DAY).by
    for reader, digest in zip(readers, ranker.digests(readers), strict=True):
        assert digest == ranker.digest(reader)
        geese = {3} if reader.exclusions else set()
        wanted = {number + 1 for follow in reader.follows for number in by(follow)}
        wanted -= geese | set(reader.shown)
        found = for_you(digest) if digest else []
        first = [number for number, followed in found if followed]
        assert first == [number for number, _ in found[: len(first)]]
        assert set(first) <= wanted
        assert len(first) == min(len(wanted), reader.most or LIMITS.for_you, LIMITS.for_you)
