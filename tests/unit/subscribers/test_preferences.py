"""What a subscriber wants besides topics: what may be typed, and what is kept of it."""

from datetime import date, time, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import PreferenceError, SubscriberError, TopicError
from subscribers.follows import FollowKind, parse_follows
from subscribers.preferences import (
    CADENCES,
    DAY_NAMES,
    EVERY_DAY,
    MOST_PAPERS,
    WEEKDAYS,
    Preferences,
    Strictness,
    parse_cadence,
    parse_locale,
    parse_papers,
    parse_strictness,
    parse_time,
    parse_timezone,
)
from subscribers.topics import parse_topics

MONDAY = date(2026, 2, 16)
WEEK = [MONDAY + timedelta(days=n) for n in range(7)]


# ---- cadence ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        ("daily", EVERY_DAY),
        ("weekdays", {"mon", "tue", "wed", "thu", "fri"}),
        ("weekly", {"mon"}),
        ("monthly", {"first"}),
        ("sun", {"sun"}),
        ("mon+thu", {"mon", "thu"}),
        ("thu mon", {"mon", "thu"}),
        ("mon+mon", {"mon"}),
        (" Mon + THU ", {"mon", "thu"}),
        (" Weekly\n", {"mon"}),
    ],
)
def test_a_cadence_is_its_days(typed, days):
    assert parse_cadence(typed) == days


@pytest.mark.parametrize("typed", ["", " ", "+", "monday", "mon,thu", "mon+xyz", "daily+mon", "1"])
def test_what_is_no_cadence_is_refused_by_name(typed):
    with pytest.raises(PreferenceError) as refused:
        parse_cadence(typed)
    assert str(refused.value).startswith(f"{typed!r} is not a cadence: expected daily, weekdays")


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (EVERY_DAY, "daily"),
        (frozenset(WEEKDAYS[:5]), "weekdays"),
        (frozenset({"mon"}), "weekly"),
        (frozenset({"first"}), "monthly"),
        (frozenset({"thu"}), "thu"),
        (frozenset({"sun", "thu", "mon"}), "mon+thu+sun"),
    ],
)
def test_days_have_a_name_in_the_order_of_the_week(days, name):
    assert Preferences(days=days).cadence == name


@pytest.mark.parametrize(
    ("cadence", "said"),
    [
        ("daily", "every day"),
        ("weekdays", "from Monday to Friday"),
        ("weekly", "once a week, on Monday"),
        ("monthly", "once a month, on the 1st"),
        ("sun", "on Sunday"),
        ("thu+mon", "on Monday and Thursday"),
        ("sun+tue+wed", "on Tuesday, Wednesday and Sunday"),
        ("tue+wed+thu+fri+sat+sun", "on Tuesday, Wednesday, Thursday, Friday, Saturday and Sunday"),
    ],
)
def test_a_cadence_is_said_in_words(cadence, said):
    assert Preferences(days=parse_cadence(cadence)).how_often == said


def test_the_words_tell_of_a_note():
    preferences = Preferences(days=parse_cadence("weekly"), note_when_nothing=True)
    assert preferences.how_often == "once a week, on Monday, also when there is nothing"


@given(st.sets(st.sampled_from(WEEKDAYS), min_size=1))
def test_the_words_for_a_cadence_mean_no_other_days(days):
    preferences = Preferences(days=frozenset(days))
    if preferences.cadence not in CADENCES:
        named = {
            day
            for day, name in zip(WEEKDAYS, DAY_NAMES, strict=True)
            if name in preferences.how_often
        }
        assert named == days


@given(st.sets(st.sampled_from(WEEKDAYS), min_size=1))
def test_a_cadences_name_means_the_same_days(days):
    assert parse_cadence(Preferences(days=frozenset(days)).cadence) == days


@pytest.mark.parametrize(
    ("cadence", "wanted"),
    [
        ("daily", [1, 1, 1, 1, 1, 1, 1]),
        ("weekdays", [1, 1, 1, 1, 1, 0, 0]),
        ("weekly", [1, 0, 0, 0, 0, 0, 0]),
        ("tue+sun", [0, 1, 0, 0, 0, 0, 1]),
    ],
)
def test_mail_is_wanted_on_the_days_of_the_cadence(cadence, wanted):
    preferences = Preferences(days=parse_cadence(cadence))
    assert [preferences.wants_mail_on(day) for day in WEEK] == list(map(bool, wanted))


# ---- pause --------------------------------------------------------------------------------------


def test_a_pause_ends_on_the_day_named():
    preferences = Preferences(paused_until=MONDAY)
    assert preferences.is_paused_on(MONDAY - timedelta(days=1))
    assert not preferences.is_paused_on(MONDAY)
    assert not preferences.is_paused_on(MONDAY + timedelta(days=1))


def test_without_a_pause_nobody_is_paused():
    assert not any(Preferences().is_paused_on(day) for day in (date.min, MONDAY, date.max))


def test_a_pause_leaves_the_cadence_alone():
    assert Preferences(paused_until=date.max).wants_mail_on(MONDAY)


# ---- time and zone ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("8", time(8)),
        ("08", time(8)),
        ("0", time(0)),
        ("23", time(23)),
        (" 08:30 ", time(8, 30)),
        ("23:59", time(23, 59)),
        ("08:30:00", time(8, 30)),
        ("8:00", time(8)),
        ("8:00:00", time(8)),
    ],
)
def test_a_time_is_an_hour_or_hour_and_minute(typed, at):
    assert parse_time(typed) == at


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "24",
        "-1",
        "8.5",
        "8:3",
        "0830",
        "25:00",
        "08:60",
        "8 am",
        "noon",
        "²",
        "08:30:01",
        "08:30:00.5",
        "08:30+01:00",
        "08:30Z",
        "9" * 30,
        "9" * 5000,
        "\x00",
        "\ud800",
    ],
    ids=lambda typed: ascii(typed[:20]),
)
def test_what_is_no_time_is_refused_by_name(typed):
    with pytest.raises(PreferenceError) as refused:
        parse_time(typed)
    assert str(refused.value).startswith(f"{typed!r} is not a time of day: expected one like")


@pytest.mark.parametrize("typed", ["UTC", "Europe/Oslo", "America/Argentina/Buenos_Aires"])
def test_a_time_zone_is_known_by_its_name(typed):
    assert typed in available_timezones()
    assert parse_timezone(f" {typed}\n") == typed


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "Oslo",
        "Europe",
        "Europe/Atlantis",
        "+01:00",
        "/etc/passwd",
        "../UTC",
        "zone.tab",
        ".",
        "Z\u00fcrich",
        "x" * 5000,
        "a/" * 300,
        "." * 2000,  # each part is imported by another call
        "\x00",
        "\ud800",
    ],
    ids=lambda typed: ascii(typed[:20]),
)
def test_what_is_no_time_zone_is_refused_by_name(typed):
    with pytest.raises(PreferenceError) as refused:
        parse_timezone(typed)
    assert str(refused.value) == f"{typed!r} is not a time zone like Europe/Oslo"


# ---- number of papers, language -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "number"), [("1", 1), (" 7 ", 7), ("007", 7), (str(MOST_PAPERS), MOST_PAPERS)]
)
def test_a_number_of_papers(typed, number):
    assert parse_papers(typed) == number


@pytest.mark.parametrize(
    "typed",
    ["", "0", "-1", "+3", "1_0", "1.0", "1e1", "all", "²", str(MOST_PAPERS + 1), "9" * 5000],
    ids=lambda typed: ascii(typed[:20]),
)
def test_what_is_no_number_of_papers_is_refused_by_name(typed):
    with pytest.raises(PreferenceError) as refused:
        parse_papers(typed)
    assert str(refused.value) == f"{typed!r} is not a number of papers from 1 to {MOST_PAPERS}"


@pytest.mark.parametrize("typed", Strictness)
def test_how_strict_to_be_is_one_of_three_words(typed):
    assert parse_strictness(f" {typed.upper()} ") is typed


@pytest.mark.parametrize("typed", ["", "lax", "0.5", "strict broad"])
def test_what_is_none_of_these_words_is_refused_by_name(typed):
    with pytest.raises(PreferenceError) as refused:
        parse_strictness(typed)
    assert str(refused.value) == f"{typed!r} is not one of strict, normal, broad"


@pytest.mark.parametrize("typed", ["en", "pt-BR", "zh-Hant-TW", "de-1996", "x" * 35])
def test_a_language_is_a_tag(typed):
    assert parse_locale(f" {typed} ") == typed
    assert parse_locale(typed.replace("-", "_")) == typed  # as other programs export it


@pytest.mark.parametrize(
    "typed", ["", "e", "en-", "en_", "/en", "-en", "en GB", "en\n\nX", "\u4e2d\u6587", "x" * 36]
)
def test_what_is_no_language_is_refused_by_name(typed):
    with pytest.raises(PreferenceError) as refused:
        parse_locale(typed)
    assert str(refused.value) == f"{typed!r} is not a language like en or pt-BR"


# ---- records ------------------------------------------------------------------------------------


def test_the_defaults():
    assert Preferences().to_json() == {
        "cadence": "daily",
        "at": "08:00",
        "timezone": "UTC",
        "max_papers": None,
        "min_papers": 1,
        "strictness": None,
        "trending": True,
        "note_when_nothing": False,
        "pictures": True,
        "translated_titles": False,
        "exclusions": [],
        "follows": [],
        "paused_until": None,
        "locale": None,
    }


def test_a_record_says_what_is_wanted():
    record = {
        "cadence": "mon+thu",
        "at": "17:45",
        "timezone": "Europe/Oslo",
        "max_papers": 3,
        "min_papers": 2,
        "strictness": "broad",
        "trending": False,
        "note_when_nothing": True,
        "pictures": False,
        "translated_titles": True,
        "exclusions": ["crypto", "large language models"],
        "follows": ["author:Jane Doe", "organisation:Some; Lab"],
        "paused_until": "2026-03-01",
        "locale": "nb",
    }
    preferences = Preferences.from_json(record)
    assert preferences == Preferences(
        days=frozenset({"mon", "thu"}),
        at=time(17, 45),
        timezone="Europe/Oslo",
        max_papers=3,
        min_papers=2,
        strictness=Strictness.BROAD,
        trending=False,
        note_when_nothing=True,
        pictures=False,
        translated_titles=True,
        exclusions=parse_topics(["crypto", "large language models"]),
        follows=parse_follows(["author:Jane Doe", "organisation:Some; Lab"]),
        paused_until=date(2026, 3, 1),
        locale="nb",
    )
    assert preferences.to_json() == record


words = st.text("abcxyz ", min_size=1, max_size=12).filter(str.strip)
preferences = st.builds(
    Preferences,
    days=st.frozensets(st.sampled_from(WEEKDAYS), min_size=1),
    at=st.builds(time, st.integers(0, 23), st.integers(0, 59)),
    timezone=st.sampled_from(["UTC", "Europe/Oslo", "Asia/Kathmandu"]),
    max_papers=st.none() | st.integers(1, MOST_PAPERS),
    min_papers=st.integers(1, MOST_PAPERS),
    strictness=st.none() | st.sampled_from(Strictness),
    trending=st.booleans(),
    note_when_nothing=st.booleans(),
    pictures=st.booleans(),
    translated_titles=st.booleans(),
    exclusions=st.lists(words, max_size=4).map(parse_topics),
    follows=st.lists(st.builds("{}:{}".format, st.sampled_from(FollowKind), words), max_size=4).map(
        parse_follows
    ),
    paused_until=st.none() | st.dates(),
    locale=st.sampled_from([None, "en", "pt-BR"]),
)


@given(preferences)
def test_what_is_stored_is_read_again(wanted):
    assert Preferences.from_json(wanted.to_json()) == wanted


@pytest.mark.parametrize("name", list(Preferences().to_json()))
@pytest.mark.parametrize("empty", [None, "", "  ", []], ids=repr)
def test_an_empty_field_has_its_default(name, empty):
    assert Preferences.from_json({name: empty}) == Preferences()


@given(preferences, st.data())
def test_a_missing_field_has_its_default_and_the_others_stay(wanted, data):
    record = wanted.to_json()
    missing = data.draw(st.sampled_from(sorted(record)))
    default = Preferences().to_json()[missing]
    del record[missing]
    assert Preferences.from_json(record).to_json() == {**record, missing: default}


def test_unknown_fields_are_ignored():
    assert Preferences.from_json({"colour": "green", "days": "mon"}) == Preferences()


def test_false_is_not_empty():
    assert Preferences.from_json({"trending": False}).trending is False


@pytest.mark.parametrize(
    ("value", "trending"), [("true", True), (" FALSE ", False), (True, True), (False, False)]
)
def test_a_flag_is_true_or_false(value, trending):
    assert Preferences.from_json({"trending": value}).trending is trending


def test_exclusions_may_be_typed_in_one_line():
    typed = Preferences.from_json({"exclusions": " crypto; ;large models;"})
    assert typed == Preferences(exclusions=parse_topics(["crypto", "large models"]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cadence", "hourly"),
        ("at", "25"),
        ("timezone", "Mars/Olympus"),
        ("max_papers", 0),
        ("max_papers", 2.5),
        ("max_papers", True),
        ("min_papers", 0),
        ("min_papers", MOST_PAPERS + 1),
        ("strictness", "lax"),
        ("strictness", 0.5),
        ("strictness", True),
        ("trending", "maybe"),
        ("trending", 1),
        ("paused_until", "tomorrow"),
        ("locale", "?"),
        # Values of no fitting kind, as anybody may write them into JSON.
        ("cadence", ["mon"]),
        ("at", [8]),
        ("timezone", {"name": "UTC"}),
        ("max_papers", [3]),
        ("paused_until", ["2026-03-01"]),
        ("locale", {}),
    ],
)
def test_an_error_names_the_field_and_the_text(name, value):
    with pytest.raises(PreferenceError) as refused:
        Preferences.from_json({name: value})
    assert str(refused.value).startswith(f"{name}: {str(value)!r} is ")


@pytest.mark.parametrize("value", [["!!"], "!!", "crypto;!!"])
def test_an_error_in_an_exclusion_names_it(value):
    with pytest.raises(TopicError, match=r"^exclusions: a topic needs .* '!!'"):
        Preferences.from_json({"exclusions": value})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted(Preferences().to_json())), json_values))
def test_any_record_is_preferences_or_an_error_of_ours(record):
    try:
        read = Preferences.from_json(record)
    except SubscriberError:
        return
    assert read.days
    assert Preferences.from_json(read.to_json()) == read


def test_what_cannot_be_read_of_a_stored_record_has_its_default():
    stored = {**Preferences(max_papers=3).to_json(), "timezone": "Atlantis/Capital", "at": None}
    assert Preferences.from_stored(stored) == Preferences(max_papers=3)
