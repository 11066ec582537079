"""Sentence embeddings by a model on this machine, with ONNX Runtime (the extra ``semantic``).

A model is a folder in the form of sentence-transformers on Hugging Face: ``tokenizer.json``,
``model.onnx`` (or ``onnx/model.onnx``), and, where they differ from what is usual,
``1_Pooling/config.json`` and ``sentence_bert_config.json``.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digest.errors import SettingError
from digest.rank.model_files import BESIDE_GRAPH, GRAPHS, SETTING, verify
from digest.rank.reference_corpus import Floats, unit

INSTALL = "pip install 'paper-digest[semantic]'"

_MODE = "pooling_mode_"
_LAYERS = {"Transformer", "Pooling", "Normalize"}  # what is computed here, by the model's own list
_LONGEST = 256  # tokens, where the model does not say
_BATCH = 8  # more at a time are hardly faster, and take more memory
LONGEST_FETCH = 3600.0  # seconds until a model is whole; it has some hundred megabytes
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


class Embedder:
    """A sentence model, loaded when first used. Raises SettingError, which names the folder.

    ``name`` is by default that of its folder.
    """

    def __init__(self, folder: Path, name: str = "") -> None:
        self._folder = folder
        self.name = re.sub(r"[^\w.-]", "-", name or folder.resolve().name)
        _require_installed("onnxruntime", "tokenizers")
        self._graph = next((folder / g for g in GRAPHS if (folder / g).is_file()), None)
        missing = [] if (folder / "tokenizer.json").is_file() else ["tokenizer.json"]
        missing += [] if self._graph else [" or ".join(GRAPHS)]
        if missing:
            raise SettingError(f"{SETTING}: {folder} is no model; missing: {', '.join(missing)}")
        unknown = {str(module["type"]).rpartition(".")[2] for module in self._modules()} - _LAYERS
        if unknown:
            names = ", ".join(sorted(unknown))
            raise SettingError(f"{SETTING}: {folder} has layers that are not known here: {names}")
        modes = _pooling_modes(self._json("1_Pooling/config.json"))
        if modes not in ({"cls"}, {"mean"}):
            raise SettingError(f"{SETTING}: {folder} pools neither by mean nor by the first token")
        self._by_first_token = modes == {"cls"}
        longest = self._json("sentence_bert_config.json").get("max_seq_length")
        self._longest = int(longest or _LONGEST)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return a row of length 1 for each text; texts of near meaning have near rows."""
        encoded = self._tokenizer.encode_batch(list(texts))
        rows: dict[int, Floats] = {}
        # Texts of about one length go together: what is filled up is computed in vain.
        order = sorted(range(len(encoded)), key=lambda number: len(encoded[number].ids))
        for start in range(0, len(order), _BATCH):
            numbers = order[start : start + _BATCH]
            found = self._rows([encoded[number].ids for number in numbers])
            rows.update(zip(numbers, found, strict=True))
        return np.array([rows[number] for number in range(len(texts))], np.float32)

    @cached_property
    def fingerprint(self) -> str:
        """Return a digest of the model, whatever it is called."""
        told = hashlib.blake2b(repr((self._by_first_token, self._longest)).encode(), digest_size=16)
        assert self._graph
        for path in (self._folder / "tokenizer.json", self._graph):
            with path.open("rb") as file:
                told.update(hashlib.file_digest(file, "blake2b").digest())
        return told.hexdigest()

    def _rows(self, ids: Sequence[Sequence[int]]) -> Floats:
        shape = (len(ids), max(map(len, ids)))
        tokens, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, number in enumerate(ids):
            tokens[row, : len(number)] = number
            mask[row, : len(number)] = 1
        given = {
            "input_ids": tokens,
            "attention_mask": mask,
            "token_type_ids": np.zeros(shape, np.int64),
        }
        wanted = {model_input.name for model_input in self._session.get_inputs()}
        values = self._session.run(None, {name: given[name] for name in given if name in wanted})
        return unit(_pooled(np.asarray(values[0]), mask, by_first_token=self._by_first_token))

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer  # noqa: PLC0415  an extra

        try:
            tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        except Exception as error:  # it raises nothing narrower
            raise self._broken(error) from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(self._longest)
        return tokenizer

    @cached_property
    def _session(self) -> Any:
        import onnxruntime  # noqa: PLC0415  an extra

        options = onnxruntime.SessionOptions()
        # Threads that spin while they wait cost twice the time where there are others to run.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(
                self._graph, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its own errors share no narrower base
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> SettingError:
        return SettingError(f"{SETTING}: the model in {self._folder} cannot be loaded: {error}")

    def _modules(self) -> list[dict[str, Any]]:
        return list(self._json("modules.json") or ())

    def _json(self, name: str) -> Any:
        """Return what a file of the folder says; nothing if there is none."""
        path = self._folder / name
        if not path.is_file():
            return {}
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SettingError(f"{SETTING}: {path} cannot be read: {error}") from error


def find_embedder(model: str, *, fetch: bool = False) -> Embedder:
    """Return the model in a folder, or the one with a name on the Hugging Face hub.

    A named one must be in the hub's cache on this machine, unless it may be fetched. Raises
    SettingError, also if one that was installed is not as it was.
    """
    folder, name = find_model(model, fetch=fetch)
    verify(folder)
    return Embedder(folder, name)


def find_model(model: str, *, fetch: bool = False) -> tuple[Path, str]:
    """Return a model's folder and name; as ``find_embedder``, without looking into it."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder, folder.resolve().name
    if not _HUB_NAME.fullmatch(model):
        raise SettingError(
            f"{SETTING} is {model!r}: neither a folder nor a name such as "
            "sentence-transformers/all-MiniLM-L6-v2"
        )
    _require_installed("huggingface_hub")
    name = model.rpartition("/")[2]
    try:
        cached = _snapshot(model, local_files_only=True)
    except SettingError:
        cached = None
    if cached and any((cached / graph).is_file() for graph in GRAPHS):
        return cached, name
    if not fetch:
        raise SettingError(
            f"{SETTING}: {model} is not on this machine; "
            "DIGEST_SEMANTIC_FETCH=yes lets it be fetched"
        )
    return _snapshot(model, local_files_only=False), name


def _snapshot(model: str, *, local_files_only: bool) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415  an extra

    patterns = [*BESIDE_GRAPH, *GRAPHS]
    fetched: Future[str] = Future()

    def fetch() -> None:
        try:
            fetched.set_result(
                snapshot_download(model, allow_patterns=patterns, local_files_only=local_files_only)
            )
        except Exception as error:  # noqa: BLE001  many kinds: of the hub, of HTTP, of the system
            fetched.set_exception(error)

    # In a thread that can be left behind: the hub's client gives up on silence, not on a drip.
    Thread(target=fetch, daemon=True).start()
    try:
        return Path(fetched.result(LONGEST_FETCH))
    except TimeoutError as error:
        why = f"not finished after {LONGEST_FETCH:g} seconds"
        raise SettingError(f"{SETTING}: {model} cannot be fetched: {why}") from error
    except Exception as error:
        raise SettingError(f"{SETTING}: {model} cannot be fetched: {error}") from error


def _require_installed(*packages: str) -> None:
    if not all(find_spec(package) for package in packages):
        raise SettingError(f"a sentence model needs more to be installed: {INSTALL}")


def _pooling_modes(said: dict[str, Any]) -> set[str]:
    """Return how tokens become a text: "mean", "cls" (the first one's) or others."""
    if "pooling_mode" in said:
        modes = said["pooling_mode"]
        return {modes} if isinstance(modes, str) else set(modes)
    switched_on = {name for name, value in said.items() if name.startswith(_MODE) and value}
    return {
        name.removeprefix(_MODE).removesuffix("_tokens").removesuffix("_token")
        for name in switched_on
    } or {"mean"}


def _pooled(values: NDArray[Any], mask: NDArray[np.int64], *, by_first_token: bool) -> Floats:
    """Return one row for each text, from one for each of its tokens."""
    if values.ndim == 2:  # the graph has done it
        return np.asarray(values, np.float32)
    if by_first_token:
        return np.asarray(values[:, 0], np.float32)
    weights = mask[:, :, None].astype(np.float32)
    return np.asarray((values * weights).sum(axis=1) / weights.sum(axis=1), np.float32)
