"""Topics that are not in the language of papers: a model's translation is a proposal."""

import pytest

from digest.app.app import App
from digest.collect.merge import keys_of, merge
from digest.model.summaries import Verdict
from digest.rank.topic_reporter import TopicReporter
from digest.summaries.chat import chat_of
from digest.summaries.prompts import Prompts
from digest.summaries.topics import TopicTranslator
from subscribers.preferences import Strictness
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from tests.integration.browser import page_of, path_of
from tests.integration.house import House
from tests.integration.summaries.model_server import model_server
from tests.support import (
    NOW,
    PLAIN_TEMPLATES,
    SENDING,
    TODAY,
    make_corpus,
    make_settings,
    make_sighting,
)

TOPIC = "maschinelles Lernen für Proteine"


def translator(model, ledger, **settings):
    from digest.compose.environment import Templates

    fixed = {"summaries_url": model.url, "summaries_model": "little", "summaries_timeout": "2"}
    made = make_settings(**{**fixed, **settings})
    prompts = Prompts(Templates(PLAIN_TEMPLATES))
    return TopicTranslator(made, ledger, chat_of(made, None), prompts, lambda: NOW)


def test_a_topic_is_translated_once_and_not_kept(ledger):
    with model_server(lambda *_: "machine learning for proteins.") as model:
        translate = translator(model, ledger)
        assert translate(TOPIC, "de") == translate(TOPIC, "de") == "machine learning for proteins"
    [asked] = model.asked
    assert asked["messages"][1]["content"] == TOPIC
    assert "from German into English" in asked["messages"][0]["content"]
    assert ledger.summaries.counts() == {Verdict.USED: 1}
    assert ledger.summaries.spent(NOW).total == 450


@pytest.mark.parametrize("answer", ["", "I'm sorry, but I cannot.", TOPIC, "x" * 3000, "蛋白质"])
def test_what_is_no_topic_is_no_proposal(ledger, answer):
    with model_server(lambda *_: answer) as model:
        assert translator(model, ledger)(TOPIC, "de") == ""
    assert len(model.asked) == 1


def test_a_model_that_fails_is_left_alone(ledger):
    with model_server(lambda *_: (404, b"", {})) as model:
        translate = translator(model, ledger)
        assert translate(TOPIC, "de") == translate("Vögel im Winter", "de") == ""
        assert len(model.asked) == 1


def test_no_money_no_question(ledger):
    with model_server(lambda *_: "birds") as model:
        bounds = {"summaries_prices": "1000/1000", "summaries_cost_per_day": "0.01"}
        assert translator(model, ledger, **bounds)(TOPIC, "de") == ""
        assert model.asked == []


def collect_papers(ledger):
    facts = {"title": "Machine Learning for Proteins", "abstract": "We fold proteins by learning."}
    sightings = [make_sighting(number, **facts) for number in range(1, 4)]
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))
    ledger.editions.freeze(TODAY, TODAY, NOW)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_reader_is_proposed_it_and_may_take_and_edit_it(ledger, registry):
    """From the report on the settings page, by one press, into the form; nothing is saved by it."""
    collect_papers(ledger)
    ada = registry.add("ada@example.org", parse_topics([TOPIC]), source="test", now=NOW)
    with model_server(lambda *_: "machine learning for proteins") as model:
        translate = translator(model, ledger)
        reporter = TopicReporter(ledger, make_corpus, None, Strictness.NORMAL, translate)
        house = House(ledger, registry, topic_reports=reporter.report)
        settings = path_of(Purpose.PREFERENCES, ada.public_id)
        page = page_of(house.get(settings))
        assert "A language model translates it as “machine learning for proteins”" in " ".join(
            page.text_content().split()
        )
        [press] = page.xpath("//button[@name='instead'][contains(@value, 'machine learning')]")
        form = {"topics": TOPIC, press.get("name"): press.get("value")}
        tried = page_of(house.post(press.get("formaction"), form))
        assert len(model.asked) == 1
    ticked = tried.xpath("//input[@name='topic'][@checked]/@value")
    assert "machine learning for proteins" in ticked
    assert TOPIC not in ticked
    assert registry.file_of(ada.address).subscriber.topics == parse_topics([TOPIC])


@pytest.mark.parametrize(
    ("settings", "is_asked"),
    [({}, False), ({"summaries_topics": "no"}, False), ({"summaries_topics": "yes"}, True)],
)
def test_a_topic_is_sent_only_where_the_operator_wants_it(tmp_path, settings, is_asked):
    """What a reader typed goes to nobody unasked, though a model sums papers up."""
    with model_server(lambda *_: "machine learning for proteins") as model:
        fixed = {"summaries_url": model.url, "summaries_model": "little", **settings}
        app = App({}, None, lambda: NOW, home=str(tmp_path), **SENDING, **fixed)
        collect_papers(app.ledger)
        app.topic_reporter.report(parse_topics([TOPIC]))
        app.engine.dispose()
        assert bool(model.asked) == is_asked
