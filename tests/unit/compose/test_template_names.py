"""What docs/templates.md says templates see is what they see."""

import re
from pathlib import Path
from typing import get_type_hints

import pytest

from digest.compose.card import CardView
from digest.compose.view import AnnouncementView, DigestView, Links

TEXT = (Path(__file__).parents[3] / "docs" / "templates.md").read_text(encoding="utf-8")


OF_ANNOUNCEMENTS = re.findall(r"^An `announcement` has.*$", TEXT, re.MULTILINE)


@pytest.mark.parametrize(("value", "kind"), [("mail", DigestView), ("card", CardView)])
def test_every_name_is_told_and_there_is_no_other(value, kind):
    (announced,) = OF_ANNOUNCEMENTS
    told = set(re.findall(rf"`{value}\.(\w+)`", TEXT.replace(announced, "")))
    assert told == set(get_type_hints(kind))


def test_every_name_of_an_announcement_is_told():
    (announced,) = OF_ANNOUNCEMENTS
    assert set(re.findall(r"`mail\.(\w+)`", announced)) == set(get_type_hints(AnnouncementView))


def test_every_link_is_told():
    (row,) = re.findall(r"^\| `mail\.links` \| (.*) \|$", TEXT, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == set(get_type_hints(Links))
