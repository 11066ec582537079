"""Which papers a page lists, in which order, and what it offers to filter by."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.model.papers import Signals
from digest.model.shelf import Choice, Entry, Order, chosen, filters, rising
from tests.support import TODAY

NUMBERS = st.none() | st.integers(0, 50)
ENTRIES = st.lists(
    st.builds(
        Entry,
        paper_id=st.integers(1, 10_000),
        listed_on=st.dates(date(2026, 2, 1), date(2026, 2, 28)),
        signals=st.builds(Signals, NUMBERS, NUMBERS, NUMBERS),
        published_on=st.none() | st.dates(date(2026, 1, 1), date(2026, 2, 28)),
        organisation=st.sampled_from(["", "DeepMind", "deep mind", "deepmind", "Ōkami Lab", "okami lab", "!"]),
        has_code=st.booleans(),
        keywords=st.lists(st.sampled_from(["agents", "Agents", "LLMs", "llms", " ", "x" * 60])).map(tuple),
        risen=st.integers(0, 30),
    ),
    max_size=12,
    unique_by=lambda entry: entry.paper_id,
)  # fmt: skip
CHOICES = st.builds(
    Choice,
    order=st.sampled_from(Order),
    keyword=st.sampled_from(["", "agents", "AGENTS", "other"]),
    organisation=st.sampled_from(["", "DeepMind", "OKAMI  LAB", "!", "Nobody"]),
    has_code=st.booleans(),
)


def entry(number, upvotes=0, risen=0, day=TODAY, **fields):
    return Entry(number, day, Signals(upvotes), risen=risen, **fields)


def numbers(entries):
    return [each.paper_id for each in entries]


def test_votes_of_the_last_day_count_twice_in_trending():
    papers = [entry(1, upvotes=100), entry(2, upvotes=70, risen=40), entry(3, upvotes=90, risen=1)]
    assert numbers(chosen(papers, Choice())) == [2, 1, 3]
    assert numbers(chosen(papers, Choice(Order.VOTES))) == [1, 3, 2]


def test_the_newest_are_those_listed_last_and_then_published_last():
    early = TODAY - timedelta(days=1)
    papers = [
        entry(1, upvotes=9, day=early),
        entry(2, published_on=early),
        entry(3, published_on=TODAY),
        entry(4, upvotes=5),
    ]
    assert numbers(chosen(papers, Choice(Order.NEWEST))) == [3, 2, 4, 1]


def test_no_votes_known_come_after_none_given():
    papers = [Entry(1, TODAY, Signals(None)), Entry(2, TODAY, Signals(0))]
    assert numbers(chosen(papers, Choice(Order.VOTES))) == [2, 1]


def test_names_are_one_however_they_are_spelt():
    papers = [
        entry(1, organisation="Ōkami Lab", keywords=("Agents",)),
        entry(2, organisation="OKAMI LAB", keywords=("agents", "agents ")),
        entry(3, organisation="Ōkami Lab", keywords=("agents",)),
    ]
    offered = filters(papers, Choice())
    assert offered.organisations == [("Ōkami Lab", 3)]
    assert offered.keywords == [("agents", 3)]
    assert numbers(chosen(papers, Choice(organisation="okami  lab."))) == [1, 2, 3]


def test_what_rises_fastest_and_not_what_hardly_does():
    papers = [entry(1, risen=5), entry(2, risen=4), *(entry(n, risen=n) for n in range(10, 20))]
    assert numbers(rising(papers)) == [19, 18, 17, 16, 15]
    assert numbers(rising(papers[:2])) == [1]


@given(ENTRIES, CHOICES)
def test_each_filter_has_as_many_papers_as_it_says(papers, choice):
    """Whatever else is chosen: to choose a filter leads to the number beside it."""
    offered = filters(papers, choice)
    assert offered.papers == len(papers)
    with_code = Choice(choice.order, choice.keyword, choice.organisation, has_code=True)
    assert len(chosen(papers, with_code)) == offered.with_code
    for keyword, count in offered.keywords:
        other = Choice(choice.order, keyword, choice.organisation, choice.has_code)
        assert len(chosen(papers, other)) == count
    for name, count in offered.organisations:
        other = Choice(choice.order, choice.keyword, name, choice.has_code)
        assert len(chosen(papers, other)) == count


@given(ENTRIES, CHOICES)
def test_a_choice_only_leaves_out_and_the_order_only_sorts(papers, choice):
    kept = chosen(papers, choice)
    assert {*numbers(kept)} <= {*numbers(papers)}
    assert choice.restricts or len(kept) == len(papers)
    for order in Order:
        same = Choice(order, choice.keyword, choice.organisation, choice.has_code)
        assert sorted(numbers(chosen(papers, same))) == sorted(numbers(kept))
    assert chosen(papers[::-1], choice) == kept
