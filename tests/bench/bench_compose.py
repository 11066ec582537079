"""Measure what a message costs: `python -m tests.bench.bench_compose [READERS]`.

The built-in sample edition and digests of ten papers, for readers with one to six of two thousand
topics each, as many digests as in life with For you and Trending in any mixture. Processor time, of
one core: for building the templates and trying the papers out, for a message that is filled into
what is built, and for one that goes the plain way through Jinja2, MJML and premailer.
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from digest.bench.by_smtplib import plain_message
from digest.cli.demo import NOW
from digest.collect.file import read_file
from digest.collect.sample_edition import SAMPLE_EDITION
from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.model.digests import Candidate, Digest, Edition, Match, Pick, Reason, Section
from subscribers.topics import TopicFilter
from tests.support import make_settings

PAPERS, SLOW, AT_ONCE = 10, 40, 10
TOPICS = [f"{kind} {number}" for kind in ("robots and", "deep", "learning of", "R&D in") for number in range(500)]  # fmt: skip


def main(readers: int, folder: Path) -> None:
    chance = random.Random(1)
    sightings = read_file(SAMPLE_EDITION, None, NOW).sightings
    candidates = tuple(
        Candidate(
            number, f"arxiv:{sighting.facts.arxiv_id}", sighting.facts, sighting.signals, NOW.date()
        )
        for number, sighting in enumerate(sightings, 1)
    )
    edition = Edition(1, NOW.date(), candidates)
    digests = [make_digest(chance, candidates) for _ in range(readers)]
    identity = from_identity(make_settings())

    def composer() -> Composer:
        return Composer(Templates(cache=folder), identity)

    def plainly(number: int, digest: Digest) -> bytes:
        to = f"reader{number}@example.org"
        return plain_message(made, digest, f"{number:032x}", to).as_bytes()

    def filled(number: int, digest: Digest) -> bytes:
        to, public_id = f"reader{number}@example.org", f"{number:032x}"
        return made.compose(digest, to=to, public_id=public_id, now=NOW).content

    for what in ("build and try the papers", "the same, built before"):
        made = composer()
        started = time.process_time()
        made.try_out(edition, candidates)
        print(f"{what:<26}{1000 * (time.process_time() - started):9.1f} ms, once")
    plain = _timed("the plain way", digests[:SLOW], plainly)
    fill = _timed("filled in", digests, filled)
    print(f"{plain / fill:.0f} times cheaper; a message is {len(filled(0, digests[0])):,} octets")


def _timed(what: str, digests: list[Digest], make: Callable[[int, Digest], bytes]) -> float:
    """Return what a message costs in the cheapest group: in others the machine is busy."""
    costs = []
    for start in range(0, len(digests), AT_ONCE):
        group = digests[start : start + AT_ONCE]
        started = time.process_time()
        for number, digest in enumerate(group, start):
            make(number, digest)
        costs.append((time.process_time() - started) / len(group))
    print(f"{what:<26}{1000 * min(costs):9.3f} ms a message ({len(digests)})")
    return min(costs)


def make_digest(chance: random.Random, candidates: tuple[Candidate, ...]) -> Digest:
    papers = chance.sample(candidates, PAPERS)
    topics = tuple(map(TopicFilter, chance.sample(TOPICS, chance.randint(1, 6))))
    for_you = chance.randint(0, PAPERS)
    picks = [
        Pick(Section.FOR_YOU, paper, Match(0.9, Reason(chance.choice(topics).text, ("words", "of it"))))
        for paper in papers[:for_you]
    ]  # fmt: skip
    picks += [Pick(Section.TRENDING, paper) for paper in papers[for_you:]]
    return Digest(NOW.date(), topics, tuple(picks), len(candidates))


if __name__ == "__main__":
    with TemporaryDirectory() as temporary:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000, Path(temporary))
