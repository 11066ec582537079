"""The paths of public pages, below the root: for links on pages, in emails, in feeds. Pure."""

from datetime import date
from urllib.parse import quote

from subscribers.follows import FollowKind

ARCHIVE = "/archive"
TODAY = "/today"


def day_path(day: date) -> str:
    """Return the path of the page with all papers of a day."""
    return f"/{day.isoformat()}"


def paper_path(key: str) -> str:
    """Return the path of the page of a paper, by its canonical id."""
    return f"/paper/{quote(key, safe=':/')}"


def name_path(kind: FollowKind, name: str) -> str:
    """Return the path of the page with the papers of an author or an organisation."""
    return f"/{kind}/{quote(name, safe='')}"
