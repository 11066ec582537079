"""Make the shipped reference corpus anew from recorded answers and saved pages.

python -m digest.cli.make_corpus FILE…

With DIGEST_SEMANTIC_MODEL it has that model's embeddings: those of all-MiniLM-L6-v2, which the
extra "semantic" brings, belong there.
"""

import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from digest.collect.file import files_in, read_file
from digest.collect.past import Past
from digest.model.papers import Facts
from digest.rank.corpora import SHIPPED, learn, save
from digest.rank.embedding import find_embedder
from digest.rank.model_files import SETTING


def read_recorded(paths: Iterable[Path]) -> dict[str, Facts]:
    """Return the papers with an abstract in recorded answers and saved pages, by canonical id."""
    past = Past()
    now = datetime.now(UTC)
    for path in files_in(list(paths)):
        past.add(read_file(path, now.date(), now))
    return past.papers


if __name__ == "__main__":
    model = os.environ.get(SETTING)
    embed = find_embedder(model).embed if model else None
    save(learn(read_recorded(map(Path, sys.argv[1:])), embed), SHIPPED, embed)
