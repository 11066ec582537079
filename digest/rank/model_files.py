"""The files of a sentence model in a folder, and whether they are as they were installed."""

import json
from hashlib import file_digest, sha256
from pathlib import Path

from digest.errors import SettingError

SETTING = "DIGEST_SEMANTIC_MODEL"
BESIDE_GRAPH = (
    "tokenizer.json",
    "modules.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
)
GRAPHS = ("model.onnx", "onnx/model.onnx")
CHECKSUMS = "checksums.json"
_LARGEST = 2 * 1024**3  # bytes of a file

Checksums = dict[str, dict[str, int | str]]


def files_of(folder: Path) -> dict[str, Path]:
    """Return the files of a model, by their names in its folder."""
    graph = next((name for name in GRAPHS if (folder / name).is_file()), None)
    names = [*(name for name in BESIDE_GRAPH if (folder / name).is_file()), *filter(None, [graph])]
    files = {name: folder / name for name in names}
    for file in files.values():
        if file.stat().st_size > _LARGEST:
            raise SettingError(f"{file} is too large for a model: at most {_LARGEST:,} bytes")
    return files


def checksums_of(folder: Path) -> Checksums:
    """Return the size and SHA-256 of each file of a model."""
    return {
        name: {"bytes": file.stat().st_size, "sha256": digest_of(file)}
        for name, file in sorted(files_of(folder).items())
    }


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as stream:
        return file_digest(stream, sha256).hexdigest()


def installed_in(models: Path) -> Path | None:
    """Return the folder of the model that was installed last, if there is one."""
    listed = ((file.stat().st_mtime, file.parent) for file in models.glob(f"[!.]*/{CHECKSUMS}"))
    return max(listed, default=(0.0, None))[1]


def verify(folder: Path) -> None:
    """Raise SettingError if an installed model is not as it was; others are not looked at."""
    listed = folder / CHECKSUMS
    if not listed.is_file():
        return
    try:
        expected = dict(json.loads(listed.read_text(encoding="utf-8")))
        found = checksums_of(folder)
    except (OSError, ValueError, TypeError) as error:
        raise SettingError(f"{SETTING}: {listed} cannot be read: {error}") from error
    changed = sorted(n for n in expected.keys() | found.keys() if expected.get(n) != found.get(n))
    if changed:
        names = ", ".join(changed)
        raise SettingError(
            f"{SETTING}: files in {folder} are not as they were installed: {names}. "
            "Install the model again: digest model install"
        )
