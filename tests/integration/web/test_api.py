"""The API, over both databases: each route, each answer that it may give, and who is mailed."""

import asyncio
import json
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from digest.collect.merge import keys_of, merge
from digest.web.pages import LARGEST_FORM, LARGEST_IMPORT
from subscribers.addresses import AddressPolicy
from subscribers.model import Consent, Evidence, Standing, SuppressionReason, Verdict
from subscribers.preferences import Preferences
from subscribers.topics import MOST_TOPICS, parse_topics
from subscribers.transfer import to_record
from subscribers.web import api_transfer
from subscribers.web.api_model import Problem
from subscribers.web.page_context import MOST_PER_ADDRESS, MOST_PER_CLIENT
from tests.integration.site import make_web
from tests.support import NOW, make_sighting

HOST = "https://digest.example.org"
TOKEN, SECOND = "first token for tests only", "s\u00e9cond token for tests only"
ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
DEFAULTS = Preferences(timezone="Europe/Oslo")


class Office:
    """The API over a registry, and the mails that it has sent."""

    def __init__(self, ledger, registry, **changes):
        self.registry = registry
        self.now = NOW
        self.mails = []
        changes = {"api_tokens": (TOKEN, SECOND), "defaults": DEFAULTS, **changes}
        self._app = make_web(ledger, registry, clock=lambda: self.now, mails=self.mails, **changes)

    def ask(self, method, path, *, authorization=f"Bearer {TOKEN}", **values):
        """One request; what holds for every answer is checked."""
        shown = authorization.encode(errors="surrogateescape")
        headers = {"Authorization": shown, **values.pop("headers", {})}

        async def once():
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
                return await client.request(method, f"/api/v1{path}", headers=headers, **values)

        answer = asyncio.run(once())
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        return answer

    def refused(self, method, path, **values):
        """The problem that a request is answered with: its status, and why."""
        answer = self.ask(method, path, **values)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem = Problem.model_validate(answer.json())
        assert problem.model_dump(exclude_unset=True) == answer.json()
        assert problem.status == answer.status_code
        return problem.status, problem.detail

    def people(self, **query):
        """The local parts of a page's addresses, and what to ask for next."""
        answer = self.ask("GET", "/subscribers", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        return [person["email"].partition("@")[0] for person in page["subscribers"]], page["next"]

    def send(self, people, kind="application/jsonl", **values):
        return self.ask("POST", "/import", content=people, headers={"Content-Type": kind}, **values)

    def record(self, address):
        return to_record(self.registry.file_of(address))

    def everything(self):
        """All that is stored."""
        return [to_record(file) for file in self.registry.files()]


@pytest.fixture
def office(ledger, registry):
    return Office(ledger, registry)


@pytest.fixture
def ada(registry):
    return registry.add(ADA, parse_topics(["robots"]), source="test", now=NOW)


@pytest.fixture
def crowd(registry):
    """Ada to Dan read; Eve has left; Fay has not confirmed; Bob and Eve have a block."""
    for name in ("ada", "bob", "cyd", "dan", "eve"):
        topics = ["agents"] if name in {"bob", "dan"} else ["Deep Robots"]
        registry.add(f"{name}@example.org", parse_topics(topics), source="test", now=NOW)
    registry.ask("fay@example.org", (), source="test", now=NOW)
    registry.withdraw(registry.everybody()[4].public_id, source="test", now=NOW)
    for address in (BOB, EVE):
        registry.suppressions.add(address, SuppressionReason.COMPLAINT, now=NOW)


# ---- who may -----------------------------------------------------------------------------------


def test_without_tokens_there_is_no_api(ledger, registry):
    office = Office(ledger, registry, api_tokens=())
    for path in ("", "/", "/subscribers", "/openapi.json", "/subscribers/a%0Ab"):
        answer = office.ask("GET", path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "text/html; charset=utf-8", path


def test_each_token_opens_the_api(office):
    for authorization in (f"Bearer {TOKEN}", f"bearer {SECOND}"):
        assert office.ask("GET", "/subscribers", authorization=authorization).status_code == 200


ROUTES = (
    ("GET", "/subscribers"), ("POST", "/subscribers"), ("GET", f"/subscribers/{ADA}"),
    ("PATCH", f"/subscribers/{ADA}"), ("DELETE", f"/subscribers/{ADA}"),
    ("PUT", f"/suppressions/{ADA}"), ("DELETE", f"/suppressions/{ADA}"),
    ("GET", "/topics"), ("GET", "/export"), ("POST", "/import"),
)  # fmt: skip


def test_nothing_is_told_or_done_without_a_token(office, ada):
    before = office.everything()
    shown = (
        "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}", f"Bearer {TOKEN},{SECOND}", "Bearer \u00e9\udcff",
    )  # fmt: skip
    for method, path in ROUTES:
        for authorization in shown:
            values = {"json": {"email": BOB}} if method in {"POST", "PATCH"} else {}
            answer = office.ask(method, path, authorization=authorization, **values)
            assert answer.status_code == 401, (method, path, authorization)
            assert answer.headers["www-authenticate"] == "Bearer"
            Problem.model_validate(answer.json())
    assert (office.everything(), office.mails) == (before, [])


def test_a_token_in_the_address_opens_nothing(office):
    path = f"/subscribers?token={TOKEN}&access_token={TOKEN}"
    assert office.refused("GET", path, authorization="")[0] == 401


def test_the_description_is_public_and_loads_nothing_from_elsewhere(office):
    answer = office.ask("GET", "/openapi.json", authorization="")
    described = answer.json()
    assert [server["url"] for server in described["servers"]] == ["/api/v1"]
    named = {
        (method.upper(), path.replace("{email}", ADA))
        for path, methods in described["paths"].items()
        for method in methods
    }
    assert named == set(ROUTES)
    for path in ("/docs", "/redoc"):
        assert office.refused("GET", path, authorization="")[0] == 404


def test_what_is_not_there_is_a_problem_too(office):
    assert office.refused("GET", "/nothing")[0] == 404
    assert office.refused("GET", "/subscribers/a%0Ab")[0] == 404
    assert office.refused("GET", "/export/")[0] == 404
    answer = office.ask("PUT", f"/subscribers/{ADA}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, HEAD, PATCH")
    Problem.model_validate(answer.json())


# ---- looking -----------------------------------------------------------------------------------


def test_a_person_is_shown_as_in_an_export(office, ada):
    office.registry.ratings.rate(ada.id, "arxiv:2602.00001", Verdict.LIKE, NOW)
    office.registry.address_changes.ask(ada, "ada@example.net", NOW)
    office.registry.suppressions.add(ADA, SuppressionReason.COMPLAINT, now=NOW)
    shown = office.ask("GET", "/subscribers/ADA@Example.org")
    assert shown.json() == office.record(ADA)
    assert shown.json()["moving_to"] == "ada@example.net"
    assert office.ask("GET", "/subscribers").json() == {"subscribers": [shown.json()], "next": None}
    assert [json.loads(office.ask("GET", "/export").text)] == [shown.json()]


def test_nobody_is_not_found(office, ada):
    for method in ("GET", "DELETE", "PATCH"):
        values = {"json": {}} if method == "PATCH" else {}
        assert office.refused(method, f"/subscribers/{BOB}", **values) == (
            404, f"there is no subscriber {BOB}",
        )  # fmt: skip


def test_people_come_in_order_a_page_at_a_time(office, crowd):
    assert office.people() == (["ada", "bob", "cyd", "dan", "eve", "fay"], None)
    pages, after = [], ""
    while after is not None:
        page, after = office.people(limit=2, after=after)
        pages.append(page)
    assert pages == [["ada", "bob"], ["cyd", "dan"], ["eve", "fay"]]


@pytest.mark.parametrize("batch", [1, 2, 6])
def test_a_page_is_full_whatever_is_left_out_between(office, crowd, monkeypatch, batch):
    monkeypatch.setattr(api_transfer, "BATCH", batch)
    for query, wanted in (
        ({"consent": "confirmed"}, "ada bob cyd dan"),
        ({"consent": "withdrawn"}, "eve"),
        ({"consent": "pending"}, "fay"),
        ({"topic": "ROBOT"}, "ada cyd eve"),
        ({"suppressed": "true"}, "bob eve"),
        ({"suppressed": "false"}, "ada cyd dan fay"),
        ({"suppressed": "false", "topic": "agents", "consent": "confirmed"}, "dan"),
        ({"topic": "chemistry"}, ""),
    ):
        assert office.people(**query) == (wanted.split(), None), query
        found, after = [], ""
        while after is not None:
            page, after = office.people(limit=1, after=after, **query)
            found += page
            assert page or not wanted, "a page is empty only where nobody fits"
        assert found == wanted.split(), query


def test_somebody_who_is_removed_meanwhile_hides_nobody_else(office, crowd, monkeypatch):
    monkeypatch.setattr(api_transfer, "BATCH", 2)
    batches = api_transfer.batches(office.registry, 0)
    first = next(batches)
    office.registry.remove(first[-1].subscriber.address)
    rest = [file.subscriber.address for batch in batches for file in batch]
    assert [address.partition("@")[0] for address in rest] == ["cyd", "dan", "eve", "fay"]


def test_what_no_page_has_is_refused(office, crowd):
    for query in (
        {"after": "f" * 32}, {"after": "x"}, {"after": "\0"}, {"limit": "0"}, {"limit": "1001"},
        {"limit": "9" * 5000}, {"limit": "two"}, {"consent": "maybe"}, {"suppressed": "perhaps"},
    ):  # fmt: skip
        status, detail = office.refused("GET", "/subscribers", params=query)
        assert status == 422
        assert next(iter(query)) in detail


# ---- subscribing -------------------------------------------------------------------------------


def test_somebody_is_asked_and_then_confirms_by_mail(office):
    sent = {"email": "Ada@EXAMPLE.org", "topics": ["robots"], "cadence": "mon+thu", "max_papers": 3}
    answer = office.ask("POST", "/subscribers", json=sent)
    assert (answer.status_code, answer.json()) == (
        202,
        {"email": "Ada@example.org", "state": "asked"},
    )
    [mail] = office.mails
    assert mail.envelope.rcpt_to == "Ada@example.org"
    record = office.record(ADA)
    assert record.items() >= {
        "topics": ["robots"], "cadence": "mon+thu", "max_papers": 3, "timezone": "Europe/Oslo",
        "consent": "pending",
    }.items()  # fmt: skip
    assert office.registry.file_of(ADA).evidence == (Evidence("asked", NOW, "API"),)
    [person] = office.registry.everybody()
    assert office.registry.standing(person.id) is Standing.NOT_CONFIRMED


def test_nobody_is_asked_who_reads_or_has_left_or_is_blocked(office, crowd):
    before = office.everything()
    for address in (ADA, BOB, EVE):
        answer = office.ask("POST", "/subscribers", json={"email": address, "topics": ["spam"]})
        assert (answer.status_code, answer.json()["state"]) == (202, "nothing-sent")
    office.registry.suppressions.lift(EVE)
    answer = office.ask("POST", "/subscribers", json={"email": EVE})
    assert answer.json() == {"email": EVE, "state": "nothing-sent"}
    office.registry.suppressions.add("new@example.org", SuppressionReason.OPERATOR, now=NOW)
    office.ask("POST", "/subscribers", json={"email": "new@example.org"})
    assert office.mails == []
    assert [record["consent"] for record in office.everything()] == [
        record["consent"] for record in before
    ]


def test_an_address_is_asked_a_few_times_an_hour_and_a_program_as_often_as_it_likes(office):
    states = [
        office.ask("POST", "/subscribers", json={"email": ADA}).json()["state"]
        for _ in range(MOST_PER_ADDRESS + 1)
    ]
    assert states == ["asked"] * MOST_PER_ADDRESS + ["nothing-sent"]
    for number in range(MOST_PER_CLIENT + 1):
        office.ask("POST", "/subscribers", json={"email": f"reader{number}@example.org"})
    assert len(office.mails) == MOST_PER_ADDRESS + MOST_PER_CLIENT + 1
    office.now = NOW + timedelta(hours=1)
    assert office.ask("POST", "/subscribers", json={"email": ADA}).json()["state"] == "asked"


def test_somebody_vouched_for_reads_at_once(office):
    sent = {"email": ADA, "topics": ["robots"], "at": "9", "consent": "vouched", "locale": None}
    answer = office.ask("POST", "/subscribers", json=sent)
    assert answer.status_code == 201
    assert answer.json() == office.record(ADA)
    assert answer.json().items() >= {
        "topics": ["robots"], "at": "09:00", "timezone": "Europe/Oslo", "locale": None,
        "consent": "confirmed",
    }.items()  # fmt: skip
    assert office.registry.file_of(ADA).evidence == (Evidence("vouched", NOW, "API"),)
    assert office.mails == []


def test_vouching_again_changes_what_is_sent_and_keeps_the_rest(office, ada):
    preferences = replace(ada.preferences, max_papers=5, timezone="Asia/Tokyo")
    office.registry.set_preferences(ada.public_id, ada.topics, preferences)
    sent = {"email": "ADA@example.org", "consent": "vouched", "max_papers": 2}
    answer = office.ask("POST", "/subscribers", json=sent)
    assert answer.status_code == 200
    assert answer.json().items() >= {
        "email": ADA, "topics": ["robots"], "max_papers": 2, "timezone": "Asia/Tokyo",
    }.items()  # fmt: skip
    answer = office.ask(
        "POST", "/subscribers", json={"email": ADA, "consent": "vouched", "topics": ["ants"]}
    )
    assert answer.json()["topics"] == ["ants"]
    office.registry.ask(BOB, (), source="test", now=NOW)
    answer = office.ask("POST", "/subscribers", json={"email": BOB, "consent": "vouched"})
    assert (answer.status_code, answer.json()["consent"]) == (200, "confirmed")


def test_nobody_who_left_is_vouched_for(office, ada):
    office.registry.withdraw(ada.public_id, source="test", now=NOW)
    before = office.everything()
    status, detail = office.refused(
        "POST", "/subscribers", json={"email": ADA, "consent": "vouched", "topics": ["ants"]}
    )
    assert (status, office.everything()) == (409, before)
    assert "unsubscribed" in detail


def test_who_does_the_same_at_the_same_moment_is_told(office, monkeypatch):
    def taken(*_, **__):
        raise IntegrityError("INSERT", {}, ValueError(ADA))

    monkeypatch.setattr(office.registry, "add", taken)
    sent = {"email": ADA, "consent": "vouched"}
    assert office.refused("POST", "/subscribers", json=sent)[0] == 409


UNUSABLE = {
    "email": ["", "nobody", "a@b@c", "\0@x.org", "\ud800@x.org", "x" * 9000, 7, None, ["a@x.org"]],
    "topics": [["???"], ["x" * 201], [f"t {n}" for n in range(MOST_TOPICS + 1)], "robots", [7], None,
               ["\ud800x"], ["a\0b"], ["\ud800" + "x" * 300]],
    "cadence": ["hourly", "", " ", 7, "\0", "mon" * 9000],
    "at": ["25:00", "noon", 8, "9" * 5000, "\0"],
    "timezone": ["Mars", "../../etc/passwd", "\0", "\ud800", "/etc/passwd", "x" * 9000],
    "max_papers": [0, 16, -1, 2.5, True, "3", 10**30],
    "trending": ["yes", 1],
    "exclusions": [["!!"], "robots", [["x"]]],
    "paused_until": ["tomorrow", "", "2026-02-30", 20260301, "20260301", "9" * 5000],
    "follows": [["Jane Doe"], "author:x", [7], ["topic:x"], ["author:\0x"], ["author:\ud800"]],
    "papers": ["2501.00001", [7], [["x"]], ["2501.00001"] * 201],
    "locale": ["x", "nb", "tlh-001", "en_GB\0", "\u00e9\u00e9"],
    "consent": ["withdrawn", "", None],
    "misspelt": ["x"],
    "\ud800": ["x"],
}  # fmt: skip


@pytest.mark.parametrize("consent", ["ask", "vouched"])
def test_what_cannot_be_used_is_refused_saying_what_it_is(office, ada, consent):
    before = office.everything()
    for name, values in UNUSABLE.items():
        for value in values:
            body = json.dumps({"email": BOB, "consent": consent, name: value})
            answers = [office.refused("POST", "/subscribers", content=body, headers=JSON)]
            if name not in {"email", "consent"}:
                body = json.dumps({name: value})
                path = f"/subscribers/{ADA}"
                answers.append(office.refused("PATCH", path, content=body, headers=JSON))
            for status, detail in answers:
                assert status == 422, (name, value)
                assert len(detail) <= 1000
                assert detail.isprintable(), (name, value)
    assert (office.everything(), office.mails) == (before, [])


JSON = {"Content-Type": "application/json"}


def test_a_body_that_is_no_json_is_refused(office, ada):
    for method, path in (("POST", "/subscribers"), ("PATCH", f"/subscribers/{ADA}")):
        for body, status in (
            (b"{", 400), (b"\xff\xfe", 400), (b"[" * 100_000, 400), (b'{"max_papers": ' + b"9" * 5000 + b"}", 400),
            (b"", 422), (b"[]", 422), (b"null", 422), (b'"x"', 422), (b'{"max_papers": NaN}', 422),
            (b" " * (LARGEST_FORM + 1), 413),
        ):  # fmt: skip
            assert office.refused(method, path, content=body, headers=JSON)[0] == status, body[:20]
        for kind in ("text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"):
            values = {"content": b'{"email": "bob@example.org"}', "headers": {"Content-Type": kind}}
            assert office.refused(method, path, **values)[0] == 415, kind
    assert office.people()[0] == ["ada"]


def test_the_gate_is_the_same_as_at_the_form(ledger, registry):
    policy = AddressPolicy(lambda: False, frozenset({"day.example"}))
    office = Office(ledger, registry, address_policy=policy)
    for email in ("a@mail.day.example", "b\u00e9b\u00e9@example.org"):
        for consent in ("ask", "vouched"):
            sent = {"email": email, "consent": consent}
            assert office.refused("POST", "/subscribers", json=sent)[0] == 422
    assert (registry.everybody(), office.mails) == ([], [])


# ---- changing and removing ---------------------------------------------------------------------


def test_what_is_not_sent_stays(office, ada):
    path = f"/subscribers/{ADA}"
    before = office.record(ADA)
    changes = {
        "topics": ["ants", "bees"], "cadence": "weekly", "at": "17:30", "timezone": "Asia/Tokyo",
        "max_papers": 3, "trending": False, "exclusions": ["wasps"], "paused_until": "2026-03-01",
        "locale": "de-AT", "follows": ["author:Jane Doe", "organisation:Some Lab"],
    }  # fmt: skip
    for name, value in changes.items():
        answer = office.ask("PATCH", path, json={name: value})
        before[name] = value
        assert (answer.status_code, answer.json()) == (200, before)
    assert office.record(ADA) == before
    assert office.ask("PATCH", path, json={}).json() == before
    person = office.registry.everybody()[0]
    assert person.preferences.paused_until == date(2026, 3, 1)
    assert office.mails == []


def test_papers_are_replaced_as_topics_are_and_what_cannot_be_read_is_left_out(office, ada):
    path = f"/subscribers/{ADA}"
    sent = ["2501.00001", "@misc{a, title={Ducks}}", "nothing of use", "10.1234/unknown"]
    answer = office.ask("PATCH", path, json={"papers": sent}).json()
    assert [own["title"] for own in answer["papers"]] == ["", "Ducks"]
    answer = office.ask("PATCH", path, json={"papers": ["2501.00002"]}).json()
    assert [own["paper"] for own in answer["papers"]] == ["arxiv:2501.00002"]
    assert office.ask("PATCH", path, json={"max_papers": 3}).json()["papers"] == answer["papers"]
    assert office.ask("PATCH", path, json={"papers": None}).json()["papers"] == []


def test_who_is_asked_or_vouched_for_may_come_with_papers(office):
    for email, consent in ((ADA, "vouched"), (BOB, "ask")):
        sent = {"email": email, "consent": consent, "papers": ["2501.00001"]}
        assert office.ask("POST", "/subscribers", json=sent).status_code in {201, 202}
        assert [own["paper"] for own in office.record(email)["papers"]] == ["arxiv:2501.00001"]


def test_papers_go_out_and_come_back_with_their_person(office, ada):
    office.ask("PATCH", f"/subscribers/{ADA}", json={"papers": ["@misc{a, title={Ducks}}"]})
    before = office.record(ADA)
    lines = office.ask("GET", "/export").content
    office.registry.remove(ADA)
    assert office.send(lines, "application/jsonl").json()["new"] == 1
    assert office.record(ADA)["papers"] == before["papers"] != []
    done = office.send(
        b"email,consent,papers\nb@example.org,confirmed,2501.00001 nonsense\n", "text/csv"
    ).json()
    assert (done["new"], done["rejected"], done["warnings"]) == (1, [], [])
    assert [own["paper"] for own in office.record("b@example.org")["papers"]] == [
        "arxiv:2501.00001"
    ]


def test_a_language_without_a_catalogue_is_refused_but_imported(office, ada):
    refused = office.ask("PATCH", f"/subscribers/{ADA}", json={"locale": "nb"})
    assert (refused.status_code, office.record(ADA)["locale"]) == (422, None)
    assert "'nb' is not spoken here: expected one of " in refused.json()["detail"]
    done = office.send(b"email,consent,locale\nbob@example.org,confirmed,nb\n", "text/csv").json()
    [warning] = done["warnings"]
    assert warning["code"] == "locale"
    assert warning["what"].startswith("people with a locale without a catalogue: 1; they get email")
    again = {"locale": "nb", "max_papers": 3}  # it was theirs before
    assert office.ask("PATCH", "/subscribers/bob@example.org", json=again).status_code == 200


def test_null_is_the_operators_default(office, ada):
    path = f"/subscribers/{ADA}"
    office.ask("PATCH", path, json={"max_papers": 3, "timezone": "Asia/Tokyo", "at": "17:30",
                                    "paused_until": "2026-03-01", "exclusions": ["wasps"]})  # fmt: skip
    names = ("max_papers", "timezone", "at", "paused_until", "exclusions")
    answer = office.ask("PATCH", path, json=dict.fromkeys(names))
    assert {name: answer.json()[name] for name in names} == {
        name: DEFAULTS.to_json()[name] for name in names
    }
    assert office.ask("PATCH", path, json={"topics": []}).json()["topics"] == []


def test_to_change_the_wishes_of_somebody_who_left_brings_nobody_back(office, ada):
    office.registry.withdraw(ada.public_id, source="test", now=NOW)
    answer = office.ask("PATCH", f"/subscribers/{ADA}", json={"topics": ["ants"]})
    assert answer.json()["consent"] == "withdrawn"
    assert office.registry.standing(ada.id) is Standing.WITHDRAWN


def test_somebody_is_forgotten_but_not_their_block(office, crowd):
    answer = office.ask("DELETE", "/subscribers/BOB@example.org")
    assert (answer.status_code, answer.content) == (204, b"")
    assert office.registry.file_of(BOB) is None
    assert office.registry.suppressions.covers(BOB)
    assert office.refused("DELETE", f"/subscribers/{BOB}")[0] == 404
    assert office.people()[0] == ["ada", "cyd", "dan", "eve", "fay"]


# ---- blocks ------------------------------------------------------------------------------------


def test_a_block_is_set_and_lifted(office, ada):
    path = "/suppressions/ADA@example.org"
    for _ in range(2):
        assert office.ask("PUT", path).status_code == 204
    assert office.registry.standing(ada.id) is Standing.SUPPRESSED
    assert office.record(ADA)["suppressed"] == {"reason": "operator", "at": NOW.isoformat()}
    assert office.ask("DELETE", path).status_code == 204
    assert office.registry.standing(ada.id) is Standing.MAY_RECEIVE
    assert office.refused("DELETE", path)[0] == 404


def test_the_first_reason_for_a_block_stays(office, crowd):
    office.ask("PUT", f"/suppressions/{BOB}")
    assert office.record(BOB)["suppressed"]["reason"] == "complaint"


def test_addresses_may_hold_odd_characters(office):
    for address in (
        "a/b@example.org",
        "b\u00e9b\u00e9@example.org",
        "x+y?z#@example.org",
        "%@example.org",
    ):
        office.registry.add(address, (), source="test", now=NOW)
        path = quote(address, safe="")
        assert office.ask("GET", f"/subscribers/{path}").json()["email"] == address
        assert (
            office.ask("PATCH", f"/subscribers/{path}", json={"topics": ["x"]}).status_code == 200
        )
        assert office.ask("PUT", f"/suppressions/{path}").status_code == 204
        assert office.registry.suppressions.covers(address)
        assert office.ask("DELETE", f"/suppressions/{path}").status_code == 204
        assert office.ask("DELETE", f"/subscribers/{path}").status_code == 204
    assert office.everything() == []


NO_ADDRESSES = ("", "nobody", "%00", "%FF%FE", "a%00@x.org", "..%2Fsubscribers", "x" * 5000)


def test_what_is_no_address_is_refused(office, ada):
    before = office.everything()
    for address in NO_ADDRESSES:
        for method, path in (
            ("GET", "subscribers"), ("PATCH", "subscribers"), ("DELETE", "subscribers"),
            ("PUT", "suppressions"), ("DELETE", "suppressions"),
        ):  # fmt: skip
            values = {"json": {}} if method == "PATCH" else {}
            status, _ = office.refused(method, f"/{path}/{address}", **values)
            assert status == 422, (method, address)
    assert office.everything() == before


# ---- everybody ---------------------------------------------------------------------------------


def test_what_is_exported_makes_the_same_people_again(office, crowd, monkeypatch):
    monkeypatch.setattr(api_transfer, "BATCH", 4)
    answer = office.ask("GET", "/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jsonl")
    exported = [json.loads(line) for line in answer.text.splitlines()]
    assert exported == office.everything()
    for record in exported:
        office.registry.remove(record["email"])
        office.registry.suppressions.lift(record["email"])
    done = office.send(answer.content)
    assert (done.status_code, done.json()) == (
        200,
        {"new": 6, "known": 0, "rejected": [], "form": "JSON lines, UTF-8", "warnings": []},
    )
    assert office.everything() == exported
    assert office.send(answer.content).json() == {
        "new": 0,
        "known": 6,
        "rejected": [],
        "form": "JSON lines, UTF-8",
        "warnings": [],
    }
    assert (office.everything(), office.mails) == (exported, [])


def test_an_export_of_nobody_is_empty(office):
    answer = office.ask("GET", "/export")
    assert (answer.status_code, answer.text) == (200, "")


def test_an_export_that_fails_is_cut_off(office, crowd, monkeypatch):
    monkeypatch.setattr(api_transfer, "BATCH", 2)
    first = office.registry.files_after(0, 2)
    batches = iter([first])
    monkeypatch.setattr(office.registry, "files_after", lambda *_: next(batches))
    with capture_logs() as logs, pytest.raises(RuntimeError):  # the server logs it
        office.ask("GET", "/export")
    assert logs == []


def test_a_file_is_imported_and_what_cannot_be_read_is_told(office, ada):
    people = (
        b"email,topics,consent\n"
        b"ada@example.org,x,\n"
        b"Bob@example.org,agents;ants,confirmed\n"
        b"nobody,,\n"
        b"\xff,,\n"
    )
    done = office.send(people, "Text/CSV; charset=utf-8").json()
    assert (done["new"], done["known"]) == (1, 1)
    assert [line["line"] for line in done["rejected"]] == [4, 5]
    assert all(line["why"] for line in done["rejected"])
    bob = office.registry.file_of(BOB)
    assert bob.subscriber.consent is Consent.CONFIRMED
    assert bob.evidence == (Evidence("vouched", NOW, "import by the API"),)
    assert office.registry.file_of(ADA).subscriber == ada


def test_an_import_brings_nobody_back(office, crowd):
    before = office.everything()
    people = "\n".join(
        json.dumps({"email": address, "consent": "confirmed"}) for address in (ADA, EVE)
    )
    assert office.send(people).json() == {
        "new": 0,
        "known": 2,
        "rejected": [],
        "form": "JSON lines, UTF-8",
        "warnings": [],
    }
    assert (office.everything(), office.mails) == (before, [])


def test_only_files_of_people_are_imported(office):
    for kind in ("application/json", "text/plain", "", "text/csv2"):
        values = {"content": b"email\nx@y.org", "headers": {"Content-Type": kind}}
        assert office.refused("POST", "/import", **values)[0] == 415
    [rejected] = office.send(b"").json()["rejected"]
    assert rejected["line"] == 1
    assert office.everything() == []


def test_an_import_is_larger_than_a_form_and_has_an_end(office):
    blank_lines = (b" " * 1000 + b"\n") * 1000

    async def pieces(size):
        yield b"email,consent\nada@example.org,confirmed\n"
        for _ in range(size // len(blank_lines) + 1):
            yield blank_lines

    done = office.send(pieces(8 * LARGEST_FORM), "text/csv")
    assert done.json() == {
        "new": 1,
        "known": 0,
        "rejected": [],
        "form": "CSV separated by commas, UTF-8",
        "warnings": [],
    }
    for content in (pieces(LARGEST_IMPORT), b" " * (LARGEST_IMPORT + 1)):
        values = {"content": content, "headers": {"Content-Type": "text/csv"}}
        assert office.refused("POST", "/import", **values)[0] == 413


def test_two_imports_at_the_same_moment_are_told(office, monkeypatch):
    def taken(*_):
        raise IntegrityError("INSERT", {}, ValueError(ADA))

    monkeypatch.setattr(office.registry, "admit", taken)
    assert office.send(b'{"email": "ada@example.org"}').status_code == 409


# ---- failures of ours --------------------------------------------------------------------------


def test_a_failure_is_a_problem_that_tells_nothing(office, monkeypatch):
    def fail(*_):
        raise RuntimeError("a secret")

    monkeypatch.setattr(office.registry, "file_of", fail)
    with capture_logs() as logs:
        status, detail = office.refused("GET", f"/subscribers/{ADA}")
    assert (status, detail) == (500, "we have failed; the log says more")
    assert [entry["event"] for entry in logs] == ["a request failed"]
    assert ADA not in str(logs)


def test_nothing_is_logged_of_what_goes_well_or_is_refused(office, ada):
    with capture_logs() as logs:
        office.ask("GET", f"/subscribers/{ADA}")
        office.ask("POST", "/subscribers", json={"email": BOB})
        office.ask("PUT", f"/suppressions/{EVE}")
        office.refused("GET", "/subscribers/nobody")
        office.send(b"email\nfay@example.org\nnobody\n", "text/csv")
    assert logs == []


# ---- topics ----------------------------------------------------------------------------------


@pytest.fixture
def ducks(ledger):
    sightings = [
        make_sighting(n, title=f"Ducks {n}", abstract="Ducks dive. We count ducks.")
        for n in range(5)
    ]
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))


def test_topics_are_reported_on_and_nothing_is_stored(office, ducks):
    params = {"topic": ["ducks", "maschinelles Lernen"], "strictness": "broad"}
    answer = office.ask("GET", "/topics", params=params)
    assert answer.status_code == 200
    ducks, foreign = answer.json()["topics"]
    best = ducks.pop("best")
    assert len(best) == 3
    assert all(paper["title"].startswith("Ducks") and paper["key"] for paper in best)
    assert ducks == {
        "topic": "ducks",
        "strictness": "broad",
        "papers": 5,
        "of": 5,
        "until": "2026-02-20",
        "amount": "some",
        "at": {"strict": 5, "normal": 5, "broad": 5},
        "hints": [],
        "language": "",
        "only_restricts": False,
    }
    assert (foreign["language"], foreign["amount"]) == ("de", "none")
    assert not office.registry.everybody()


def test_without_papers_there_is_no_report(office):
    assert office.ask("GET", "/topics", params={"topic": "ducks"}).json() == {"topics": []}


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({}, "topic"),
        ({"topic": 'a "b'}, "closing quotation mark"),
        ({"topic": "ducks", "strictness": "fuzzy"}, "strictness"),
        ({"topic": [f"topic {n}" for n in range(MOST_TOPICS + 1)]}, "topic"),
    ],
)
def test_topics_that_cannot_be_read_are_refused(office, params, why):
    status, detail = office.refused("GET", "/topics", params=params)
    assert status == 422
    assert why in detail


def test_while_papers_are_read_one_is_told_to_try_again(ledger, registry):
    office = Office(ledger, registry, topic_reports=lambda *_: None)
    answer = office.ask("GET", "/topics", params={"topic": "ducks"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["detail"].startswith("the papers are being read")


# ---- in which language it refuses, and how a program knows why ------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "said"),
    [
        ("GET", f"/subscribers/{ADA}", None, "unknown-subscriber", f"es gibt keinen Abonnenten {ADA}"),
        ("GET", "/nothing", None, "not-found", "diese Route gibt es nicht"),
        (
            *("POST", "/subscribers", {"email": ADA, "topics": ['a "b']}, "topic"),
            'Spalte 3: hier fehlt ein schließendes Anführungszeichen, in: a "b',
        ),
        ("POST", "/subscribers", {"email": ADA, "colour": 1}, "fields", "body.colour ist nicht bekannt"),
        ("POST", "/subscribers", {"email": "ada"}, "address", "'ada' ist keine E-Mail-Adresse: es fehlt das @"),
    ],
)  # fmt: skip
def test_it_refuses_in_the_language_of_the_client_and_with_a_code(
    office, method, path, body, code, said
):
    english = office.ask(method, path, json=body)
    german = office.ask(method, path, json=body, headers={"Accept-Language": "de"})
    assert (german.json()["code"], german.json()["detail"]) == (code, said)
    assert english.json()["code"] == code
    assert english.json()["detail"] != said
    assert german.headers["content-language"] == "de"


PEOPLE = "email,topics,papers,Näme,consent,locale\n"
MISTAKES = [  # a file, which code is said of what, and how in German
    ("Näme\n", "header", "die Kopfzeile hat keine Spalte email, aber: Näme"),
    ("email,email\n", "header", "die Kopfzeile hat mehrere Spalten für email: bitte jeweils nur eine"),
    ("", "header", "die Datei ist leer: erwartet wird eine Kopfzeile mit der Spalte email"),
    (PEOPLE + "ada,,,,,\n", "address", "'ada' ist keine E-Mail-Adresse: es fehlt das @"),
    (PEOPLE + f"{ADA},,,,,,x\n", "line", "es sind 7 Werte für 6 Spalten"),
    (PEOPLE + f'{ADA},"\n', "line", "kein CSV: ein Anführungszeichen ist nicht geschlossen"),
    ('{"email": 1\n', "line", "kein JSON: "),
    ('{}\n["x"]\n', "line", "kein JSON-Objekt"),
    (PEOPLE, "unknown-columns", "Zeile 1: unbekannte Spalten bleiben unbeachtet: Näme"),
    (PEOPLE + f"{ADA},,no paper,,,\n", "paper", "Zeile 2: papers: "),
    (PEOPLE + f"{ADA},,,,,nb\n", "locale", "Personen mit einer locale ohne Katalog: 1; sie bekommen"),
    (PEOPLE + f"{ADA},,,,,\n", "no-consent", "Personen, von denen die Datei keine Einwilligung hat: 1;"),
]  # fmt: skip


@pytest.mark.parametrize(("people", "code", "said"), MISTAKES, ids=lambda value: None)
def test_an_import_is_answered_in_it_and_with_codes(office, people, code, said):
    def asked(language):
        kind = "application/jsonl" if people.startswith("{") else "text/csv"
        headers = {"Content-Type": kind, "Accept-Language": language}
        answer = office.ask("POST", "/import", content=people.encode(), headers=headers)
        office.registry.remove(ADA)
        assert answer.headers["content-language"] == language
        found = answer.json()
        told = [(one["code"], one["why"]) for one in found["rejected"]]
        return told + [(one["code"], one["what"]) for one in found["warnings"]]

    german, english = asked("de"), asked("en")
    assert [code for code, _ in german] == [code for code, _ in english]
    assert [text for its_code, text in german if its_code == code and text.startswith(said)]
    assert not [text for its_code, text in english if its_code == code and text.startswith(said)]


def test_what_an_import_quotes_can_be_encoded(office):
    people = "email,n\udce9me\na\udce9@example.org,\n".encode(errors="surrogateescape")
    headers = {"Content-Type": "text/csv", "Accept-Language": "ar"}
    done = office.ask("POST", "/import", content=people, headers=headers).json()
    assert "\\udce9" in done["rejected"][0]["why"]
    assert "\\udce9" in done["warnings"][0]["what"]
