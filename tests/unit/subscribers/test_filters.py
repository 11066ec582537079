"""The language of topic filters: what is wished and what is required, and what is refused where."""

import csv
import itertools
import re
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers.errors import TopicError
from subscribers.filters import (
    DEEPEST,
    And,
    Comparison,
    Field,
    Filter,
    Not,
    Or,
    Phrase,
    Restriction,
    parse_filter,
    read_filter,
)
from tests.support import examples


def read(text: str) -> tuple[tuple[str, ...], Restriction | None]:
    parsed = parse_filter(text)
    return parsed.query, parsed.restriction


def error(text: str) -> str:
    with pytest.raises(TopicError) as caught:
        parse_filter(text)
    return str(caught.value)


def words(text: str) -> And:
    return And(tuple(map(Phrase, text.split())))


# ---- what texts mean -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "RLHF",
        "diffusion models for video",
        "AI: a survey",
        "self-supervised learning",
        "x-y- z",
        "the reader's choice",
        "'quoted' ’so’",
        "this and that or not these",
        "And Or Not",
        "NOTE ORDER ANDROID NOT-so AND/OR",
        "C++ C# .NET f=ma a<b",
        "authors: x, sub-author:x and upvotes:20",
        "author>3 upvotes",
        "www.example.org/title:x",
        "L^2 spaces",
        "x^2y",
        "--verbose output",
        "機械学習 обучение",
    ],
)
def test_plain_words_are_one_wish_and_restrict_nothing(text):
    assert parse_filter(text) == Filter(text, (text,), None, 1.0)


@pytest.mark.parametrize(
    ("text", "query", "restriction"),
    [
        ("agents - a survey", ("agents a survey",), None),
        ("agents -- a survey -", ("agents a survey",), None),
        ("robots & agents … 🙂", ("robots agents",), None),
        ("-& robots", ("robots",), None),
        # Parentheses by themselves only part the words.
        ("particle physics (experiment)", ("particle physics", "experiment"), None),
        ("biophysics(general) x", ("biophysics", "general", "x"), None),
        ("((deep) learning)", ("deep", "learning"), None),
    ],
)
def test_punctuation_by_itself_is_nothing(text, query, restriction):
    assert read(text) == (query, restriction)


@pytest.mark.parametrize(
    ("text", "query", "restriction"),
    [
        ('"chain of thought"', ("chain of thought",), Phrase("chain of thought")),
        ('" chain  of "', ("chain of",), Phrase("chain of")),
        ("“chain of thought”", ("chain of thought",), Phrase("chain of thought")),
        ("„chain of thought“", ("chain of thought",), Phrase("chain of thought")),
        ("«chain of thought»", ("chain of thought",), Phrase("chain of thought")),
        ("»chain of thought«", ("chain of thought",), Phrase("chain of thought")),
        ('"AND"', ("AND",), Phrase("AND")),
        ('"code:maybe (^2"', ("code:maybe (^2",), Phrase("code:maybe (^2")),
        ('"a""b" c', ("a", "b", "c"), And((Phrase("a"), Phrase("b")))),
        ('a"b"c', ("a", "b", "c"), Phrase("b")),
        (
            '"chain of thought" reasoning -survey',
            ("chain of thought", "reasoning"),
            And((Phrase("chain of thought"), Not(Phrase("survey")))),
        ),
    ],
)
def test_quotes_make_a_phrase(text, query, restriction):
    assert read(text) == (query, restriction)


@pytest.mark.parametrize(
    ("text", "query", "restriction"),
    [
        ("NOT medical", (), Not(Phrase("medical"))),
        ("-medical", (), Not(Phrase("medical"))),
        ("-medical imaging", ("imaging",), Not(Phrase("medical"))),
        ("agents -survey planning", ("agents", "planning"), Not(Phrase("survey"))),
        ("-self-supervised", (), Not(Phrase("self-supervised"))),
        ('-"chain of thought"', (), Not(Phrase("chain of thought"))),
        ('NOT author:"Jane Doe"', (), Not(Field("author", "Jane Doe"))),
        ("-stars<5", (), Not(Comparison("stars", "<", 5))),
        ("NOT (a b) c", ("c",), Not(words("a b"))),
        ("-(a OR b)", (), Not(Or((Phrase("a"), Phrase("b"))))),
        ("NOT(a)", (), Not(Phrase("a"))),
        ("NOT - a", (), Not(Phrase("a"))),
        ("NOT (NOT a)", (), Not(Not(Phrase("a")))),
        ("(a -b)", ("a",), Not(Phrase("b"))),
    ],
)
def test_not_and_minus_negate_what_comes_next_only(text, query, restriction):
    assert read(text) == (query, restriction)


@pytest.mark.parametrize(
    ("text", "query", "restriction"),
    [
        ("robots AND manipulation", ("robots", "manipulation"), words("robots manipulation")),
        ("a AND b AND c", ("a", "b", "c"), words("a b c")),
        ("a b AND c d", ("a b", "c d"), words("a b c d")),
        ("a OR b OR c", ("a", "b", "c"), Or((Phrase("a"), Phrase("b"), Phrase("c")))),
        ("a b OR c", ("a b", "c"), Or((words("a b"), Phrase("c")))),
        ("a OR b AND c", ("a", "b", "c"), Or((Phrase("a"), words("b c")))),
        ("a NOT b OR c", ("a", "c"), Or((And((Phrase("a"), Not(Phrase("b")))), Phrase("c")))),
        ("a AND NOT b", ("a",), And((Phrase("a"), Not(Phrase("b"))))),
        ("a OR -b", ("a",), Or((Phrase("a"), Not(Phrase("b"))))),
        (
            "(robot OR embodied) manipulation",
            ("robot", "embodied", "manipulation"),
            Or((Phrase("robot"), Phrase("embodied"))),
        ),
        (
            "(robot OR embodied) AND manipulation",
            ("robot", "embodied", "manipulation"),
            And((Or((Phrase("robot"), Phrase("embodied"))), Phrase("manipulation"))),
        ),
        ("(a (b c)) OR d", ("a", "b c", "d"), Or((words("a b c"), Phrase("d")))),
        ("((a OR b) OR c)", ("a", "b", "c"), Or((Phrase("a"), Phrase("b"), Phrase("c")))),
        ("x (a AND b) code:yes", ("x", "a", "b"), And((*words("a b").parts, Field("code", "yes")))),
        ('"a b" OR cat:cs.CL', ("a b",), Or((Phrase("a b"), Field("cat", "cs.CL")))),
    ],
)
def test_not_binds_before_and_before_or(text, query, restriction):
    assert read(text) == (query, restriction)


@pytest.mark.parametrize(
    ("text", "restriction"),
    [
        ('author:"Jane Doe"', Field("author", "Jane Doe")),
        ("author:“Jane Doe”", Field("author", "Jane Doe")),
        ('author: "Jane Doe"', Field("author", "Jane Doe")),
        ("author:Jane Doe", Field("author", "Jane Doe")),
        ("author:Jane Q. Doe", Field("author", "Jane Q. Doe")),
        ("Author: Łukasz Doe", Field("author", "Łukasz Doe")),
        ("organization:Google DeepMind", Field("org", "Google DeepMind")),
        ("AUTHOR:O'Neil-Smith", Field("author", "O'Neil-Smith")),
        ('Org:"Allen AI"', Field("org", "Allen AI")),
        ("organisation:MIT", Field("org", "MIT")),
        ("Organization:MIT", Field("org", "MIT")),
        ("cat:cs.CL", Field("cat", "cs.CL")),
        ("category:cs.CL,", Field("cat", "cs.CL")),
        ("title:NOT", Field("title", "NOT")),
        ("keyword:a:b", Field("keyword", "a:b")),
        ("code:yes", Field("code", "yes")),
        ('CODE: "No"', Field("code", "no")),
        ("upvotes>=20", Comparison("upvotes", ">=", 20)),
        ("Upvotes >= 20;", Comparison("upvotes", ">=", 20)),
        ("comments<=0", Comparison("comments", "<=", 0)),
        ("stars>007", Comparison("stars", ">", 7)),
        ("stars<999999999", Comparison("stars", "<", 999_999_999)),
        ("stars = 5", Comparison("stars", "=", 5)),
    ],
)
def test_fields_and_comparisons_restrict_and_are_no_wish(text, restriction):
    assert read(text) == ((), restriction)


def test_things_side_by_side_must_all_hold():
    assert read('agents cat:cs.CL org:"Allen AI" upvotes>=20') == (
        ("agents",),
        And((Field("cat", "cs.CL"), Field("org", "Allen AI"), Comparison("upvotes", ">=", 20))),
    )


@pytest.mark.parametrize(
    ("text", "weight", "without"),
    [
        ("robots ^2", 2.0, "robots"),
        ("robots^2", 2.0, "robots"),
        ("robots ^ 2", 2.0, "robots"),
        ("robots^ 0.5", 0.5, "robots"),
        ("robots AND agents ^0.5", 0.5, "robots AND agents"),
        ('"deep robots"^10', 10.0, '"deep robots"'),
        ("(a OR b)^0.1", 0.1, "(a OR b)"),
        ("author:Doe^3", 3.0, "author:Doe"),
        ("upvotes>=20 ^1", 1.0, "upvotes>=20"),
    ],
)
def test_a_weight_at_the_end_is_that_of_the_whole(text, weight, without):
    parsed = parse_filter(text)
    assert (parsed.weight, parsed.text) == (weight, text)
    assert read(text) == read(without)


def test_the_text_is_kept_as_typed_but_folded():
    parsed = parse_filter("  Ro\u0301bots\t“deep\n learning”  ")
    assert parsed.text == "R\u00f3bots “deep learning”"
    assert parsed.query == ("R\u00f3bots", "deep learning")


# ---- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: expected a word"),
        ("- … &", "column 1: expected a word"),
        (")", "column 1: expected a word"),
        ("OR robots", "column 1: expected a word"),
        ("^2", "column 1: expected a word"),
        ("NOT", "column 1: expected a word after NOT"),
        ("NOT NOT a", "column 1: expected a word after NOT"),
        ("robots  AND", "column 8: expected a word after AND"),
        ("a OR AND b", "column 3: expected a word after OR"),
        ("a AND !", "column 3: expected a word after AND"),
        ("(a OR) b", "column 4: expected a word after OR"),
        ("a -OR", "column 3: expected a word after -"),
        ("a ()", "column 3: expected a word after ("),
        ("a (b OR (c)", "column 3: expected a closing parenthesis for this opening one"),
        ("a) b", "column 2: expected an opening parenthesis before this closing one"),
        ('agents "chain of', "column 8: expected a closing quotation mark"),
        ("“a” b”", "column 6: expected a closing quotation mark"),
        ('a "!"', "column 3: expected a word between the quotation marks"),
        ('-""', "column 2: expected a word between the quotation marks"),
        ("upvotes>=", "column 10: expected a number after upvotes>="),
        ("Upvotes >= many", "column 12: expected a number after upvotes>="),
        ("stars==5", "column 7: expected a number after stars="),
        ("stars>-5", "column 7: expected a number after stars>"),
        ("stars<1000000000", "column 7: expected a number after stars<"),
        ("stars<٣", "column 7: expected a number after stars<"),
        ("code:", "column 6: expected yes or no after code:"),
        ("a code: maybe", "column 9: expected yes or no after code:"),
        ("Author:", "column 8: expected a value after author:"),
        ('org:"?"', "column 5: expected a value after org:"),
        ("cat:(cs.CL OR cs.LG)", "column 5: expected a value after cat:"),
        ("robots ^0", "column 8: expected a number from 0.1 to 10 after ^, at the very end"),
        ("robots^11", "column 7: expected a number from 0.1 to 10 after ^, at the very end"),
        ("^2 robots", "column 1: expected a number from 0.1 to 10 after ^, at the very end"),
        ("robots ^", "column 8: expected a number from 0.1 to 10 after ^, at the very end"),
        ("robots ^ two", "column 8: expected a number from 0.1 to 10 after ^, at the very end"),
        ("robots ^ 2 arms", "column 8: expected a number from 0.1 to 10 after ^, at the very end"),
        ("robots ^high", "column 8: expected a number from 0.1 to 10 after ^, at the very end"),
        ("(a ^2) b", "column 4: expected a number from 0.1 to 10 after ^, at the very end"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_column(text, message):
    assert error(text) == message


def test_parentheses_go_only_so_deep():
    assert read("(" * DEEPEST + "a" + ")" * DEEPEST) == (("a",), None)
    assert parse_filter("(a) " * 100).query == ("a",) * 100
    assert error("(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1)) == (
        f"column {DEEPEST + 1}: expected at most {DEEPEST} parentheses inside each other"
    )


# ---- what is stored already ------------------------------------------------------------------


@pytest.mark.parametrize("text", ["robots", 'a "b" -c OR d ^2'])
def test_what_parses_is_read_as_it_is_parsed(text):
    assert read_filter(text) == parse_filter(text)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ('a 5" screen', ("a 5 screen",)),
        (" robots :)  ", ("robots",)),
        ("research AND", ("research",)),
        ('robots -survey NOT medical -"x y" (agents', ("robots agents",)),
        ("code: generation", ("code: generation",)),
        ("(- &", ()),
    ],
)
def test_what_no_longer_parses_is_a_wish_of_its_plain_words(text, query):
    assert read_filter(text) == Filter(" ".join(text.split()), query, None, 1.0)


# ---- properties ------------------------------------------------------------------------------

PIECES = (
    'robots|deep-sea|survey|and|&|-|--|^|^2|^x| |  |(|)|"|“|”|AND|OR|NOT|author:|Code:|yes|no|org:'
    "|upvotes|stars|>=|<|=|20|:|,|x\u0301|\ud800|\x00|\u202e|9999999999"
).split("|")
texts = st.one_of(
    st.text(max_size=100),
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join),
)


@given(texts)
@settings(max_examples=examples(500))
def test_any_text_is_a_filter_or_a_topic_error_with_a_column_in_it(text):
    try:
        parsed = parse_filter(text)
    except TopicError as refused:
        column = int(str(refused).removeprefix("column ").partition(":")[0])
        folded = " ".join(unicodedata.normalize("NFC", text).split())
        assert 1 <= column <= len(folded) + 1
        return
    assert parsed.query or parsed.restriction
    assert all(any(map(str.isalnum, text)) for text in parsed.query)
    assert all(any(map(str.isalnum, phrase)) for phrase in phrases(parsed.restriction))
    assert 0.1 <= parsed.weight <= 10
    assert parse_filter(parsed.text) == parsed
    assert hash(parsed) == hash(read_filter(text))


@given(texts)
@settings(max_examples=examples(500))
def test_whatever_is_stored_can_be_read(text):
    stored = read_filter(text)
    assert stored.text == " ".join(unicodedata.normalize("NFC", text).split())
    assert read_filter(stored.text) == stored


def phrases(part: Restriction | None) -> list[str]:
    match part:
        case Phrase(text) | Field(_, text):
            return [text]
        case Not(inner):
            return phrases(inner)
        case And(parts) | Or(parts):
            assert len(parts) > 1
            assert not any(type(inner) is type(part) for inner in parts)
            return [text for inner in parts for text in phrases(inner)]
    return []


positive = st.sampled_from(["a", "a b", '"a b"', "(a OR b)", "(a (b))", "code:yes", "stars>3"])
negative = st.sampled_from(
    ["-z", "NOT z", '-"a z"', "NOT “z a”", "-(a OR z)", "NOT (a (z b))", "-(z -z)", "(a -z)"]
)
between = st.sampled_from([" ", " AND ", " OR "])


@given(st.lists(st.tuples(positive | negative, between), min_size=1), st.sampled_from(["", " ^2"]))
def test_what_is_negated_is_never_in_the_wish(items, weight):
    text = "".join(itertools.chain(*items)).removesuffix(items[-1][1]) + weight
    assert "z" not in " ".join(parse_filter(text).query)


def holds(part: Restriction, there: set[str]) -> bool:
    match part:
        case Phrase(text):
            return text in there
        case Not(inner):
            return not holds(inner, there)
        case And(parts):
            return all(holds(inner, there) for inner in parts)
        case Or(parts):
            return any(holds(inner, there) for inner in parts)
    raise AssertionError(part)


expressions = st.recursive(
    st.sampled_from("abcd"),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join),
        inner.map("not ({})".format),
        inner.map("({})".format),
    ),
    max_leaves=8,
)


@given(expressions, st.sets(st.sampled_from("abcd")))
def test_operators_mean_what_they_mean_in_python(expression, there):
    typed = expression.replace("and", "AND").replace("or", "OR").replace("not", "NOT")
    restriction = parse_filter(f"a OR ({typed})").restriction
    assert restriction
    names = {name: name in there for name in "abcd"}
    assert holds(restriction, there) == eval(f"a or ({expression})", names)  # made of a to d above


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "a " * 50_000,
        "a OR " * 20_000 + "a",
        "NOT " * 25_000,
        "(" * 10_000 + "a" + ")" * 10_000,
        "(a)" * 10_000,
        "-(" * 10_000,
        "-&" * 50_000,
        "&-" * 50_000,
        '"a"' * 30_000,
        '"' * 100_001,
        "author:" * 14_000,
        "upvotes>=" + "9" * 100_000,
        "^1" * 50_000,
        "a^" + "9" * 100_000,
    ],
    ids=lambda text: text[:8],
)
def test_hostile_texts_are_read_fast(text):
    started = time.process_time()  # not the clock on the wall: the machine may be busy
    read_filter(text)
    assert time.process_time() - started < 3  # seconds; a tenth of that is usual


# ---- real topics -----------------------------------------------------------------------------


def test_every_real_topic_is_words_and_nothing_but_words(corpus: Path):
    lines = (corpus / "topics.csv").read_text(encoding="utf-8").splitlines()
    topics = [row[0] for row in csv.reader(lines)]
    assert len(lines) == len(topics) == 3441
    for topic in topics:
        parsed = parse_filter(topic)
        assert parsed.restriction is None, topic
        assert letters(" ".join(parsed.query)) == letters(topic)
    for line in lines:  # with the quotation marks of the file
        assert letters(" ".join(parse_filter(line).query)) == letters(line)


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


# ---- docs ------------------------------------------------------------------------------------


def test_the_documented_forms_are_read_and_the_documented_errors_are_told():
    page = (Path(__file__).parents[3] / "docs" / "topic-filters.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \|", page, re.MULTILINE)
    assert len(rows) > 30
    for typed, meaning in rows:
        if meaning.startswith("column"):
            assert error(typed) == meaning
        else:
            parse_filter(typed)
