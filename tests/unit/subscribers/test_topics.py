"""Topic filters: what may be typed, and what is kept of it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import TopicError
from subscribers.topics import LONGEST_TOPIC, MOST_TOPICS, TopicFilter, parse_topics


def test_white_space_is_folded():
    assert TopicFilter.parse("  graph\t neural \n networks ").text == "graph neural networks"


def test_letters_are_composed():
    assert TopicFilter.parse("ro\u0301bots").text == "r\u00f3bots"


def test_letter_case_is_kept_as_typed():
    assert TopicFilter.parse("LoRA").text == "LoRA"


@pytest.mark.parametrize("typed", ["C++", "3D", "機械学習", "обучение", "a"])
def test_words_of_any_script_are_topics(typed):
    assert TopicFilter.parse(typed).text == typed


@pytest.mark.parametrize("typed", ["", "   ", "\n", "!?", "--", "…", "\u200b", "🙂"])
def test_text_without_a_word_is_refused(typed):
    with pytest.raises(TopicError, match="needs at least one word"):
        TopicFilter.parse(typed)


def test_the_longest_topic_is_taken():
    assert TopicFilter.parse("x" * LONGEST_TOPIC).text == "x" * LONGEST_TOPIC


def test_a_longer_topic_is_refused_and_not_repeated_whole():
    with pytest.raises(TopicError, match=f"at most {LONGEST_TOPIC} characters") as caught:
        TopicFilter.parse("x" * 100_000)
    assert len(str(caught.value)) < 200


def test_length_is_that_of_the_folded_text():
    assert TopicFilter.parse("a" + " " * 500 + "b").text == "a b"


@pytest.mark.parametrize("bad", ["\x00", "\x1b", "\u202e", "\u200b", "\ue000", "\ud800"])
def test_control_and_direction_characters_are_refused_by_name(bad):
    with pytest.raises(TopicError, match=f"U\\+{ord(bad):04X}"):
        TopicFilter.parse(f"deep{bad}learning")


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (' agents  "chain of', 'column 8: expected a closing quotation mark, in: agents "chain of'),
        ("code:maybe", "column 6: expected yes or no after code:, in: code:maybe"),
        ("^2", "column 1: expected a word, in: ^2"),
    ],
)
def test_what_is_not_in_the_language_is_refused_with_its_column(typed, why):
    with pytest.raises(TopicError) as caught:
        TopicFilter.parse(typed)
    assert str(caught.value) == why


def test_order_is_kept():
    topics = parse_topics(["zebras", "ants", "mice"])
    assert [topic.text for topic in topics] == ["zebras", "ants", "mice"]


def test_a_topic_typed_twice_is_kept_once():
    assert len(parse_topics(["Robots", "robots", " ROBOTS "])) == 1


def test_no_topics_are_fine():
    assert parse_topics([]) == ()


def test_as_many_as_allowed_are_taken():
    assert len(parse_topics(f"topic {n}" for n in range(MOST_TOPICS))) == MOST_TOPICS


def test_one_more_is_refused():
    with pytest.raises(TopicError, match=f"at most {MOST_TOPICS} topics, .* {MOST_TOPICS + 1}"):
        parse_topics(f"topic {n}" for n in range(MOST_TOPICS + 1))


def test_one_bad_topic_refuses_all():
    with pytest.raises(TopicError):
        parse_topics(["robots", "???"])


@given(st.text(max_size=300))
def test_any_text_is_a_clean_topic_or_a_topic_error(typed):
    try:
        text = TopicFilter.parse(typed).text
    except TopicError:
        return
    assert 0 < len(text) <= LONGEST_TOPIC
    assert text == " ".join(text.split())
    assert unicodedata.is_normalized("NFC", text)
    assert not any(unicodedata.category(character).startswith("C") for character in text)
    assert TopicFilter.parse(text).text == text
