"""What a command imports before it does anything: nearly all of its start is that."""

import json
import os
import subprocess
import sys
from pathlib import Path

from digest.collect.sample_edition import SAMPLE_EDITION
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


def test_a_preview_imports_nothing_of_building_and_asking(tmp_path: Path) -> None:
    imported_by(tmp_path, "collect", "--file", str(SAMPLE_EDITION))
    imported_by(tmp_path, "preview", "--topic", "robots")  # which builds the templates
    heavy = {"dns", "premailer", "lxml", "mjml", "fastapi", "apscheduler", "alembic", "smtplib"}
    assert imported_by(tmp_path, "preview", "--topic", "robots") & heavy == set()


def test_the_database_is_closed_at_the_end(tmp_path: Path) -> None:
    imported_by(tmp_path, "status", "--json")
    files = {path.name for path in (tmp_path / "var").glob("digest.sqlite3*")}
    assert {name for name in files if not name.endswith(".lock")} == {"digest.sqlite3"}
