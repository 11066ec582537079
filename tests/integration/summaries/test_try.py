"""`digest summaries try` shows the request, the answer, the cost and the checks."""

import pytest

from digest.app.app import App
from digest.cli.main import main as cli
from tests.integration.birds import DailySource, first_number
from tests.integration.pipelines import make_collector
from tests.integration.summaries.model_server import model_server
from tests.support import NOW, SENDING, TODAY

GERMAN = "Die Forscher haben Vögel beobachtet und beschreiben, wie sie leben."


def test_it_shows_what_the_model_makes_of_a_paper(tmp_path, monkeypatch, capsys):
    app = App({}, None, home=str(tmp_path), **SENDING)
    make_collector(app.settings, app.ledger, lambda: [DailySource()]).collect([TODAY], NOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_HOME", str(tmp_path))
    monkeypatch.setenv("DIGEST_SUMMARIES_MODEL", "little")
    monkeypatch.setenv("DIGEST_SUMMARIES_PRICES", "1/2")
    paper = f"arxiv:2602.{first_number(TODAY):05d}"
    with model_server(lambda *_: f"SENTENCE: {GERMAN}\x1b") as model:
        monkeypatch.setenv("DIGEST_SUMMARIES_URL", model.url)
        said = []
        for language in ("de", "en"):
            arguments = ["digest", "summaries", "try", paper, "--language", language]
            monkeypatch.setattr("sys.argv", arguments)
            with pytest.raises(SystemExit) as end:
                cli()
            said.append((int(end.value.code or 0), capsys.readouterr().out))
    (good, german), (bad, english) = said
    assert (good, bad) == (0, 1)
    assert "one sentence in German" in german
    assert "Abstract: On birds." in german
    assert "400 tokens sent, 50 answered, cost 0.000500" in german
    assert f"Sentence: {GERMAN}" in german
    assert "\x1b" not in german
    assert german.endswith("Checks: used\n")
    assert english.endswith("Checks: dropped: it is in another language\n")
