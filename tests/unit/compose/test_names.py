"""Short names of papers, and the subjects that are made of them."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.compose.names import LONGEST_NAME, joined, own_name, short_name

CORPUS = Path(os.environ.get("PAPER_DIGEST_CORPUS", "../shared/data")) / "hf_daily"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("DynamicVerse: A Physically-Aware Framework", "DynamicVerse"),
        ("Reward Forcing: Efficient Streaming", "Reward Forcing"),
        ("AITEE -- Agentic Tutor", "AITEE"),
        ("Qwen2.5-Omni Technical Report", "Qwen2.5-Omni"),
        ("ModernBERT or DeBERTaV3?", "ModernBERT"),
        ("Sparse Experts (MiMo-VL) for All", "MiMo-VL"),
        ("Minute-Long Videos with Dual Parallelisms", ""),
        ("LLMs Are Slow", ""),
        ("On the Many Ways in Which One Can Say It: A Survey", ""),
    ],
)
def test_the_name_is_the_one_that_authors_gave(title, name):
    assert own_name(title) == name


@given(st.text(min_size=1, max_size=200).filter(str.strip))
def test_a_short_name_is_short_and_from_the_title(title):
    name = short_name(title)
    assert len(name) <= LONGEST_NAME
    assert name.removesuffix("…") in title


def test_a_cut_name_ends_at_a_word_that_says_something():
    assert short_name("Learning to Reason under the Weather of Old") == "Learning to Reason…"


@given(st.lists(st.text("abc ", min_size=1, max_size=32), min_size=1, max_size=9))
def test_names_are_joined_whole_as_far_as_they_fit(names):
    said = joined(names, 58)
    assert len(said) <= 58
    assert ", ".join(names).startswith(said)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no recorded corpus")
def test_most_recorded_titles_have_a_name():
    titles = set()
    for file in CORPUS.glob("*.json"):
        day = json.loads(file.read_text(encoding="utf-8"))
        entries = day if isinstance(day, list) else []
        titles |= {entry["paper"]["title"] for entry in entries if isinstance(entry, dict)}
    named = sum(bool(own_name(" ".join(title.split()))) for title in titles)
    assert named / len(titles) > 0.65
    for title in titles:
        name = short_name(" ".join(title.split())).removesuffix("…")
        assert f"{title} ".replace("\n", " ").find(name) >= 0
