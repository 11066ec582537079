"""A folder for a while: removed afterwards, by the next run if this one is killed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "paper-digest-bench-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder for temporary files, and remove it at the end.

    Those that killed processes left are removed as well. A folder is locked while it is used: by
    the time it has its name it is locked already, so nobody takes it for one that was left.
    """
    _remove_left_behind()
    made = Path(tempfile.mkdtemp(prefix="paper-digest-"))
    folder = made.with_name(f"{_PREFIX}{made.name.removeprefix('paper-digest-')}")
    opened = os.open(made, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        made.rename(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(opened)


def _remove_left_behind() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it is another's, or gone by now
            opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(opened).st_uid == os.getuid():
                    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder)
            finally:
                os.close(opened)
