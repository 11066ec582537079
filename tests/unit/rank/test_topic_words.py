"""What a topic's text asks for, in stems."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rank.reference_corpus import ReferenceCorpus
from digest.rank.topic_words import TopicWords, likely_spelling
from digest.rank.words import stem_counts, stems
from tests.support import make_corpus, make_facts

TITLES = [
    "Diffusion for multi-agent planning",
    "Multi-agent diffusion of fine-tuning",
    "Diffusion and text to video",
    "Fine-tuning with diffusion",
    "Watermarks, and diffusion of watermarks",
    "Multiagent systems with diffusion",
]


def corpus() -> ReferenceCorpus:
    counts = [stem_counts(make_facts(title=title, abstract="", summary="")) for title in TITLES]
    return ReferenceCorpus.of(counts, abbreviations={"RLHF": "reward learning from human feedback"})


def read(text: str) -> TopicWords:
    return TopicWords.of(text, corpus())


@pytest.mark.parametrize(
    ("sentence", "topic"),
    [
        ("What are the latest advances in making LLMs reason better?", "LLMs reason"),
        ("I am interested in anything new on RAG and how it works", "RAG"),
        ("Please send me new papers on agents", "agents"),
        ("I'm looking for work on protein folding", "protein folding"),
        ("I would like to read about climate", "climate"),
        ("What is new in reinforcement learning?", "reinforcement learning"),
        ("anything on quantum error correction", "quantum error correction"),
        ("Could you please show me research about tides, thanks", "tides"),
        ("recent work on tides", "tides"),
        ("applications of agents", "agents"),
        ("ways to fold proteins", "fold proteins"),
    ],
)
def test_what_is_only_polite_is_no_part_of_a_topic(sentence, topic):
    assert read(sentence).stems == tuple(stems(topic))


@pytest.mark.parametrize(
    "topic",
    [
        "fake news detection",
        "best-of-n sampling",
        "reading comprehension",
        "all-reduce",
        "paper recommendation",
        "research agents",
        "electric current",
    ],
)
def test_what_is_polite_elsewhere_stays(topic):
    assert read(topic).stems == tuple(stems(topic))


def test_the_field_that_all_papers_are_of_is_no_concept_beside_another():
    assert read("I want to follow how AI is used in planning").concepts == read("planning").concepts
    assert read("planning with machine learning").concepts == read("planning").concepts
    assert len(read("machine learning").concepts) == 1
    assert read("AI planning").concepts[0][0] == ("ai", "plan")


@pytest.mark.parametrize("text", ["anything", "more", "the best", "news"])
def test_a_topic_of_nothing_else_is_those_words(text):
    assert read(text).stems == tuple(stems(text))


@pytest.mark.parametrize(
    ("topic", "forms"),
    [
        ("finance", ["financ", "financi"]),
        ("financial", ["financi", "financ"]),
        ("medical", ["medic", "medicin"]),
        ("geometry", ["geometri", "geometr"]),
        ("finances of trains", ["financ", "financi"]),
        ("train", ["train"]),  # what would be left of it is too short
        ("poetry", ["poetri"]),  # papers have no other
    ],
)
def test_a_word_is_its_family(topic, forms):
    said = "finance, financial, medicine, medical, geometry, geometric, train, tra, poetry"
    known = ReferenceCorpus.of([stem_counts(make_facts(title=said, abstract=""))] * 2)
    first, *_ = TopicWords.of(topic, known).concepts
    assert [form for (form,) in first] == forms


def test_of_and_and_part_concepts_unless_papers_join_words_by_them():
    assert read("planning of ducks").concepts == ((("plan",),), (("duck",),))
    assert read("geese and ducks").concepts == ((("gees",), ("duck",)),)
    assert read("ducks & geese").concepts == ((("duck",), ("gees",)),)
    assert read("multi and agent").concepts[0][0] == ("multi", "agent")
    assert read("of ducks and").concepts == ((("duck",),),)


def test_concepts_are_parted_by_little_words():
    parts = read("hallucination in ducks, geese or swans with wings").concepts
    assert parts == (
        (("hallucin",),),
        (("duck",), ("gees",), ("swan",)),
        (("wing",),),
    )


@pytest.mark.parametrize(
    ("typed", "other"),
    [
        ("RLHF", ("reward", "learn", "human", "feedback")),
        ("reward learning from human feedback", ("rlhf",)),
        ("RLHF robots", ("reward", "learn", "human", "feedback", "robot")),
        ("multi-agent diffusion", ("multiag", "diffus")),
        ("multiagent diffusion", ("multi", "agent", "diffus")),
        ("finetuning", ("fine", "tune")),
        ("difusion", ("diffus",)),
        ("difussion", ("diffus",)),
        ("text2video", ("text", "video")),
    ],
)
def test_a_concept_has_the_forms_that_papers_use(typed, other):
    (forms,) = read(typed).concepts
    assert other in forms


@pytest.mark.parametrize("typed", ["diffusion", "muon", "infusion", "water"])
def test_a_word_that_is_none_misspelt_has_no_other_form(typed):
    assert read(typed).concepts == (((*stems(typed),),),)


def test_a_language_model_is_mostly_a_large_one():
    assert ("diffus", "llm") in read("diffusion language models").concepts[0]
    for other_kind in ("vision-language models", "large language models", "language in models"):
        assert not any("llm" in form for concept in read(other_kind).concepts for form in concept)


def test_a_misspelt_word_stands_for_the_one_that_is_meant():
    assert read("difusion of ducks").stems == ("diffus", "duck")


def test_short_words_are_not_guessed_at():
    assert likely_spelling("dif", corpus()) == ""


@given(st.text(max_size=60))
def test_any_text_is_read_and_no_word_is_made_up(text):
    known = make_corpus()
    read = TopicWords.of(text, known)
    assert bool(read.stems) == bool(stems(text))
    assert len(set(read.stems)) == len(read.stems)
    assert set(read.stems) <= {stem for forms in read.concepts for form in forms for stem in form}
