"""The form for preferences as its template gets it: what there is to choose from, and what is chosen."""

from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.preferences import CADENCES, WEEKDAYS, Preferences
from subscribers.preferences_form import CHOSEN_DAYS, PreferencesForm
from subscribers.topics import parse_topics
from subscribers.web.form_view import form_view

LANGUAGES = {"de": "Deutsch", "en": "English"}


def shown(suggestions=(), **form):
    return form_view(PreferencesForm(**form), suggestions, LANGUAGES, "en")


def chosen(choices):
    return [choice.value for choice in choices if choice.chosen]


def zones(view):
    return {each.value: each for region in view.zones.values() for each in region}


def offered(view):
    return [topic.value for topic in view.topics]


# ---- suggestions -------------------------------------------------------------------------------


def test_suggestions_are_offered_in_their_order():
    view = shown(["robots", "agents"])
    assert offered(view) == ["robots", "agents"]
    assert chosen(view.topics) == []


def test_a_suggestion_that_is_typed_already_is_not_offered():
    view = shown(["Robots", "agents"], topics="ROBOTS ; ducks")
    assert offered(view) == ["agents"]


def test_what_was_ticked_stays_on_offer_and_ticked():
    view = shown(["robots", "agents"], topic=("video", "agents"))
    assert offered(view) == ["video", "agents", "robots"]
    assert chosen(view.topics) == ["video", "agents"]


def test_exclusions_are_ticked_and_none_is_suggested():
    view = shown(["robots"], exclusion=("medical", "surveys"))
    assert chosen(view.exclusions) == ["medical", "surveys"]
    assert chosen(view.topics) == []


@given(
    st.lists(st.sampled_from("abcABC")), st.sets(st.sampled_from("abcABC")), st.sampled_from("aBx")
)
def test_no_suggestion_is_repeated(suggestions, ticked, typed):
    view = shown(suggestions, topic=tuple(sorted(ticked)), topics=typed)
    assert len(set(offered(view))) == len(offered(view))
    suggested = [topic.value.casefold() for topic in view.topics if not topic.chosen]
    assert not {typed.casefold(), *map(str.casefold, ticked)} & set(suggested)
    assert len({topic.id for topic in view.topics}) == len(view.topics)


# ---- when --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cadence", [*CADENCES, CHOSEN_DAYS])
def test_the_cadence_is_chosen(cadence):
    view = shown(cadence=cadence)
    assert chosen(view.cadences) == [cadence]
    assert [each.value for each in view.cadences] == [*CADENCES, CHOSEN_DAYS]


def test_the_days_are_chosen_in_the_order_of_the_week():
    view = shown(days=frozenset({"thu", "mon"}))
    assert [day.value for day in view.days] == list(WEEKDAYS)
    assert chosen(view.days) == ["mon", "thu"]


def test_utc_is_among_the_zones():
    view = shown(timezone="UTC")
    assert view.zones[""][0].value == "UTC"
    assert view.zones[""][0].label == "UTC"
    assert chosen(zones(view).values()) == ["UTC"]


def test_zones_are_grouped_by_region_and_named_by_place():
    view = shown()
    assert list(view.zones) == sorted(view.zones)
    assert {"Europe", "America", "Asia", ""} <= view.zones.keys()
    assert [zone.label for zone in view.zones["America"] if "Buenos" in zone.value][-1] == (
        "Buenos Aires"
    )
    assert zones(view)["America/Argentina/Buenos_Aires"].label == "Argentina/Buenos Aires"
    assert chosen(zones(view).values()) == []


@pytest.mark.parametrize("name", ["Etc/GMT+5", "Asia/Calcutta", "EST", "US/Pacific", "Zulu"])
def test_a_zone_by_an_old_name_stays_chosen(name):
    view = shown(timezone=name)
    assert chosen(zones(view).values()) == [name]


@given(st.sampled_from(sorted(available_timezones())))
def test_every_zone_that_can_be_stored_can_be_shown(name):
    found = [each for region in shown(timezone=name).zones.values() for each in region]
    assert chosen(found) == [name]
    assert len({each.value for each in found}) == len(found)


# ---- how much ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "papers"), [("", []), ("3", ["3"]), ("99", [])])
def test_the_number_of_papers_is_chosen(typed, papers):
    view = shown(max_papers=typed)
    assert chosen(view.most_papers) == papers
    assert [most_paper.value for most_paper in view.most_papers] == [
        str(number) for number in range(1, 16)
    ]


def test_what_was_typed_is_there():
    form = PreferencesForm.of(parse_topics(["robots"]), Preferences())
    assert form_view(form, (), LANGUAGES, "en").typed is form


def test_the_language_that_is_near_to_ones_own_is_chosen_and_ones_own_stays():
    form = PreferencesForm(locale="de-AT")
    view = form_view(form, (), LANGUAGES, "de")
    assert [(choice.value, choice.chosen) for choice in view.languages] == [
        ("de-AT", True),
        ("en", False),
    ]
