"""The form for preferences: what is shown, what is read of it, and what is refused."""

from dataclasses import replace
from datetime import date, time
from zoneinfo import available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscribers.errors import PreferenceError, SubscriberError, TopicError
from subscribers.preferences import (
    CADENCES,
    EVERY_DAY,
    MOST_PAPERS,
    WEEKDAYS,
    Preferences,
    Strictness,
)
from subscribers.preferences_form import CHOSEN_DAYS, LONGEST_FIELD, PreferencesForm, last
from subscribers.topics import LONGEST_TOPIC, MOST_TOPICS, TopicFilter, parse_topics

ROBOTS = parse_topics(["robots"])
BEFORE = Preferences(
    days=frozenset({"tue", "sat"}),
    at=time(17, 30),
    timezone="Europe/Oslo",
    max_papers=3,
    min_papers=2,
    strictness=Strictness.BROAD,
    trending=False,
    note_when_nothing=True,
    pictures=False,
    translated_titles=True,
    exclusions=parse_topics(["surveys"]),
    paused_until=date(2026, 3, 1),
    locale="nb",
)
SHOWN = PreferencesForm.of(ROBOTS, BEFORE)


def is_topic(text):
    try:
        TopicFilter.parse(text)
    except TopicError:
        return False
    return True


# There is a letter or a digit in each, or few would be topics.
anything = st.text(st.characters(exclude_categories=["C"]), max_size=12)
letter = st.characters(categories=["L", "N"])
topic = st.builds("{}{}{}".format, anything, letter, anything).filter(is_topic)
topics = st.lists(topic, max_size=MOST_TOPICS).map(parse_topics)
preferences = st.builds(
    Preferences,
    days=st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(frozenset),
    at=st.builds(time, st.integers(0, 23), st.integers(0, 59)),
    timezone=st.sampled_from(sorted(available_timezones())),
    max_papers=st.none() | st.integers(1, MOST_PAPERS),
    min_papers=st.integers(1, MOST_PAPERS),
    strictness=st.none() | st.sampled_from(Strictness),
    trending=st.booleans(),
    note_when_nothing=st.booleans(),
    pictures=st.booleans(),
    translated_titles=st.booleans(),
    exclusions=topics,
    paused_until=st.none() | st.dates(),
    locale=st.sampled_from([None, "en", "pt-BR"]),
)


def as_sent(form):
    """The fields that a browser sends for a form that nobody touched."""
    return {
        "topic": list(form.topic),
        "topics": [form.topics],
        "exclusion": list(form.exclusion),
        "exclusions": [form.exclusions],
        "cadence": [form.cadence],
        "days": ["", *(day for day in WEEKDAYS if day in form.days)],
        "at": [form.at],
        "timezone": [form.timezone],
        "max_papers": [form.max_papers],
        "min_papers": [form.min_papers],
        "strictness": [form.strictness],
        "trending": ["", "yes"] if form.trending else [""],
        "note_when_nothing": ["", "yes"] if form.note_when_nothing else [""],
        "pictures": ["", "yes"] if form.pictures else [""],
        "locale": [form.locale],
        "translated_titles": ["", "yes"] if form.translated_titles else [""],
    }


def read(**fields):
    """Topics and preferences after somebody with BEFORE sent these fields."""
    return SHOWN.filled(fields).read(BEFORE)


def refusal(kind, **fields):
    with pytest.raises(kind) as refused:
        read(**fields)
    return str(refused.value)


# ---- there and back ----------------------------------------------------------------------------


@given(topics, preferences)
def test_a_form_that_nobody_touched_changes_nothing(topics, preferences):
    assert PreferencesForm.of(topics, preferences).read(preferences) == (topics, preferences)


@given(topics, preferences, preferences)
def test_a_form_says_all_but_a_pause(topics, preferences, before):
    sent = PreferencesForm.of((), before).filled(as_sent(PreferencesForm.of(topics, preferences)))
    locale = preferences.locale or before.locale
    kept = {"locale": locale, "paused_until": before.paused_until}
    assert sent.read(before) == (topics, replace(preferences, **kept))


@given(topics, preferences)
def test_a_form_sent_is_a_form_shown(topics, preferences):
    shown = PreferencesForm.of(topics, preferences)
    assert PreferencesForm().filled(as_sent(shown)) == shown


@given(topics, preferences)
def test_nothing_sent_is_nothing_changed(topics, preferences):
    shown = PreferencesForm.of(topics, preferences)
    assert shown.filled({}) == shown


def test_how_wishes_are_shown():
    assert (
        PreferencesForm(
            topic=("robots",),
            exclusion=("surveys",),
            cadence=CHOSEN_DAYS,
            days=frozenset({"tue", "sat"}),
            at="17:30",
            timezone="Europe/Oslo",
            max_papers="3",
            min_papers="2",
            strictness="broad",
            trending=False,
            note_when_nothing=True,
            pictures=False,
            locale="nb",
            translated_titles=True,
        )
        == SHOWN
    )


@pytest.mark.parametrize(("name", "days"), CADENCES.items())
def test_a_cadence_with_a_name_is_shown_by_it(name, days):
    assert PreferencesForm.of((), Preferences(days=days)).cadence == name


# ---- what stays --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({"exclusions": [""]}, {"exclusions": ()}),
        ({"exclusions": ["b\r\n\r\n a "]}, {"exclusions": parse_topics(["b", "a"])}),
        ({"exclusions": ["b; a;;c"]}, {"exclusions": parse_topics(["b", "a", "c"])}),
        ({"exclusion": ["surveys"]}, {}),
        ({"exclusion": ["b"], "exclusions": ["a"]}, {"exclusions": parse_topics(["b", "a"])}),
        ({"cadence": ["weekly"]}, {"days": frozenset({"mon"})}),
        ({"cadence": ["daily"], "days": ["", "mon"]}, {"days": EVERY_DAY}),
        ({"cadence": [CHOSEN_DAYS]}, {}),
        ({"cadence": [CHOSEN_DAYS], "days": ["", "mon"]}, {"days": frozenset({"mon"})}),
        ({"days": ["", "mon", "sun", "mon"]}, {"days": frozenset({"mon", "sun"})}),
        ({"days": ["mon", "doomsday"]}, {"days": frozenset({"mon"})}),
        ({"at": ["6:00", " 06:05 "]}, {"at": time(6, 5)}),
        ({"at": [""]}, {}),
        ({"timezone": ["Asia/Tokyo"]}, {"timezone": "Asia/Tokyo"}),
        ({"timezone": [" "]}, {}),
        ({"max_papers": ["15"]}, {"max_papers": 15}),
        ({"max_papers": [""]}, {"max_papers": None}),
        ({"min_papers": ["15"]}, {"min_papers": 15}),
        ({"min_papers": [""]}, {"min_papers": 1}),
        ({"strictness": ["strict"]}, {"strictness": Strictness.STRICT}),
        ({"strictness": [""]}, {"strictness": None}),
        ({"trending": ["", "yes"]}, {"trending": True}),
        ({"trending": [""]}, {}),
        ({"paused_until": [""]}, {}),
        ({"locale": ["fr"]}, {"locale": "fr"}),
        ({"locale": [""]}, {}),
        ({"consent": ["confirmed"]}, {}),
        ({"at": []}, {}),
    ],
)
def test_what_is_not_on_a_form_stays(fields, changes):
    assert read(**fields) == (ROBOTS, replace(BEFORE, **changes))


def test_days_without_a_cadence_are_chosen_days():
    form = PreferencesForm.of((), Preferences())
    assert form.filled({"days": ["", "sun"]}).read(Preferences())[1].days == {"sun"}
    assert form.filled({"days": ["", "sun"], "cadence": ["daily"]}).cadence == "daily"


@pytest.mark.parametrize("sent", [[""], []])
def test_a_list_of_topics_that_was_emptied_is_empty(sent):
    assert read(topics=sent)[0] == ()


@pytest.mark.parametrize(
    ("fields", "value"),
    [({}, ""), ({"at": []}, ""), ({"at": [""]}, ""), ({"at": ["8", "9"]}, "9"), ({"x": ["8"]}, "")],
)
def test_of_several_values_the_last_counts(fields, value):
    assert last(fields, "at") == value


# ---- suggestions -------------------------------------------------------------------------------


def test_ticked_topics_come_before_those_that_are_typed():
    chosen, _ = read(topics=["Robots; ducks\ngeese"], topic=["video", "agents", "robots", "video"])
    assert [topic.text for topic in chosen] == ["video", "agents", "Robots", "ducks", "geese"]


def test_a_ticked_topic_is_taken_as_it_is():
    chosen, _ = read(topics=[""], topic=["a; b\\c"])
    assert [topic.text for topic in chosen] == ["a; b\\c"]


def test_ticked_topics_stay_ticked_when_the_form_is_shown_again():
    form = SHOWN.filled({"topic": ["agents"], "topics": ["!!"]})
    assert (form.topic, form.topics) == (("agents",), "!!")


def test_a_topic_that_is_no_longer_ticked_is_dropped():
    assert SHOWN.filled({"topics": [""]}).topic == ()
    assert SHOWN.filled({"topic": ["agents"]}).topic == ("agents",)
    assert SHOWN.filled({"exclusions": [""]}).topic == ("robots",), "another part of the form"


# ---- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields", "why"),
    [
        (PreferenceError, {"cadence": ["never"]}, "'never' is not one of the choices"),
        (PreferenceError, {"cadence": [""]}, "'' is not one of the choices"),
        (PreferenceError, {"cadence": ["mon+thu"]}, "'mon+thu' is not one of the choices"),
        (PreferenceError, {"days": [""]}, "choose at least one day, or pause until a date"),
        (PreferenceError, {"days": ["MON"]}, "choose at least one day, or pause until a date"),
        (
            PreferenceError,
            {"cadence": [CHOSEN_DAYS], "days": [""]},
            "choose at least one day, or pause until a date",
        ),
        (PreferenceError, {"at": ["25:00"]}, "'25:00' is not a time of day"),
        (PreferenceError, {"timezone": ["Oslo"]}, "'Oslo' is not a time zone"),
        (PreferenceError, {"timezone": ["../../etc/passwd"]}, "is not a time zone"),
        (PreferenceError, {"max_papers": ["0"]}, "'0' is not a number of papers from 1 to 15"),
        (PreferenceError, {"max_papers": ["9" * 5000]}, "is not a number of papers from 1 to 15"),
        (PreferenceError, {"min_papers": ["0"]}, "'0' is not a number of papers from 1 to 15"),
        (PreferenceError, {"strictness": ["lax"]}, "'lax' is not one of strict, normal, broad"),
        (TopicError, {"topics": ["robots\n!!"]}, "a topic needs at least one word"),
        (TopicError, {"topics": ["x" * (LONGEST_TOPIC + 1)]}, "at most 200 characters"),
        (TopicError, {"topics": ["\n".join(map(str, range(MOST_TOPICS + 1)))]}, "at most 20"),
        (TopicError, {"topics": ["a\x00b"]}, "U+0000"),
        (TopicError, {"topics": ["a\ud800b"]}, "U+D800"),
        (TopicError, {"topic": ["!!"]}, "a topic needs at least one word"),
        (TopicError, {"topic": [str(n) for n in range(MOST_TOPICS + 1)]}, "at most 20"),
        (TopicError, {"exclusions": ["!!"]}, "a topic needs at least one word"),
        (TopicError, {"exclusions": ["x" * (LONGEST_TOPIC + 1)]}, "at most 200 characters"),
    ],
)
def test_what_cannot_be_is_refused_saying_why(kind, fields, why):
    assert why in refusal(kind, **fields)


@pytest.mark.parametrize("name", ["topics", "topic", "days", "at", "address", "anything"])
def test_a_field_that_no_person_typed_is_refused_unread(name):
    for values in (["", "x" * (LONGEST_FIELD + 1)], ["x" * (LONGEST_FIELD + 1), ""]):
        with pytest.raises(PreferenceError, match=r"^this is too long$"):
            SHOWN.filled({name: values})
    SHOWN.filled({name: ["x" * LONGEST_FIELD]})


def test_too_many_suggestions_to_read_are_refused_unread():
    ticked = [f"{number} {'x' * 100}" for number in range(LONGEST_FIELD // 100)]
    assert refusal(TopicError, topic=ticked) == "this is too long"


NAMES = sorted([*as_sent(SHOWN), "anything"])
ODD = st.text(st.characters()) | st.sampled_from(
    ["", "mon", CHOSEN_DAYS, "daily", "8", "24:00", "2026-02-30", "Europe", "UTC", "٣", "²", "0"]
)


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(ODD, max_size=3)), preferences)
@example({"timezone": ["\x00"]}, BEFORE)
@example({"timezone": ["\ud800"]}, BEFORE)
@example({"timezone": ["x" * 5000]}, BEFORE)
@example({"at": ["9" * 5000]}, BEFORE)
@example({"paused_until": ["9999-12-31T00:00"]}, BEFORE)
def test_whatever_is_sent_is_wishes_or_an_error_of_ours(fields, before):
    try:
        topics, preferences = PreferencesForm.of(ROBOTS, before).filled(fields).read(before)
    except SubscriberError:
        return
    assert PreferencesForm.of(topics, preferences).read(preferences) == (topics, preferences)
    assert Preferences.from_json(preferences.to_json()) == preferences


# ---- proposals that a button takes -----------------------------------------------------------


def test_a_button_puts_another_topic_in_the_place_of_one():
    form = PreferencesForm(topic=("robots", " difusion  models", "agents"), topics="ants")
    taken = form.filled({"instead": ["difusion models\r\ndiffusion models"]})
    assert taken == replace(form, topic=("robots", "diffusion models", "agents", "ants"), topics="")


def test_a_suggestion_that_is_ticked_gives_way_to_a_topic():
    fields = {"topics": ["robots"], "topic": ["agents"], "instead": ["agents\nweb agents"]}
    taken = PreferencesForm().filled(fields)
    assert (taken.topics, taken.topic) == ("", ("web agents", "robots"))


@pytest.mark.parametrize("sent", ["", "robots", "robots\n", "\n", "other\nthing", "\nthing"])
def test_a_button_whose_topic_is_gone_changes_nothing(sent):
    fields = {"topics": ["agents\nrobots of today"], "instead": [sent]}
    assert PreferencesForm().filled(fields).topics == "agents; robots of today"


def test_a_button_sets_the_strictness_and_nothing_else():
    assert SHOWN.filled({"match": ["strict"]}) == replace(SHOWN, strictness="strict")
    assert SHOWN.filled({"match": ["fuzzy"]}) == SHOWN
