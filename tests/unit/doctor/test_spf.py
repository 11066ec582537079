"""SPF records: read, followed, judged."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.doctor.diagnosis import Level
from digest.doctor.spf import (
    MOST_LOOKUPS,
    Mechanism,
    SpfError,
    Walk,
    find_spf,
    judge_spf,
    read_spf,
    spf_records,
)


def zone(**texts):
    """A DNS of these texts, a dot as two underscores; it counts what it was asked."""
    by_name = {name.replace("__", "."): given for name, given in texts.items()}

    def ask(name):
        ask.asked.append(name)
        found = by_name.get(name, [])
        return [found] if isinstance(found, str) else found

    ask.asked = []
    return ask


def judged(**texts):
    (found,) = judge_spf("ours.test", zone(**texts))
    return found


def test_a_record_is_read() -> None:
    spf = read_spf("v=spf1 a mx/24 ip4:192.0.2.0/24 ip6:2001:db8::/32 include:relay.test ~all")
    assert spf.mechanisms == (
        Mechanism("+", "a"),
        Mechanism("+", "mx"),
        Mechanism("+", "ip4", "192.0.2.0"),
        Mechanism("+", "ip6", "2001:db8::"),
        Mechanism("+", "include", "relay.test"),
        Mechanism("~", "all"),
    )
    assert spf.redirect == ""


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 include",
        "v=spf1 include: -all",
        "v=spf1 ip4:300.0.0.1 -all",
        "v=spf1 ip4:192.0.2.1//24 -all",
        "v=spf1 ip6:192.0.2.1 -all",
        "v=spf1 includes:relay.test -all",
        "v=spf1 -all:relay.test",
        "v=spf1 redirect=a.test redirect=b.test",
        "v=spf1 , -all",
    ],
)
def test_one_wrong_term_spoils_the_record(record: str) -> None:
    with pytest.raises(SpfError):
        read_spf(record)


def test_modifiers_that_nobody_knows_are_passed_over() -> None:
    spf = read_spf("v=spf1 x-later=anything EXP=why.test -ALL")
    assert spf.mechanisms == (Mechanism("-", "all"),)


@given(st.text())
def test_whatever_stands_there_it_is_read_or_refused(text: str) -> None:
    with suppress(SpfError):
        read_spf(f"v=spf1 {text}")


def test_only_texts_of_that_version_are_records() -> None:
    texts = ["v=spf1", "V=SPF1 -all", "v=spf10 -all", "spf2.0/pra -all", "v=spf1-all"]
    assert spf_records(texts) == ["v=spf1", "V=SPF1 -all"]


@given(st.integers(1, 40))
def test_as_many_lookups_are_counted_as_receivers_make(links: int) -> None:
    """A chain of includes: each is one look-up, and no more are made than may be."""
    chain = {f"n{at}__test": f"v=spf1 include:n{at + 1}.test -all" for at in range(links)}
    texts = zone(**chain, **{f"n{links}__test": "v=spf1 ip4:192.0.2.1 -all"})
    walk = Walk(texts)
    if links <= MOST_LOOKUPS:
        assert walk.through("n0.test", find_spf("n0.test", texts)) == "-"
        assert walk.spent == links
    else:
        with pytest.raises(SpfError, match="more than 10"):
            walk.through("n0.test", find_spf("n0.test", texts))
    assert len(texts.asked) <= MOST_LOOKUPS + 1


def test_what_looks_up_counts_and_what_does_not_does_not() -> None:
    texts = zone(
        ours__test="v=spf1 a mx ptr exists:%{i}.x.test include:%{d}.y.test ip4:192.0.2.1 -all"
    )
    walk = Walk(texts)
    walk.through("ours.test", find_spf("ours.test", texts))
    assert walk.spent == 5


def test_what_stands_behind_all_is_never_looked_at() -> None:
    assert judged(ours__test="v=spf1 -all include:nowhere.test").level is Level.GOOD


@pytest.mark.parametrize(
    ("record", "level"),
    [
        ("v=spf1 a -all", Level.GOOD),
        ("v=spf1 a ~all", Level.GOOD),
        ("v=spf1 a ?all", Level.ADVICE),
        ("v=spf1 a", Level.ADVICE),
        ("v=spf1 a +all", Level.PROBLEM),
        ("v=spf1 a all", Level.PROBLEM),
        ("v=spf1 redirect=relay.test", Level.GOOD),
        ("v=spf1 redirect=nowhere.test", Level.PROBLEM),
        ("v=spf1 include:nowhere.test -all", Level.PROBLEM),
        ("v=spf1 include:anybody.test -all", Level.PROBLEM),
        ("v=spf1 -include:anybody.test ?all", Level.GOOD),
        ("v=spf1 include:ours.test -all", Level.PROBLEM),
        ("v=spf1 bogus -all", Level.PROBLEM),
        (["v=spf1 -all", "v=spf1 a -all"], Level.PROBLEM),
        (["something else"], Level.PROBLEM),
    ],
)
def test_it_is_judged(record, level: Level) -> None:
    found = judged(
        ours__test=record,
        relay__test="v=spf1 ip4:192.0.2.0/24 -all",
        anybody__test="v=spf1 +all",
    )
    assert found.level is level
    assert bool(found.what_to_do) == (level is not Level.GOOD)


def test_a_fault_in_what_is_included_is_named_with_its_place() -> None:
    found = judged(ours__test="v=spf1 include:relay.test -all", relay__test="v=spf1 oops -all")
    assert "relay.test" in found.what
    assert "oops" in found.what


def test_a_circle_is_named() -> None:
    found = judged(
        ours__test="v=spf1 include:b.test -all", b__test="v=spf1 include:OURS.test. -all"
    )
    assert "includes ours.test again" in found.what
