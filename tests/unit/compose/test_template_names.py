"""What docs/templates.md says templates see is what they see."""

import re
from pathlib import Path
from typing import get_type_hints

import pytest

from digest.compose.card import CardView
from digest.compose.view import DigestView, Links

TEXT = (Path(__file__).parents[3] / "docs" / "templates.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("value", "kind"), [("mail", DigestView), ("card", CardView)])
def test_every_name_is_told_and_there_is_no_other(value, kind):
    told = set(re.findall(rf"`{value}\.(\w+)`", TEXT))
    assert told == set(get_type_hints(kind))


def test_every_link_is_told():
    (row,) = re.findall(r"^\| `mail\.links` \| (.*) \|$", TEXT, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == set(get_type_hints(Links))
