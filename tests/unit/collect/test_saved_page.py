"""Daily Papers pages that somebody saved, as HTML and as text in two layouts."""

import html
import json
from datetime import date, datetime
from pathlib import Path

import pytest

from digest.collect.answer_reader import Reading
from digest.collect.saved_page import is_html_page, is_text_page, read_html_page, read_text_page
from digest.errors import SourceError
from digest.model.papers import Facts, Harvest, Signals
from tests.support import NOW, TODAY

FIXTURES = Path(__file__).parents[2] / "fixtures" / "saved_pages"
INVITATION = "Get trending papers in your email inbox!"


def load(name: str) -> str:
    return (FIXTURES / name).read_text(encoding="utf-8")


def read(text: str, day: date | None = None, seen_at: datetime = NOW, **more: date) -> Harvest:
    more = {"fallback_day": seen_at.date(), **more}
    return read_text_page(text, Reading(file="here", seen_at=seen_at, day=day, **more))


def page(*blocks: str, day: str = "Feb 20") -> str:
    return "\n\n".join([INVITATION, day, *blocks])


def block(dated: str, who: str = "• 2 authors") -> str:
    return f"Ducks\n\nThey swim.\n\n  {who}\n·\n{dated}"


# ---- HTML ---------------------------------------------------------------------------------------


def html_page(props: object) -> str:
    data = html.escape(props if isinstance(props, str) else json.dumps(props))
    return f'<div data-target="DailyPapers" data-props="{data}"></div>'


def read_html(text: str, day: date | None = None) -> Harvest:
    return read_html_page(text, Reading(file="here", seen_at=NOW, day=day))


def test_the_data_in_an_html_page():
    text = load("page.html")
    assert is_html_page(text)
    harvest = read_html(text)
    assert [sighting.facts.title for sighting in harvest.sightings] == [
        'Ducks & "Geese"',
        "Swans <think>",
    ]
    assert [sighting.signals for sighting in harvest.sightings] == [
        Signals(upvotes=1, comments=0),
        Signals(),
    ]
    assert {sighting.listed_on for sighting in harvest.sightings} == {TODAY}


def test_a_given_day_comes_before_that_of_the_page():
    harvest = read_html(load("page.html"), date(2026, 2, 1))
    assert {sighting.listed_on for sighting in harvest.sightings} == {date(2026, 2, 1)}


@pytest.mark.parametrize(
    "props",
    [
        "{broken",
        [],
        {},
        {"dailyPapers": []},
        {"dailyPapers": [], "dateString": "today"},
        {"dailyPapers": [], "dateString": None},
        {"dailyPapers": None, "dateString": "2026-02-20"},
        {"dailyPapers": {"a": 1}, "dateString": "2026-02-20"},
        "[" * 100_000,
    ],
)
def test_unreadable_data_is_an_error_naming_the_file(props):
    with pytest.raises(SourceError, match=r"^here: "):
        read_html(html_page(props))


def test_a_page_without_data_is_an_error():
    assert not is_html_page("<html></html>")
    with pytest.raises(SourceError, match="no Daily Papers data"):
        read_html("<html></html>")


# ---- text with dates ----------------------------------------------------------------------------


def test_a_page_with_dates():
    text = load("dated.txt")
    assert is_text_page(text)
    harvest = read(text)
    assert harvest.rejected == ()
    assert {sighting.source for sighting in harvest.sightings} == {"huggingface"}
    assert {sighting.listed_on for sighting in harvest.sightings} == {TODAY}
    assert [sighting.facts for sighting in harvest.sightings] == [
        Facts(
            title="Ducks as Swimmers: A Survey",
            abstract="We watch ducks on ponds. They swim.",
            author_count=9,
            published_on=date(2024, 10, 3),
        ),
        Facts(
            title="Geese in Formation",
            abstract="Geese fly in the shape of a letter. Nobody knows which letter.",
            author_count=1,
            published_on=date(2025, 1, 15),
        ),
        Facts(
            title="Swans by an Organisation",
            abstract="Swans are seen from the office.",
            organisation="Pond Lab of the Lake",
            published_on=date(2026, 2, 19),
        ),
        Facts(
            title="Herons by a Handle",
            abstract="Herons stand still.",
            organisation="heronry",
            # That year had no 29 February.
            published_on=None,
        ),
    ]
    assert [sighting.signals.comments for sighting in harvest.sightings] == [None, 12, 3, None]


def test_what_is_cut_off_is_told():
    harvest = read(load("cut.txt"))
    assert [sighting.facts.title for sighting in harvest.sightings] == [
        "Ducks as Swimmers: A Survey"
    ]
    assert [each.where for each in harvest.rejected] == ["entry 2", "entry 3", "entry 4"]
    assert [each.why.partition(":")[0] for each in harvest.rejected] == [
        "not a title, an abstract, who, a dot and a date",
        "no date, but 'soon'",
        "the page ends in the middle of a paper",
    ]


def test_a_page_that_ends_at_a_dot_is_told():
    harvest = read(page("Ducks\n\nThey swim.\n\n• 2 authors\n·"))
    assert harvest.sightings == ()
    assert len(harvest.rejected) == 1


@pytest.mark.parametrize(
    ("stated", "seen_at", "year"),
    [
        # A page states every year but its own: so its own comes after those.
        (["Oct 3, 2024", "Jan 1, 2023"], NOW, 2025),
        (["Oct 3, 2025"], NOW, 2026),
        # …but no page is of a year to come.
        (["Oct 3, 2026"], NOW, 2026),
        (["Feb 3"], NOW, 2026),
        (["Feb 3"], NOW.replace(year=2030), 2030),
    ],
)
def test_the_year_that_a_page_leaves_out(stated, seen_at, year):
    harvest = read(page(*map(block, stated), block("Feb 3")), seen_at=seen_at)
    assert {sighting.listed_on for sighting in harvest.sightings} == {date(year, 2, 20)}
    assert harvest.sightings[-1].facts.published_on == date(year, 2, 3)


def test_a_given_day_is_the_listing_day_and_gives_the_year():
    harvest = read(page(block("Feb 3"), block("Oct 3, 2021")), day=date(2023, 5, 1))
    assert {sighting.listed_on for sighting in harvest.sightings} == {date(2023, 5, 1)}
    assert harvest.sightings[0].facts.published_on == date(2023, 2, 3)


def test_without_a_date_of_its_own_a_page_is_of_the_day_in_its_name():
    text = f"{INVITATION}\n\nDucks\n\nThey swim.\n\n• 2 authors\n·\nOct 3, 2025"
    harvest = read(text, fallback_day=date(2026, 1, 2))
    assert harvest.sightings[0].listed_on == date(2026, 1, 2)


@pytest.mark.parametrize("dated", ["Feb 3 99999999999", "Feb 3 -1", "Feb 3, 2025 many", "3 Feb"])
def test_what_is_no_count_or_date_is_rejected(dated):
    assert len(read(page(block(dated))).rejected) == 1


def test_a_number_of_authors_beyond_reason_is_none():
    (sighting,) = read(page(block("Feb 3", "• 99999999999 authors"))).sightings
    assert sighting.facts.author_count == 0


def test_titles_and_names_go_through_the_door():
    text = page("Ducks\u202e \\emph{swim}\n\nThey swim.\n\nlab Pond\u200b Lab\n·\nFeb 3")
    facts = read(text).sightings[0].facts
    assert (facts.title, facts.organisation) == ("Ducks swim", "Pond Lab")


# ---- text without dates -------------------------------------------------------------------------


def test_a_page_without_dates():
    text = load("undated.txt")
    assert is_text_page(text)
    harvest = read(text)
    assert [sighting.facts.title for sighting in harvest.sightings] == [
        "Quack: Ducks Glued to a Button",
        "A Title Whose Abstract Is Missing",
        "Geese in Rows",
        "A Last Title",
    ]
    assert [sighting.facts.abstract[:5] for sighting in harvest.sightings] == [
        "Ducks",
        "",
        "Geese",
        "",
    ]
    assert {sighting.listed_on for sighting in harvest.sightings} == {NOW.date()}
    (rejection,) = harvest.rejected
    assert rejection.where == "entry 4"
    assert rejection.why.startswith("an abstract without a title: 'A second abstract")


@pytest.mark.parametrize("button", ["Subscribe", "Subscribe\n", "Subscribe\n\n", ""])
def test_the_button_is_no_part_of_the_first_title(button):
    harvest = read(f"{INVITATION}\n{button}Ducks\nSubscribe to Geese")
    assert [sighting.facts.title for sighting in harvest.sightings] == [
        "Ducks",
        "Subscribe to Geese",
    ]


@pytest.mark.parametrize("text", [INVITATION, f"{INVITATION}\nSubscribe\n", f"x {INVITATION}"])
def test_a_page_of_nothing_but_its_head_does_not_fail(text):
    assert len(read(text).rejected) == 0


def test_a_title_of_signs_alone_is_rejected():
    harvest = read(f"{INVITATION}\n🦆🦆\nDucks")
    assert [sighting.facts.title for sighting in harvest.sightings] == ["Ducks"]
    assert [each.why for each in harvest.rejected] == ["neither an arXiv id nor a DOI nor a title"]


@pytest.mark.parametrize("text", ["", "Ducks\n\nThey swim.", "x" * 3_000 + INVITATION])
def test_another_text_is_no_page(text):
    assert not is_text_page(text)
