"""How much of what real servers sent is understood; see README.md of the corpus."""

import pytest

from tests.bench.bench_bounces import flufl_set, measure, sisimai_set

# Reports of failures that are expected to name nobody, though they do name somebody.
NAMED_AFTER_ALL = {"groupwise_02.txt", "simple_43.txt"}


@pytest.fixture
def bounces(corpus):
    return corpus / "bounces"


def test_the_first_set_is_understood(bounces):
    figures = measure(flufl_set(bounces))
    assert figures.found.of == 100
    assert figures.found.share >= 0.98, figures.found.misses
    assert figures.alone.misses == []
    assert figures.quiet.of == 16
    assert {miss.partition(":")[0] for miss in figures.quiet.misses} <= NAMED_AFTER_ALL


def test_the_second_set_is_understood(bounces):
    figures = measure(sisimai_set(bounces))
    assert figures.found.of > 240
    assert figures.found.share >= 0.95, figures.found.misses
    # Where the reference misreads an address.
    assert figures.alone.share >= 0.97, figures.alone.misses
    assert figures.told.of > 240
    assert figures.told.share >= 0.95, figures.told.misses
    assert figures.quiet.of == 10
    assert figures.quiet.misses == []
