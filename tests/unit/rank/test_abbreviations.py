"""Short forms and their long ones, as papers introduce them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.rank.abbreviations import learn, other_forms
from digest.rank.words import stems
from tests.support import make_corpus, shipped_background


def learned(*texts):
    """What is learned of texts that two papers each have."""
    return learn([*texts, *texts])


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        (
            "We use reinforcement learning from human feedback (RLHF) here.",
            "RLHF",
            "reinforcement learning from human feedback",
        ),
        ("A mixture of experts (MoE) is sparse.", "MoE", "mixture of experts"),
        ("Mixture-of-Experts (MoE) layers", "MoE", "mixture-of-experts"),
        ("by retrieval-augmented generation (RAG)", "RAG", "retrieval-augmented generation"),
        ("Retrieval Augmented Generation (RAG)", "RAG", "retrieval augmented generation"),
        ("a chain of thought (CoT)", "CoT", "chain of thought"),
        ("Chain-of-Thought (CoT) prompting", "CoT", "chain-of-thought"),
        ("with low-rank adaptation (LoRA)", "LoRA", "low-rank adaptation"),
        ("large language models (LLMs)", "LLM", "large language models"),
        ("mixtures of experts (MoEs)", "MoE", "mixtures of experts"),
        ("a large language model (LLM)", "LLM", "large language model"),
        ("vision-language-action models (VLAs)", "VLA", "vision-language-action models"),
        ("the variational autoencoder (VAE)", "VAE", "variational autoencoder"),
        ("3D Gaussian Splatting (3DGS)", None, None),  # a short form begins with a letter
        ("Group Relative Policy\n Optimization (GRPO)", "GRPO", "group relative policy optimization"),
        ("natural-language processing of text-to-image (T2I)", None, None),
        ("bird's-eye view (BEV)", "BEV", "bird's-eye view"),
        ("convolutional neural networks (CNN)", "CNN", "convolutional neural networks"),
        ("conditional random-field networks (CN)", "CN", "conditional random-field networks"),
        ("neural network, or graph neural network (GNN)", "GNN", "graph neural network"),
        ("the groß language model (GLM)", "GLM", "gross language model"),
        ("İ, the great language model (GLM)", "GLM", "great language model"),
    ],
)  # fmt: skip
def test_the_long_form_stands_before_the_short_one(text, short, long):
    assert learned(text) == ({short: long} if short else {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(RLHF)",
        " (RLHF) of nothing",
        "as others say (see above)",
        "our own method (ours)",
        "what we found (Fig. 3)",
        "wholly other words (RLHF)",
        "xylophone players (XP2000)",
        "xylophones (XP)",  # one word is no long form
        "the GLM language model (GLM)",  # nor is one that has the short form in it
        "great language models [GLM]",
        "great language models ( GLM )",
        "great language models (GLM",
        "great language models (GLM; ours)",
        "great language models (G.L.M.)",
        "great language models (глм)",
        "ingrained language models (GLM)",  # the first letter begins a word
    ],
)
def test_what_introduces_nothing_is_left(text):
    assert learned(text) == {}


def test_the_long_form_is_not_too_far_back():
    assert learned("great " + "very " * 3 + "models (GM)") == {}
    assert learned("great old models (GM)") == {"GM": "great old models"}


def test_one_papers_own_name_is_not_learned():
    text = "Great Language Model (GLM)"
    assert learn([text]) == {}
    assert learn([text, text]) == {"GLM": "great language model"}


def test_of_several_long_forms_the_commonest_counts_and_of_equals_the_first_by_letters():
    one, other = "a great language model (GLM)", "a general linear model (GLM)"
    assert learn([one, other, one]) == {"GLM": "great language model"}
    assert learn([one, other]) == learn([other, one]) == {"GLM": "general linear model"}


pieces = st.sampled_from(["(", ")", " ", "-", "RLHF", "LoRA", "MoEs", "a", "low", "rank", "é", "ß"])


@given(st.text() | st.lists(pieces).map("".join))
@example("İİİİ large language models (LLMs)")
@example("ßßß language models (SLM)")
@example("(A1)" * 50)
def test_a_long_form_is_words_of_the_text_with_the_letters_in_order(text):
    for short, long in learned(text).items():
        assert long in " ".join(text.casefold().split())
        letters = iter(long)
        assert all(letter in letters for letter in short.casefold() if letter.isalnum())
        assert long[0] == short[0].casefold()
        assert len(stems(long)) + long.count(" ") > 1


@pytest.mark.timeout(60)  # a search that begins anew at each of them takes many minutes
def test_a_text_of_nothing_but_short_forms_is_read_in_time():
    assert not learn(["a (AB)" * 20_000])


# ---- either form --------------------------------------------------------------------------------

OTHERS = other_forms(
    {
        "RLHF": "reinforcement learning from human feedback",
        "LoRA": "low-rank adaptation",
        "C-C": "chain code",  # two stems: no short form
        "VAE": "autoencoder",  # one stem: no long form
        "OF": "of the",
    }
)


def test_forms_are_known_both_ways_in_stems():
    rlhf = ("reinforc", "learn", "human", "feedback")
    assert {("rlhf",): rlhf, rlhf: ("rlhf",)}.items() <= OTHERS.items()
    assert len(OTHERS) == 4


def test_the_small_background_knows_its_five():
    assert sorted(make_corpus().abbreviations) == ["CoT", "LoRA", "MoE", "RAG", "RLHF"]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("RLHF", "reinforcement learning from human feedback"),
        ("MoE", "mixture of experts"),
        ("RAG", "retrieval augmented generation"),
        ("CoT", "chain of thought"),
        ("LoRA", "low-rank adaptation"),
        ("LLMs", "large language models"),
    ],
)
def test_the_shipped_background_knows_what_everybody_uses(short, long):
    assert shipped_background().other_forms[tuple(stems(short))] == tuple(stems(long))
