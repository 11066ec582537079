"""The list and the papers that the benchmark sends."""

import json
from collections import Counter
from pathlib import Path

from digest.bench.day import NOW, write_papers, write_people
from digest.collect.file import read_file
from digest.collect.sample_edition import SAMPLE_PAPERS


def people(file: Path, subscribers: int, topics: int) -> list[dict]:
    write_people(file, subscribers, topics)
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_list_is_the_same_each_time_and_its_topics_are_skewed(tmp_path: Path) -> None:
    first = people(tmp_path / "a", 2000, 300)
    assert first == people(tmp_path / "b", 2000, 300)
    assert len({person["email"] for person in first}) == 2000
    wanted = Counter(topic for person in first for topic in person["topics"])
    assert 250 < len(wanted) <= 300
    (_, most), *_, (_, least) = wanted.most_common()
    assert most > 100 * least
    assert sum("suppressed" in person for person in first) == 10


def test_more_topics_than_are_shipped_are_pairs_of_them(tmp_path: Path) -> None:
    texts = {topic for person in people(tmp_path / "a", 3000, 5000) for topic in person["topics"]}
    assert len(texts) > 1000
    assert any(" for " in text for text in texts)


def test_there_are_as_many_papers_as_wanted(tmp_path: Path) -> None:
    for papers in (3, SAMPLE_PAPERS, 100):
        write_papers(tmp_path / "papers.json", papers)
        harvest = read_file(tmp_path / "papers.json", None, NOW)
        assert not harvest.rejected
        titles = {sighting.facts.title for sighting in harvest.sightings}
        numbers = {sighting.facts.arxiv_id for sighting in harvest.sightings}
        assert len(titles) == len(numbers) == len(harvest.sightings) == papers
