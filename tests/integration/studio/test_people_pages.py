"""The studio's pages about people, on both databases: what they show, count and change."""

import gc
import json
import re
from datetime import date, timedelta
from tempfile import SpooledTemporaryFile
from zoneinfo import ZoneInfo

import lxml.html
import pytest
from structlog.testing import capture_logs

from digest.monitoring.why_text import why_lines
from digest.studio.people_changes import change_routes
from digest.studio.people_context import PeopleContext
from digest.studio.people_growth import growth_routes
from digest.studio.people_import import (
    KEPT_FOR,
    MOST_FILES,
    Waiting,
    WaitingFiles,
    import_routes,
)
from digest.studio.people_page import PEOPLE_A_PAGE
from digest.studio.people_routes import people_routes
from digest.studio.render import Pages
from digest.studio.web import studio_app
from subscribers.addresses import AddressPolicy
from subscribers.model import Consent, SuppressionReason
from subscribers.own_papers import GivenPapers
from subscribers.topics import parse_topics
from tests.integration.people import changes, look
from tests.integration.pipelines import explain
from tests.integration.studio_client import Client
from tests.support import NOW, make_settings

pytestmark = pytest.mark.both_databases

OSLO = ZoneInfo("Europe/Oslo")
HOSTILE_TOPIC = "<script>alert('x')</script> {{7*7}}"
HOSTILE_ADDRESS = "{{7*7}}'&x=y@example.org"
GOOD_CSV = (
    b"email,topics,consent\n"
    b"new@example.org,robots,confirmed\n"
    b"ada@example.org,another,confirmed\n"
    b"dead@example.org,,confirmed\n"
    b"new@example.org,twice,confirmed\n"
    b"<b>nobody,,\n"
)


class House:
    """The pages over a database, at a time that a test can move."""

    def __init__(self, ledger, registry, password=None, root=""):
        self.ledger, self.registry, self.now = ledger, registry, NOW
        pages = Pages("Paper Digest", root)
        self.context = PeopleContext(
            registry=registry,
            outcomes=ledger.outcomes,
            pages=pages,
            clock=lambda: self.now,
            zone=OSLO,
            address_policy=AddressPolicy(lambda: True),
            read_papers=lambda _given, _now: GivenPapers(),
            speaks=lambda _: True,
            why=self.why,
            root=root,
        )
        routers = [
            make(self.context)
            for make in (import_routes, change_routes, growth_routes, people_routes)
        ]
        self.client = Client(
            studio_app(routers, pages, host="127.0.0.1", password=password, root=root)
        )

    def why(self, person, day, now):
        told = explain(make_settings(), self.ledger, self.registry, person, day or now.date(), now)
        return why_lines(told, OSLO)

    def add(self, name, *topics):
        address = name if "@" in name else f"{name}@example.org"
        return self.registry.add(address, parse_topics(topics), source="test", now=NOW)

    def page(self, path, status=200):
        return checked(self.client.get(path), status)

    def post(self, path, status=200, **fields):
        return checked(self.client.post(path, data=fields), status)

    def upload(self, content, name="people.csv", status=200):
        files = {"file": (name, content, "text/csv")}
        return checked(self.client.post("/subscribers/import", files=files), status)

    def press(self, page, status=200, **changed):
        """Send the last form of a page, with some of its fields changed."""
        form = page.forms[-1]
        return self.post(form.action, status, **{**dict(form_fields(form)), **changed})


def checked(answer, status=200):
    assert answer.status_code == status, answer.text
    assert "style=" not in answer.text
    assert "<script" not in answer.text
    page = lxml.html.document_fromstring(answer.text)
    for table in page.xpath("//table"):
        assert table.findtext("caption").strip()
        assert table.xpath("thead//th[@scope='col']")
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    for field in page.xpath("//input[not(@type='hidden')] | //select | //textarea"):
        named = field.get("aria-label") or field.xpath("ancestor::label")
        assert named or page.xpath("//label[@for=$id]", id=field.get("id")), field.get("name")
    return page


def form_fields(form):
    fields = {}
    for name, value in form.form_values():
        fields.setdefault(name, []).append(value)
    return fields


def text_of(page):
    return re.sub(r"\s+", " ", page.text_content()).strip()


def addresses(page):
    return [link.text for link in page.xpath("//table[@class='people']//th/a")]


@pytest.fixture
def house(ledger, registry):
    return House(ledger, registry)


@pytest.fixture
def people(house):
    """One of each state."""
    house.ada = house.add("ada", "agents", HOSTILE_TOPIC)
    house.bob = house.registry.ask("bob@example.org", (), source="form", now=NOW)
    house.cleo = house.add("cleo")
    house.registry.withdraw(house.cleo.public_id, source="link", now=NOW)
    house.dan = house.add("dan")
    house.registry.bulk_changes.pause([house.dan.id], date(2099, 1, 1))
    house.eve = house.add("eve")
    house.registry.suppressions.add("eve@example.org", SuppressionReason.HARD_BOUNCE, now=NOW)
    return house


# ---- the list --------------------------------------------------------------------------------


def test_the_list_shows_everybody_and_counts_each_state(people):
    page = people.page("/subscribers")
    names = [address.partition("@")[0] for address in addresses(page)]
    assert names == ["eve", "dan", "cleo", "bob", "ada"]
    states = [text_of(link) for link in page.xpath("//nav[@class='states']/a")]
    assert states == ["all 5", "confirmed 3", "waiting to confirm 1", "left 1", "blocked 1", "paused 1"]  # fmt: skip
    assert "blocked: hard-bounce" in text_of(page)
    assert "paused until 2099-01-01" in text_of(page)
    assert HOSTILE_TOPIC in text_of(page)


def test_a_state_and_an_address_are_searched_for(people):
    assert addresses(people.page("/subscribers?state=paused")) == ["dan@example.org"]
    assert addresses(people.page("/subscribers?address=ADA@")) == ["ada@example.org"]
    assert addresses(people.page("/subscribers?state=nonsense&address=%00a%0Ada")) == [
        "ada@example.org"
    ]
    assert "No subscriber matches" in text_of(people.page("/subscribers?address=nobody"))
    hostile = people.page("/subscribers?address=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert hostile.xpath("//input[@id='address']/@value") == ['"><script>alert(1)</script>']


def test_an_empty_list_says_so(house):
    assert "There are no subscribers yet" in text_of(house.page("/subscribers"))


def test_pages_lead_through_all_and_back(house):
    for number in range(2 * PEOPLE_A_PAGE + 1):
        house.add(f"reader{number:03}")
    seen, path, pages = [], "/subscribers?address=reader", []
    while path:
        page = house.page(path)
        pages.append((path, addresses(page)))
        seen += addresses(page)
        path = "".join(page.xpath("//a[@rel='next']/@href"))
    assert seen == [f"reader{n:03}@example.org" for n in reversed(range(2 * PEOPLE_A_PAGE + 1))]
    back = page.xpath("//a[@rel='prev']/@href")[0]
    assert addresses(house.page(back)) == pages[1][1]
    back = house.page(back).xpath("//a[@rel='prev']/@href")[0]
    assert addresses(house.page(back)) == pages[0][1]
    assert not house.page(back).xpath("//a[@rel='prev']")


def test_hostile_addresses_are_text(house):
    person = house.add(HOSTILE_ADDRESS, HOSTILE_TOPIC)
    for path in ("/subscribers", f"/subscribers/{person.id}"):
        assert HOSTILE_ADDRESS in text_of(house.page(path))
        assert HOSTILE_TOPIC in text_of(house.page(path))


# ---- one person ------------------------------------------------------------------------------


def test_a_person_is_told_as_why_tells_them(people):
    page = people.page(f"/subscribers/{people.ada.id}")
    file = people.registry.file_by_id(people.ada.id)
    [why] = page.xpath("//pre")
    assert why.text == "\n".join(people.why(file, None, NOW))
    assert "ada@example.org: confirmed since" in why.text
    told = text_of(page)
    assert "vouched" in told
    assert "every day, at 08:00 (UTC)" in told
    earlier = people.page(f"/subscribers/{people.ada.id}?day=2026-01-05").xpath("//pre")[0].text
    assert "2026-01-05" in earlier


@pytest.mark.parametrize("path", ["/subscribers/99", "/subscribers/0", "/subscribers/x", "/subscribers/99999999999"])  # fmt: skip
def test_nobody_is_not_found(people, path):
    assert people.client.get(path).status_code in {404, 422}


# ---- adding ----------------------------------------------------------------------------------


def test_somebody_is_added_with_topics_and_in_the_log(house):
    with capture_logs() as logs:
        answer = house.client.post(
            "/subscribers/add", data={"address": " Ann <New@Example.org> ", "topics": "robots\nx;y"}
        )
    [person] = house.registry.everybody()
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/subscribers/{person.id}"
    assert person.address == "New@example.org"
    assert [topic.text for topic in person.topics] == ["robots", "x", "y"]
    assert person.consent is Consent.CONFIRMED
    [line] = [line for line in logs if line["event"] == "a subscriber was added"]
    assert line["who"] == "somebody at this machine"


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"address": "<b>no"}, "'<b>no' is not an email address"), ({"address": "a@example.org", "topics": '"'}, "")],
)  # fmt: skip
def test_what_cannot_be_added_is_said_and_typed_again(house, typed, said):
    page = house.post("/subscribers/add", 422, **typed)
    assert said in text_of(page.xpath("//*[@role='alert']")[0])
    assert page.xpath("//input[@id='address']/@value") == [typed["address"]]
    assert house.registry.everybody() == []


def test_who_left_is_not_added(people):
    page = people.post("/subscribers/add", 422, address="cleo@example.org")
    assert "only the person can subscribe again" in text_of(page)


# ---- changes ---------------------------------------------------------------------------------

CHANGES = {
    "pause": (["subscribers ada: preferences", "subscribers dan: preferences"], "2 people were paused until 2099-02-01"),
    "resume": (["subscribers dan: preferences"], "1 person was resumed; for 1 there was nothing to change"),
    "block": (["+ suppressions", "+ suppressions"], "2 people were blocked"),
    "unblock": ([], "0 people were unblocked; for 2 there was nothing to change"),
    "remove": (["- consents ada", "- consents dan", "- subscribers ada", "- subscribers dan"], "2 people were removed"),
}  # fmt: skip


@pytest.mark.parametrize("action", CHANGES)
def test_those_ticked_are_counted_and_then_changed(people, engine, action):
    expected, said = CHANGES[action]
    before = look(engine)
    ticked = [people.ada.id, people.dan.id]
    asked = people.post(
        "/subscribers/count", action=action, until="2099-02-01", whom="ticked", ticked=ticked
    )
    assert f"{action.capitalize()} 2 people?" in text_of(asked)
    assert "ada@example.org" in text_of(asked)
    assert look(engine) == before
    with capture_logs() as logs:
        done = people.press(asked)
    assert said in text_of(done)
    changed = changes(before, look(engine))
    assert len(changed) == len(expected)
    for line, begins in zip(changed, expected, strict=True):
        assert line.startswith(begins)
    [line] = [line for line in logs if line["event"] == "subscribers were changed"]
    assert (line["action"], line["people"], line["subscribers"]) == (action, 2, ticked)


def test_all_that_match_are_changed_and_nobody_else(people, engine):
    for number in range(PEOPLE_A_PAGE + 10):
        people.add(f"reader{number}")
    page = people.page("/subscribers?address=reader")
    assert "all 60 found" in text_of(page)
    form = page.forms[-1]
    fields = form_fields(form) | {"whom": "all", "action": "block"}
    asked = people.post(form.action, **fields)
    assert "Block 60 people?" in text_of(asked)
    assert "and 50 more" in text_of(asked)
    before = look(engine)
    assert "60 people were blocked" in text_of(people.press(asked))
    assert len(changes(before, look(engine))) == 60
    assert not people.registry.suppressions.covers("ada@example.org")


def test_a_first_reason_stays_unless_it_is_a_bounce(people):
    people.registry.suppressions.add("ada@example.org", SuppressionReason.COMPLAINT, now=NOW)
    asked = people.post("/subscribers/count", action="block", whom="all")
    people.press(asked)
    reason = {
        name: people.registry.file_of(f"{name}@example.org").suppression.reason
        for name in ("ada", "eve", "bob")
    }
    assert reason == {
        "ada": SuppressionReason.COMPLAINT,
        "eve": SuppressionReason.OPERATOR,
        "bob": SuppressionReason.OPERATOR,
    }


@pytest.mark.parametrize("meanwhile", ["comes", "goes", "is exchanged"])
def test_if_others_match_by_then_nobody_is_changed(people, engine, meanwhile):
    asked = people.post("/subscribers/count", action="remove", whom="all", state="confirmed")
    if meanwhile != "comes":
        people.registry.remove("ada@example.org")
    if meanwhile != "goes":
        people.add("late")
    before = look(engine)
    again = people.press(asked, 409)
    number = {"comes": 4, "goes": 2, "is exchanged": 3}[meanwhile]
    assert "Nobody was changed: 3 were counted before" in text_of(again)
    assert f"Remove {number} people?" in text_of(again)
    assert look(engine) == before
    assert f"{number} people were removed" in text_of(people.press(again))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"action": "pause"}, "a pause needs a day"),
        ({"action": "pause", "until": "2020-01-01"}, "a pause ends after today"),
        ({"action": "pause", "until": "<b>"}, "is not a date"),
        ({"action": "explode"}, "choose what to do"),
        ({}, "choose what to do"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(people, engine, fields, said):
    before = look(engine)
    for path in ("/subscribers/count", "/subscribers/change"):
        assert said in text_of(people.post(path, 422, whom="all", **fields))
    assert look(engine) == before


def test_nothing_is_changed_without_the_count(people, engine):
    before = look(engine)
    for fields in ({}, {"mark": "x", "counted": "5"}):
        people.post("/subscribers/change", 409, action="remove", whom="all", **fields)
    assert "Nobody is ticked" in text_of(people.post("/subscribers/count", action="remove"))
    assert look(engine) == before


def test_a_pause_leaves_all_else_and_what_cannot_be_read(people, engine):
    before = people.registry.get(people.ada.id).preferences.to_json()
    people.registry.bulk_changes.pause([people.ada.id, 999], date(2099, 5, 5))
    after = people.registry.get(people.ada.id).preferences.to_json()
    assert after == {**before, "paused_until": "2099-05-05"}


def test_no_get_and_no_other_site_changes_anything(people, engine):
    before = look(engine)
    fields = {"action": "remove", "whom": "all", "ticked": [people.ada.id]}
    for path in ("count", "change", "import/do"):
        assert people.client.get(f"/subscribers/{path}", params=fields).status_code in {404, 405, 422}  # fmt: skip
    for path in ("count", "change", "add", "import", "import/do"):
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = people.client.post(f"/subscribers/{path}", data=fields, headers=headers)
            assert answer.status_code == 403
    assert look(engine) == before


def test_all_pages_are_behind_the_login(ledger, registry, engine):
    house = House(ledger, registry, password="open sesame")
    house.add("ada")
    before = look(engine)
    for path in ("", "/1", "/growth", "/add", "/import", "/export.csv", "/export.jsonl"):
        assert house.client.get(f"/subscribers{path}").status_code == 303
    for path in ("count", "change", "add", "import", "import/do"):
        assert house.client.post(f"/subscribers/{path}", data={}).status_code == 401
    assert look(engine) == before


# ---- export ----------------------------------------------------------------------------------


def test_the_exports_are_those_of_the_command_line(people, tmp_path):
    lines = people.client.get("/subscribers/export.jsonl").text.splitlines()
    assert [json.loads(line)["email"].partition("@")[0] for line in lines] == "ada bob cleo dan eve".split()  # fmt: skip
    answer = people.client.get("/subscribers/export.csv?state=confirmed")
    assert answer.headers["content-disposition"] == 'attachment; filename="subscribers.csv"'
    header, *rows = answer.text.splitlines()
    assert header.startswith("email,topics,consent")
    assert [row.partition("@")[0] for row in rows] == ["ada", "dan", "eve"]
    assert people.client.get("/subscribers/export.csv?address=nobody").text == "email\n"
    assert people.client.get("/subscribers/export.exe").status_code in {404, 422}


# ---- import ----------------------------------------------------------------------------------


def test_an_import_says_what_will_happen_and_then_it_happens(people, engine):
    people.registry.suppressions.add("dead@example.org", SuppressionReason.OPERATOR, now=NOW)
    before = look(engine)
    page = people.upload(GOOD_CSV)
    figures = {text_of(div.find("dt")): text_of(div.find("dd")) for div in page.xpath("//dl/div")}
    assert figures == {
        "new": "2",
        "of them blocked, who get no email": "1",
        "known already, and unchanged": "2",
        "lines left out": "1",
    }
    assert "6'<b>nobody' is not an email address" in text_of(page)
    assert look(engine) == before
    with capture_logs() as logs:
        done = people.press(page)
    assert "2 people were added from people.csv" in text_of(done)
    new = people.registry.file_of("new@example.org")
    assert new.evidence[0].source == "import of people.csv"
    assert [topic.text for topic in people.registry.file_of("ada@example.org").subscriber.topics] == ["agents", HOSTILE_TOPIC]  # fmt: skip
    assert any(line["event"] == "subscribers were imported" and line["new"] == 2 for line in logs)
    assert "no longer kept" in text_of(people.press(page, 422))


def test_files_that_wait_are_closed_with_the_studio():
    waiting_files, content = WaitingFiles(), SpooledTemporaryFile(1)  # noqa: SIM115
    waiting_files.keep(Waiting("people.csv", content, NOW, ()))
    del waiting_files
    gc.collect()
    assert content.closed


def test_an_import_asks_again_if_something_else_would_happen(people, engine):
    page = people.upload(GOOD_CSV)
    people.add("new")
    before = look(engine)
    again = people.press(page, 409)
    assert "Nobody was added: 2 were new before" in text_of(again)
    assert look(engine) == before
    assert "1 person was added" in text_of(people.press(again))


def test_a_rehearsal_counts_what_an_import_of_many_batches_does(people):
    lines = "".join(f"reader{number % 900}@example.org,,confirmed\n" for number in range(1200))
    page = people.upload(b"email,topics,consent\n" + lines.encode())
    assert "new900" in text_of(page)
    assert "900 people were added" in text_of(people.press(page))


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe", b"topics\nx\n", b"email\n" + b'"' * 5000]
)
def test_a_file_of_nothing_adds_nobody(house, content):
    page = house.upload(content, name="<b>\x07.csv")
    assert "Nobody in it is new" in text_of(page)
    assert not page.xpath("//form[contains(@action, 'import/do')]")


def test_no_file_and_a_file_that_is_too_large_are_refused(house, monkeypatch):
    monkeypatch.setattr("digest.studio.web.LARGEST_IMPORT", 200_000)
    assert "Choose a file" in text_of(house.post("/subscribers/import", 422))
    answer = house.client.post("/subscribers/import", files={"file": ("x", b"x" * 200_000)})
    assert answer.status_code == 413
    assert "too large" in answer.text
    house.upload(b"email\n" + b"x" * 100_000)
    small = house.client.post("/subscribers/add", files={"file": ("x", b"x" * 100_000)})
    assert small.status_code == 413


def test_few_files_are_kept_and_not_for_long(house):
    pages = [house.upload(b"email\nx@example.org\n") for _ in range(MOST_FILES + 1)]
    assert "no longer kept" in text_of(house.press(pages[0], 422))
    house.now += KEPT_FOR + timedelta(seconds=1)
    assert "no longer kept" in text_of(house.press(pages[-1], 422))
    assert house.registry.everybody() == []


# ---- growth ----------------------------------------------------------------------------------


def test_who_came_and_who_went_is_counted_by_day_and_once(people):
    registry, later = people.registry, NOW + timedelta(days=1)
    registry.add("ada@example.org", (), source="test", now=later)  # confirmed already
    registry.confirm(people.bob.public_id, source="link", now=later)
    registry.undo(people.cleo.public_id, source="page", now=later)
    people.now = later
    page = people.page("/subscribers/growth")
    rows = {
        (table.xpath("string(ancestor::figure//h2)"), row.findtext("th")): [cell.text for cell in row.findall("td")]
        for table in page.xpath("//table")
        for row in table.xpath("tbody/tr")
    }  # fmt: skip
    first, second = NOW.date().isoformat(), later.date().isoformat()
    assert rows["New subscribers", first] == ["0", "4"]
    assert rows["New subscribers", second] == ["2", "0"]
    assert rows["Lost", first] == ["1", "1"]
    assert rows["Lost", second] == ["0", "0"]
    assert len(page.xpath("//*[local-name()='svg']")) == 2


@pytest.mark.parametrize("until", ["0001-01-01", "9999-12-31", "2020-02-29"])
def test_growth_has_a_first_and_a_last_day(people, until):
    people.page(f"/subscribers/growth?until={until}")


def test_links_lead_below_the_root(ledger, registry):
    house = House(ledger, registry, root="/studio")
    house.add("ada")
    page = house.page("/subscribers")
    for link in page.xpath("//a/@href | //form/@action"):
        assert link.startswith(("/studio", "#")), link
    answer = house.client.post("/subscribers/add", data={"address": "b@example.org"})
    assert answer.headers["location"].startswith("/studio/subscribers/")
