"""A copy of the built-in templates, for an operator to edit."""

import shutil
from pathlib import Path

from digest.errors import SettingError


def eject(built_in: Path, folder: Path) -> int:
    """Copy all templates into a folder that is new or empty; how many files that are.

    Nothing is ever written over. Raises SettingError for any other folder.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise SettingError(f"{folder} is not an empty folder: nothing was copied")
        shutil.copytree(built_in, folder, dirs_exist_ok=True)
    except OSError as error:
        raise SettingError(f"{folder} cannot be written: {error}") from error
    return sum(path.is_file() for path in folder.rglob("*"))
