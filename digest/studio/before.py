"""The templates as they were before the operator changed them."""

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

PATIENCE = 10.0  # seconds that git may take


@dataclass(frozen=True, slots=True)
class Before:
    """The folder with the templates before, and in words what they are."""

    folder: Path
    about: str


@contextmanager
def before(folder: Path, built_in: Path) -> Iterator[Before | None]:
    """What the templates in ``folder`` are compared with, as long as it is entered.

    Their last commit, where git keeps them; else the set that comes with the program; and nothing
    where they are that set themselves.
    """
    if archive := _committed(folder):
        with TemporaryDirectory(prefix="templates-before-") as made:
            with tarfile.open(fileobj=io.BytesIO(archive)) as files:
                files.extractall(made, filter="data")
            yield Before(Path(made), f"the last commit ({_commit(folder)})")
    elif folder.resolve() != built_in.resolve():
        yield Before(built_in, "the templates that come with the program")
    else:
        yield None


def _committed(folder: Path) -> bytes:
    """The folder at HEAD as a tar file; empty where it is in no commit, or there is no git."""
    return _git(folder, "archive", "--format=tar", "HEAD", ".")


def _commit(folder: Path) -> str:
    """The commit in words: which, of when, and its subject."""
    said = _git(folder, "log", "-1", "--format=%h, %cs: %s", "HEAD")
    return said.decode(errors="replace").strip()


def _git(folder: Path, *words: str) -> bytes:
    # Looking takes no locks, so that it is in the way of no commit, and asks for no password.
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603  no shell, and nothing that a request says
            ["git", *words],  # noqa: S607  the operator's git
            cwd=folder,
            env={**os.environ, **quiet},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout
