"""What a message costs: `python -m tests.bench.bench_compose [READERS]`.

The built-in sample edition and digests of ten papers, for readers with one to six of two thousand
topics each, as many digests as in life with For you and Trending in any mixture. Processor time, of
one core: for compiling (once an edition), for a message that is filled into what is compiled, and
for one that goes the whole way through Jinja2, MJML, premailer and EmailMessage. Some of the
messages are compared, octet by octet.
"""

import random
import sys
import time
from collections.abc import Callable

from digest.cli.demo import NOW, SAMPLE_EDITION
from digest.collect.file import read_file
from digest.compose.composer import Composer
from digest.compose.edition_composer import EditionComposer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.model.digests import Candidate, Digest, Edition, Match, Pick, Reason, Section
from digest.model.messages import Message
from subscribers.topics import TopicFilter
from tests.support import make_settings

PAPERS, SLOW = 10, 40
TOPICS = [f"{kind} {number}" for kind in ("robots and", "deep", "learning of", "R&D in") for number in range(500)]  # fmt: skip


def main(readers: int) -> None:
    chance = random.Random(1)
    sightings = read_file(SAMPLE_EDITION, None, NOW).sightings
    candidates = tuple(
        Candidate(
            number, f"arxiv:{sighting.facts.arxiv_id}", sighting.facts, sighting.signals, NOW.date()
        )
        for number, sighting in enumerate(sightings, 1)
    )
    edition = Edition(1, NOW.date(), candidates)
    digests = [_digest(chance, candidates) for _ in range(readers)]
    composer = Composer(Templates(), from_identity(make_settings()))
    whole = _timed("the whole way", digests[:SLOW], _the_whole_way(composer))
    started = time.process_time()
    compiled = EditionComposer(composer, edition, NOW)
    compiled.try_out(candidates)
    print(f"{'compile the edition':<24}{1000 * (time.process_time() - started):9.1f} ms, once")
    first = _timed("filled in, first time", digests, _filled(compiled))
    again = _timed("filled in, again", digests, _filled(compiled))
    content = again.messages[0].content
    html = composer.render(digests[0], "0" * 32).html
    print(f"{whole.each / again.each:.0f} times cheaper; a message is {len(content):,} octets,")
    print(f"its HTML {len(html.encode()):,}")
    assert first.messages[:SLOW] == again.messages[:SLOW] == whole.messages, "not the same octets"


class _timed:  # noqa: N801  reads as what it does
    def __init__(self, what: str, digests: list[Digest], make: Callable[[int, Digest], Message]):
        started = time.process_time()
        self.messages = [make(number, digest) for number, digest in enumerate(digests)][:SLOW]
        self.each = (time.process_time() - started) / len(digests)
        print(f"{what:<24}{1000 * self.each:9.3f} ms a message ({len(digests)})")


def _the_whole_way(composer: Composer) -> Callable[[int, Digest], Message]:
    return lambda number, digest: composer.compose(
        digest, to=f"reader{number}@example.org", public_id=f"{number:032x}", now=NOW
    )


def _filled(compiled: EditionComposer) -> Callable[[int, Digest], Message]:
    return lambda number, digest: compiled.compose(
        digest, to=f"reader{number}@example.org", public_id=f"{number:032x}"
    )


def _digest(chance: random.Random, candidates: tuple[Candidate, ...]) -> Digest:
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
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
