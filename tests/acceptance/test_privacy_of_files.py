"""What commands write holds addresses and secrets: only the program's user may read it."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from digest.collect.sample_edition import SAMPLE_EDITION
from tests.acceptance.conftest import operator_in

HERE = Path(__file__).parents[2]


def test_everything_that_is_written_is_for_its_owner_only(tmp_path: Path) -> None:
    operator = operator_in(tmp_path)
    operator.digest("subscribers", "add", "ada@example.org")
    operator.digest("collect", "--file", str(SAMPLE_EDITION), "--date", "2025-12-05")
    operator.digest("run", "--once", "--now", "2025-12-05T08:00:00+00:00")
    operator.digest("backup", "digest.backup")
    operator.digest("dkim", "generate", "2026a")
    operator.digest("preview", "preview")
    written = {path.relative_to(tmp_path): path.stat().st_mode for path in tmp_path.rglob("*")}
    assert {str(path) for path in written} >= {"var/digest.sqlite3", "var/outbox", "digest.backup"}
    assert len(operator.mailbox()) == 1
    assert [str(path) for path, mode in written.items() if mode & 0o077] == []


@pytest.mark.parametrize("page", ["README.md", "docs/commands.md"])
def test_no_file_with_secrets_gets_into_git_by_a_command_of_the_docs(page: str) -> None:
    ignored = (HERE / ".gitignore").read_text("utf-8").split()
    text = (HERE / page).read_text("utf-8")
    names = re.findall(r"^digest backup ([\w.-]+)$", text, re.MULTILINE)
    names += [
        f"dkim-{name}.pem"
        for name in re.findall(r"^digest dkim generate (\w+)", text, re.MULTILINE)
    ]
    assert names
    assert [name for name in names if not any(fnmatch(name, line) for line in ignored)] == []
