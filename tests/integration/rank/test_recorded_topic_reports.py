"""What is told about topics of many kinds among the papers of five recorded weeks."""

from datetime import date

import pytest

from digest.cli.make_corpus import read_recorded
from digest.model.digests import Candidate
from digest.model.papers import Signals
from digest.rank.corpora import learn
from digest.rank.matching import Matching
from digest.rank.topic_report import TopicReports
from subscribers.preferences import Strictness
from subscribers.topic_reports import Amount, HintKind
from subscribers.topics import TopicFilter
from tests.conftest import CORPUS

UNTIL = date(2025, 6, 20)


@pytest.fixture(scope="module")
def reports():
    folder = CORPUS / "hf_daily"
    if not folder.is_dir():
        pytest.skip(f"no corpus at {CORPUS} (set PAPER_DIGEST_CORPUS)")
    lately = read_recorded(sorted(folder.glob("2025-0[56]-*.json")))
    candidates = [
        Candidate(number, key, facts, Signals(), UNTIL)
        for number, (key, facts) in enumerate(sorted(lately.items()))
    ]
    return TopicReports(Matching(learn(read_recorded([folder])), candidates), UNTIL)


def report(reports, topic):
    (found,) = reports.of([TopicFilter.parse(topic)], Strictness.NORMAL)
    return found


@pytest.mark.parametrize(
    ("topic", "kind", "proposed"),
    [
        ("diffuison modles", HintKind.SPELLING, "diffusion models"),
        ("transfomer architectrue", HintKind.SPELLING, "transformer architecture"),
        ("texttovideo", HintKind.FORM, "text-to-video"),
        ("texttospeech", HintKind.FORM, "text-to-speech"),
        ("quantum reward models", HintKind.BROADER, "reward models"),
        ("protein folding with diffusion", HintKind.BROADER, "diffusion"),
        ("robot manipulation for dentists", HintKind.BROADER, "robot manipulation"),
        ('agents author:"Yann LeCun"', HintKind.CONDITIONS, "agents"),
        ("agents cat:cs.XX", HintKind.CONDITIONS, "agents"),
        ("reasoning", HintKind.NARROWER, "large reasoning models"),
        ('author:"Frank Dernoncurt"', HintKind.NAME, 'author:"Franck Dernoncourt"'),
    ],
)
def test_a_topic_has_its_proposal(reports, topic, kind, proposed):
    found = report(reports, topic)
    (hint,) = [hint for hint in found.hints if hint.kind is kind]
    assert hint.proposed == proposed
    assert hint.papers == report(reports, proposed).papers


@pytest.mark.parametrize(
    "topic",
    """robots; agents; difusion models; reenforcement learning; halucination; transfromer; multiagent;
    multi agent; multi-agent; text2video; videogeneration; robots ^2; "chain of thought" -survey""".split(
        ";"
    ),
)
def test_a_topic_that_is_understood_as_it_is_typed_is_left_alone(reports, topic):
    found = report(reports, topic)
    assert (found.amount, found.hints) == (Amount.SOME, ())
    assert len(found.best) == 3


@pytest.mark.parametrize("topic", ["language models", "large language models", "LLM", "reasoning"])
def test_a_flood_is_told(reports, topic):
    found = report(reports, topic)
    assert found.amount is Amount.FLOOD
    assert found.hints


@pytest.mark.parametrize(
    "topic",
    [
        "apple pie",
        "cheap flights",
        "golf courses",
        "soil ecology",
        "perioperative nursing",
    ],
)
def test_to_a_topic_that_no_paper_is_about_nothing_is_proposed(reports, topic):
    found = report(reports, topic)
    assert (found.amount, found.hints, found.language) == (Amount.NONE, (), "")


@pytest.mark.parametrize(
    ("topic", "language"),
    [
        ("maschinelles Lernen", "de"),
        ("apprentissage profond", "fr"),
        ("aprendizaje automático", "es"),
        ("机器学习", "zh"),
        ("машинное обучение", "ru"),
        ("vibe coding", ""),
        ("GraphRAG", ""),
        ("JEPA", ""),
        ("Yann LeCun", ""),
    ],
)
def test_a_topic_in_another_language_says_so(reports, topic, language):
    assert report(reports, topic).language == language
