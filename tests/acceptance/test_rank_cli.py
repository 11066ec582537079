"""`digest rank`: papers and topics from files, a line of JSON for each topic."""

import json

import pytest

from digest.cli.rank import out

PAPERS = [
    {"id": "d1", "title": "Ducks on Ponds", "abstract": "We count ducks on ponds in winter."},
    {"id": "d2", "title": "Ducks in Flight", "abstract": "How ducks fly over the sea."},
    {
        "id": "v",
        "title": "Faster Video Generation",
        "abstract": "We distil video diffusion models.",
    },
    {"id": "t", "title": "Agents that Use Tools", "abstract": "LLM agents call tools and plan."},
    {"id": "w", "title": "Sourdough", "abstract": "Bread is baked."},
]
TOPICS = [
    {"id": 1, "filter": "video generation"},
    {"id": 2, "filter": "agents"},
    {"id": 3, "filter": "medieval poetry"},
]


@pytest.fixture
def write(tmp_path):
    """Writes a file of JSON lines, and gives its name."""

    def write(name, records):
        lines = (record if isinstance(record, str) else json.dumps(record) for record in records)
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return name

    return write


@pytest.fixture
def files(write):
    """The papers and topics of this module, as arguments."""
    return ["--papers", write("p.jsonl", PAPERS), "--topics", write("t.jsonl", TOPICS)]


def records(printed):
    return [json.loads(line) for line in printed.splitlines()]


def ids(record):
    return [each["id"] for each in record["ranking"]]


def test_each_topic_has_a_line(newcomer, files):
    video, agents, poetry = records(newcomer.digest("rank", *files))
    assert (video["topic"], agents["topic"], poetry["topic"]) == ("1", "2", "3")
    assert (ids(video), ids(agents), ids(poetry)) == (["v"], ["t"], [])
    [best] = video["ranking"]
    assert set(best) == {"id", "score", "reason"}
    assert 0.5 <= best["score"] <= 1
    assert best["reason"].startswith('"video generation"')


def test_it_needs_no_settings_and_leaves_nothing_behind(newcomer, files):
    newcomer.digest("rank", *files)
    assert sorted(each.name for each in newcomer.folder.iterdir()) == ["p.jsonl", "t.jsonl"]


def test_all_is_every_paper_once(newcomer, files):
    for record in records(newcomer.digest("rank", *files, "--all", "--json")):
        assert sorted(ids(record)) == sorted(each["id"] for each in PAPERS)


def test_a_background_of_ones_own_is_the_measure(newcomer, files, write):
    birds = [
        {"id": f"b{number}", "title": f"Ducks, part {number}", "abstract": "Ducks and reeds."}
        for number in range(3)
    ]
    others = [
        {"id": f"o{number}", "title": title, "abstract": f"It is about {title}."}
        for number, title in enumerate(["stones", "glass", "paper", "ink", "iron", "salt"])
    ]
    topics = write("u.jsonl", [{"id": "ducks", "filter": "ducks"}])
    asked = ["--papers", "p.jsonl", "--topics", topics]
    [without] = records(newcomer.digest("rank", *asked))
    background = write("b.jsonl", [*birds, *others])
    [found] = records(newcomer.digest("rank", *asked, "--background", background))
    for record in (without, found):  # the word is in the titles
        assert sorted(ids(record)) == ["d1", "d2"]
    # But the built-in one knows of no ducks.
    assert without["ranking"][0]["score"] < found["ranking"][-1]["score"]


def test_likes_are_looked_up_among_papers_and_background(newcomer, files, write):
    old = {"id": "old", "title": "Video Models", "abstract": "Video diffusion in few steps."}
    likes = [
        {"id": "a", "likes": ["v"]},
        {"id": "b", "likes": ["old"]},
        {"id": "c", "likes": ["x"]},
    ]
    background = write("b.jsonl", [old, *PAPERS, *({**PAPERS[4], "id": str(n)} for n in range(9))])
    asked = ["--papers", "p.jsonl", "--topics", write("l.jsonl", likes), "--background", background]
    of_the_day, of_before, unknown = records(newcomer.digest("rank", *asked))
    assert of_the_day["ranking"][0]["reason"] == 'like "Faster Video Generation"'
    assert ids(of_before)[0] == "v"
    assert of_before["ranking"][0]["reason"] == 'like "Video Models"'
    assert ids(unknown) == []


def test_what_is_stricter_is_shorter(newcomer, files):
    strict, normal, broad = (
        [
            set(ids(record))
            for record in records(newcomer.digest("rank", *files, "--strictness", how))
        ]
        for how in ("strict", "normal", "broad")
    )
    assert all(a <= b <= c for a, b, c in zip(strict, normal, broad, strict=True))
    assert newcomer.run("rank", *files, "--strictness", "lax").returncode == 2


def test_lines_that_cannot_be_read_are_named_and_the_rest_is_ranked(newcomer, write):
    papers = write("p.jsonl", ["{", PAPERS[2], {"title": "No id"}])
    topics = write("t.jsonl", [TOPICS[0], {"id": 9, "filter": '"open'}])
    done = newcomer.run("rank", "--papers", papers, "--topics", topics)
    assert done.returncode == 0
    assert [ids(record) for record in records(done.stdout)] == [["v"]]
    first, second, third = done.stderr.splitlines()
    assert first == "left out: p.jsonl, line 1: not JSON"
    assert second == "left out: p.jsonl, line 3: expected an id"
    assert third.startswith("left out: t.jsonl, line 2: column 1: expected a closing quotation")


def test_a_file_that_is_not_there_is_named(newcomer, files):
    assert "nowhere.jsonl: No such file" in newcomer.fails(
        "rank", *files, "--background", "nowhere.jsonl"
    )


def test_nothing_to_rank_is_no_trouble(newcomer, write):
    empty = write("e.jsonl", [])
    papers, topics = write("p.jsonl", PAPERS), write("t.jsonl", TOPICS)
    assert newcomer.digest("rank", "--papers", papers, "--topics", empty) == ""
    for record in records(newcomer.digest("rank", "--papers", empty, "--topics", topics)):
        assert record["ranking"] == []
    done = newcomer.digest("rank", "--papers", papers, "--topics", topics, "--background", empty)
    assert ids(records(done)[0]) == ["v"], "measured against the built-in one"


def test_at_a_terminal_it_is_for_people(newcomer, files, monkeypatch):
    monkeypatch.setattr(out, "_force_terminal", True)
    said = newcomer.digest("rank", *files)
    assert "\n1\n" in f"\n{said}"
    assert 'v  "video generation"' in said
    assert records(newcomer.digest("rank", *files, "--json"))[0]["topic"] == "1"
