"""Topics to choose from: the words of recent papers first, then what people often want."""

from hypothesis import given
from hypothesis import strategies as st

from digest.web.suggestions import COMMON, LONGEST, MOST, MOST_RECENT, OFTEN_WANTED, suggest
from subscribers.topics import parse_topics


def papers(**counts):
    """Papers with one keyword each, so many of each."""
    return [[word] for word, count in counts.items() for _ in range(count)]


def recent(keywords):
    """What is suggested because papers have it."""
    return [word for word in suggest(keywords) if word not in OFTEN_WANTED]


def test_without_papers_there_is_what_people_often_want():
    assert suggest([]) == list(OFTEN_WANTED)
    assert len(OFTEN_WANTED) == MOST


def test_the_commonest_keywords_come_first_then_the_rest_as_it_is():
    suggested = suggest(papers(ducks=COMMON, geese=COMMON + 2, swans=COMMON + 1))
    assert suggested == ["geese", "swans", "ducks", *OFTEN_WANTED[: MOST - 3]]


def test_of_keywords_as_common_the_alphabet_decides():
    assert recent(papers(swans=COMMON, ducks=COMMON, geese=COMMON)) == ["ducks", "geese", "swans"]


def test_a_keyword_of_few_papers_is_not_suggested():
    assert recent(papers(ducks=COMMON - 1)) == []


def test_a_paper_counts_once_for_a_keyword():
    assert recent([["ducks", "Ducks", " ducks "]] * (COMMON - 1)) == []


def test_letter_case_and_blanks_around_make_no_other_keyword():
    assert recent([["Ducks"], ["DUCKS "], [" ducks"]]) == ["ducks"]


def test_room_is_left_for_what_people_often_want():
    words = {f"word{number:02d}": COMMON for number in range(MOST)}
    suggested = suggest(papers(**words))
    assert suggested[:MOST_RECENT] == sorted(words)[:MOST_RECENT]
    assert suggested[MOST_RECENT:] == list(OFTEN_WANTED[: MOST - MOST_RECENT])


def test_what_is_both_is_there_once_and_first():
    suggested = suggest([["Robotics"]] * COMMON)
    assert suggested == ["robotics", *(word for word in OFTEN_WANTED if word != "robotics")]


def test_what_is_no_topic_is_not_suggested():
    odd = ["", "!!", "a\nb", "a  b", "a\x00b", "x" * (LONGEST + 1), "e\u0301"]
    assert suggest([odd] * COMMON) == list(OFTEN_WANTED)
    assert recent([["x" * LONGEST]] * COMMON) == ["x" * LONGEST]


@given(st.lists(st.lists(st.sampled_from("abcdefghijkl") | st.text(max_size=50)), max_size=30))
def test_whatever_the_keywords_are_suggestions_are_topics_each_once(keywords):
    suggested = suggest(keywords)
    assert len(suggested) == MOST
    assert [topic.text for topic in parse_topics(suggested)] == suggested
    assert suggest(reversed(keywords)) == suggested
