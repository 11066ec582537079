"""Names of people and organisations, as sources and readers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rank import names
from digest.rank.names import organisation, person


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Jane Doe", "Jane Doe"),
        ("Jane Doe", "Doe, Jane"),
        ("doe jane", "Jane Doe"),
        ("Jane Doe", "J. Doe"),
        ("Jane Doe", "Doe, J."),
        ("Jane Doe", "Doe J"),
        ("J. Doe", "Jane Doe"),
        ("J Doe", "J. Q. Doe"),
        ("Jane Doe", "Jane Q. Doe"),
        ("Jane Q. Doe", "Jane Doe"),
        ("Jane Q. Doe", "J. Doe"),
        ("Jane Quinn Doe", "Jane Doe"),
        ("Jane Quinn Doe", "J. Q. Doe"),
        ("Doe, Jane Quinn", "Jane Doe"),
        ("JQ Doe", "Jane Quinn Doe"),
        ("Jane Quinn Doe", "Doe JQ"),
        ("JQ Doe", "Jane Doe"),
        ("Doe", "Jane Doe"),
        ("José Núñez", "Jose Nunez"),
        ("Jörg Müller", "Joerg Mueller"),
        ("Jörg Müller", "Jorg Muller"),
        ("Joerg Mueller", "Jörg Müller"),
        ("Søren Bjørn", "Soren Bjorn"),
        ("Łukasz Żak", "Lukasz Zak"),
        ("Seán O’Neil", "Sean O'Neil"),
        ("Sean ONeil", "Seán O'Neil"),
        ("Xiaoming Li", "Xiao-Ming Li"),
        ("Xiao Ming Li", "Xiaoming Li"),
        ("Jean-Luc Doe", "Jean Luc Doe"),
        ("Jean-Luc Doe", "J.-L. Doe"),
        ("YANN LECUN", "Yann LeCun"),
        ("Wei LI", "Li Wei"),
        ("Wei Li", "WEI LI"),
        ("李飞飞", "李飞飞"),
        ("李 飞飞", "李 飞飞"),
        ("Doe-Smith, J", "Jane Doe Smith"),
    ],
)
def test_these_may_be_one_person(wanted, name):
    assert person(wanted).may_be(person(name))


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Jane Doe", "John Doe"),
        ("Jane Doe", "A. Doe"),
        ("J Doe", "John Roe"),
        ("Jane Doe", "Jane Roe"),
        ("Jane Doe", "Doe"),
        ("Jane Doe", "Jane"),
        ("Jane Q. Doe", "Jane X. Doe"),
        ("JX Doe", "Jane Q. Doe"),
        ("Jane Doe", "Jane Doerr"),
        ("Xu Li", "Xue Li"),
        ("Wei Zhang", "Wen Zhang"),
        ("Zhang Wei Dong", "Zhang Wei"),
        ("J", "Jane Doe"),
        ("J Q", "J Q"),
        ("", "Jane Doe"),
        ("Jane Doe", ""),
        ("...", "..."),
        ("李飞飞", "李飞"),
    ],
)
def test_these_are_two(wanted, name):
    assert not person(wanted).may_be(person(name))


WORDS = st.lists(
    st.text("abcdeéøßöl-'", min_size=2, max_size=8).filter(lambda word: word.strip("-'")),
    min_size=2,
    max_size=4,
    unique=True,
)


@given(WORDS, st.randoms())
def test_the_order_and_the_case_say_nothing(words, random):
    name = " ".join(word.title() for word in words)
    random.shuffle(words)
    if person(name).words:
        assert person(name).may_be(person(" ".join(words)))
        assert person(" ".join(words)).may_be(person(name))


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_may_be_a_name(one, other):
    person(one).may_be(person(other))
    organisation(one).is_in(organisation(other))


@given(st.text("aAbB. ,-öß'李", max_size=20), st.text("aAbB. ,-öß'李", max_size=20))
def test_whoever_may_be_one_shares_a_word(one, other):
    """By this, follows are looked up."""
    if person(one).may_be(person(other)):
        assert person(one).words & person(other).words


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Meta", "Meta AI"),
        ("FAIR", "AI at Meta"),
        ("meta-ai", "FAIR"),
        ("Google DeepMind", "Deepmind"),
        ("GoogleDeepMind", "Google  DeepMind"),
        ("MIT", "Massachusetts Institute of Technology"),
        ("ETH Zürich", "ETH"),
        ("ETH Zuerich", "ETH Zürich"),
        ("Tsinghua", "Tsinghua University"),
        ("PKU", "Peking University"),
        ("DeepMind", "GoogleDeepMind"),
    ],
)
def test_an_organisation_is_known_by_its_names(wanted, name):
    assert organisation(wanted).is_in(organisation(name))


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("MIT", "Mitsubishi"),
        ("UC Berkeley", "Lawrence Berkeley National Laboratory"),
        ("Meta", "Metaphor Labs"),
        ("Google", "Microsoft"),
        ("", "x"),
        ("x", ""),
    ],
)
def test_a_part_of_a_word_is_no_organisation(wanted, name):
    assert not organisation(wanted).is_in(organisation(name))


@pytest.mark.parametrize("row", names._OTHER_NAMES, ids=lambda row: row[0])
def test_each_row_of_the_table_is_one_organisation(row):
    for one in row:
        for other in row:
            assert organisation(one).is_in(organisation(other)), (one, other)


def test_no_name_stands_in_two_rows():
    joined = [names._joined_name(name) for row in names._OTHER_NAMES for name in row]
    assert len(joined) == len(set(joined))
