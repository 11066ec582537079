"""The composition root: letters that cannot be sent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from queue import Queue
from threading import Event, current_thread
from time import monotonic, sleep
from typing import Self

import pytest
from structlog.testing import capture_logs

from digest.app import web as web_module
from digest.app.app import App
from digest.app.web import web
from digest.collect.semantic_scholar import SemanticScholar
from digest.deliver.transactional_mail import TransactionalMail
from digest.model.messages import Outcome
from digest.model.papers import Harvest
from subscribers.errors import AddressError
from subscribers.web.page_context import When
from tests.integration.browser import Browser
from tests.integration.smtp_server import HOST, Point, SmtpServer, nobody_listens
from tests.support import NOW, SENDING, TODAY, make_sighting


def app_with(folder: Path, **settings: str) -> App:
    return App(environment={}, dotenv=None, home=str(folder), **{**SENDING, **settings})


def confirm(app: App) -> list[str]:
    """What the log says of sending one confirmation."""
    asked = app.registry.ask("ada@example.org", (), source="test", now=NOW)
    assert asked
    with capture_logs() as logs:
        TransactionalMail(app.transactional_composer, app.post, lambda: NOW).confirm(asked)
    assert "ada@example.org" not in str(logs), "no address in the log"
    return [log["why"] for log in logs]


def test_a_confirmation_is_sent(tmp_path: Path, smtp_server: SmtpServer) -> None:
    assert confirm(app_with(tmp_path, transport=smtp_server.url())) == []
    [received] = smtp_server.received
    assert received.rcpt_to == ("ada@example.org",)


def test_a_relay_that_is_down_is_told_and_nothing_is_raised(tmp_path: Path) -> None:
    with nobody_listens() as port:
        [why] = confirm(app_with(tmp_path, transport=f"smtp://{HOST}:{port}"))
    assert "refused" in why


def test_a_refused_confirmation_is_told(tmp_path: Path, smtp_server: SmtpServer) -> None:
    smtp_server.will_say(Point.RCPT, "550 5.1.1 nobody here")
    assert confirm(app_with(tmp_path, transport=smtp_server.url())) == ["5.1.1 nobody here"]


@pytest.mark.parametrize("broken", ["{{ mail.no_such_thing }}", "{% if %}"])
def test_a_broken_template_is_told_and_nothing_is_raised(tmp_path: Path, broken: str) -> None:
    own = tmp_path / "own" / "mail" / "confirm"
    own.mkdir(parents=True)
    (own / "body.txt.j2").write_text(broken)
    [why] = confirm(app_with(tmp_path, templates=str(tmp_path / "own")))
    assert "mail/confirm/body.txt.j2, line 1" in why


def test_a_relay_that_hangs_holds_up_one_thread_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for SMTPUTF8 at a sign-up with an address beyond ASCII."""
    monkeypatch.setattr("digest.app.mail.A_MOMENT", 0.05)
    app = app_with(tmp_path)
    hangs, begun = Event(), Event()

    class Hanging:
        takes_smtputf8 = True

        def __enter__(self) -> Self:
            begun.set()
            hangs.wait(60)
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(app, "transport", Hanging)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(app.address_policy.admit, "jos\u00e9@example.org")
        begun.wait(60)
        with pytest.raises(AddressError):
            app.address_policy.admit("jos\u00e9@example.org")
        hangs.set()
        assert first.result(60) == "jos\u00e9@example.org"
    assert app.address_policy.admit("jos\u00e9@example.org")


def test_a_message_about_a_subscription_waits_for_the_relay_in_a_thread_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or as many sign-ups as pages have threads would keep others from leaving."""
    app = app_with(tmp_path, mx_lookups="no")
    sent: Queue[str] = Queue()

    def post(_: object) -> Outcome:
        sent.put(current_thread().name)
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(app, "post", post)
    with capture_logs() as logs:
        Browser(web(app)).post("/subscribe", b"address=ada@example.org&topics=ants")
        assert sent.get(timeout=60).startswith("background")
        assert sent.empty()
        deadline = monotonic() + 60
        while not logs and monotonic() < deadline:
            sleep(0.01)
    assert [log["event"] for log in logs] == ["a message was not sent"]


def test_papers_are_looked_up_only_with_a_key(tmp_path: Path, monkeypatch) -> None:
    keys: list[str] = []
    monkeypatch.setattr(
        SemanticScholar, "look_up", lambda scholar, *_: iter(keys.append(scholar._key) or ())
    )
    monkeypatch.setattr(App, "sources", lambda _: [])
    app_with(tmp_path).collector.collect([TODAY], NOW)
    app_with(tmp_path, semantic_scholar_key="the-key").collector.collect([TODAY], NOW)
    assert keys == ["the-key"]


# ---- what somebody who confirms is promised ------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "has_edition", "is_paused", "when"),
    [
        ({}, True, False, When.AT_ONCE),
        ({}, False, False, When.LATER),
        ({"first_digest": "no"}, True, False, When.LATER),
        ({"send_window": "07:00-09:00"}, True, False, When.AT_ONCE),
        ({"send_window": "09:00-10:00"}, True, False, When.WAITS),
        ({}, True, True, When.WAITS),
    ],
)
def test_who_confirms_is_promised_what_happens(tmp_path, settings, has_edition, is_paused, when):
    app = app_with(tmp_path, **settings)
    if has_edition:
        app.collector.keep(Harvest((make_sighting(1, listed_on=TODAY),)))
        app.ledger.editions.freeze(TODAY, TODAY, NOW, (), 14)
    if is_paused:
        app.ledger.provider_queues.pause("*", "a test", NOW)
    promised = web_module._first_digest(app, NOW)
    assert promised.when is when
    tomorrow = NOW + timedelta(hours=23)  # an hour before the next edition, which is for it
    assert promised.then_after == (NOW if when is When.LATER else tomorrow)
