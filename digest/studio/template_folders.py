"""Copy the templates to edit them, and find them as they were before any change."""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from digest.errors import SettingError

GIT_TIMEOUT = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Before:
    """A folder with the templates before any change, and a phrase that says what they are."""

    folder: Path
    about: str


def eject(built_in: Path, folder: Path) -> int:
    """Copy all templates into a new or empty folder, and return the number of files.

    Raises SettingError for any other folder: nothing is ever overwritten.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise SettingError(f"{folder} is not an empty folder: nothing was copied")
        shutil.copytree(built_in, folder, dirs_exist_ok=True)
    except OSError as error:
        raise SettingError(f"{folder} cannot be written: {error}") from error
    return sum(path.is_file() for path in folder.rglob("*"))


@contextmanager
def before(folder: Path, built_in: Path) -> Iterator[Before | None]:
    """Return the templates that those in ``folder`` are compared with, while it is entered.

    These are the last commit, if git keeps the folder, or else the built-in templates; None if the
    folder is that of the built-in templates.
    """
    if archive := _committed(folder):
        with TemporaryDirectory(prefix="templates-before-") as made:
            with tarfile.open(fileobj=io.BytesIO(archive)) as files:
                files.extractall(made, filter="data")
            yield Before(Path(made), f"the last commit ({_commit(folder)})")
    elif folder.resolve() != built_in.resolve():
        yield Before(built_in, "the built-in templates")
    else:
        yield None


def _committed(folder: Path) -> bytes:
    """Return the folder at HEAD as a tar file; empty if no commit has it, or there is no git."""
    return _git(folder, "archive", "--format=tar", "HEAD", ".")


def _commit(folder: Path) -> str:
    """Describe the last commit: its id, date and subject."""
    said = _git(folder, "log", "-1", "--format=%h, %cs: %s", "HEAD")
    return said.decode(errors="replace").strip()


def _git(folder: Path, *words: str) -> bytes:
    # Take no locks, which would block a commit, and ask for no password.
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603  no shell, and nothing that a request says
            ["git", *words],  # noqa: S607  the operator's git
            cwd=folder,
            env={**os.environ, **quiet},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout
