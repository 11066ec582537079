"""Whose language is which: a preference, a browser's languages, and what there is."""

import pytest
from structlog.testing import capture_logs

from digest.compose.environment import Templates
from digest.compose.language import language
from digest.compose.languages import Languages, nearest

KNOWN = ("ar", "de", "en", "fr", "ja", "pt-BR", "zh-Hans")
GERMAN_HOUSE = Languages(language("de"))


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de_AT", "de"),
        ("de-1996", "de"),
        ("ar-EG", "ar"),
        ("en-US", "en"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-Hans-SG", "zh-Hans"),
        # In other letters it is another language to who reads.
        ("zh-TW", None),
        ("zh-Hant", None),
        ("de-Cyrl", None),
        ("tlh", None),
        ("klingon", None),
        ("", None),
        ("x", None),
    ],
)
def test_the_nearest_language(tag, found):
    assert nearest(tag, KNOWN) == found


@pytest.mark.parametrize(
    ("locale", "accepted", "found"),
    [
        ("en", "de", "en"),  # what somebody chose wins
        ("en-GB", "", "en"),
        ("tlh", "", "de"),
        ("tlh", "en", "en"),
        (None, "", "de"),
        (None, "en-US,en;q=0.5", "en"),
        (None, "tlh, en;q=0.2, de;q=0.8", "de"),
        (None, "en;q=0.2 , de ; q=0.1", "en"),
        (None, "en;q=0, sv", "de"),
        (None, "*", "de"),
        (None, "\x00;;q=,=en", "de"),
        (None, "sv-FI," * 1000 + "en", "de"),  # only the beginning of it is read
    ],
)
def test_the_language_of_a_reader(locale, accepted, found):
    assert GERMAN_HOUSE.of_reader(locale, accepted).code == found


def test_languages_have_their_own_names(tmp_path):
    (tmp_path / "locales").mkdir()
    for code in ("pt-BR", "ar", "klingon"):
        (tmp_path / "locales" / f"{code}.po").write_text("")
    names = Languages(own_folder=tmp_path).own_names
    assert (
        names.items()
        >= {
            "de": "Deutsch",
            "en": "English",
            "pt-BR": "Português (Brasil)",
            "ar": "العربية",
        }.items()
    )
    assert "klingon" not in names


def test_a_broken_catalogue_costs_its_own_language_only(tmp_path):
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales" / "pl.po").write_text('msgid "For you"\nmsgstr "100%"\n')
    languages = Languages(own_folder=tmp_path)
    with capture_logs() as logs:
        assert [languages.of_reader("pl").code for _ in range(2)] == ["en", "en"]
    assert [(line["event"], line["language"]) for line in logs] == [
        ("a language cannot be used", "pl")
    ]


def test_templates_are_the_same_ones_in_another_language(tmp_path):
    (tmp_path / "a.txt.j2").write_text('{{ _("Trending") }} {{ 1234 | number }}')
    templates = Templates(tmp_path)
    german = templates.for_reader("de-AT")
    assert german is templates.for_reader("de")
    assert german.render("a.txt.j2") == "Viel beachtet 1.234"
    assert templates.for_reader("en") is templates
    assert templates.render("a.txt.j2") == "Trending 1,234"
