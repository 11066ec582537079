"""Editions with sentences by a language model: each reader's language, bounded, never in the way."""

from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from html import unescape
from time import monotonic

import pytest
from structlog.testing import capture_logs

from digest.app.app import App
from digest.deliver.edition_messages import digest_of
from digest.model.digests import Pick, Section
from digest.model.papers import Collected
from digest.model.summaries import Verdict
from subscribers.preferences import Preferences
from tests.integration.birds import DailySource
from tests.integration.pipelines import make_collector
from tests.integration.smtp_server import nobody_listens
from tests.integration.summaries.model_server import model_server
from tests.support import NOW, SENDING, TODAY

KEY = "a-key-that-nobody-may-see"
ENGLISH = "The authors watched birds and say how they live."
GERMAN = "Die Forscher haben Vögel beobachtet und beschreiben, wie sie leben."
TITLE = "Vögel und ihr Leben"


def good(instructions: str, _: str):
    if "in German" in instructions:
        return f"SENTENCE: {GERMAN}\nTITLE: {TITLE}"
    return f"SENTENCE: {ENGLISH}"


@contextmanager
def app_of(folder, url, **settings):
    fixed = {
        **SENDING,
        "lookback_days": "0",
        "summaries_url": url,
        "summaries_model": "little",
        "summaries_key": KEY,
    }
    app = App({}, None, clock=lambda: NOW, home=str(folder), **{**fixed, **settings})
    app.__dict__["collector"] = make_collector(app.settings, app.ledger, lambda: [DailySource()])
    for name, wishes in {
        "ada": {},
        "bob": {},
        "cleo": {"locale": "de", "translated_titles": True},
        "dora": {"locale": "de"},
        "emil": {"locale": "de", "paused_until": "2027-01-01"},
    }.items():
        person = app.registry.add(f"{name}@example.org", (), source="test", now=NOW)
        app.registry.set_preferences(person.public_id, (), Preferences.from_json(wishes))
    try:
        yield app
    finally:
        app.stop()


def run(app):
    done = app.pipeline.tick(NOW, everybody=True)
    assert done.trouble == ()
    return done.balance


def mail(app, name):
    [file] = (app.settings.home / "outbox").glob(f"*{name}@*.eml")
    text, html = message_from_bytes(file.read_bytes()).get_payload()
    return [
        " ".join(unescape(part.get_payload(decode=True).decode()).split()) for part in (text, html)
    ]


def test_readers_get_a_sentence_in_their_language_once_for_all_of_them(tmp_path):
    with model_server(good) as model, app_of(tmp_path, model.url) as app:
        assert run(app).accepted == 4
        for part in mail(app, "ada"):
            assert ENGLISH in part
            assert "Summary by a language model" in part
            assert GERMAN not in part
        for name in ("cleo", "dora"):
            for part in mail(app, name):
                assert GERMAN in part
                assert "Von einem Sprachmodell zusammengefasst" in part
                assert (f"{TITLE}" in part) is (name == "cleo")
        counted = app.ledger.summaries.counts()
        sent = set(model.texts())
        assert counted == {Verdict.USED: len(model.asked)}
        assert len(model.asked) == 2 * len(sent), "each paper once in each language"
        assert set(model.keys) == {f"Bearer {KEY}"}
        assert all(request["stream"] is False for request in model.asked)
        asked = str(model.asked)
        assert "example.org" not in asked, "nothing of a reader"
        assert app.ledger.summaries.spent(NOW).sent == 400 * len(model.asked)
        before = len(model.asked)
        app.registry.add("late@example.org", (), source="test", now=NOW)
        run(app)
        assert len(model.asked) == before
        assert ENGLISH in mail(app, "late")[0]


def test_a_paper_that_nobody_is_sent_is_not_asked_for(tmp_path):
    limits = {"max_trending": "2", "max_for_you": "1"}
    with model_server(good) as model, app_of(tmp_path, model.url, **limits) as app:
        run(app)
        edition = app.ledger.editions.on(TODAY)
        assert len(edition.candidates) == 6
        picked = set(model.texts())
        assert 0 < len(picked) < 6
        for text in picked:
            title = text.splitlines()[0].removeprefix("Title: ")
            assert any(title in part for part in mail(app, "ada"))


def is_sent_in_time(app):
    began = monotonic()
    assert run(app).accepted == 4
    assert sum(app.summarizer._waited.values()) < 3, monotonic() - began
    assert "On birds." in mail(app, "ada")[0]
    assert set(app.ledger.summaries.counts()) == {Verdict.NO_ANSWER}


def test_an_edition_goes_out_on_time_though_the_model_is_dead(tmp_path):
    with (
        nobody_listens() as port,
        app_of(tmp_path, f"http://127.0.0.1:{port}/v1", summaries_deadline="1.5") as app,
    ):
        is_sent_in_time(app)


def test_an_edition_goes_out_on_time_though_the_model_is_slow(tmp_path):
    with (
        model_server(good, slow=True) as model,
        app_of(tmp_path, model.url, summaries_deadline="0.5") as app,
    ):
        is_sent_in_time(app)
        # What was begun may have cost as much as it could, and is not begun again today.
        assert app.ledger.summaries.spent(NOW).total > 0
        asked = len(model.asked)
        app.registry.add("late@example.org", (), source="test", now=NOW)
        run(app)
        assert len(model.asked) == asked == app.settings.summaries_at_once


BAD = {
    "nothing": ("", Verdict.EMPTY),
    "refusal": ("I'm sorry, but I cannot help with this paper.", Verdict.REFUSAL),
    "echo": ("You explain research papers to curious people who are new to it.", Verdict.ECHO),
    "language": (f"SENTENCE: {GERMAN}", Verdict.LANGUAGE),
    "number": ("The authors watched 77 birds for a while.", Verdict.NUMBER),
    "no JSON": ((200, b"<html>It works!</html>", {}), Verdict.UNREADABLE),
    "half": ((200, b'{"choices": [{"mess', {"X-Length": "4000"}), Verdict.NO_ANSWER),
    "huge": ((200, b'"' + b"x" * 400_000, {}), Verdict.NO_ANSWER),
    "no such model": ((404, f'{{"error": "{KEY} sees none"}}'.encode(), {}), Verdict.DECLINED),
    "elsewhere": ((302, b"", {"Location": "https://evil.example/"}), Verdict.DECLINED),
    "too many": ((429, b"", {"Retry-After": "3600"}), Verdict.NO_ANSWER),
}


def ask(app):
    """Have all papers of the day summarized in English, as for one reader of each."""
    app.pipeline.collect([TODAY], NOW)
    edition = app.pipeline._freeze(Collected(), NOW)
    picks = tuple(Pick(Section.TRENDING, candidate) for candidate in edition.candidates)
    app.summarizer.summarize(edition.id, [("en", picks)], NOW)
    return app.ledger.summaries.counts()


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_answer_is_dropped_and_counted(tmp_path, bad):
    answer, verdict = BAD[bad]
    # What is asked for again is waited for until the deadline, and no longer.
    deadline = "1" if bad in {"too many", "half"} else "60"
    bounds = {"summaries_deadline": deadline, "summaries_at_once": "1"}
    with (
        model_server(lambda *_: answer) as model,
        app_of(tmp_path, model.url, **bounds) as app,
        capture_logs() as logs,
    ):
        counted = ask(app)  # what was under way when it was given up has no answer
        assert verdict in counted
        assert set(counted) <= {verdict, Verdict.NO_ANSWER}
        assert app.ledger.summaries.sentences(range(100), ["en"]) == {}
        assert len(model.asked) <= 12
        assert KEY not in str(logs)


def test_the_bounds_of_a_day_are_kept(tmp_path):
    costs = {
        "summaries_prices": "1000/1000",
        "summaries_cost_per_day": "2.5",
    }  # six answers cost 2.7
    with model_server(good) as model, app_of(tmp_path, model.url, **costs) as app:
        assert 0 < ask(app)[Verdict.USED] == len(model.asked) < 6
        assert app.ledger.summaries.spent(NOW).cost((1000, 1000)) <= 2.5
    bound = {"summaries_tokens_per_day": "1500"}
    with model_server(good) as model, app_of(tmp_path / "b", model.url, **bound) as app:
        assert 0 < ask(app)[Verdict.USED] < 6
        assert app.ledger.summaries.spent(NOW).total <= 1500
        tomorrow = NOW + timedelta(days=1)
        assert app.ledger.summaries.spent(tomorrow).total == 0


def test_without_a_model_nothing_is_asked_and_nothing_shown(tmp_path):
    with model_server(good) as model, app_of(tmp_path, model.url) as app:
        run(app)
        off = App({}, None, clock=lambda: NOW, home=str(tmp_path), **SENDING)
        assert off.chat is None
        person = off.registry.file_of("ada@example.org").subscriber
        digest = off.with_sentences(digest_of(off.ledger, person, TODAY))
        assert ENGLISH not in off.composer.render(digest, person.public_id).html
        shown = app.with_sentences(digest_of(app.ledger, person, TODAY))
        assert ENGLISH in app.composer.render(shown, person.public_id).html
