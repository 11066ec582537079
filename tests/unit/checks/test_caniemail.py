"""The table of what clients support, and how it is made."""

import io
import json

import pytest

from digest.checks import caniemail
from digest.checks.caniemail import CLIENTS, make_table, table, unsupported

OPACITY = {
    "slug": "css-opacity",
    "title": 'The "thing" property',
    "last_test_date": "2031-02-03",
    "stats": {
        "apple-mail": {"macos": {"10": "n", "9": "y #1 #2"}, "ios": {"1": "a #1"}},
        "gmail": {"desktop-webmail": {"2020-01": "u"}, "mobile-webmail": {"2020-01": "n"}},
        "outlook": {"outlook-com": {"2020-01": "n #1"}, "windows": {}},
    },
}
MARGIN = {**OPACITY, "slug": "css-margin", "last_test_date": "2030-02-03"}
ANSWERS = {
    "apple-mail-macos": "y", "apple-mail-ios": "a", "gmail-web": "u", "outlook-web": "n"
}  # fmt: skip


@pytest.fixture
def made(tmp_path, monkeypatch):
    """The table made of two features is the one in use."""
    monkeypatch.setattr(caniemail, "TABLE", tmp_path / "table.json")
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"data": [OPACITY, MARGIN]})))
    table.cache_clear()
    caniemail.main()
    yield
    table.cache_clear()


@pytest.mark.usefixtures("made")
def test_a_table_is_made_and_read_again():
    known = table()
    assert list(known) == ["css-margin", "css-opacity"]
    assert known["css-opacity"].support == {client: ANSWERS.get(client, "u") for client in CLIENTS}
    assert known["css-opacity"].title == OPACITY["title"]


@pytest.mark.usefixtures("made")
def test_what_a_mail_uses_is_held_against_the_table():
    refused = unsupported("<p style='opacity: 1'>a</p>")
    assert list(refused) == list(CLIENTS)
    assert {client: slugs for client, slugs in refused.items() if slugs} == {
        "outlook-web": {"css-opacity"}
    }


def test_a_table_says_where_it_is_from():
    head = make_table({"data": [OPACITY, MARGIN]})
    assert head["source"] == "https://github.com/hteumeuleu/caniemail"
    assert head["licence"].startswith("MIT")
    assert head["tested"] == "2031-02-03"


def test_the_shipped_table_knows_what_everybody_knows():
    known = table()
    assert len(known) > 250
    assert known["css-border-radius"].support["outlook-windows"] == "n"
    assert known["css-at-media-prefers-color-scheme"].support["apple-mail-ios"] == "y"
    assert known["css-at-media-prefers-color-scheme"].support["gmail-web"] == "n"
