"""DMARC: records, the walk up the tree, what counts, what is said of it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.doctor.diagnosis import Level
from digest.doctor.dmarc import (
    LONGEST_WALK,
    dmarc_records,
    is_aligned,
    judge_dmarc,
    names_to_ask,
    organizational_domain,
    policy_of,
    walk,
)

GOOD = "v=DMARC1; p=reject; rua=mailto:dmarc@ours.test"
LABELS = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=20)


def zone(**texts):
    """What stands at _dmarc. of some domains."""
    by_name = {f"_dmarc.{name.replace('__', '.')}": given for name, given in texts.items()}

    def ask(name):
        found = by_name.get(name, [])
        return [found] if isinstance(found, str) else found

    return ask


def found_for(domain, **texts):
    return walk(domain, zone(**texts))


def judged(record, *, author="ours.test", returns="ours.test", is_signed=True):
    return judge_dmarc(author, returns, zone(ours__test=record), is_signed=is_signed)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("v=DMARC1; p=none", 1),
        ("v=DMARC1", 1),
        ("v = DMARC1 ; p = none ;", 1),
        ("p=none; v=DMARC1", 0),
        ("v=DMARC2; p=none", 0),
        ("v=DMARC1; p; =; p=none; p=reject", 1),
        ("oops; v=DMARC1; p=none", 0),
        ("v=DMARC1 p=none", 0),
        ("v=spf1 -all", 0),
        ("", 0),
    ],
)
def test_what_is_a_record(text: str, count: int) -> None:
    assert len(dmarc_records([text])) == count


@given(st.text())
def test_any_text_is_a_record_or_none(text: str) -> None:
    assert len(dmarc_records([text])) <= 1


def test_a_long_name_is_shortened_to_seven_labels() -> None:
    assert names_to_ask("a.b.c.d.e.f.g.h.i.j.mail.example.com") == [
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    ]


@given(LABELS)
def test_the_walk_is_short_and_goes_up(labels: list[str]) -> None:
    domain = ".".join(labels)
    names = names_to_ask(domain)
    assert names[0] == domain
    assert names[-1] == labels[-1]
    assert len(names) <= LONGEST_WALK
    for below, above in pairwise(names):
        assert below.endswith(f".{above}")


def test_the_record_with_the_fewest_labels_answers() -> None:
    found = found_for("news.ours.test", news__ours__test="v=DMARC1", ours__test="v=DMARC1")
    assert organizational_domain("news.ours.test", found) == "ours.test"


def test_without_a_record_a_domain_answers_for_itself() -> None:
    assert organizational_domain("news.ours.test", {}) == "news.ours.test"


def test_a_domain_that_says_so_answers_for_what_is_below() -> None:
    found = found_for("a.b.ours.test", b__ours__test="v=DMARC1; psd=n", ours__test="v=DMARC1")
    assert organizational_domain("a.b.ours.test", found) == "b.ours.test"


def test_below_a_public_suffix_the_next_name_answers() -> None:
    found = found_for("a.ours.co.test", co__test="v=DMARC1; p=reject; psd=y", test="v=DMARC1")
    assert list(found) == ["co.test"]
    assert organizational_domain("a.ours.co.test", found) == "ours.co.test"
    policy = policy_of("a.ours.co.test", found)
    assert policy is not None
    assert policy.at == "co.test"


def test_two_records_at_a_name_are_none() -> None:
    assert found_for("ours.test", ours__test=[GOOD, GOOD]) == {}


@pytest.mark.parametrize(
    ("record", "asked"),
    [
        ("v=DMARC1; p=reject; sp=quarantine", "quarantine"),
        ("v=DMARC1; p=reject", "reject"),
        ("v=DMARC1", "none"),
        ("v=DMARC1; p=rejct", "none"),
    ],
)
def test_what_is_asked_for_a_subdomain(record: str, asked: str) -> None:
    policy = policy_of("news.ours.test", found_for("news.ours.test", ours__test=record))
    assert policy is not None
    assert policy.is_inherited
    assert policy.asked == asked


@pytest.mark.parametrize(
    ("other", "strict", "aligned"),
    [
        ("ours.test", True, True),
        ("OURS.test.", True, True),
        ("bounces.ours.test", True, False),
        ("bounces.ours.test", False, True),
        ("relay.test", False, False),
    ],
)
def test_alignment(other: str, strict: bool, aligned: bool) -> None:
    texts = zone(ours__test=GOOD)
    assert is_aligned("ours.test", other, texts, strict=strict) is aligned


def test_all_is_well() -> None:
    assert {each.level for each in judged(GOOD)} == {Level.GOOD}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ([], "no DMARC record"),
        ("v=DMARC1; p=none; rua=mailto:a@b.test", "p=none"),
        ("v=DMARC1; rua=mailto:a@b.test", "p=none"),
        ("v=DMARC1; p=rejct; rua=mailto:a@b.test", "p=rejct"),
        (f"{GOOD}; pct=50; ri=86400", "pct=, ri="),
        (f"{GOOD}; t=y", "t=y"),
        ("v=DMARC1; p=reject", "rua="),
    ],
)
def test_advice(record, words: str) -> None:
    (found,) = [each for each in judged(record) if each.level is not Level.GOOD]
    assert found.level is Level.ADVICE
    assert words in found.what
    assert found.what_to_do


def test_what_is_wrong_in_a_record_is_passed_over() -> None:
    (policy,) = dmarc_records(["v=DMARC1; p; what is this?; P=reject; p=none; SP = none"])
    assert policy == {"v": "DMARC1", "p": "reject", "sp": "none"}


def test_two_records_are_a_problem() -> None:
    (found,) = judged([GOOD, GOOD])
    assert found.level is Level.PROBLEM


@pytest.mark.parametrize(("is_signed", "level"), [(True, Level.ADVICE), (False, Level.PROBLEM)])
def test_an_envelope_sender_elsewhere(is_signed: bool, level: Level) -> None:
    *_, found = judged(GOOD, returns="relay.test", is_signed=is_signed)
    assert found.level is level
    assert "relay.test" in found.what


def test_strict_alignment_is_minded() -> None:
    *_, found = judged(f"{GOOD}; aspf=s", returns="bounces.ours.test")
    assert found.level is Level.ADVICE


def test_a_public_suffix_that_sends_mail_itself_goes_on_to_look_above() -> None:
    found = found_for("co.test", co__test="v=DMARC1; p=reject; psd=Y", test="v=DMARC1; psd=n")
    assert list(found) == ["co.test", "test"]
    policy = policy_of("co.test", found)
    assert policy is not None
    assert policy.at == "co.test"
