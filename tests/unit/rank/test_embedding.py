"""The model itself, where there is one, and what is told where something is missing."""

import importlib.util
import json
import os
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from digest.errors import SettingError
from digest.rank import embedding
from digest.rank.embedding import Embedder, find_embedder

_INSTALLED = all(map(importlib.util.find_spec, ("onnxruntime", "tokenizers", "huggingface_hub")))
needs_extra = pytest.mark.skipif(not _INSTALLED, reason='the extra "semantic" is not installed')


@pytest.fixture(scope="module")
def model() -> Embedder:
    folder = os.environ.get("DIGEST_TEST_SEMANTIC_MODEL")
    if not folder:
        pytest.skip("no sentence model (DIGEST_TEST_SEMANTIC_MODEL names its folder)")
    if not _INSTALLED:
        pytest.skip('the extra "semantic" is not installed')
    return Embedder(Path(folder))


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder that looks like a model from outside."""
    (tmp_path / "1_Pooling").mkdir()
    for name in ("tokenizer.json", "model.onnx"):
        (tmp_path / name).write_text("{}")
    return tmp_path


# ---- with a model -------------------------------------------------------------------------------


def test_rows_have_length_1_and_the_order_of_the_texts(model):
    texts = [
        "A long text about robots that pick up cups. " * 40,
        "short",
        "",
        "Robots pick up cups.",
    ]
    rows = model.embed(texts)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    for text, row in zip(texts, rows, strict=True):
        assert model.embed([text])[0] @ row > 0.999, "the others of a batch change nothing"


def test_what_means_the_same_is_near(model):
    one, same, other = model.embed(
        ["large language models", "LLMs that write text", "a recipe for bread"]
    )
    assert one @ same > one @ other + 0.1


def test_many_texts_are_embedded_in_batches(model):
    texts = [f"text {'word ' * (number % 9)}{number}" for number in range(70)]
    assert np.allclose(model.embed(texts)[69], model.embed(texts[69:])[0], atol=1e-3)


def test_no_text_is_no_trouble(model):
    assert len(model.embed([])) == 0


def test_the_fingerprint_is_the_models(model):
    assert model.fingerprint == Embedder(model._folder, "another name").fingerprint


# ---- what is missing ----------------------------------------------------------------------------


def test_without_the_extra_it_says_how_to_install_it(folder, monkeypatch):
    monkeypatch.setattr(embedding, "find_spec", lambda name: None)
    with pytest.raises(SettingError, match=r"pip install 'paper-digest\[semantic\]'"):
        Embedder(folder)
    with pytest.raises(SettingError, match="paper-digest"):
        find_embedder("somebody/some-model")


@needs_extra
@pytest.mark.parametrize("missing", ["tokenizer.json", "model.onnx"])
def test_a_missing_file_is_named_with_its_folder(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(SettingError) as told:
        Embedder(folder)
    assert str(folder) in str(told.value)
    assert missing in str(told.value)


@needs_extra
def test_a_model_that_is_none_is_told_when_it_is_used(folder):
    model = find_embedder(str(folder))
    with pytest.raises(SettingError, match="cannot be loaded") as told:
        model.embed(["a text"])
    assert str(folder) in str(told.value)


@needs_extra
def test_the_graph_may_stand_in_a_folder_of_its_own(folder):
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / "onnx" / "model.onnx")
    assert Embedder(folder).name == folder.name


@needs_extra
@pytest.mark.parametrize(
    ("said", "by_first_token"),
    [
        ({}, False),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, False),
        ({"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}, True),
        ({"pooling_mode": "cls"}, True),
        ({"pooling_mode": ["mean"]}, False),
    ],
)
def test_pooling_is_as_the_model_says(folder, said, by_first_token):
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(said))
    assert Embedder(folder)._by_first_token is by_first_token


@needs_extra
@pytest.mark.parametrize(
    ("file", "said", "why"),
    [
        ("1_Pooling/config.json", {"pooling_mode_lasttoken": True}, "pools neither"),
        ("1_Pooling/config.json", {"pooling_mode": ["cls", "mean"]}, "pools neither"),
        ("modules.json", [{"type": "sentence_transformers.models.Dense"}], "Dense"),
    ],
)
def test_what_cannot_be_computed_here_is_refused(folder, file, said, why):
    (folder / file).write_text(json.dumps(said))
    with pytest.raises(SettingError, match=why):
        Embedder(folder)


@needs_extra
def test_a_file_that_is_no_json_is_named(folder):
    (folder / "modules.json").write_text("[")
    with pytest.raises(SettingError, match=r"modules\.json cannot be read"):
        Embedder(folder)


@needs_extra
@pytest.mark.parametrize("said", ["no-such-folder", "/nowhere/at/all", "a/b/c"])
def test_neither_a_folder_nor_a_name_is_told(said):
    with pytest.raises(SettingError, match="neither a folder nor a name"):
        find_embedder(said)


@needs_extra
def test_nothing_is_fetched_without_leave(monkeypatch):
    asked = []

    def snapshot(model, *, local_files_only):
        asked.append(local_files_only)

    monkeypatch.setattr(embedding, "_snapshot", snapshot)
    with pytest.raises(SettingError, match="DIGEST_SEMANTIC_FETCH=yes"):
        find_embedder("somebody/some-model")
    assert asked == [True]


@needs_extra
def test_what_is_in_the_cache_is_not_fetched(folder, monkeypatch):
    asked = []

    def snapshot(model, *, local_files_only):
        asked.append(local_files_only)
        return folder

    monkeypatch.setattr(embedding, "_snapshot", snapshot)
    assert find_embedder("somebody/some-model", fetch=True).name == "some-model"
    assert asked == [True]


@needs_extra
def test_what_is_not_in_the_cache_is_fetched_with_leave(folder, monkeypatch):
    monkeypatch.setattr(
        embedding, "_snapshot", lambda model, local_files_only: None if local_files_only else folder
    )
    assert find_embedder("somebody/some-model", fetch=True).name == "some-model"


@needs_extra
def test_a_name_that_is_not_in_the_hubs_cache_is_told():
    with pytest.raises(SettingError, match="is not on this machine"):
        find_embedder("paper-digest-tests/there-is-no-such-model")


@needs_extra
def test_a_hub_that_does_not_answer_is_told_in_one_error(monkeypatch):
    def no_answer(model, **how):
        raise OSError("no route to host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", no_answer)
    with pytest.raises(SettingError, match="some-model cannot be fetched: no route to host"):
        find_embedder("somebody/some-model", fetch=True)


@needs_extra
def test_a_hub_that_drips_is_left_in_time(monkeypatch):
    gone = Event()
    monkeypatch.setattr(embedding, "LONGEST_FETCH", 0.05)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: gone.wait(60))
    with pytest.raises(SettingError, match="cannot be fetched: not finished"):
        embedding._snapshot("somebody/some-model", local_files_only=False)
    gone.set()
