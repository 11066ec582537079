"""`digest model install`: a model's folder is copied, checked, and used from then on."""

import json
import os
import shutil

import pytest

from digest.app.app import App
from digest.cli.main import main as cli
from digest.rank import embedding
from tests.unit.rank.test_model_folder import Fake


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command in an empty folder, with a stand-in for the model itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(embedding, "Embedder", Fake)
    monkeypatch.setenv("DIGEST_HOME", str(tmp_path / "home"))

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["digest", *arguments])
        with pytest.raises(SystemExit) as end:
            cli()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return run


def used():
    """Return the folder of the model that papers are ranked with."""
    assert App().embedder
    return Fake.loaded[-1]


@pytest.fixture
def given(tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    for name in ("tokenizer.json", "model.onnx"):
        (folder / name).write_text(f"the {name}")
    return folder


def test_it_is_used_from_then_on(run, given, tmp_path):
    assert App().embedder is None
    code, out, _ = run("model", "install", "given")
    assert code == 0
    assert str(tmp_path / "home/models/given") in out
    assert "not known here" in out
    assert "Papers are ranked with it from now on" in out
    assert used() == tmp_path / "home/models/given"


def test_of_several_the_last_installed_is_used(run, given, tmp_path):
    (tmp_path / "another").mkdir()
    for file in given.iterdir():
        shutil.copy(file, tmp_path / "another")
    for number, name in enumerate(("given", "another", "given")):
        run("model", "install", name)
        installed = tmp_path / "home/models" / name
        os.utime(installed / "checksums.json", (number, number))
        assert used() == installed


def test_one_whose_installation_was_broken_off_is_not_used(run, given, tmp_path):
    run("model", "install", "given")
    (tmp_path / "home/models/given").rename(tmp_path / "home/models/.given.part")
    assert App().embedder is None


def test_the_doctor_tells_which_one_is_used_and_that_it_has_changed(run, given, tmp_path):
    def ranking():
        _, out, _ = run("doctor", "--offline", "--json")
        return [
            (said["level"], said["what"]) for said in json.loads(out) if said["area"] == "ranking"
        ]

    assert ranking() == [("good", "Papers are ranked by words.")]
    run("model", "install", "given")
    assert ranking() == [("good", "Papers are ranked by words and by given.")]
    (tmp_path / "home/models/given/model.onnx").write_text("another graph")
    [(level, what)] = ranking()
    assert level == "problem"
    assert "not as they were installed: model.onnx" in what


def test_the_doctor_fetches_no_model(run, monkeypatch):
    def fetched(*_, **__):
        raise AssertionError("it was asked for")

    monkeypatch.setattr(embedding, "_snapshot", fetched)
    monkeypatch.setenv("DIGEST_SEMANTIC_MODEL", "somebody/some-model")
    monkeypatch.setenv("DIGEST_SEMANTIC_FETCH", "yes")
    _, out, _ = run("doctor", "--offline", "--json")
    assert "ranking" not in {said["area"] for said in json.loads(out)}


def test_one_that_is_set_is_used_instead_and_the_command_says_so(run, given, tmp_path, monkeypatch):
    monkeypatch.setenv("DIGEST_SEMANTIC_MODEL", str(given))
    _, out, _ = run("model", "install", "given")
    assert out.splitlines()[-1] == (
        "Another one is used, as long as it is set: DIGEST_SEMANTIC_MODEL."
    )
    assert used() == given


def test_a_program_can_read_it(run, given, tmp_path):
    code, out, _ = run("model", "install", "given", "--json")
    assert code == 0
    said = json.loads(out)
    assert said["folder"] == str(tmp_path / "home/models/given")
    assert said["bytes"] == sum(len(f"the {name}") for name in ("tokenizer.json", "model.onnx"))


@pytest.mark.parametrize("fault", ["missing", "blind", "no-such-folder"])
def test_what_does_not_work_is_not_installed(run, given, tmp_path, fault):
    if fault == "missing":
        (given / "tokenizer.json").unlink()
    (given / "model.onnx").write_text("blind")
    code, out, err = run("model", "install", fault if fault == "no-such-folder" else "given")
    assert (code, out) == (1, "")
    assert err.startswith("digest: ")
    assert ("no-such-folder" if fault == "no-such-folder" else "given") in err
    assert not (tmp_path / "home/models/given").exists()


def test_a_model_that_has_changed_is_not_used(run, given, tmp_path, monkeypatch):
    run("model", "install", "given")
    installed = tmp_path / "home/models/given"
    (installed / "model.onnx").write_text("another graph")
    for name in ("p.jsonl", "t.jsonl"):
        (tmp_path / name).write_text(json.dumps({"id": 1, "title": "Ducks", "filter": "ducks"}))
    code, _, err = run("rank", "--semantic", "--papers", "p.jsonl", "--topics", "t.jsonl")
    assert code == 1
    assert "not as they were installed: model.onnx" in err
