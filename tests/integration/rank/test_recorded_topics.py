"""Topics of many kinds find their papers among recorded ones of 57 days, and not others."""

from datetime import date

import pytest

from digest.cli.make_corpus import read_recorded
from digest.model.digests import Candidate
from digest.model.papers import Signals
from digest.rank.corpora import learn
from digest.rank.matching import Matching, Topic
from digest.rank.readers import THRESHOLDS
from subscribers.preferences import Strictness
from tests.conftest import CORPUS

NORMAL = THRESHOLDS[Strictness.NORMAL]


@pytest.fixture(scope="module")
def matching():
    if not CORPUS.is_dir():
        pytest.skip(f"no corpus at {CORPUS} (set PAPER_DIGEST_CORPUS)")
    known = read_recorded([CORPUS / "hf_daily"])
    candidates = [
        Candidate(number, key, facts, Signals(), date(2025, 1, 1))
        for number, (key, facts) in enumerate(sorted(known.items()))
    ]
    return Matching(learn(known), candidates)


def found(matching: Matching, topic: str) -> list[str]:
    (scores,) = matching.match([Topic(topic)]).scores
    pairs = zip(scores, matching.candidates, strict=True)
    return [paper.facts.title for score, paper in pairs if score >= NORMAL]


@pytest.mark.parametrize(
    ("topic", "title"),
    [
        # rare or new words
        ("vibe coding", "A Survey of Vibe Coding"),
        ("SQL", "PARROT: A Benchmark for Evaluating LLMs in Cross-System SQL Translation"),
        ("Turkish", "Natural Language Processing of Historical Turkish"),
        ("federated learning", "A New Federated Learning Framework"),
        ("watermarking", "Two-Stage Robust Watermarking for Images"),
        ("MCP", "MobileWorld"),
        # sentences
        ("What are the latest advances in making LLMs reason better?", "for LLM Reasoning"),
        ("Please send me papers about unlearning", "LLM Unlearning Should Be Form-Independent"),
        ("What is new in speculative decoding?", "CLaSp: In-Context Layer Skip"),
        # phrases
        ("state space models", "Parameter-Efficient Fine-Tuning for State Space"),
        ("quantum error correction codes", "low-weight quantum error-correcting codes"),
        ("prompt engineering", "The Prompt Report"),
        ("sparse attention", "Rectified Sparse Attention"),
        # spelling
        ("quantisation", "Low-Bit Quantization Favors Undertrained LLMs"),
        ("tokeniser", "End-to-End Vision Tokenizer Tuning"),
        ("visualisation", "Comprehensive Benchmark Suite for Story Visualization"),
        ("multiagent", "A Plugin-Based Multi-Agent System"),
        ("jailbraek", "Against Jailbreak Attacks"),
        ("text2video", "Safe Text-to-Video Generation"),
        ("key-value cache", "Query-Agnostic KV Cache Compression"),
        ("finance", "BizFinBench"),
        # one of several
        ("robots OR speech", "SoloSpeech"),
        ('("knowledge graph" OR watermarking) -video', "Two-Stage Robust Watermarking for Images"),
        # broad
        ("language models", "Enhancing Human-Like Responses in Large Language Models"),
        ("LLM reasoning", "Advancing LLM Reasoning for Theorem Proving"),
        ("NLP", "Natural Language Processing of Historical Turkish"),
        # people
        ("author:Yann LeCun", "LiveBench"),
        ('author:"Y LeCun"', "LiveBench"),
    ],
)
def test_a_topic_finds_its_paper(matching, topic, title):
    assert any(title in paper for paper in found(matching, topic))


@pytest.mark.parametrize(
    ("topic", "title"),
    [
        ("visualization", "Visual"),
        ("hallucination in vision-language models", "Are Vision-Language Models Safe in the Wild"),
        ("hallucination in vision-language models", "GSM8K-V"),
        ("quantum error correction codes", "CRITICTOOL"),
        ("prompt engineering", "Software Engineering"),
        ("mixture of experts for speech", "X-CoT"),
        ("memory for LLM agents", "Magentic Marketplace"),
        ("text-to-speech", "SoloSpeech"),
        ("finance", "LETS Forecast"),
        ("author:Yann LeRoux", "LiveBench"),
    ],
)
def test_a_topic_does_not_take_what_only_looks_like_it(matching, topic, title):
    assert any(title in paper.facts.title for paper in matching.candidates), "it shows nothing"
    titles = [paper for paper in found(matching, topic) if "isualiz" not in paper]
    assert not any(title in paper for paper in titles)


@pytest.mark.parametrize(
    ("topic", "least", "most"),
    [
        ("large language models", 200, 600),
        ("language models", 200, 600),
        ("LLM reasoning", 40, 200),
        ("agents", 80, 250),
        ("hallucination in vision-language models", 1, 30),  # none has both in its title
        ("theory", 5, 40),
        ("knitting patterns", 0, 0),
    ],
)
def test_a_topic_finds_about_as_many_as_there_are(matching, topic, least, most):
    assert least <= len(found(matching, topic)) <= most
