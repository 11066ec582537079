"""A model is installed if it works, and told from one that has changed."""

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from digest.errors import SettingError
from digest.rank import model_folder
from digest.rank.corpora import SHIPPED, load_with
from digest.rank.embedding import Embedder
from digest.rank.model_files import CHECKSUMS, files_of, verify
from digest.rank.model_folder import PACKAGE, PACKAGED_NAME, install

_INSTALLED = all(map(importlib.util.find_spec, ("onnxruntime", "tokenizers")))
needs_package = pytest.mark.skipif(
    not (_INSTALLED and importlib.util.find_spec(PACKAGE)),
    reason='the extra "semantic", with its model, is not installed',
)


class Fake:
    """A model that knows three meanings: of bits, of bread, and of nothing."""

    loaded: ClassVar[list[Path]] = []

    def __init__(self, folder: Path, name: str = "") -> None:
        self.name = name or folder.name
        self.loaded.append(folder)
        if not (folder / "tokenizer.json").is_file():
            raise SettingError(f"{folder} is no model; missing: tokenizer.json")
        self.is_blind = (folder / "model.onnx").read_text() == "blind"

    def embed(self, texts):
        rows = [[1, 0] if "etworks" in text or self.is_blind else [0, 1] for text in texts]
        return np.array(rows, np.float32)


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "given"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "onnx").mkdir()
    for name in ("tokenizer.json", "onnx/model.onnx", "1_Pooling/config.json", "README.md"):
        (folder / name).write_text(f"the {name}")
    (folder / "model.onnx").write_text("the graph")
    return folder


@pytest.fixture
def models(tmp_path) -> Path:
    return tmp_path / "home" / "models"


def test_the_files_of_a_model_are_copied_with_their_checksums(source, models):
    installed = install(str(source), models, Fake)
    assert installed.folder == models / "given"
    assert installed.known_as == ""
    listed = json.loads((installed.folder / CHECKSUMS).read_text())
    assert listed.keys() == {"tokenizer.json", "1_Pooling/config.json", "model.onnx"}
    assert listed["model.onnx"] == {
        "bytes": len("the graph"),
        "sha256": hashlib.sha256(b"the graph").hexdigest(),
    }
    assert installed.size == sum(entry["bytes"] for entry in listed.values())
    assert {path.name for path in models.iterdir()} == {"given"}
    verify(installed.folder)


def test_it_may_be_installed_again_from_where_it_is(source, models):
    folder = install(str(source), models, Fake).folder
    (folder / "model.onnx").write_text("another graph")
    assert install(str(folder), models, Fake).folder == folder
    verify(folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "model.onnx", "1_Pooling/config.json"])
@pytest.mark.parametrize("fault", ["changed", "longer", "gone"])
def test_a_model_that_is_not_as_it_was_is_told(source, models, name, fault):
    folder = install(str(source), models, Fake).folder
    if fault == "gone":
        (folder / name).unlink()
    else:
        said = (folder / name).read_text()
        (folder / name).write_text(said.upper() if fault == "changed" else said + " ")
    with pytest.raises(SettingError, match="digest model install") as told:
        verify(folder)
    assert name in str(told.value)
    assert str(folder) in str(told.value)


@pytest.mark.parametrize("said", ["", "[1]", "{", "null"])
def test_a_damaged_list_is_told_by_its_name(source, models, said):
    folder = install(str(source), models, Fake).folder
    (folder / CHECKSUMS).write_text(said)
    with pytest.raises(SettingError, match=CHECKSUMS):
        verify(folder)


def test_a_folder_that_was_not_installed_is_not_looked_at(source):
    verify(source)


def test_a_model_that_tells_no_meanings_is_not_installed(source, models):
    before = install(str(source), models, Fake)
    (source / "model.onnx").write_text("blind")
    with pytest.raises(SettingError, match="does not work"):
        install(str(source), models, Fake)
    assert {path.name for path in models.iterdir()} == {"given"}
    verify(before.folder)


def test_what_is_missing_is_told_by_the_given_folder(source, models):
    (source / "tokenizer.json").unlink()
    with pytest.raises(SettingError, match=str(source)):
        install(str(source), models, Fake)
    assert not models.exists()


def test_a_file_that_is_too_large_is_told(source, monkeypatch):
    monkeypatch.setattr("digest.rank.model_files._LARGEST", 5)
    with pytest.raises(SettingError, match="too large"):
        files_of(source)


@pytest.mark.parametrize(
    ("name", "folder"), [("..", "model"), ("a b", "a-b"), (".hidden", "hidden"), ("", "model")]
)
def test_a_name_is_that_of_a_folder_in_its_place(source, models, monkeypatch, name, folder):
    monkeypatch.setattr(model_folder, "find_model", lambda *_, fetch: (source, name))
    assert install("somebody/some-model", models, Fake).folder == models / folder


def test_without_the_package_it_says_how_to_install_it(models, monkeypatch):
    monkeypatch.setattr(model_folder, "find_spec", lambda name: None)
    with pytest.raises(SettingError, match=r"pip install 'paper-digest\[semantic\]'"):
        install(None, models, Fake)


def test_another_graph_in_the_package_is_not_used(models, monkeypatch, tmp_path):
    (tmp_path / "model.onnx").write_text("another one")
    spec = importlib.util.spec_from_file_location(PACKAGE, tmp_path / "__init__.py")
    monkeypatch.setattr(model_folder, "find_spec", lambda name: spec)
    with pytest.raises(SettingError, match="not the file that was checked"):
        install(None, models, Fake)


@needs_package
def test_the_model_of_the_package_works(models):
    installed = install(None, models, Embedder)
    assert installed.folder.name == PACKAGED_NAME
    assert "8 bits" in installed.known_as
    verify(installed.folder)
    one, same, other = Embedder(installed.folder).embed(
        ["large language models", "LLMs that write text", "a recipe for bread"]
    )
    assert one @ same > one @ other + 0.1
    shipped = load_with(Embedder(installed.folder).embed, SHIPPED)
    assert shipped.embeddings is not None, "it helps on the first day"
