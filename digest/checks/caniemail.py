"""Tell what mail clients support, by caniemail.com: a table, and the command that makes it.

The facts are those of github.com/hteumeuleu/caniemail (MIT). From its published data.json:

    curl https://www.caniemail.com/api/data.json | python -m digest.checks.caniemail
"""

import json
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from digest.checks.features import features_used

TABLE = Path(__file__).with_name("caniemail.json")

# Our names of the clients that most people have, and caniemail's.
CLIENTS = {
    "apple-mail-macos": ("apple-mail", "macos"),
    "apple-mail-ios": ("apple-mail", "ios"),
    "gmail-web": ("gmail", "desktop-webmail"),
    "gmail-ios": ("gmail", "ios"),
    "gmail-android": ("gmail", "android"),
    "outlook-windows": ("outlook", "windows"),
    "outlook-mac": ("outlook", "macos"),
    "outlook-web": ("outlook", "outlook-com"),
    "yahoo-web": ("yahoo", "desktop-webmail"),
    "yahoo-ios": ("yahoo", "ios"),
    "yahoo-android": ("yahoo", "android"),
}


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature of HTML or CSS; ``support`` is client → y, n, a (partly) or u (unknown)."""

    title: str
    support: dict[str, str]


@lru_cache(maxsize=1)
def table() -> dict[str, Feature]:
    """Return the table that the project carries: features by slug."""
    read = json.loads(TABLE.read_text(encoding="utf-8"))
    clients = read["clients"]
    return {
        slug: Feature(title, dict(zip(clients, answers, strict=True)))
        for slug, (answers, _, title) in (
            (slug, written.partition(" ")) for slug, written in read["features"].items()
        )
    }


def unsupported(html: str) -> dict[str, set[str]]:
    """Return client → slugs of the features used that it does not support, not even partly."""
    features = table()
    used = features_used(html, frozenset(features))
    return {
        client: {slug for slug in used if features[slug].support[client] == "n"}
        for client in CLIENTS
    }


def make_table(published: dict[str, Any]) -> dict[str, Any]:
    """Return the table of what caniemail publishes; an answer is that of a client's last version.

    An answer that is missing is as good as unknown.
    """
    features = sorted(published["data"], key=lambda feature: str(feature["slug"]))
    return {
        "source": "https://github.com/hteumeuleu/caniemail",
        "licence": "MIT, copyright (c) 2019 Rémi Parmentier",
        "tested": max((feature["last_test_date"] for feature in features), default=""),
        "answers": "y yes, n no, a partly, u unknown: of the last version, for each client in turn",
        "clients": list(CLIENTS),
        "features": {
            feature["slug"]: f"{_answers(feature['stats'])} {feature['title']}"
            for feature in features
        },
    }


def _answers(stats: dict[str, dict[str, dict[str, str]]]) -> str:
    """Return one letter for each client; versions are listed oldest first, notes as ``y #1``."""
    versions = (stats.get(family, {}).get(platform) for family, platform in CLIENTS.values())
    return "".join([*answers.values()][-1][0] if answers else "u" for answers in versions)


def main() -> None:
    made = make_table(json.load(sys.stdin))
    TABLE.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
