"""The workflow in docs/deploy, step by step as GitHub runs it, for a week."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.conftest import Api, entry
from tests.support import SENDING

FILE = Path(__file__).parents[2] / "docs" / "deploy" / "github-actions.yml"
MONDAY = datetime(2026, 2, 16, 6, 37, tzinfo=UTC)
# The command at another time, as a program of its own.
COMMAND = """\
#!{python}
import datetime, os, sys, time_machine
with time_machine.travel(datetime.datetime.fromisoformat(os.environ["NOW"])):
    from digest.cli.main import main
    main()
"""


class GitHub:
    """Runs the workflow's job on a new machine each time, with a cache that keeps each key once."""

    def __init__(self, folder: Path, source: str, secrets: dict[str, str]) -> None:
        self._folder = folder
        self._source = source  # instead of Hugging Face
        self._cache: list[tuple[str, Path]] = []
        self._values = {
            **{f"secrets.{name}": value for name, value in secrets.items()},
            "github.repository": "me/digests",
            "vars.PAPER_DIGEST": "here",
        }
        bin_ = folder / "bin"
        bin_.mkdir()
        (bin_ / "digest").write_text(COMMAND.format(python=sys.executable))
        (bin_ / "digest").chmod(0o755)
        (bin_ / "pip").write_text("#!/bin/sh\n")  # what it would install is here already
        (bin_ / "pip").chmod(0o755)
        self._path = f"{bin_}:{os.environ['PATH']}"

    def run(self, number: int, now: datetime) -> None:
        self._values["github.run_id"] = str(number)
        machine = self._folder / f"machine-{number}"
        machine.mkdir()
        (job,) = yaml.safe_load(FILE.read_text())["jobs"].values()
        for step in job["steps"]:
            self._step(step, machine, now)

    def _step(self, step: dict[str, Any], machine: Path, now: datetime) -> None:
        action, with_ = step.get("uses", ""), step.get("with", {})
        if action.startswith("actions/cache/restore@"):
            found = [
                folder
                for key, folder in reversed(self._cache)
                if key.startswith(with_["restore-keys"])
            ]
            if found:
                shutil.copytree(found[0], machine / with_["path"])
        elif action.startswith("actions/cache/save@"):
            key = self._filled(with_["key"])
            kept = self._folder / key
            shutil.copytree(machine / with_["path"], kept)
            self._cache.append((key, kept))
        elif not action:
            environment = {name: self._filled(value) for name, value in step.get("env", {}).items()}
            environment |= {
                "PATH": self._path,
                "NOW": now.isoformat(),
                "DIGEST_HUGGINGFACE_URL": self._source,
            }
            subprocess.run(
                ["bash", "-e", "-c", self._filled(step["run"])],
                cwd=machine,
                env=environment,
                check=True,
                timeout=120,
            )

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: self._values[found[1]], str(text))


@pytest.mark.long
def test_a_week_of_the_workflow(tmp_path: Path, api: Api) -> None:
    outbox = tmp_path / "outbox"
    secrets = {
        "READER": "me@example.org",
        "DIGEST_FROM": SENDING["from_"],
        "DIGEST_TRANSPORT": outbox.as_uri(),
        "DIGEST_SECRET": SENDING["secret"],
        "DIGEST_POSTAL_ADDRESS": SENDING["postal_address"],
    }
    github = GitHub(tmp_path, api.url, secrets)
    for day, title in enumerate(["Agents plan", "Soup", "Agents act", "", "Video generation"]):
        if title:
            api.days[f"{(MONDAY + timedelta(days=day)).date()}"] = [entry(day + 1, title)]
    sent = []
    for day in range(7):
        github.run(day, MONDAY + timedelta(days=day))
        sent.append(len(list(outbox.glob("*.eml"))))
    assert sent == [1, 1, 2, 2, 3, 3, 3]
    texts = [file.read_text() for file in outbox.iterdir()]
    shown = [set(re.findall(r"arxiv.org/abs/(2602\.\d+)", text)) for text in texts]
    assert sorted(map(sorted, shown)) == [["2602.00001"], ["2602.00003"], ["2602.00005"]]
