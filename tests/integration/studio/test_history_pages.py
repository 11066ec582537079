"""The studio's pages about what happened, over a ledger with a day in it."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, update

from digest.cli.demo import NOW
from digest.collect.sample_edition import SAMPLE_EDITION
from digest.ledger.history import Collection
from digest.model.messages import Outcome, OutcomeKind
from digest.model.papers import Rejection
from digest.studio.history import DELIVERIES_A_PAGE, history_routes
from digest.studio.preview_request import read_preview_request
from digest.studio.render import Pages
from digest.studio.web import studio_app
from subscribers.model import SuppressionReason
from subscribers.preferences import Preferences
from subscribers.store.tables import subscribers
from subscribers.topics import parse_topics
from tests.integration.browser import Browser, page_of
from tests.integration.pipelines import explain, make_collector, make_pipeline
from tests.integration.senders import make_delivery_worker
from tests.integration.site import PLAIN_COMPOSER
from tests.support import make_settings, shipped_background

DAY = NOW.date()
HOSTILE = "<script>alert('x')</script>\"&{{7*7}}"
REFUSED = "550 5.1.1 <b onclick=x>No such user</b>\r\nsecond line"


class Post:
    """A transport that refuses whoever is called so, with hostile words."""

    takes_smtputf8 = False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def send(self, message):
        if "refused" in message.envelope.rcpt_to:
            return Outcome(OutcomeKind.REFUSED, REFUSED, 550)
        return Outcome(OutcomeKind.ACCEPTED, "250 2.0.0 kept", 250)


class House:
    """The studio's history over a ledger, and its pipeline."""

    def __init__(self, ledger, registry):
        self.ledger = ledger
        self.registry = registry
        settings = make_settings(timezone="Europe/Oslo")
        self._sending = make_delivery_worker(settings, ledger, registry, PLAIN_COMPOSER, Post())
        self._settings = settings
        self.pipeline = make_pipeline(
            settings, ledger, registry, deliver=self._sending.send, corpus=shipped_background
        )
        pages = Pages("Paper Digest")
        zone = ZoneInfo("Europe/Oslo")
        routes = history_routes(ledger, registry, self, pages, lambda: NOW, zone)
        app = studio_app([routes], pages, host="127.0.0.1", password=None)
        self._browser = Browser(app)

    def add(self, name, *topics):
        address = f"{name}@example.org"
        return self.registry.add(address, parse_topics(topics), source="test", now=NOW)

    def edition_day(self, now):
        return now.date()

    def explain(self, person, day, now):
        return explain(self._settings, self.ledger, self.registry, person, day, now)

    def run(self):
        make_collector(self._settings, self.ledger).collect_files([SAMPLE_EDITION], None, NOW)
        return self.pipeline.tick(NOW, everybody=True)

    def answer(self, path):
        return self._browser.get(f"http://127.0.0.1{path}")

    def page(self, path):
        answer = self.answer(path)
        assert answer.status_code == 200, path
        assert "style=" not in answer.text
        assert "<style" not in answer.text
        page = page_of(answer)
        for table in page.xpath("//table"):
            assert table.findtext("caption").strip()
            assert table.xpath("thead//th[@scope='col']")
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids))
        return page


@pytest.fixture
def house(ledger, registry):
    return House(ledger, registry)


@pytest.fixture
def day(house):
    """Three subscribers, whose mails were accepted, refused and skipped."""
    house.ada = house.add("ada", "video generation", "agents")
    house.refused = house.add("refused", "agents, <b>&")
    house.skipped = house.add("skipped", "title:palaeontology")
    house.registry.set_preferences(
        house.skipped.public_id, house.skipped.topics, Preferences(trending=False)
    )
    house.done = house.run()
    return house


def text_of(element):
    return re.sub(r"\s+", " ", element.text_content()).strip()


def rows(page, caption):
    """The rows of the table whose caption has some words in it: each cell as text."""
    [table] = [each for each in page.xpath("//table") if caption in each.findtext("caption")]
    return [[text_of(cell) for cell in row] for row in table.xpath("tbody/tr")]


# ---- editions --------------------------------------------------------------------------------


def test_editions_with_what_became_of_them(day):
    page = day.page("/editions")
    [row] = rows(page, "newest edition first")
    assert row == ["2025-12-05", "26", "3", "1", "1", "0", "1", "0", "0", "adds up"]
    assert page.xpath(f"//a[@href='/editions/{DAY}']")
    assert page.xpath("//nav//a[@aria-current='page']/text()") == ["Editions"]


def test_many_editions_are_paged(house):
    for n in range(35):
        house.ledger.editions.freeze(DAY - timedelta(days=n), DAY, NOW)
    first, second = house.page("/editions"), house.page("/editions?page=2")
    assert len(rows(first, "newest")) == 30
    assert len(rows(second, "newest")) == 5
    assert first.xpath("//a[@rel='next']/@href") == ["/editions?page=2"]
    assert second.xpath("//a[@rel='prev']/@href") == ["/editions?page=1"]
    assert not second.xpath("//a[@rel='next']")


def test_an_empty_ledger_has_pages_too(house):
    for path in ("/editions", "/editions?page=9", "/runs", "/runs?page=9", "/month"):
        house.page(path)


def test_an_edition_tells_its_balance_and_why_some_were_skipped(day):
    page = day.page(f"/editions/{DAY}")
    told = text_of(page.get_element_by_id("the-sum").getparent())
    assert "The sum adds up: 3 due = 1 accepted + 1 refused + 1 skipped." in told
    assert "nothing matched their topics: 1" in told
    figures = {each.findtext("dt"): each.findtext("dd") for each in page.xpath("//dl/div")}
    assert (figures["candidates"], figures["due"]) == ("26", "3")


def test_an_edition_tells_what_was_collected_for_it_and_what_was_left_out(day):
    left_out = tuple(Rejection(HOSTILE, f"entry {n}", HOSTILE) for n in range(200))
    day.ledger.history.record_collection(
        Collection(DAY, NOW, "huggingface", 5, 0, 3, 250, left_out, failure=HOSTILE)
    )
    page = day.page(f"/editions/{DAY}")
    files, huggingface = rows(page, "Since the edition before")
    assert files == ["2025-12-05 19:00", "files", "26", "26", "0", "0", "none"]
    assert huggingface == ["2025-12-05 19:00", "huggingface", "5", "0", "3", "250", HOSTILE]
    entries = rows(page, "The first 200 of 250")
    assert len(entries) == 200
    assert entries[0] == [HOSTILE, "entry 0", HOSTILE]
    assert not page.xpath("//script[not(@src)]")


def test_an_edition_tells_its_runs(day):
    [[began, *_, tried, trouble]] = rows(day.page(f"/editions/{DAY}"), "Runs of that day")
    assert (began, tried, trouble) == ("2025-12-05 19:00", "2", "none")


def test_who_got_what_with_the_servers_words(day):
    page = day.page(f"/editions/{DAY}")
    assert rows(page, "Deliveries") == [
        ["ada@example.org", "accepted", "250 2.0.0 kept"],
        ["refused@example.org", "refused", "550 5.1.1 <b onclick=x>No such user</b> second line"],
        ["skipped@example.org", "skipped", "nothing matched their topics"],
    ]
    links = page.xpath("//th[@class='address']/a/@href")
    assert links[0] == f"/editions/{DAY}/subscribers/{day.ada.id}"


SEARCHES = {
    "address=ADA": ["ada"],
    "address=example.org&state=refused": ["refused"],
    "state=skipped": ["skipped"],
    "state=no-such-state": ["ada", "refused", "skipped"],
    "address=%25": [],
    "address=%00%ED%A0%80ada": [],
    "address=" + "a" * 5000: [],
    "address=ada&page=2": [],
}


def test_deliveries_are_searched(day):
    def names(query):
        page = day.page(f"/editions/{DAY}?{query}")
        return [text_of(each).partition("@")[0] for each in page.xpath("//th[@class='address']")]

    assert {query: names(query) for query in SEARCHES} == SEARCHES


def test_a_search_is_shown_as_it_was_typed(day):
    page = day.page(f"/editions/{DAY}?address=%3Cscript%3E%22x&state=refused")
    assert page.get_element_by_id("address").get("value") == '<script>"x'
    assert page.xpath("//option[@selected]/@value") == ["refused"]
    assert "No delivery of this edition matches." in text_of(page)


def test_many_deliveries_are_paged_and_take_no_more_queries(house, ledger):
    for n in range(DELIVERIES_A_PAGE + 5):
        house.add(f"reader{n}", "agents")
    house.run()
    asked = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    page = house.page(f"/editions/{DAY}?address=reader")
    assert len(asked) < 20
    assert len(rows(page, "Deliveries")) == DELIVERIES_A_PAGE
    assert "1–100 of 105 found" in text_of(page)
    [after] = page.xpath("//a[@rel='next']/@href")
    assert after == f"/editions/{DAY}?address=reader&page=2"
    rest = house.page(after)
    assert len(rows(rest, "Deliveries")) == 5
    assert "101–105 of 105 found" in text_of(rest)


# ---- one delivery ----------------------------------------------------------------------------


def test_what_somebody_got_and_why(day):
    page = day.page(f"/editions/{DAY}/subscribers/{day.ada.id}")
    edition = day.ledger.editions.on(DAY)
    delivery = day.ledger.deliveries.of(edition, day.ada.id)
    picks = day.ledger.editions.picks(edition, delivery)
    shown = [text_of(each) for each in page.xpath("//ol[@class='picks']/li")]
    assert len(shown) == len(picks) > 3
    for pick, told in zip(picks, shown, strict=True):
        assert pick.candidate.facts.title in told
        if pick.match:
            assert f"{pick.match.score:.2f} topic {pick.match.reason.topic}" in told
            assert all(word in told for word in pick.match.reason.words)
        else:
            assert f"trending {pick.candidate.signals.upvotes} upvotes" in told
    assert rows(page, "Attempts") == [["2025-12-05 19:00", "accepted", "250", "250 2.0.0 kept"]]
    assert [row[0] for row in rows(page, "Their topics and this edition")] == [
        "video generation",
        "agents",
    ]


def test_the_mail_is_a_link_to_the_preview_of_it(day):
    page = day.page(f"/editions/{DAY}/subscribers/{day.ada.id}")
    [link] = page.xpath("//a[normalize-space()='Show the email']/@href")
    query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    preview_request = read_preview_request(query)
    assert preview_request.is_edition
    assert (preview_request.day, preview_request.reader) == (DAY, "ada@example.org")


def test_somebody_who_was_skipped_is_told_why(day):
    page = day.page(f"/editions/{DAY}/subscribers/{day.skipped.id}")
    told = text_of(page)
    assert "skipped not sent: nothing matched their topics." in told
    assert "No attempt was made." in told
    assert not page.xpath("//a[normalize-space()='Show the email']")


def test_somebody_who_had_a_note_is_told_what_it_says(day):
    noted = day.add("noted", "sourdough bread")
    wishes = Preferences(note_when_nothing=True)
    day.registry.set_preferences(noted.public_id, noted.topics, wishes)
    day.run()
    page = day.page(f"/editions/{DAY}/subscribers/{noted.id}")
    told = text_of(page)
    assert "accepted by the mail server: a note that nothing matched their topics." in told
    assert "mail every day, also when there is nothing" in told
    assert page.xpath("//a[normalize-space()='Show the email']")


def test_somebody_who_came_later_is_told_what_they_would_get(day):
    late = day.add("late", "agents")
    day.registry.suppressions.add("late@example.org", SuppressionReason.COMPLAINT, now=NOW)
    told = text_of(day.page(f"/editions/{DAY}/subscribers/{late.id}"))
    assert "No delivery of this edition was planned for them." in told
    assert "What they would receive now" in told
    assert "blocked since 2025-12-05 19:00: complaint" in told


def test_somebody_removed_leaves_their_delivery(day):
    day.registry.remove("ada@example.org")
    assert f"number {day.ada.id}, removed" in text_of(day.page(f"/editions/{DAY}"))
    page = day.page(f"/editions/{DAY}/subscribers/{day.ada.id}")
    assert page.xpath("//ol[@class='picks']/li")
    assert not page.xpath("//a[normalize-space()='Show the email']")


def test_hostile_addresses_words_and_titles_are_only_text(day):
    with day.ledger.engine.begin() as connection:
        hostile = update(subscribers).where(subscribers.c.id == day.refused.id)
        connection.execute(hostile.values(address=HOSTILE))
    listed = day.page(f"/editions/{DAY}")
    assert HOSTILE in [text_of(each) for each in listed.xpath("//th[@class='address']")]
    page = day.page(f"/editions/{DAY}/subscribers/{day.refused.id}")
    assert text_of(page.find(".//h1")) == HOSTILE
    assert [row[3] for row in rows(page, "Attempts")] == [re.sub(r"\s+", " ", REFUSED)]
    assert [row[0] for row in rows(page, "Their topics and this edition")] == ["agents, <b>&"]
    for each in (listed, page):
        assert not each.xpath("//b[@onclick] | //b[.='agents'] | //script[not(@src)]")


NO_PAGES = (
    "/editions/2020-01-01",
    "/editions/no-day",
    "/editions?page=0",
    "/editions?page=99999999999999999999",
    "/editions?page=x",
    f"/editions/{DAY}?page=-1",
    f"/editions/{DAY}/subscribers/99",
    f"/editions/{DAY}/subscribers/0",
    f"/editions/{DAY}/subscribers/99999999999999999999",
    f"/editions/{DAY}/subscribers/x",
    "/editions/2020-01-01/subscribers/1",
    "/month?until=never",
)


def test_what_is_not_there_is_a_page_that_says_so(day):
    there = {path: day.answer(path).status_code for path in NO_PAGES}
    assert set(there.values()) <= {404, 422}, there


# ---- runs, and a month -----------------------------------------------------------------------


def test_runs_with_their_balance_and_their_trouble(day):
    mark = day.ledger.history.begin_run(DAY + timedelta(days=1), NOW + timedelta(days=1))
    took = timedelta(minutes=3, seconds=20)
    day.ledger.history.end_run(mark, NOW + timedelta(days=1) + took, took / 2, (HOSTILE, "two"))
    day.ledger.history.begin_run(DAY, NOW + timedelta(days=2))
    dead, troubled, first = rows(day.page("/runs"), "Newest first")
    assert dead[2] == "no end still running, or broken off"
    assert troubled[1:] == [
        "2025-12-06",
        "3 min 20 s",
        "1 min 40 s",
        "0",
        "no edition",
        f"{HOSTILE}two",
    ]
    assert first[5:] == ["1 accepted, 1 refused, 1 skipped", "none"]


def test_a_month_shows_plots_and_says_them(day):
    day.registry.withdraw(day.ada.public_id, source="test", now=NOW)
    page = day.page("/month")
    assert len(page.xpath("//figure/svg[@role='img']")) == 4
    deliveries, *_ = rows(page, "1 accepted, 1 skipped, 1 refused in all")
    assert deliveries == ["2025-12-05", "1", "1", "1"]
    assert rows(page, "1 unsubscribed in all")[0] == ["2025-12-05", "1"]
    assert rows(page, "26 papers in all")[0] == ["2025-12-05", "26"]
    assert len(rows(page, "26 papers in all")) == 31
    for name in ("aria-labelledby", "aria-describedby"):
        for named in page.xpath(f"//svg/@{name}"):
            assert page.get_element_by_id(named) is not None


def test_months_before_are_a_link_away_and_back(day):
    page = day.page("/month")
    assert not page.xpath("//a[@rel='next']")
    [earlier] = page.xpath("//a[@rel='prev']/@href")
    before = day.page(earlier)
    assert "Nothing was sent in these days." in text_of(before)
    assert before.xpath("//a[@rel='next']/@href") == [f"/month?until={DAY}"]


def test_the_ends_of_time_are_days_too(day):
    for until in ("0001-01-01", "9999-12-31"):
        day.page(f"/month?until={until}")


def test_its_style_sheet_is_there(house):
    answer = house.answer("/history.css")
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert ".plot" in answer.text


# ---- long afterwards -------------------------------------------------------------------------


def test_what_is_no_longer_kept_is_said_and_the_sum_stands(day):
    edition = day.ledger.editions.on(DAY)
    sum_before = text_of(day.page(f"/editions/{DAY}").get_element_by_id("the-sum").getparent())
    day.ledger.old_rows.remove_deliveries(DAY + timedelta(days=1))
    # The last number of all is kept.
    assert day.ledger.editions.gone(edition) == 2
    page = day.page(f"/editions/{DAY}")
    assert text_of(page.get_element_by_id("the-sum").getparent()) == sum_before
    said = text_of(page)
    assert "details of 2 deliveries are no longer kept" in said
    assert "Nobody was due" not in said
    theirs = text_of(day.page(f"/editions/{DAY}/subscribers/{day.ada.id}"))
    assert "their delivery is no longer kept" in theirs
    assert "No delivery of this edition was planned" not in theirs
    assert "What they would receive now" in theirs
    assert "due" in text_of(day.page("/editions"))
