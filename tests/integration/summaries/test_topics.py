"""Topics that are not in the language of papers: a model's translation is a proposal."""

import pytest

from digest.model.summaries import Verdict
from digest.summaries.chat import chat_of
from digest.summaries.prompts import Prompts
from digest.summaries.topics import TopicTranslator
from tests.integration.summaries.model_server import model_server
from tests.support import NOW, PLAIN_TEMPLATES, make_settings

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
