"""Whether a paper satisfies what a topic filter restricts to."""

from dataclasses import replace

import pytest

from digest.model.papers import Signals
from digest.rank.abbreviations import other_forms
from digest.rank.restrict import Text
from subscribers.filters import parse_filter
from tests.support import make_candidate

OTHERS = other_forms(
    {"RLHF": "reinforcement learning from human feedback", "LLM": "large language model"}
)
DUCKS = make_candidate(
    title="Diving Ducks",
    summary="They dive to the ground.",
    abstract="We film ducks on a large lake. Language of ducks is loud.",
    keywords=("water birds", "large lakes"),
    authors=("Zoë Ångström-Núñez", "Jane Q. Doe", "Łukasz O'Neil"),
    organisation="Allen Institute for AI",
    categories=("cs.CL", "q-bio.PE"),
    code_url="https://code.example/ducks",
)


def satisfies(typed, candidate=DUCKS, **facts):
    if facts:
        candidate = replace(candidate, facts=replace(candidate.facts, **facts))
    return Text(candidate, OTHERS).satisfies(parse_filter(typed).restriction)


def test_plain_words_restrict_nothing():
    assert satisfies("medieval poetry")


@pytest.mark.parametrize(
    ("typed", "there"),
    [
        ('"diving ducks"', True),
        ('"ducks diving"', False),
        ('"DIVE duck"', True),  # any form of each word
        ('"film ducks"', True),
        ('"we film"', True),
        ('"ducks lake"', False),  # a word between that says something
        ('"ducks on the large lake"', True),  # and others that say nothing
        ('"water birds"', True),
        ('"birds large"', False),  # over the end of a keyword
        ('"ground film"', False),  # over the end of the summary
        ('"ducks they"', False),
        ('"duck"', True),
        ('"duc"', False),
        ('"large language"', False),
    ],
)
def test_a_phrase_stands_side_by_side_in_one_text(typed, there):
    assert satisfies(typed) is there


@pytest.mark.parametrize(
    ("typed", "there"),
    [
        ('"to the"', True),
        ('"TO  THE"', True),
        ('"the to"', False),
        ('"on a"', True),
        ('"on an"', False),
        ('"is"', True),
        ('"he"', False),  # in "they", which is another word
        ('"our"', False),
        ('"of"', True),
        ('title:"of"', False),  # only elsewhere
        ('keyword:"to the"', False),
    ],
)
def test_a_phrase_of_stop_words_stands_there_to_the_letter(typed, there):
    assert satisfies(typed) is there


@pytest.mark.parametrize(
    ("typed", "abstract", "there"),
    [
        ('"RLHF"', "We use reinforcement learning from human feedback.", True),
        ('"reinforcement learning from human feedback"', "RLHF works.", True),
        ('"rlhf"', "RLHF works.", True),
        ('"RLHF"', "Reinforcement learning. From human feedback.", True),
        ('"RLHF"', "Reinforcement of learning by feedback of a human.", False),
        ('"LLMs"', "One LLM.", True),
        ('"LLM"', "Many LLMs.", True),
        ('"large language models"', "Many LLMs.", True),
        ('"LLMs"', "A large language model.", True),
        ('"language model"', "Many LLMs.", False),
        ('title:"RLHF"', "RLHF works.", False),
    ],
)
def test_an_abbreviation_counts_in_either_form(typed, abstract, there):
    assert satisfies(typed, abstract=abstract) is there


@pytest.mark.parametrize(
    ("typed", "there"),
    [
        ("author:Doe", True),
        ('author:"Jane Doe"', True),
        ('author:"doe, jane"', True),
        ("author:jane.q", True),
        ("author:Ja", False),
        ('author:"Zoe Nunez"', True),
        ("author:Ångström", True),
        ("author:angstrom-nunez", True),
        ('author:"Zoë Doe"', False),  # two people
        ("author:O'Neil", True),
        ('author:"Ada Lovelace"', False),
        ('author:"J Doe"', True),
        ('author:"J. Doe"', True),
        ('author:"JQ Doe"', True),
        ('author:"A Doe"', False),
        ('author:"JX Doe"', False),
        ("author:J", False),  # an initial alone is nobody
        ("author:Jane Doe", True),
        ("author:Jane Roe", False),
        ('org:"allen ai"', True),
        ("organisation:Institute", True),
        ("org:All", False),
        ("org:AI2", True),
        ("org:AllenAI", True),
        ('org:"Google DeepMind"', False),
        ("cat:cs.CL", True),
        ("cat:CS.cl", True),
        ("cat:cs", True),
        ("cat:cs.C", False),
        ("cat:c", False),
        ("cat:q-bio", True),
        ("cat:bio", False),
        ("category:math", False),
        ("title:ducks", True),
        ('title:"diving duck"', True),
        ("title:lake", False),
        ("keyword:birds", True),
        ('keyword:"water birds"', True),
        ('keyword:"birds water"', False),
        ("keyword:ducks", False),
        ("code:yes", True),
        ("code:no", False),
    ],
)
def test_each_field_is_asked_about(typed, there):
    assert satisfies(typed) is there


@pytest.mark.parametrize(
    ("typed", "there"),
    [("code:yes", False), ("code:no", True), ("org:x", False), ("author:x", False), ("cat:cs", False)],
)  # fmt: skip
def test_a_field_that_nobody_filled_in_has_no_value(typed, there):
    nothing = {"code_url": "", "organisation": "", "authors": (), "categories": ()}
    assert satisfies(typed, **nothing) is there


@pytest.mark.parametrize("name", ["upvotes", "comments", "stars"])
@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        (">=", [False, True, True]),
        (">", [False, False, True]),
        ("<=", [True, True, False]),
        ("<", [True, False, False]),
        ("=", [False, True, False]),
    ],
)
def test_counts_are_compared(name, operator, holds):
    candidates = [replace(DUCKS, signals=Signals(**{name: count})) for count in (19, 20, 21)]
    assert [satisfies(f"{name}{operator}20", candidate) for candidate in candidates] == holds


def test_a_count_that_nobody_knows_fits_no_comparison():
    unknown = replace(DUCKS, signals=Signals())
    nought = replace(DUCKS, signals=Signals(upvotes=0))
    for operator in (">=", "<=", "=", "<", ">"):
        assert not satisfies(f"upvotes{operator}0", unknown)
        assert satisfies(f"NOT upvotes{operator}0", unknown)
    assert satisfies("upvotes<=0", nought)
    assert satisfies("upvotes=0", nought)


@pytest.mark.parametrize(
    ("typed", "there"),
    [
        ("-geese", True),
        ("-lake", False),
        ("NOT ducks", False),
        ('-"ducks diving"', True),
        ("-(ducks OR geese)", False),
        ("-(ducks AND geese)", True),
        ("NOT (NOT ducks)", True),
        ("ducks AND lake", True),
        ("ducks AND geese", False),
        ("geese OR ducks", True),
        ("geese OR swans", False),
        ("geese OR NOT swans", True),
        ("(geese OR ducks) AND (lake OR river)", True),
        ("(geese OR ducks) AND river", False),
        ("geese swans OR ducks lake", True),
        ("cat:cs code:yes -geese", True),
        ("cat:cs code:yes -ducks", False),
        ("cat:math OR author:Doe", True),
    ],
)
def test_restrictions_are_combined(typed, there):
    assert satisfies(typed) is there


@pytest.mark.parametrize(
    ("words", "there"),
    [
        ("ducks", True),
        ("lake diving", True),  # in two texts
        ("lakes geese", False),
        ("birds loud film ground", True),
        ("", True),
        ("to the", True),
        ("he", False),
    ],
)
def test_words_stand_anywhere(words, there):
    assert Text(DUCKS, OTHERS).has_words(words) is there


def test_a_paper_without_texts_has_nothing():
    bare = make_candidate(title="", abstract="", authors=())
    for typed in ('"ducks"', '"the"', "title:ducks", "author:Doe", "keyword:birds"):
        assert not satisfies(typed, bare)
    assert satisfies("-ducks", bare)


@pytest.mark.parametrize(
    ("wanted", "name", "is_it"),
    [
        ("Google DeepMind", "Deepmind", True),
        ("Google DeepMind", "GoogleDeepMind", True),
        ("deepmind", "Google DeepMind", True),
        ("Google DeepMind", "Google", False),
        ("Google", "Google DeepMind", True),
        ("MIT", "Massachusetts Institute of Technology", True),
        ("MIT", "Mitsubishi", False),
        ("Stanford", "Stanford-NLP", True),
        ("Stanford", "StanfordNLP", True),
        ("Meta AI", "Facebook AI Research", True),
        ("Meta AI", "", False),
    ],
)
def test_an_organisation_has_several_names(wanted, name, is_it):
    candidate = make_candidate(organisation=name)
    restriction = parse_filter(f'org:"{wanted}"').restriction
    assert Text(candidate, {}).satisfies(restriction) is is_it
