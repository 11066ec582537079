"""What a command imports before it does anything: nearly all of its start is that."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support import SENDING

SET_UP = {f"DIGEST_{name.rstrip('_').upper()}": value for name, value in SENDING.items()}
PROGRAM = """
import json, sys
from digest.cli.main import main
sys.argv = ["digest", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
json.dump(sorted(sys.modules), sys.stderr)
"""


def imported_by(folder: Path, *words: str) -> set[str]:
    """Return the names of the packages that a command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=folder,
        env={**os.environ, **SET_UP},
        capture_output=True,
        check=True,
    )
    return {name.split(".")[0] for name in json.loads(done.stderr)}


def test_help_and_version_import_next_to_nothing(tmp_path: Path) -> None:
    heavy = {"sqlalchemy", "numpy", "scipy", "fastapi", "jinja2", "httpx", "structlog", "rich"}
    for option in ("--help", "--version"):
        assert imported_by(tmp_path, option) & heavy == set()


def test_the_status_imports_only_the_database(tmp_path: Path) -> None:
    heavy = {"numpy", "scipy", "fastapi", "jinja2", "httpx", "babel", "cryptography", "apscheduler"}
    assert imported_by(tmp_path, "status", "--json") & heavy == set()
