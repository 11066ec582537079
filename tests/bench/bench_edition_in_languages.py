"""Measure whole editions in one language and in all: `python -m tests.bench.bench_edition_in_languages`.

The same list is planned for and sent to a sink, as by `digest bench`, with everybody in English and
then each in one of the languages that are shipped. Both take turns, and what counts is the time of
processors for planning and sending, as the machine may be busy. Arguments: readers, turns.
"""

import sys
from statistics import median

from digest.bench.bench import Figures, Setup, measure
from digest.compose.language import codes

TOPICS, PAPERS, PROCESSES, CONNECTIONS = 500, 40, 2, 32


def main(readers: int, turns: int) -> None:
    taken: dict[tuple[str, ...], list[Figures]] = {("en",): [], codes(): []}
    for turn in range(1, turns + 1):
        for languages, figures in taken.items():
            setup = Setup(readers, TOPICS, PAPERS, PROCESSES, CONNECTIONS, languages=languages)
            figures.append(measure(setup))
            assert not figures[-1].trouble, figures[-1].trouble
            print(
                f"turn {turn}: {len(languages)} languages, {figures[-1].processor_ms:.2f} ms",
                flush=True,
            )
    alone, together = ([run.processor_ms for run in runs] for runs in taken.values())
    ratios = [both / one for one, both in zip(alone, together, strict=True)]
    print(
        f"{median(alone):.2f} ms of a processor for a message in one language, "
        f"{median(together):.2f} ms in {len(codes())}: {median(ratios):.2f} times"
    )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(10_000, 3)[len(given) :])
