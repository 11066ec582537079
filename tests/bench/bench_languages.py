"""Measure an edition in seven languages: `python -m tests.bench.bench_languages [READERS]`.

The same readers as in bench_compose, all in English and then each in one of the languages that are
shipped. Processor time of one core for all messages, with what is built only once: the first
edition ever, and one whose templates were built before.
"""

import random
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from digest.cli.demo import NOW
from digest.collect.file import read_file
from digest.collect.sample_edition import SAMPLE_EDITION
from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.compose.language import codes
from digest.model.digests import Candidate, Digest
from tests.bench.bench_compose import make_digest
from tests.support import make_settings

AT_ONCE = 250  # readers; one language and all take turns, as the machine may be busy


def main(readers: int) -> None:
    chance = random.Random(1)
    sightings = read_file(SAMPLE_EDITION, None, NOW).sightings
    candidates = tuple(
        Candidate(
            number, f"arxiv:{sighting.facts.arxiv_id}", sighting.facts, sighting.signals, NOW.date()
        )
        for number, sighting in enumerate(sightings, 1)
    )
    digests = [make_digest(chance, candidates) for _ in range(readers)]
    spoken = codes()
    with TemporaryDirectory() as one, TemporaryDirectory() as all_of_them:
        for what in ("the first time", "built before"):
            composers = {
                languages: Composer(Templates(cache=Path(folder)), from_identity(make_settings()))
                for languages, folder in ((("en",), one), (spoken, all_of_them))
            }
            seconds = dict.fromkeys(composers, 0.0)
            for start in range(0, readers, AT_ONCE):
                for languages, composer in composers.items():
                    began = time.process_time()
                    _compose(composer, digests[start : start + AT_ONCE], start, languages)
                    seconds[languages] += time.process_time() - began
            alone, together = seconds.values()
            print(
                f"{what:<16}{alone:7.2f} s in one language, {together:7.2f} s in {len(spoken)}: "
                f"{together / alone:.2f} times"
            )


def _compose(
    composer: Composer, digests: list[Digest], start: int, languages: tuple[str, ...]
) -> None:
    for number, digest in enumerate(digests, start):
        composer.compose(
            replace(digest, locale=languages[number % len(languages)]),
            to=f"reader{number}@example.org",
            public_id=f"{number:032x}",
            now=NOW,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
