"""What is missing, weak or at odds in the settings."""

from dataclasses import replace

import pytest

from digest.doctor.diagnosis import Level, in_order
from digest.doctor.settings import are_related, examine_dotenv, judge_proxies, judge_settings
from tests.support import make_settings

COMPLETE = {
    "secret": "0123456789abcdef" * 2,
    "bounce_address": "bounces@example.org",
    "inbox": "/var/mail/digest",
    "operator": "operator@example.org",
}


def told(*, without=(), **changes):
    """What is not good about settings that are, but for the changes."""
    settings = replace(make_settings(**{**COMPLETE, **changes}), **dict.fromkeys(without))
    return [
        judge_setting
        for judge_setting in judge_settings(settings)
        if judge_setting.level is not Level.GOOD
    ]


def test_all_is_well() -> None:
    assert told() == []


def test_everything_that_is_missing_is_named() -> None:
    found = told(without=("from_", "base_url", "secret", "postal_address"))
    assert [each.what.split()[0] for each in found] == [
        "DIGEST_FROM",
        "DIGEST_BASE_URL",
        "DIGEST_SECRET",
        "DIGEST_POSTAL_ADDRESS",
    ]
    assert {each.level for each in found} == {Level.PROBLEM}


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"secret": f"{'x' * 40},{'y' * 20}"}, Level.ADVICE, "DIGEST_SECRET has 20"),
        ({"api_tokens": "x" * 20}, Level.ADVICE, "DIGEST_API_TOKENS has 20"),
        ({"metrics_tokens": "x" * 20}, Level.ADVICE, "DIGEST_METRICS_TOKENS has 20"),
        ({"base_url": "http://localhost:8000"}, Level.ADVICE, "This is a trial"),
        ({"base_url": "https://pages.example"}, Level.ADVICE, "distrust"),
        ({"from_": "somebody@gmail.com", "base_url": "https://gmail.com"}, Level.PROBLEM, "forged"),
        ({"bounce_address": ""}, Level.ADVICE, "Failure reports"),
        ({"bounce_address": f"{'b' * 60}@example.org"}, Level.PROBLEM, "too long"),
        ({"verp": "no"}, Level.ADVICE, "DIGEST_VERP"),
        ({"inbox": ""}, Level.ADVICE, "DIGEST_INBOX"),
        ({"operator": ""}, Level.ADVICE, "DIGEST_OPERATOR"),
        ({"dkim_selector": "2026a"}, Level.PROBLEM, "DIGEST_DKIM_KEY"),
        ({"feeds": "pond=https://pond.example/rss"}, Level.ADVICE, "does not name feeds"),
        ({"biorxiv_categories": "zoology"}, Level.ADVICE, "DIGEST_BIORXIV_CATEGORIES"),
        ({"medrxiv_categories": "oncology"}, Level.ADVICE, "does not name medrxiv"),
        ({"sources": "arxiv", "huggingface_lists": "week"}, Level.ADVICE, "does not name hugging"),
        (
            {"header_image": "https://example.org/head.png"},
            Level.PROBLEM,
            "DIGEST_HEADER_IMAGE_SIZE",
        ),
    ],
)
def test_one_thing_is_not_as_it_should_be(changes, level: Level, words: str) -> None:
    (found,) = told(**changes)
    assert found.level is level
    assert words in found.what
    assert found.what_to_do


@pytest.mark.parametrize(
    ("one", "other", "related"),
    [
        ("example.org", "example.org", True),
        ("digest.example.org", "example.org", True),
        ("example.org", "mail.Example.org.", True),
        ("digest.example.org", "mail.example.org", True),
        ("example.org", "example.net", False),
        ("ours.org", "example.org", False),
        ("notexample.org", "example.org", False),
    ],
)
def test_names_that_belong_together(one: str, other: str, related: bool) -> None:
    assert are_related(one, other) is related
    assert are_related(other, one) is related


def test_the_worst_comes_last() -> None:
    found = told(base_url="https://pages.example", bounce_address=f"{'b' * 60}@example.org")
    assert [each.level for each in in_order(reversed(found))] == [Level.ADVICE, Level.PROBLEM]


def test_a_dotenv_that_everybody_can_read(tmp_path) -> None:
    file = tmp_path / ".env"
    assert examine_dotenv(file) == []
    file.write_text("DIGEST_SECRET=x")
    file.chmod(0o640)
    assert examine_dotenv(file) == []
    file.chmod(0o644)
    (found,) = examine_dotenv(file)
    assert (found.level, found.what_to_do) == (Level.ADVICE, f"Run chmod 600 {file}.")


@pytest.mark.parametrize(
    ("base_url", "proxies", "in_container", "words"),
    [
        ("https://digest.example.org", "127.0.0.1,::1", True, "all visitors count as one"),
        ("https://digest.example.org", "127.0.0.1,::1", False, ""),
        ("http://127.0.0.1:8000", "127.0.0.1", True, ""),
        ("https://digest.example.org", "172.17.0.0/16", True, ""),
        ("https://digest.example.org", "0.0.0.0/0", False, "trusts every address"),
    ],
)
def test_proxies_that_are_not_trusted_or_too_many(base_url, proxies, in_container, words) -> None:
    settings = make_settings(base_url=base_url, trusted_proxies=proxies)
    found = judge_proxies(settings, in_container=in_container)
    assert [each.level for each in found] == [Level.ADVICE] * bool(words)
    assert all(words in each.what for each in found)
