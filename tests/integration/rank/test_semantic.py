"""A sentence model, from the setting to what is found; the model itself is a stand-in."""

import json
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest

from digest.app.app import App
from digest.app.web import web
from digest.cli.main import main as cli
from digest.errors import SettingError
from digest.model.papers import Harvest
from digest.model.search import SearchQuery
from digest.rank import corpora, embedding
from digest.rank.search import Search
from subscribers.preferences import Preferences, Strictness
from subscribers.topics import TopicFilter
from tests.integration.browser import Browser
from tests.support import NOW, SENDING, TODAY, make_sighting
from tests.unit.rank.test_meaning import FIELDS, MEANT, embed

MODEL = {"DIGEST_SEMANTIC_MODEL": "somebody/some-model"}


class StandIn:
    name = "some-model"
    fingerprint = "1"

    def __init__(self) -> None:
        self.asked = []

    def embed(self, texts):
        self.asked += texts
        return embed(texts) if texts else embed(["none"])[:0]


@pytest.fixture
def model(monkeypatch) -> StandIn:
    made = StandIn()
    monkeypatch.setattr(embedding, "find_embedder", lambda name, fetch: made)
    return made


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    given = {f"DIGEST_{name.rstrip('_').upper()}": value for name, value in SENDING.items()}
    return {**given, "DIGEST_HOME": str(tmp_path / "home")}


@pytest.fixture
def collected(environment, monkeypatch) -> dict[str, str]:
    """An environment with 240 papers in the ledger, which are enough for a background."""
    monkeypatch.setattr(corpora, "ENOUGH", 100)
    app = App(environment, None)
    sightings = [
        make_sighting(number, title=f"On {field} {number}", abstract=f"We look at {field}. " * 20)
        for number, field in enumerate(FIELDS * 40, 1)
    ]
    app.collector.keep(Harvest(tuple(sightings)))
    app.engine.dispose()
    return environment


def test_without_the_setting_there_is_no_model(environment):
    assert App(environment, None).embedder is None


def test_what_is_missing_is_told_before_anything_is_done(environment):
    app = App({**environment, "DIGEST_SEMANTIC_MODEL": "no-such-folder"}, None)
    with pytest.raises(SettingError, match="DIGEST_SEMANTIC_MODEL"):
        _ = app.planning


def test_search_and_drafts_find_what_is_meant(collected, model):
    plain, semantic = App(collected, None), App({**collected, **MODEL}, None)
    wishes = Preferences(strictness=Strictness.BROAD)
    topics = (TopicFilter.parse(MEANT),)

    assert (
        Search(plain.ledger, plain.corpora.current)
        .find(SearchQuery(TopicFilter.parse(MEANT)))
        .picks
        == []
    )
    search = Search(semantic.ledger, semantic.corpora.current, semantic.embedder)
    found = search.find(SearchQuery(TopicFilter.parse(MEANT))).picks
    assert found
    assert all("quantization" in pick.candidate.facts.title for pick in found)

    assert plain.planning.draft(TODAY, topics, wishes) is None
    draft = semantic.planning.draft(TODAY, topics, wishes)
    assert draft is not None
    assert "quantization" in draft.picks[0].candidate.facts.title

    plain.engine.dispose()
    semantic.engine.dispose()


def test_papers_are_embedded_once_for_all_processes(collected, model):
    for _ in range(2):
        app = App({**collected, **MODEL}, None)
        Search(app.ledger, app.corpora.current, app.embedder).find(
            SearchQuery(TopicFilter.parse(MEANT))
        )
        app.engine.dispose()
    of_papers = [text for text in model.asked if "We look at" in text]
    assert len(of_papers) == len(set(of_papers)) == len(FIELDS) * 40
    assert (Path(collected["DIGEST_HOME"]) / "embeddings-some-model.npz").is_file()


def test_the_page_searches_with_the_model(collected, model):
    app = App({**collected, **MODEL}, None, lambda: NOW)
    page = Browser(web(app)).get(f"/search?{urlencode({'q': MEANT})}")
    app.engine.dispose()
    assert page.status_code == 200
    assert "quantization low bit weights" in page.text


# ---- digest rank --------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path) -> list[str]:
    papers = [
        json.dumps({"id": f"p{number}", "title": f"On {field}", "abstract": f"We look at {field}."})
        for number, field in enumerate(FIELDS * 40)
    ]
    (tmp_path / "papers").write_text("\n".join(papers))
    (tmp_path / "topics").write_text(json.dumps({"id": "t", "filter": MEANT}))
    return [
        "--papers", str(tmp_path / "papers"), "--topics", str(tmp_path / "topics"),
        "--strictness", "broad", "--json",
    ]  # fmt: skip


@pytest.fixture
def rank(monkeypatch, environment, tmp_path):
    """Runs `digest rank`; how it ended."""

    def run(*arguments: str, **settings: str) -> int:
        for name, value in {**environment, **settings}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["digest", "rank", *arguments])
        with pytest.raises(SystemExit) as end:
            cli()
        return int(end.value.code or 0)

    return run


def test_rank_uses_the_model_when_told_to(rank, files, model, capsys):
    corpus = ["--background", files[1]]
    assert rank(*files, *corpus, **MODEL) == 0
    assert json.loads(capsys.readouterr().out)["ranking"] == []
    assert rank(*files, *corpus, "--semantic", **MODEL) == 0
    found = json.loads(capsys.readouterr().out)["ranking"]
    assert found
    assert {int(each["id"][1:]) % len(FIELDS) for each in found} == {0}


def test_rank_without_a_model_says_how_to_get_one(rank, files, capsys):
    assert rank(*files, "--background", files[1], "--semantic") == 1
    assert capsys.readouterr().err.startswith(
        "digest: --semantic needs a model: digest model install"
    )


def test_rank_without_papers_to_measure_against_takes_the_ranked_ones(rank, files, capsys, model):
    assert rank(*files, "--background", files[1], "--semantic", "--all", **MODEL) == 0
    against_themselves = capsys.readouterr().out
    assert rank(*files, "--semantic", "--all", **MODEL) == 0
    assert capsys.readouterr().out == against_themselves
