"""A change of address: the request, the mail to the new mailbox, the button, the word to the old."""

from dataclasses import replace
from datetime import timedelta

import pytest

from digest.compose.transactional_composer import CONFIRM_WITHIN
from digest.deliver.transport.folder import FolderTransport
from digest.model.papers import Harvest
from subscribers.model import Consent, Standing, SuppressionReason, Verdict
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from subscribers.transfer import to_record
from subscribers.web.page_context import MOST_PER_ADDRESS, MOST_PER_CLIENT
from tests.integration.at_once import at_once, just_before
from tests.integration.browser import page_of, path_of
from tests.integration.house import House
from tests.integration.people import changes, look
from tests.integration.pipelines import make_pipeline
from tests.integration.senders import make_delivery_worker
from tests.integration.site import COMPOSER
from tests.raw_message import read
from tests.support import NOW, make_settings, make_sighting

OLD, NEW = "ada@example.org", "ada@new.example"


class Mover(House):
    """Ada, who has subscribed, and the pages."""

    def __init__(self, engine, ledger, registry, **changes):
        super().__init__(ledger, registry, **changes)
        self.engine = engine
        ada = registry.add(OLD, parse_topics(["robots"]), source="test", now=NOW)
        self.ada = registry.set_preferences(ada.public_id, ada.topics, Preferences(max_papers=3))
        self.preferences = path_of(Purpose.PREFERENCES, ada.public_id)

    def request_change(self, address=NEW, **values):
        return self.post(f"{self.preferences}/address", {"address": address}, **values)

    def address(self):
        return self.registry.get(self.ada.id).address

    def said(self, address):
        return [item.event for item in self.registry.file_of(address).evidence]


@pytest.fixture
def mover(engine, ledger, registry):
    return Mover(engine, ledger, registry)


def bad_link(mover):
    return mover.get("/unsubscribe/x").content


# ---- the way ---------------------------------------------------------------------------------


def test_somebody_moves(mover):
    before = look(mover.engine)
    answer = mover.request_change()
    assert answer.status_code == 200
    shown = page_of(answer).text_content()
    assert NEW in shown
    assert OLD in shown
    assert mover.mailed == [NEW]
    assert mover.address() == OLD

    page = page_of(mover.get(mover.link()))
    [form] = page.xpath("//form")
    assert (form.get("method"), form.get("action")) == ("post", None)
    assert NEW in form.text_content()
    assert mover.address() == OLD, "looking is not confirming"

    welcome = page_of(mover.post(mover.link()))
    assert NEW in welcome.text_content()
    assert mover.address() == NEW
    assert mover.mailed == [NEW, OLD]
    [preferences] = welcome.xpath("//main//a/@href")
    assert NEW in mover.get(preferences).text

    happened = [line for line in changes(before, look(mover.engine)) if "signups" not in line]
    assert happened[0] == "+ consents ada: moved, now, link in the mail to the new address, "
    assert happened[1].startswith("+ moves ada: ")
    assert happened[2:] == [
        f"subscribers ada: address {OLD} -> {NEW}",
        f"subscribers ada: address_key {OLD} -> {NEW}",
    ]


def test_the_mail_to_the_new_address_asks_and_names_the_old(mover):
    mover.request_change()
    message = read(mover.mails[0].content)
    assert [name for name, _ in message.headers if name.startswith("List-")] == []
    assert message.one("Auto-Submitted") == "auto-generated"
    for part in message.parts:
        assert mover.link() in part.text
        assert OLD in part.text
        assert "72 hours" in part.text


def test_the_mail_to_the_old_address_tells_of_the_new_and_has_no_link_to_act(mover):
    mover.request_change()
    mover.post(mover.link())
    for part in read(mover.mails[1].content).parts:
        text = " ".join(part.text.split())
        assert f"goes to {NEW} from now on" in text
        assert "digest@example.org" in text
        assert all(f"/{purpose}/" not in text for purpose in Purpose)


def test_links_in_mails_to_the_old_address_keep_working(mover):
    mover.request_change()
    mover.post(mover.link())
    assert NEW in mover.get(mover.preferences).text
    mover.post(path_of(Purpose.UNSUBSCRIBE, mover.ada.public_id))
    assert mover.registry.standing(mover.ada.id) is Standing.WITHDRAWN


def test_the_next_digest_goes_to_the_new_address(mover, ledger, registry, tmp_path):
    class Source:
        name = "huggingface"

        def collect(self, days, now):
            yield Harvest(tuple(make_sighting(day.day, listed_on=day) for day in days))

    outbox = tmp_path / "outbox"
    settings = make_settings(home=str(tmp_path), lookback_days="0")

    def mailed(now):
        folder = FolderTransport(outbox)
        deliver = make_delivery_worker(settings, ledger, registry, COMPOSER, folder).send
        pipeline = make_pipeline(settings, ledger, registry, lambda: [Source()], deliver)
        pipeline.tick(now, everybody=True)
        found = [file.name.rpartition("-")[0] for file in outbox.glob("*.eml")]
        for file in outbox.glob("*.eml"):
            file.unlink()
        return found

    registry.set_preferences(mover.ada.public_id, (), Preferences())
    mover.request_change()
    assert mailed(NOW) == [OLD]
    mover.post(mover.link())
    assert mailed(NOW) == [], "nobody gets an edition twice"
    assert mailed(NOW + timedelta(days=1)) == [NEW]


def test_another_spelling_of_ones_own_address_is_a_move_as_well(mover):
    mover.request_change("ADA@example.org")
    mover.post(mover.link())
    assert mover.address() == "ADA@example.org"
    assert len(mover.registry.everybody()) == 1


def test_back_again(mover):
    mover.request_change()
    mover.post(mover.link())
    mover.request_change(OLD)
    mover.post(mover.link())
    assert mover.address() == OLD
    assert mover.said(OLD) == ["vouched", "moved", "moved"]
    assert mover.mailed == [NEW, OLD, OLD, NEW]


# ---- what is refused, and what is not told ---------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "not an email address"),
        ("nobody", "'nobody' is not an email address"),
        ("josé@new.example", "cannot be reached from here"),
        (OLD, "already your address"),
        ("<script>alert(1)</script>", "not an email address"),
    ],
)
def test_what_cannot_be_an_address_is_said_and_kept_in_the_form(mover, typed, why):
    before = look(mover.engine)
    answer = mover.request_change(typed)
    assert answer.status_code == 422
    page = page_of(answer)
    assert why in page.xpath("//*[@role='alert']")[0].text_content()
    assert page.get_element_by_id("address").value == typed
    assert (look(mover.engine), mover.mails) == (before, [])


@pytest.mark.parametrize("body", [{}, {"topics": "ants"}])
def test_a_form_without_an_address_changes_nothing(mover, body):
    before = look(mover.engine)
    assert mover.post(f"{mover.preferences}/address", body).status_code == 422
    assert (look(mover.engine), mover.mails) == (before, [])


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_only_a_post_asks_for_a_move(mover, method):
    before = look(mover.engine)
    answer = mover.ask(method, f"{mover.preferences}/address?address={NEW}")
    assert answer.status_code == 405
    assert (look(mover.engine), mover.mails) == (before, [])


def test_the_answer_does_not_tell_who_subscribes(mover):
    registry = mover.registry
    registry.add("confirmed@new.example", (), source="test", now=NOW)
    registry.ask("pending@new.example", (), source="test", now=NOW)
    gone = registry.add("gone@new.example", (), source="test", now=NOW)
    registry.withdraw(gone.public_id, source="test", now=NOW)
    registry.suppressions.add("blocked@new.example", SuppressionReason.COMPLAINT, now=NOW)
    people = ("unknown", "confirmed", "pending", "gone", "blocked")
    answers = {
        mover.request_change(f"{who}@new.example").text.replace(f"{who}@new.example", "WHO")
        for who in people
    }
    assert len(answers) == 1
    assert mover.mailed == [f"{who}@new.example" for who in people if who != "blocked"]


def test_nothing_is_told_to_whoever_is_gone(mover):
    mover.registry.withdraw(mover.ada.public_id, source="test", now=NOW)
    before = look(mover.engine)
    assert "You’re unsubscribed" in mover.request_change().text
    assert look(mover.engine) == before
    mover.registry.remove(OLD)
    assert "You’re unsubscribed" in mover.request_change().text
    assert look(mover.engine) == {}
    assert mover.mails == []


# ---- how often -------------------------------------------------------------------------------


def test_requests_and_sign_ups_share_the_limit_of_an_address(mover):
    for number in range(MOST_PER_ADDRESS - 1):
        mover.subscribe(NEW, client=f"203.0.113.{number}")
    refused = [mover.request_change(NEW.upper(), client="203.0.113.98") for _ in range(3)][1:]
    assert mover.mailed == [*[NEW] * (MOST_PER_ADDRESS - 1), "ADA@new.example"]
    assert [answer.status_code for answer in refused] == [429, 429]
    mover.subscribe(NEW, client="203.0.113.99")
    assert len(mover.mails) == MOST_PER_ADDRESS
    mover.now = NOW + timedelta(hours=1)
    mover.request_change()
    assert len(mover.mails) == MOST_PER_ADDRESS + 1


def test_requests_and_sign_ups_share_the_limit_of_a_client(mover):
    for number in range(MOST_PER_CLIENT - 1):
        mover.subscribe(f"reader{number}@example.org")
    mover.request_change("first@new.example")
    mover.request_change("second@new.example")
    mover.subscribe("reader@example.org")
    assert len(mover.mails) == MOST_PER_CLIENT
    assert mover.mailed[-1] == "first@new.example"
    mover.request_change("second@new.example", client="203.0.113.99")
    assert mover.mailed[-1] == "second@new.example"


def test_a_refused_request_leaves_the_one_before_as_it_was(mover):
    mover.request_change()
    for number in range(MOST_PER_CLIENT):
        mover.subscribe(f"reader{number}@example.org")
    mover.request_change("late@new.example")
    mover.post(mover.link(0))
    assert mover.address() == NEW


# ---- the link --------------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "status"), [(-1, 200), (0, 404), (1, 404)])
def test_a_link_is_good_for_its_time(mover, late, status):
    mover.request_change()
    mover.now = NOW + CONFIRM_WITHIN + timedelta(seconds=late)
    assert mover.get(mover.link(0)).status_code == status
    assert mover.post(mover.link(0)).status_code == status
    assert mover.address() == (NEW if status == 200 else OLD)


def test_the_newest_request_wins(mover):
    mover.request_change("first@new.example")
    mover.request_change("second@new.example")
    for method in ("GET", "POST"):
        answer = mover.ask(method, mover.link(0))
        assert (answer.status_code, answer.content) == (404, bad_link(mover))
    assert mover.address() == OLD
    mover.post(mover.link(1))
    assert mover.address() == "second@new.example"


def test_two_requests_at_once_are_one(mover):
    requests = [
        lambda to=to: mover.request_change(f"{to}@new.example").status_code for to in ("a", "b")
    ]
    assert at_once(mover.engine, *requests, before=("INSERT INTO moves",)) == [200, 200]
    wanted = mover.registry.file_of(OLD).moving_to
    mover.post(mover.link(mover.mailed.index(wanted)))
    assert mover.address() == wanted


@pytest.mark.parametrize("gone", ["left", "removed"])
def test_a_link_is_void_once_the_person_has_gone(mover, gone):
    mover.request_change()
    if gone == "left":
        mover.registry.withdraw(mover.ada.public_id, source="test", now=NOW)
    else:
        mover.registry.remove(OLD)
    before = look(mover.engine)
    for method in ("GET", "POST"):
        answer = mover.ask(method, mover.link(0))
        assert (answer.status_code, answer.content) == (404, bad_link(mover))
    assert look(mover.engine) == before
    assert mover.mailed == [NEW]


def test_whoever_leaves_at_that_moment_has_left(mover):
    mover.request_change()
    leave = lambda: mover.registry.withdraw(mover.ada.public_id, source="test", now=NOW)  # noqa: E731
    with just_before(mover.engine, "UPDATE subscribers", leave):
        answer = mover.post(mover.link())
    assert (answer.status_code, answer.content) == (404, bad_link(mover))
    assert mover.registry.standing(mover.ada.id) is Standing.WITHDRAWN
    assert mover.address() == OLD
    assert mover.mailed == [NEW]


def test_twice_is_once_with_one_word_to_the_old_address(mover):
    mover.request_change()
    first, second = mover.post(mover.link(0)), mover.post(mover.link(0))
    assert first.content == second.content
    assert mover.get(mover.link(0)).content == first.content
    assert mover.said(NEW) == ["vouched", "moved"]
    assert mover.mailed == [NEW, OLD]


def test_where_the_confirmation_came_from_is_kept_where_that_is_wanted(engine, ledger, registry):
    mover = Mover(engine, ledger, registry, keeps_clients=True)
    mover.request_change(client="203.0.113.1")
    mover.post(mover.link(), client="2001:db8::2")
    evidence = registry.file_of(NEW).evidence[-1]
    assert (evidence.event, evidence.client) == ("moved", "2001:db8::2")


# ---- who is at the new address already -------------------------------------------------------


def test_an_address_that_subscribes_is_not_taken_over(mover):
    mover.request_change()
    other = mover.registry.add(NEW, parse_topics(["ants"]), source="test", now=NOW)
    mover.registry.ratings.rate(other.id, "arxiv:2602.00001", Verdict.LIKE, NOW)
    before = look(mover.engine)
    for _ in range(2):
        answer = mover.post(mover.link(0))
        assert answer.status_code == 409
        assert f"{NEW} is already subscribed" in page_of(answer).text_content()
    assert look(mover.engine) == before
    assert mover.mailed == [NEW]


def test_that_it_is_not_is_said_in_the_readers_language(mover):
    mover.request_change()
    mover.registry.add(NEW, parse_topics(["ants"]), source="test", now=NOW)
    ada = mover.registry.file_of(OLD).subscriber
    german = replace(ada.preferences, locale="de")
    mover.registry.set_preferences(ada.public_id, ada.topics, german)
    said = page_of(mover.post(mover.link(0)), "de").findtext(".//h1")
    assert said == "Ihre Adresse wurde nicht geändert"


def asks(registry):
    registry.ask(NEW.upper(), parse_topics(["ants"]), source="form", now=NOW)


def asks_and_leaves(registry):
    asked = registry.ask(NEW, parse_topics(["ants"]), source="form", now=NOW)
    registry.confirm(asked.public_id, source="link", now=NOW)
    registry.withdraw(asked.public_id, source="link", now=NOW)


@pytest.mark.parametrize(
    ("other", "said"), [(asks, ["asked"]), (asks_and_leaves, ["asked", "confirmed", "withdrawn"])]
)
@pytest.mark.parametrize("first", ["the other", "the request"])
def test_who_started_or_left_at_the_new_address_is_the_same_person(mover, other, said, first):
    if first == "the other":
        other(mover.registry)
        mover.request_change()
    else:
        mover.request_change()
        other(mover.registry)
    mover.post(mover.link())
    [ada] = mover.registry.everybody()
    assert (ada.id, ada.address, ada.consent) == (mover.ada.id, NEW, Consent.CONFIRMED)
    assert (ada.topics, ada.preferences) == (mover.ada.topics, mover.ada.preferences)
    assert sorted(mover.said(NEW)) == sorted(["vouched", "moved", *said])


def test_a_confirmation_of_the_one_taken_in_is_void(mover):
    mover.subscribe(NEW, "ants")
    mover.request_change()
    mover.post(mover.link(1))
    before = look(mover.engine)
    assert "You’re unsubscribed" in mover.post(mover.link(0)).text
    assert look(mover.engine) == before


def test_a_block_on_the_new_address_outlives_the_move(mover):
    mover.request_change()
    mover.registry.suppressions.add(NEW, SuppressionReason.COMPLAINT, now=NOW)
    mover.post(mover.link(0))
    assert mover.registry.standing(mover.ada.id) is Standing.SUPPRESSED


def test_after_a_move_the_old_address_can_subscribe_anew(mover):
    mover.request_change()
    mover.post(mover.link())
    mover.subscribe(OLD)
    mover.post(mover.link())
    assert [person.address for person in mover.registry.everybody(Consent.CONFIRMED)] == [NEW, OLD]
    assert mover.registry.get(mover.ada.id).topics == mover.ada.topics


# ---- at the same moment ----------------------------------------------------------------------


def test_a_sign_up_with_the_new_address_at_that_moment_makes_no_second_person(mover):
    mover.request_change()
    moved, asked = at_once(
        mover.engine,
        lambda: mover.post(mover.link(0)),
        lambda: mover.subscribe(NEW, "ants"),
        before=("UPDATE subscribers", "INSERT INTO subscribers"),
    )
    assert (moved.status_code, asked.status_code) == (200, 200)
    [ada] = mover.registry.everybody()
    assert (ada.id, ada.address, ada.topics) == (mover.ada.id, NEW, mover.ada.topics)
    assert mover.said(NEW).count("moved") == 1
    assert mover.mailed.count(OLD) == 1


def test_a_sign_up_just_before_is_taken_in(mover):
    mover.request_change()
    sign_up = lambda: mover.subscribe(NEW, "ants")  # noqa: E731
    with just_before(mover.engine, "UPDATE subscribers", sign_up):
        assert mover.post(mover.link(0)).status_code == 200
    [ada] = mover.registry.everybody()
    assert (ada.id, ada.address) == (mover.ada.id, NEW)
    assert mover.said(NEW) == ["vouched", "asked", "moved"]


def test_who_confirms_at_the_new_address_just_before_is_not_taken_over(mover):
    mover.subscribe(NEW, "ants")
    mover.request_change()
    confirm = lambda: mover.post(mover.link(0))  # noqa: E731
    with just_before(mover.engine, "UPDATE consents", confirm):
        assert mover.post(mover.link(1)).status_code == 409
    assert mover.address() == OLD
    assert mover.said(NEW) == ["asked", "confirmed"]
    assert mover.mailed == [NEW, NEW]


# ---- what is told to the person --------------------------------------------------------------


def test_an_export_shows_where_somebody_wants_to_go_until_they_are_there(mover):
    export = lambda: mover.get(f"{mover.preferences}/export").json()  # noqa: E731
    assert "moving_to" not in export()
    mover.request_change()
    assert export()["moving_to"] == NEW
    assert to_record(mover.registry.file_of(OLD))["moving_to"] == NEW
    mover.post(mover.link(0))
    assert "moving_to" not in export()
    assert export()["evidence"][-1] == {
        "event": "moved",
        "at": NOW.isoformat(),
        "source": "link in the mail to the new address",
    }


def test_a_request_is_deleted_with_the_person(mover):
    mover.request_change()
    mover.post(f"{mover.preferences}/delete")
    assert {table for table, *_ in look(mover.engine)} == {"signups"}


def test_requests_that_nobody_confirmed_are_not_kept(mover):
    grace = mover.registry.add("grace@example.org", (), source="test", now=NOW)
    mover.request_change()
    mover.now = NOW + CONFIRM_WITHIN
    path = path_of(Purpose.PREFERENCES, grace.public_id)
    mover.post(f"{path}/address", {"address": "grace@new.example"})
    assert mover.registry.file_of(OLD).moving_to == ""
    assert mover.registry.file_of("grace@example.org").moving_to == "grace@new.example"


# ---- a block on the new address --------------------------------------------------------------


def test_confirming_a_new_address_lifts_a_block_for_bounces(mover):
    mover.registry.suppressions.add(NEW, SuppressionReason.SOFT_BOUNCES, now=NOW)
    mover.request_change()
    assert mover.mailed == [NEW]
    mover.post(mover.link())
    assert mover.registry.standing(mover.ada.id) is Standing.MAY_RECEIVE


def test_a_bounce_after_the_request_is_not_lifted(mover):
    mover.request_change()
    later = NOW + timedelta(minutes=1)
    mover.registry.suppressions.add(NEW, SuppressionReason.HARD_BOUNCE, now=later)
    mover.post(mover.link())
    assert mover.registry.standing(mover.ada.id) is Standing.SUPPRESSED
