"""The table of what clients support, and how it is made."""

import json

import pytest

from digest.checks import caniemail
from digest.checks.caniemail import CLIENTS, Feature, make_table, parse, table, unsupported

# Invented, with what is not YAML in the real ones: commas at ends, tabs, notes behind answers.
PAGE = """\
---
title: "The \\"thing\\" property"
description: "stats: { }"
last_test_date: "2031-02-03"
stats: {
    apple-mail: {
        macos: {
            "10":"n",
            "9":"y #1 #2",
        },
\tios: {
\t\t"1" : "a #1"
\t}
    },
    gmail: {
        desktop-webmail: {
            "2020-01":"u"
        },
        mobile-webmail: {
            "2020-01":"n"
        }
    },
    outlook: {
        outlook-com: {
            "2020-01":"n #1",
        },
        windows: {
        }
    }
}
notes_by_num: {
    "1": "not {really}",
}
---
"""
FEATURE = Feature(
    'The "thing" property',
    "2031-02-03",
    {"apple-mail-macos": "y", "apple-mail-ios": "a", "gmail-web": "u", "outlook-web": "n"},
)


def test_a_page_is_read():
    assert parse(PAGE) == FEATURE


@pytest.mark.parametrize("text", ["", '---\ntitle: "a"\n---\n', "stats: {"])
def test_a_page_that_says_nothing_of_clients(text):
    assert parse(text) is None


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A folder of pages; the table made of it is the one in use."""
    folder = tmp_path / "features"
    folder.mkdir()
    (folder / "css-opacity.md").write_text(PAGE, encoding="utf-8")
    (folder / "css-margin.md").write_text(PAGE.replace("2031", "2030"), encoding="utf-8")
    (folder / "_template.md").write_text(PAGE, encoding="utf-8")
    (folder / "empty.md").write_text("", encoding="utf-8")
    monkeypatch.setattr(caniemail, "TABLE", tmp_path / "table.json")
    table.cache_clear()
    yield folder
    table.cache_clear()


def test_a_table_is_made_and_read_again(made):
    caniemail.main(str(made))
    known = table()
    assert max(feature.tested for feature in known.values()) == "2031-02-03"
    assert list(known) == ["css-margin", "css-opacity"]
    answers = FEATURE.support
    assert known["css-opacity"].support == {client: answers.get(client, "u") for client in CLIENTS}
    assert known["css-opacity"].title == FEATURE.title


def test_what_a_mail_uses_is_held_against_the_table(made):
    caniemail.main(str(made))
    refused = unsupported("<p style='opacity: 1'>a</p>")
    assert list(refused) == list(CLIENTS)
    assert {client: slugs for client, slugs in refused.items() if slugs} == {
        "outlook-web": {"css-opacity"}
    }


def test_a_table_says_where_it_is_from(made):
    head = json.loads(make_table(made))
    assert head["source"] == "https://github.com/hteumeuleu/caniemail"
    assert head["licence"].startswith("MIT")


def test_the_shipped_table_knows_what_everybody_knows():
    known = table()
    assert len(known) > 250
    assert known["css-border-radius"].support["outlook-windows"] == "n"
    assert known["css-at-media-prefers-color-scheme"].support["apple-mail-ios"] == "y"
    assert known["css-at-media-prefers-color-scheme"].support["gmail-web"] == "n"
    assert max(feature.tested for feature in table().values()) >= "2026-04-16"
