"""Make the shipped reference corpus anew from recorded answers and saved pages.

python -m digest.cli.make_corpus FILE…
"""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from digest.collect.file import files_in, read_file
from digest.model.identity import paper_key
from digest.model.papers import Facts
from digest.rank.corpora import SHIPPED, learn, save


def read_recorded(paths: Iterable[Path]) -> dict[str, Facts]:
    """Return the papers with an abstract in recorded answers and saved pages, by canonical id."""
    known: dict[str, Facts] = {}
    now = datetime.now(UTC)
    for path in files_in(list(paths)):
        for sighting in read_file(path, now.date(), now).sightings:
            facts = sighting.facts
            if facts.abstract:
                key = paper_key(facts.arxiv_id, facts.title)
                known[key] = known[key].then(facts) if key in known else facts
    return known


if __name__ == "__main__":
    save(learn(read_recorded(map(Path, sys.argv[1:]))), SHIPPED)
