"""Clocks, zones, space, revisions, templates and mail hosts, judged."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.checks.finding import Finding as Check
from digest.checks.finding import Level as CheckLevel
from digest.doctor.clock import examine_zones, judge_clocks, judge_date, judge_zones
from digest.doctor.database import judge_revision, judge_space
from digest.doctor.diagnosis import Level
from digest.doctor.dns import judge_mx, judge_ptr, judge_ptr_elsewhere
from digest.doctor.examination import judge_templates
from digest.ledger.database import NEWEST_REVISION

NOW = datetime(2026, 2, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize(("year", "level"), [(2026, Level.GOOD), (1970, Level.PROBLEM)])
def test_a_clock_that_was_never_set(year: int, level: Level) -> None:
    assert judge_date(NOW.replace(year=year)).level is level


@pytest.mark.parametrize(
    ("apart", "level"),
    [(0, Level.GOOD), (5, Level.GOOD), (-6, Level.ADVICE), (60, Level.ADVICE), (61, Level.PROBLEM)],
)
def test_clocks_apart(apart: int, level: Level) -> None:
    assert judge_clocks(NOW, NOW + timedelta(seconds=apart)).level is level


@pytest.mark.parametrize(
    ("system", "package", "level", "words"),
    [
        ("2025b", "2024.2", Level.GOOD, "2025b, the system's"),
        (None, "2025.2", Level.GOOD, "2025.2, the package"),
        ("2024a", "2025.2", Level.ADVICE, "2024a, the system's"),
        (None, "2023.3", Level.ADVICE, "2023.3, the package"),
        ("of unknown age", None, Level.UNKNOWN, "of unknown age"),
        (None, None, Level.PROBLEM, "no time zone data"),
    ],
)
def test_zones(system, package, level: Level, words: str) -> None:
    found = judge_zones(system, package, NOW)
    assert found.level is level
    assert words in found.what


def test_this_machine_knows_its_zones() -> None:
    assert examine_zones(NOW).level is not Level.PROBLEM


@pytest.mark.parametrize(
    ("megabytes", "level"), [(500, Level.GOOD), (499, Level.ADVICE), (49, Level.PROBLEM)]
)
def test_space(megabytes: int, level: Level) -> None:
    assert judge_space(Path("/var"), megabytes * 1_000_000).level is level


@pytest.mark.parametrize(
    ("found", "words"), [("0001", "digest db upgrade"), ("9999", "upgrade the program")]
)
def test_revisions_that_do_not_fit(found: str, words: str) -> None:
    judged = judge_revision(found)
    assert judged is not None
    assert judged.level is Level.PROBLEM
    assert words in judged.what_to_do


def test_the_revision_that_fits() -> None:
    judged = judge_revision(NEWEST_REVISION)
    assert judged is not None
    assert judged.level is Level.GOOD


@pytest.mark.parametrize(
    ("checks", "level", "words"),
    [
        ([], Level.GOOD, "nothing"),
        ([CheckLevel.NOTE], Level.GOOD, "nothing"),
        ([CheckLevel.WARNING, CheckLevel.NOTE], Level.ADVICE, "1 warning."),
        ([CheckLevel.WARNING, CheckLevel.ERROR, CheckLevel.ERROR], Level.PROBLEM, "2 errors."),
    ],
)
def test_templates(checks, level: Level, words: str) -> None:
    found = judge_templates([Check("a check", check, "is so") for check in checks])
    assert found.level is level
    assert words in found.what


@pytest.mark.parametrize(
    ("exchanges", "has_address", "level"),
    [
        (["mx.test"], True, Level.GOOD),
        (["mx.test"], False, Level.PROBLEM),
        ([""], False, Level.PROBLEM),
        ([], True, Level.ADVICE),
        ([], False, Level.PROBLEM),
    ],
)
def test_mail_must_come_back(exchanges, has_address: bool, level: Level) -> None:
    assert judge_mx("ours.test", "answers", exchanges, has_address=has_address).level is level


def test_names_of_addresses() -> None:
    assert judge_ptr("192.0.2.1", ["mx.test"], ["mx.test"]).level is Level.GOOD
    assert judge_ptr("192.0.2.1", ["mx.test"], []).level is Level.PROBLEM
    assert judge_ptr("192.0.2.1", [], []).level is Level.PROBLEM
    assert judge_ptr_elsewhere().level is Level.UNKNOWN
