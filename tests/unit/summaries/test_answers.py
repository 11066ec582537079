"""What is made of what a language model writes: used, or dropped for a reason."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.compose.environment import Templates
from digest.model.summaries import Reply, Verdict
from digest.summaries.answers import Source, has_foreign_number, judge, plain
from digest.summaries.prompts import Prompts
from digest.summaries.refusals import refusals

SOURCE = Source(
    "Diffusion models for proteins",
    "We propose ProtDiff, a diffusion model with 1,200 layers that folds proteins 12.5% better on "
    "three benchmarks than GPT-4 does; see https://example.org.",
)
PROMPTS = Prompts(Templates())
GOOD = {
    "en": "The authors built a model that folds proteins better than others do.",
    "de": "Die Forscher haben ein Modell gebaut, das Proteine um 12,5 % besser faltet.",
    "fr": "Les chercheurs ont construit un modèle qui replie mieux les protéines sur 3 tests.",
    "es": "Los investigadores crearon ProtDiff, un modelo de 1200 capas que pliega proteínas.",
    "zh": "研究人员建立了一个扩散模型，可以更好地折叠蛋白质。",
    "ja": "研究者たちは、タンパク質をよりよく折りたたむ拡散モデルを作りました。",
    "ar": "بنى الباحثون نموذجًا يطوي البروتينات بشكل أفضل بنسبة ١٢٫٥٪.",
}


def judged(text, language="en", source=SOURCE):
    return judge(Reply(text), source, language, PROMPTS.of_paper(source, language))


@pytest.mark.parametrize("language", GOOD)
def test_a_good_sentence_is_used_in_its_language_and_in_no_other(language):
    verdict, sentence = judged(f"SENTENCE: {GOOD[language]}", language)
    assert (verdict, sentence.text) == (Verdict.USED, GOOD[language])
    for other in GOOD.keys() - {language}:
        assert judged(GOOD[other], language)[0] is Verdict.LANGUAGE


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", Verdict.EMPTY),
        ("SENTENCE:", Verdict.EMPTY),
        ("...", Verdict.EMPTY),
        ("<think>I wonder whether they folded proteins well.", Verdict.EMPTY),
        ("I cannot summarize this paper for you, because it is unsafe.", Verdict.REFUSAL),
        ("Sure, here it is: the authors fold proteins with a model.", Verdict.REFUSAL),
        ("Diffusion Models for Proteins.", Verdict.ECHO),
        (
            "Write exactly one sentence in English, of at most 35 words, that says what was done.",
            Verdict.ECHO,
        ),
        ("The authors built a model that folds proteins 13% better.", Verdict.NUMBER),
        ("The model has 1.201 layers and folds proteins better.", Verdict.NUMBER),
        ("They built a model of proteins. " * 20, Verdict.LENGTH),
    ],
)
def test_a_bad_answer_is_dropped(text, verdict):
    assert judged(text)[0] is verdict


@pytest.mark.parametrize("phrase", refusals())
def test_each_refusal_is_known_whatever_its_letters(phrase):
    assert judged(f"{phrase.upper()} the model folds proteins.")[0] is Verdict.REFUSAL


def test_what_a_hostile_answer_brings_is_removed():
    hostile = (
        "<script>alert()</script>The **authors** [built](https://evil.example/x) a `model` that "
        "folds proteins; go to www.evil.example/now or evil.com\N{RIGHT-TO-LEFT OVERRIDE}"
        "\N{ZERO WIDTH SPACE}, or mail me@evil.org.\n# And <b>more"
    )
    verdict, sentence = judged(hostile)
    assert verdict is Verdict.USED
    assert sentence.text == (
        "alertThe authors built a model that folds proteins; go to or , or mail . And more"
    )


def test_a_title_stands_only_where_it_is_a_translation():
    def title(text, language="de"):
        return judged(f"SENTENCE: {GOOD[language]}\nTITLE: {text}", language)[1].title

    assert title("Diffusionsmodelle für Proteine") == "Diffusionsmodelle für Proteine"
    assert title("蛋白质的扩散模型", "zh") == "蛋白质的扩散模型"
    assert title(SOURCE.title) == title("") == title("Es tut mir leid") == ""
    assert title("7 Diffusionsmodelle") == title("蛋白质的扩散模型") == ""


@pytest.mark.parametrize(
    ("text", "is_foreign"),
    [
        ("12,5 % von 3 mit 1200 und 1.200 und 1\N{NO-BREAK SPACE}200", False),
        ("GPT-4", False),
        ("GPT-5", True),
        ("12", True),
        ("125", True),
        ("1,2", True),
    ],
)
def test_a_number_counts_however_it_is_written(text, is_foreign):
    assert has_foreign_number(text, SOURCE.abstract) is is_foreign


@given(st.text(max_size=400), st.sampled_from(sorted(GOOD)))
def test_whatever_is_written_is_one_line_of_plain_text(text, language):
    _, sentence = judged(text, language)
    for shown in (sentence.text, sentence.title):
        assert "\n" not in shown
        assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf"} - {"\u200c"}] or (
            set("\u200c\u200d") & set(shown)
        )
        assert plain(shown, 10_000) == plain(plain(shown, 10_000), 10_000)
