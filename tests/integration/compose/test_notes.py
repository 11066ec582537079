"""The note that there is nothing: who gets one, when, and what becomes of it; on both databases."""

from datetime import timedelta

import lxml.html
import pytest

from digest.compose.composer import Composer
from digest.compose.from_identity import from_identity
from digest.monitoring.why_text import why_lines
from subscribers.preferences import Preferences, parse_cadence
from subscribers.tokens import Purpose
from tests.integration.app.test_pipeline import (
    IN_TIME,
    MAY_NOT,
    TOMORROW,
    House,
    Meanwhile,
    counts,
)
from tests.integration.browser import HOST, Browser, page_of, path_of
from tests.integration.pipelines import make_pipeline
from tests.integration.site import TEMPLATES, make_web
from tests.integration.smtp_server import Point
from tests.raw_message import decoded, read
from tests.support import NOW, TODAY, make_sighting

A_DAY = timedelta(days=1)
WANTED = Preferences(note_when_nothing=True)
LIST_HEADERS = ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Help", "List-Archive")


class Street(House):
    """Some want a note, others do not. The mails are as they are shipped."""

    def __init__(self, *parts):
        super().__init__(*parts)
        self.composer = Composer(TEMPLATES, from_identity(self.settings))

    def add(self, name, *topics, **wishes):
        person = super().add(name, *topics)
        preferences = Preferences(**{"note_when_nothing": True, **wishes})
        return self.registry.set_preferences(person.public_id, person.topics, preferences)

    def empty(self):
        """Nothing is posted any more."""
        self.huggingface.sightings.clear()

    def parts(self):
        """The text and the HTML of the last mail."""
        return [part.text for part in read(self.server.received[-1].content).parts]


@pytest.fixture
def street(ledger, registry, smtp_server, tmp_path):
    return Street(ledger, registry, smtp_server, tmp_path / "home")


# ---- who gets one ----------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["no-papers", "nothing-matched"])
def test_who_wants_a_note_is_told_that_there_is_nothing(street, reason):
    if reason == "no-papers":
        street.empty()
    street.add("ada", "sourdough bread")
    street.add("bob", "sourdough bread", note_when_nothing=False)
    done = street.run()
    assert counts(done.balance) == {"due": 2, "accepted": 1, "skipped": 1}
    assert done.balance.skipped_for == {reason: 1}
    assert street.became() == {"ada": f"accepted {reason}", "bob": f"skipped {reason}"}
    assert street.mailed() == ["ada"]
    assert street.run() == done
    assert street.mailed() == []


def test_who_has_papers_gets_them_and_no_note(street):
    street.add("ada", "study of things")
    street.add("bob")
    street.run()
    assert street.became() == {"ada": "accepted", "bob": "accepted"}
    assert all(b"Nothing for you" not in received.content for received in street.server.received)


@pytest.mark.parametrize(
    ("wishes", "becomes"),
    [
        ({"paused_until": TOMORROW}, {"ada": "skipped paused"}),
        ({"days": parse_cadence("mon")}, {}),
        ({"days": parse_cadence("fri")}, {"ada": "accepted no-papers"}),
    ],
    ids=["paused", "none of their days", "one of their days"],
)
def test_a_note_comes_only_when_a_digest_would(street, wishes, becomes):
    street.empty()
    street.add("ada", **wishes)
    street.run()
    assert street.became() == becomes
    assert street.mailed() == (["ada"] if "accepted" in str(becomes) else [])


@pytest.mark.parametrize(("happens", "becomes"), MAY_NOT)
def test_what_happens_between_plan_and_send_is_heeded(street, happens, becomes):
    street.empty()
    street.add("ada")
    grace = street.add("grace")
    street.run(transport=Meanwhile(street.transport, lambda: happens(street, grace)))
    assert street.mailed() == ["ada"]
    [state] = (state for name, state in street.became().items() if name != "ada")
    assert state.startswith(becomes)


# ---- what it is ------------------------------------------------------------------------------


def test_it_has_the_headers_and_the_envelope_of_a_digest(street):
    street.empty()
    ada = street.add("ada")
    street.run()
    street.huggingface.sightings.append(make_sighting(7, listed_on=TOMORROW))
    street.run(NOW + A_DAY)
    note, digest = street.server.received
    of_note, of_digest = (read(message.content) for message in (note, digest))
    assert [name for name, _ in of_note.headers] == [name for name, _ in of_digest.headers]
    for name in (*LIST_HEADERS, "From", "To", "Reply-To", "CFBL-Address", "Auto-Submitted"):
        assert of_note.one(name) == of_digest.one(name)
    assert of_note.one("Feedback-ID") == f"{TODAY}:daily:example.org"
    assert decoded(of_note.one("Subject")) == "Nothing for you today (Friday, 20 February 2026)"
    assert note.mail_from.startswith("digest+1-")
    text, html = street.parts()
    link = street.composer.identity.link(Purpose.UNSUBSCRIBE, ada.public_id)
    assert link in text
    assert link in html


def test_it_says_how_many_papers_there_were_and_leads_to_them(street):
    street.add("ada", "sourdough bread")
    street.run()
    text, html = street.parts()
    page = lxml.html.document_fromstring(html)
    said = " ".join(page.text_content().split())
    for part in (" ".join(text.split()), said):
        assert "Too few of the new papers fit your topics. Today's edition has 3 papers." in part
    [link] = page.xpath("//a[starts-with(text(), 'All of today')]/@href")
    assert link == f"{HOST}/{TODAY}"
    assert link in text


def test_the_same_octets_go_out_when_it_is_tried_again(street):
    street.empty()
    street.add("ada")
    street.server.will_say(Point.DOT, "450 4.2.0 later")
    street.run()
    assert street.became() == {"ada": "deferred no-papers"}
    street.run(IN_TIME)
    assert street.became() == {"ada": "accepted no-papers"}
    one, two = (without_date(received.content) for received in street.server.received)
    assert one == two


def without_date(content):
    """A mail is dated about when it goes out."""
    return [line for line in content.split(b"\r\n") if not line.startswith(b"Date: ")]


def test_one_that_may_have_arrived_is_sent_again_as_a_note(street):
    street.empty()
    street.add("ada")
    street.server.will_hang_up(Point.DOT)
    street.run()
    assert street.became() == {"ada": "uncertain no-papers"}
    street.ledger.uncertain.resend(None, NOW)
    street.run(NOW + timedelta(hours=1))
    assert street.became() == {"ada": "accepted no-papers"}
    one, two = (without_date(received.content) for received in street.server.received)
    assert one == two


# ---- papers that come after all --------------------------------------------------------------


def test_who_was_told_too_soon_gets_the_papers_next_time(street):
    street.add("ada")
    street.add("bob", note_when_nothing=False)
    street.run()
    assert street.mailed() == ["ada", "bob"]
    street.run(NOW + A_DAY)
    assert street.mailed() == ["ada"]
    street.huggingface.sightings.append(make_sighting(8, listed_on=TOMORROW))
    street.run(NOW + A_DAY + timedelta(hours=2))
    assert street.became(TOMORROW) == {"ada": "accepted no-papers", "bob": "accepted"}
    assert street.mailed() == ["bob"]
    street.huggingface.sightings.append(make_sighting(9, listed_on=TODAY + 2 * A_DAY))
    street.run(NOW + 2 * A_DAY)
    by_address = sorted(street.server.received, key=lambda received: received.rcpt_to)
    ada, bob = (received.content for received in by_address)
    seen = [(b"2602.00008" in octets, b"2602.00009" in octets) for octets in (ada, bob)]
    assert seen == [(True, True), (False, True)]
    assert b"2602.00001" not in ada


def test_a_note_that_nobody_has_tried_to_send_gives_way_to_papers(street):
    late = street.huggingface.sightings[:]
    street.empty()
    street.add("ada")
    pipeline = make_pipeline(
        street.settings, street.ledger, street.registry, lambda: street.sources
    )
    pipeline.tick(NOW, everybody=True)
    assert street.became() == {"ada": "pending no-papers"}
    street.huggingface.sightings += late
    street.run()
    assert street.became() == {"ada": "accepted"}
    [received] = street.server.received
    assert b"2602.00001" in received.content


def test_papers_that_did_not_match_are_not_ranked_again(street):
    ada = street.add("ada", "sourdough bread")
    street.run()
    street.empty()
    street.registry.set_preferences(ada.public_id, (), WANTED)
    street.run(NOW + A_DAY)
    assert street.became(TOMORROW) == {"ada": "accepted no-papers"}


# ---- where it is seen ------------------------------------------------------------------------


def test_in_the_browser_it_is_the_note_that_was_sent(street):
    street.empty()
    ada = street.add("ada")
    bob = street.add("bob", note_when_nothing=False)
    street.run()
    browser = Browser(make_web(street.ledger, street.registry))
    answer = browser.get(f"{path_of(Purpose.DIGEST, ada.public_id)}/{TODAY}")
    assert answer.status_code == 200
    assert answer.text.strip() == street.parts()[1].strip()
    assert browser.get(f"{path_of(Purpose.DIGEST, bob.public_id)}/{TODAY}").status_code == 404


def test_why_says_that_it_was_a_note(street):
    ada = street.add("ada", "sourdough bread")
    street.run()
    why = street.explain(street.registry.file_of(ada.address), TODAY, NOW)
    lines = list(why_lines(why, street.settings.timezone))
    assert "no paper in it is for them" in lines
    assert (
        "delivery 1: accepted by the mail server: a note that nothing matched their topics"
    ) in lines
    assert why.delivery
    assert why.delivery.report.reason == "nothing-matched"
    assert why.digest is None


# ---- what an edition lacks -------------------------------------------------------------------


def test_what_an_edition_lacks_stands_in_its_mails_and_on_its_page(street):
    street.pipeline.collect([TODAY], NOW)
    street.ledger.editions.freeze(TODAY, TODAY, NOW, missing=["arxiv"])
    street.add("ada")
    street.add("bob", "sourdough bread")
    street.run()
    said = "The list of arXiv was not fully available, so papers may be missing."
    assert len(street.server.received) == 2
    for received in street.server.received:
        for part in read(received.content).parts:
            assert said in " ".join(part.text.split())
    page = page_of(Browser(make_web(street.ledger, street.registry)).get(f"/{TODAY}"))
    assert said in page.text_content()
