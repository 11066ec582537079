"""Make the day that the benchmark sends: a list of people with their topics, and the papers.

The same arguments make the same files. Topics are wanted by Zipf's law, most people have one or
two, half of the addresses belong to five mailbox providers, and one in 200 is blocked: an
assumption, near to what lists of this kind look like.
"""

import json
import random
from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import accumulate, cycle, permutations
from pathlib import Path
from typing import Any

from digest.collect.sample_edition import SAMPLE_EDITION, SAMPLE_EVENING

NOW = SAMPLE_EVENING
MOST_TOPICS = 10_000
MOST_PAPERS = 1_000
_TOPICS_EACH = {1: 35, 2: 25, 3: 20, 4: 12, 5: 8}  # per cent of the people
_PROVIDERS = {"big": 30, "second": 10, "third": 5, "fourth": 3, "fifth": 2, "": 50}  # likewise
_BLOCKED_EVERY = 200
_PEOPLE_AT_A_DOMAIN = 20  # on average, where the domain is no large provider


def write_people(
    file: Path, subscribers: int, topics: int, languages: Sequence[str] = ("en",)
) -> None:
    """Write the list as JSON lines, for `digest subscribers import`.

    Each has the next one of the ``languages``.
    """
    people = zip(_people(subscribers, topics), cycle(languages))
    with file.open("w", encoding="utf-8") as lines:
        for person, language in people:
            lines.write(json.dumps({**person, "locale": language}) + "\n")


def _people(subscribers: int, topics: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(1)  # noqa: S311  for the same list each time
    typed = _typed_topics(topics)
    popularity = list(accumulate(1 / rank for rank in range(1, topics + 1)))
    domains = max(1, subscribers // _PEOPLE_AT_A_DOMAIN)
    for number in range(1, subscribers + 1):
        (many,) = chance.choices(list(_TOPICS_EACH), list(_TOPICS_EACH.values()))
        wanted = chance.choices(typed, cum_weights=popularity, k=many)
        (provider,) = chance.choices(list(_PROVIDERS), list(_PROVIDERS.values()))
        domain = f"{provider or f'site{chance.randrange(domains)}'}.example"
        person: dict[str, Any] = {
            "email": f"reader{number}@{domain}",
            "topics": list(dict.fromkeys(wanted)),
            "consent": NOW.isoformat(),
        }
        if number % _BLOCKED_EVERY == 0:
            person["suppressed"] = {"reason": "hard-bounce", "at": NOW.isoformat()}
        yield person


def _typed_topics(many: int) -> list[str]:
    """Return so many topics that people typed, the most wanted first; then pairs of them."""
    shipped = files("digest.bench").joinpath("topics.txt").read_text("utf-8").splitlines()
    pairs = (f"{one} for {other}" for one, other in permutations(shipped, 2))
    found = shipped[:many]
    found += (next(pairs) for _ in range(many - len(found)))
    return found


def write_papers(file: Path, papers: int) -> None:
    """Write so many papers of the sample edition; from its end on, they come again as new ones."""
    sample = json.loads(SAMPLE_EDITION.read_text("utf-8"))
    entries = []
    for number in range(papers):
        part, index = divmod(number, len(sample))
        entry = sample[index]
        if part:
            title = f"{entry['title']}, part {part + 1}"
            paper = {**entry["paper"], "id": f"2511.{number:05d}", "title": title}
            entry = {**entry, "paper": paper, "title": title}
        entries.append(entry)
    file.write_text(json.dumps(entries), encoding="utf-8")
