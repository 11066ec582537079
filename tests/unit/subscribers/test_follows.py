import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import PreferenceError, SubscriberError
from subscribers.filters import Field, parse_filter
from subscribers.follows import LONGEST_NAME, MOST_FOLLOWS, Follow, FollowKind, parse_follows
from subscribers.topics import TopicFilter

AUTHOR, ORGANISATION = FollowKind


@pytest.mark.parametrize(
    ("typed", "follow"),
    [
        ("author:Jane Doe", Follow(AUTHOR, "Jane Doe")),
        (" Author :  Doe,  Jane ", Follow(AUTHOR, "Doe, Jane")),
        ('author:"Jane Doe"', Follow(AUTHOR, "Jane Doe")),
        ('author:Jane "J" Doe', Follow(AUTHOR, "Jane J Doe")),
        ("organisation:Some Lab", Follow(ORGANISATION, "Some Lab")),
        ("org:Some Lab", Follow(ORGANISATION, "Some Lab")),
        ("organization:A: B", Follow(ORGANISATION, "A: B")),
        ("author:李飞飞", Follow(AUTHOR, "李飞飞")),
    ],
)
def test_what_is_typed_is_followed(typed, follow):
    assert Follow.parse(typed) == follow


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("Jane Doe", "'Jane Doe' is not to be followed: expected one like author:Jane Doe"),
        ("topic:robots", "'topic' is neither author nor organisation"),
        ("author: ", "' ' is not a name"),
        ('author:"12"', "is not a name"),
        ("author:" + "x" * (LONGEST_NAME + 1), "at most 100 characters, but this has 101: x"),
        ("author:a\0b", r"cannot hold the character U\+0000"),
        ("author:a\u202eb", r"cannot hold the character U\+202E"),
        ("author:a\ud800b", r"cannot hold the character U\+D800"),
    ],
)
def test_what_is_no_name_is_refused_in_words(typed, why):
    with pytest.raises(PreferenceError, match=why):
        Follow.parse(typed)


def test_a_name_in_other_letter_case_is_the_same():
    assert parse_follows(["author:jane doe", "author:Jane Doe"]) == (Follow(AUTHOR, "Jane Doe"),)


def test_there_are_only_so_many():
    names = [f"author:Name {number}" for number in range(MOST_FOLLOWS + 1)]
    assert len(parse_follows(names[1:])) == MOST_FOLLOWS
    with pytest.raises(PreferenceError, match="at most 200 can be followed, but these are 201"):
        parse_follows(names)


@given(st.text())
def test_what_is_read_is_written_the_same(typed):
    try:
        follow = Follow.parse(f"author:{typed}")
    except SubscriberError:
        return
    assert Follow.parse(follow.text) == follow
    assert parse_filter(follow.topic).restriction
    assert set(follow.path) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~%/"
    )


def test_a_follow_is_a_topic_for_those_without_a_link():
    topic = TopicFilter.parse(Follow.parse("organisation:Some Lab").topic)
    assert parse_filter(topic.text).restriction == Field("org", "Some Lab")
    assert Follow.parse("author:Jane Doe").topic == 'author:"Jane Doe"'
