"""What mail clients support, by caniemail.com: a table, and the command that makes it.

The facts are those of github.com/hteumeuleu/caniemail (MIT). From a checkout of that repository:

    python -m digest.checks.caniemail FOLDER/_features
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from digest.checks.features import features_used

TABLE = Path(__file__).with_name("caniemail.json")
SOURCE = "https://github.com/hteumeuleu/caniemail"
LICENCE = "MIT, copyright (c) 2019 Rémi Parmentier"

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
# Yes, no, partly; unknown is as good as yes, since nothing can be said against it.
_ANSWERS = frozenset("ynau")

_FIELD = re.compile(r'^(title|last_test_date)\s*:\s*"((?:\\.|[^"\\])*)"', re.MULTILINE)
_STATS = re.compile(r"^stats\s*:\s*\{(.*?)^\}", re.MULTILINE | re.DOTALL)
_PIECE = re.compile(r'([\w-]+)\s*:\s*\{|"[^"]*"\s*:\s*"\s*(\w)[^"]*"|(\})')


@dataclass(frozen=True, slots=True)
class Feature:
    """``support`` is client → answer, of the last version; ``tested`` a day, year-month-day."""

    title: str
    tested: str
    support: dict[str, str]


def parse(text: str) -> Feature | None:
    """A feature's page. Its head is only nearly YAML; None if it says nothing of clients."""
    stats = _STATS.search(text)
    if stats is None:
        return None
    fields = {name: value.replace('\\"', '"') for name, value in _FIELD.findall(text)}
    answers = dict(_answers(stats[1]))
    support = {name: answers[path] for name, path in CLIENTS.items() if path in answers}
    return Feature(fields.get("title", ""), fields.get("last_test_date", ""), support)


def _answers(stats: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each version's answer, under family and platform; versions are listed oldest first."""
    path: list[str] = []
    for name, answer, end in _PIECE.findall(stats):
        if name:
            path.append(name)
        elif answer in _ANSWERS and answer:
            yield tuple(path), answer
        elif end and path:
            path.pop()


@lru_cache(maxsize=1)
def table() -> dict[str, Feature]:
    """Return the table that the project carries: features by slug."""
    read = json.loads(TABLE.read_text(encoding="utf-8"))
    clients = read["clients"]
    return {
        slug: Feature(title, tested, dict(zip(clients, answers, strict=True)))
        for slug, (title, tested, answers) in read["features"].items()
    }


def unsupported(html: str) -> dict[str, set[str]]:
    """Return client → slugs of what a mail uses in vain; what is supported partly is not."""
    features = table()
    used = features_used(html, frozenset(features))
    return {
        client: {slug for slug in used if features[slug].support.get(client) == "n"}
        for client in CLIENTS
    }


def make_table(folder: Path) -> str:
    """The table's text, of a folder of features' pages; a line for each."""
    features = {}
    for path in sorted(folder.glob("*.md")):
        feature = None if path.stem.startswith("_") else parse(path.read_text(encoding="utf-8"))
        if feature:
            features[path.stem] = feature
    lines = [
        f"  {json.dumps(slug)}: {json.dumps([feature.title, feature.tested, _compact(feature)])}"
        for slug, feature in features.items()
    ]
    head = {
        "source": SOURCE,
        "licence": LICENCE,
        "tested": max((feature.tested for feature in features.values()), default=""),
        "answers": "y yes, n no, a partly, u unknown: of the last version, for each client in turn",
        "clients": list(CLIENTS),
    }
    written = ",\n".join(
        f" {json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()
    )
    body = ",\n".join(lines)
    return f'{{\n{written},\n "features": {{\n{body}\n }}\n}}\n'


def _compact(feature: Feature) -> str:
    return "".join(feature.support.get(client, "u") for client in CLIENTS)


def main(folder: str) -> None:
    TABLE.write_text(make_table(Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
