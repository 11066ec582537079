"""A relay's certificate, encryption and abilities, judged."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.doctor.diagnosis import Level
from digest.doctor.relay import (
    OUR_SIZE,
    Certificate,
    judge_capabilities,
    judge_certificate,
    judge_encryption,
    judge_login,
)

NOW = datetime(2026, 2, 20, 8, tzinfo=UTC)
ALL = {"pipelining": "", "8bitmime": "", "smtputf8": "", "enhancedstatuscodes": "", "size": ""}


@pytest.mark.parametrize(
    ("days", "level"),
    [(90, Level.GOOD), (21, Level.GOOD), (20, Level.ADVICE), (3, Level.ADVICE), (2, Level.PROBLEM)],
)
def test_how_long_a_certificate_is_good(days: int, level: Level) -> None:
    certificate = Certificate("relay.test", "An Authority", NOW + timedelta(days=days, hours=1))
    found = judge_certificate(certificate, NOW)
    assert found.level is level
    assert f"({days} days)" in found.what


@pytest.mark.parametrize(
    ("version", "near", "level"),
    [
        ("TLSv1.3", False, Level.GOOD),
        ("TLSv1.2", False, Level.GOOD),
        ("TLSv1.1", False, Level.ADVICE),
        (None, True, Level.GOOD),
        (None, False, Level.ADVICE),
    ],
)
def test_encryption(version, near: bool, level: Level) -> None:
    assert judge_encryption(version, is_near=near).level is level


def levels(**changes):
    offered = {name: value for name, value in {**ALL, **changes}.items() if value is not None}
    return [judge_capability.level for judge_capability in judge_capabilities(offered)]


def test_all_that_we_use_is_there() -> None:
    assert levels() == [Level.GOOD]


@pytest.mark.parametrize("name", ["pipelining", "8bitmime", "smtputf8", "enhancedstatuscodes"])
def test_something_is_not_offered(name: str) -> None:
    (found,) = judge_capabilities({each: "" for each in ALL if each != name})
    assert found.level is Level.ADVICE
    assert name.upper() in found.what


@pytest.mark.parametrize(
    ("size", "level"),
    [
        (None, Level.GOOD),
        ("0", Level.GOOD),
        ("nonsense", Level.GOOD),
        (str(OUR_SIZE), Level.GOOD),
        (str(OUR_SIZE - 1), Level.PROBLEM),
    ],
)
def test_how_large_a_mail_may_be(size, level: Level) -> None:
    assert levels(size=size) == [level]


def test_logins() -> None:
    assert judge_login("digest", offers_login=True).level is Level.GOOD
    assert judge_login("", offers_login=True).level is Level.UNKNOWN
    assert judge_login("", offers_login=False).level is Level.GOOD
