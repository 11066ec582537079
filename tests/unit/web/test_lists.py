"""Links around lists: what is chosen stays in an address, whatever it holds; what can be followed."""

from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from digest.compose.language import ENGLISH
from digest.model.shelf import Choice, Filters, Order
from digest.web.follow_links import follow_topic, follows_of, subscribe_path
from digest.web.linked_data import article, item_list
from digest.web.list_view import (
    PAPERS_ON_PAGE,
    Place,
    as_topic,
    chips,
    organisations,
    pages,
    read_choice,
    sorts,
)
from digest.web.paper_rows import rows
from subscribers.follows import FollowKind
from subscribers.topics import TopicFilter
from tests.support import TODAY, make_candidate, make_facts

WORDS = st.text(max_size=30).map(str.strip)
CHOICES = st.builds(Choice, st.sampled_from(Order), WORDS, WORDS, st.booleans())
OFFERED = Filters(9, 4, [("agents", 3), ("Robots", 2)], [("Okami Lab", 5)])


def read(path):
    asked = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    names = ("sort", "keyword", "organisation", "code")
    return read_choice(*(asked.get(name, "") for name in names))


@given(CHOICES)
def test_a_choice_comes_back_from_its_address(choice):
    place = Place("/2026-02-20", choice)
    assert read(place.link()) == choice
    assert read(place.page(7)) == choice
    for link in sorts(place, ENGLISH):
        changed = read(link.path)
        assert (changed.keyword, changed.organisation) == (choice.keyword, choice.organisation)


def test_to_press_a_chosen_filter_takes_it_back():
    place = Place("/x", Choice(keyword="AGENTS"))
    everything, code, agents, robots = chips(place, OFFERED, ENGLISH)
    assert (agents.is_current, agents.path) == (True, "/x")
    assert (robots.is_current, robots.path) == (False, "/x?keyword=Robots")
    assert (everything.is_current, everything.path, everything.number) == (False, "/x", "9")
    assert code.path == "/x?keyword=AGENTS&code=yes"
    [lab] = organisations(place, OFFERED, ENGLISH)
    assert lab.path == "/x?keyword=AGENTS&organisation=Okami+Lab"


def test_a_chosen_filter_is_shown_though_it_is_not_offered():
    place = Place("/x", Choice(keyword="rare", organisation="Nobody"))
    assert [link.text for link in chips(place, OFFERED, ENGLISH) if link.is_current] == ["rare"]
    assert [link.text for link in organisations(place, OFFERED, ENGLISH) if link.is_current] == [
        "Nobody"
    ]


def test_pages_lead_to_each_other():
    place = Place("/x", Choice(has_code=True))
    assert pages(place, 1, PAPERS_ON_PAGE, ENGLISH) == []
    before, here, after = pages(place, 2, 2 * PAPERS_ON_PAGE + 1, ENGLISH)
    assert (before.path, here.text, after.path) == (
        "/x?code=yes",
        "Page 2 of 3",
        "/x?code=yes&page=3",
    )
    assert pages(place, 3, 2 * PAPERS_ON_PAGE + 1, ENGLISH)[2].path == ""


def test_what_is_chosen_can_be_followed():
    choice = Choice(keyword='video "generation"', organisation="AI/ML Lab", has_code=True)
    assert as_topic(choice) == 'keyword:"video  generation" org:"AI/ML Lab" code:yes'
    assert TopicFilter.parse(as_topic(choice))
    assert as_topic(Choice()) == ""
    assert subscribe_path("") == "/subscribe"


@given(st.builds(make_facts, title=WORDS.filter(bool), organisation=WORDS,
                 authors=st.lists(WORDS, max_size=2).map(tuple), keywords=st.lists(WORDS, max_size=4).map(tuple)))  # fmt: skip
def test_what_is_offered_to_be_followed_is_a_topic(facts):
    for link in follows_of(facts, set(), ENGLISH):
        [topic] = parse_qs(urlsplit(link.path).query, keep_blank_values=True)["topic"]
        assert TopicFilter.parse(topic).text == topic


def test_keywords_of_other_papers_are_offered_first_and_never_a_papers_own_name():
    facts = make_facts(
        title="Looms: weaving", keywords=("looms", "rare thing", "Weaving", "x" * 40)
    )
    found = follows_of(facts, {"weaving"}, ENGLISH)
    assert [link.text for link in found if link.about == "topic"] == ["Weaving", "rare thing"]


def test_what_is_no_name_is_followed_by_nobody():
    assert follow_topic(FollowKind.AUTHOR, "42 !") == ""
    assert follow_topic(FollowKind.AUTHOR, 'Jane "J" Doe') == 'author:"Jane J Doe"'


def test_search_engines_are_told_what_is_known_and_nothing_else():
    plain = article(make_candidate(1), "https://x.org")
    assert plain["url"] == "https://x.org/paper/arxiv:2602.00001"
    assert plain["sameAs"] == [
        "https://arxiv.org/abs/2602.00001",
        "https://huggingface.co/papers/2602.00001",
    ]
    assert {"image", "datePublished", "sourceOrganization", "keywords"}.isdisjoint(plain)
    full = article(make_candidate(1, doi="10.1/x", organisation="Lab", keywords=("a", "b"), published_on=TODAY), "https://x.org", "https://x.org/p.jpg")  # fmt: skip
    assert full["identifier"][1]["value"] == "10.1/x"
    assert (full["image"], full["keywords"]) == ("https://x.org/p.jpg", "a, b")
    assert item_list([], "https://x.org")["numberOfItems"] == 0


def test_a_row_says_what_is_known():
    [row] = rows(
        [make_candidate(1, upvotes=None, authors=(), author_count=7, page_url="")], None, ENGLISH
    )
    assert (row.upvotes, row.votes, row.rising, row.authors) == ("", "", "", "7 authors")
    assert [way.text for way in row.ways] == ["PDF", "arXiv"]
    [row] = rows([make_candidate(1, upvotes=1234)], None, ENGLISH, TODAY)
    assert (row.upvotes, row.votes, row.is_new) == ("1.2K", "1,234 votes", True)
    assert row.authors == "Ada Lovelace +\N{NO-BREAK SPACE}1"
