"""A subscriber's own digest in the browser, beside the mail that it is."""

from datetime import timedelta

import lxml.html
import pytest

from digest.collect.merge import keys_of, merge
from digest.deliver.transport.folder import FolderTransport
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from tests.integration.browser import HOST, Browser, assert_safe, page_of, path_of
from tests.integration.people import look
from tests.integration.pipelines import make_pipeline, make_planning
from tests.integration.senders import make_delivery_worker
from tests.integration.site import COMPOSER, SENDER, make_web
from tests.raw_message import read
from tests.support import NOW, TODAY, make_settings, make_sighting

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
# The mail's own style and pictures, and nothing else: no script, no form.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class Office:
    """A day's edition that was sent to ada, who wants robots, and to bob, who wants anything."""

    def __init__(self, ledger, registry, folder):
        self.registry = registry
        self.ada = registry.add("ada@example.org", parse_topics(["robots"]), source="t", now=NOW)
        self.bob = registry.add("bob@example.org", (), source="t", now=NOW)
        sightings = [
            make_sighting(1, title="Robots that Tidy <Up>", upvotes=1),
            make_sighting(2, title="Ducks", upvotes=9),
        ]
        ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))
        settings = make_settings(home=str(folder))
        self._outbox = folder / "outbox"
        outbox = FolderTransport(self._outbox)
        sending = make_delivery_worker(settings, ledger, registry, COMPOSER, outbox)
        self.planning = make_planning(settings, ledger, registry)
        make_pipeline(settings, ledger, registry, deliver=sending.send).tick(NOW, everybody=True)
        self._browser = Browser(make_web(ledger, registry))

    def mail(self, person):
        [file] = self._outbox.glob(f"{person.address}-*.eml")
        return [part.text for part in read(file.read_bytes()).parts]

    def ask(self, path, method="GET"):
        return self._browser.ask(method, path)


@pytest.fixture
def office(ledger, registry, tmp_path):
    return Office(ledger, registry, tmp_path)


def own_path(person, day=TODAY):
    return f"{path_of(Purpose.DIGEST, person.public_id)}/{day}"


def test_it_is_the_mail_as_it_was_sent(office):
    for person in (office.ada, office.bob):
        answer = office.ask(own_path(person))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.text.strip() == office.mail(person)[1].strip()
    assert "Robots that Tidy &lt;Up&gt;" in office.ask(own_path(office.ada)).text


def test_the_mail_leads_there(office):
    text, html = office.mail(office.ada)
    link = HOST + own_path(office.ada)
    assert f"In the browser: {link}\n" in text
    [shown] = lxml.html.document_fromstring(html).xpath("//a[text()='In the browser']/@href")
    assert shown == link


def test_it_stays_as_it_was_sent_whatever_is_wished_since(office):
    before = office.ask(own_path(office.ada)).text
    ada = office.ada
    office.registry.set_preferences(ada.public_id, parse_topics(["ducks"]), ada.preferences)
    after = office.ask(own_path(ada)).text
    titles = [
        lxml.html.document_fromstring(html).xpath("//h3/a//text()[normalize-space()]")
        for html in (before, after)
    ]
    assert titles[0] == titles[1] != []


def test_looking_changes_nothing(office, engine):
    before = look(engine)
    for method in ("GET", "HEAD", "GET"):
        assert office.ask(own_path(office.ada), method).status_code == 200
    for method in ("POST", "OPTIONS", "PUT", "DELETE"):
        assert office.ask(own_path(office.ada), method).status_code == 405
    assert look(engine) == before


def test_a_head_is_a_get_without_its_body(office):
    get, head = (office.ask(own_path(office.ada), method) for method in ("GET", "HEAD"))
    assert (head.status_code, head.headers, head.content) == (200, get.headers, b"")


def test_its_policy_lets_in_what_a_mail_has_and_no_more(office):
    answer = office.ask(own_path(office.ada))
    assert_safe(answer, POLICY)
    assert answer.headers["x-robots-tag"] == "noindex"
    page = lxml.html.document_fromstring(answer.text)
    assert page.xpath("//*[@style]")
    assert not page.xpath("//script | //form | //link | //iframe | //img[not(starts-with(@src, 'https:'))]")  # fmt: skip


def test_a_digest_that_is_not_there_is_no_page(office, registry, ledger):
    late = registry.add("late@example.org", (), source="test", now=NOW)
    ledger.editions.freeze(TOMORROW, TOMORROW, NOW)
    for path in (
        own_path(office.ada, YESTERDAY),
        own_path(office.ada, TOMORROW),
        own_path(office.ada, "2026-02-30"),
        own_path(office.ada, "today"),
        own_path(late),
        path_of(Purpose.DIGEST, office.ada.public_id),
    ):
        answer = office.ask(path)
        assert answer.status_code == 404, path
        assert_safe(answer)
        page_of(answer)


def test_somebody_unknown_has_none(office, registry):
    unknown = f"{path_of(Purpose.DIGEST, 'f' * 32)}/{TODAY}"
    registry.remove(office.ada.address)
    answers = [office.ask(unknown), office.ask(own_path(office.ada))]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_only_its_own_token_opens_it(office):
    ada = office.ada.public_id
    tokens = [
        SENDER.tokens.make(purpose, ada) for purpose in Purpose if purpose is not Purpose.DIGEST
    ]
    tokens += [SENDER.tokens.make_until(Purpose.DIGEST, ada, NOW + timedelta(days=1)), ada, "x"]
    expected = office.ask("/unsubscribe/x")
    for token in tokens:
        answer = office.ask(f"/digest/{token}/{TODAY}")
        assert (answer.status_code, answer.content) == (404, expected.content)
        assert_safe(answer)


def test_the_links_of_a_test_mail_do_no_harm(office, engine):
    digest = office.planning.draft(TODAY, parse_topics(["robots"]))
    message = COMPOSER.compose(
        digest, to="me@example.org", public_id="test", now=NOW, subject_mark="[test]"
    )
    html = read(message.content).parts[1].text
    links = {link for link in lxml.html.document_fromstring(html).xpath("//a/@href") if link.startswith(HOST)}  # fmt: skip
    before = look(engine)
    own = [link for link in links if link.split("/")[3] in set(Purpose)]
    for path in (link.removeprefix(HOST) for link in own):
        if path.startswith("/digest/"):
            assert office.ask(path).status_code == 404
            continue
        for method in ("GET", "POST"):
            answer = office.ask(path, method)
            assert answer.status_code == 200
            assert "You’re unsubscribed" in page_of(answer).text_content()
    assert look(engine) == before
    assert {link.split("/")[3] for link in links} == {
        "", "archive", "digest", "opinion", "paper", "preferences", "unsubscribe"
    }  # fmt: skip
