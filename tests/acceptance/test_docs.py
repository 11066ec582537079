"""What the documents say of the program is so: commands, settings, defaults, names, links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.main import get_command

from digest.app.app import App
from digest.cli.json_values import to_json
from digest.cli.main import LazyCommand, cli
from digest.monitoring.metrics import PREFIX, exposition, gather_counts
from digest.monitoring.status import WarningKind
from digest.settings.reading import read_settings
from digest.settings.settings import Settings, variable
from digest.settings.values import NEW_KEY
from tests.acceptance.conftest import Person
from tests.commands_page import PAGE, commands_page
from tests.support import NOW, SENDING

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OPERATIONS = ROOT / "docs" / "operations.md"
BY_TESTS_ONLY = {"DIGEST_TEST_POSTGRES_URL", "DIGEST_TEST_SEMANTIC_MODEL"}
TABLE = {variable(row.name): row.metadata for row in fields(Settings)}
EACH = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def _code_blocks(text: str) -> str:
    return "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def _prose(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


# ---- commands --------------------------------------------------------------------------------


def _commands_in_blocks(text: str) -> Iterator[str]:
    """What follows ``digest`` on each line of code: in a shell, a unit, a table of cron."""
    for line in re.split(r"\n|&&|;| > ", _code_blocks(text)):
        if found := re.match(r"(?:.*\bbin/|\s*(?:command: )?)digest (.+)$", line):
            yield re.sub(r"\$\([^)]*\)", "", found[1])


def _loaded(command: Any) -> Any:
    return command.load() if isinstance(command, LazyCommand) else command


def _parse(line: str) -> None:
    """Read a command as the program would, and do nothing. Raises what it raises."""
    command, words = get_command(cli), shlex.split(line)
    name = "digest"
    while words and words[0] in getattr(command, "commands", {}):
        name = words.pop(0)
        command = _loaded(command.commands[name])
    if hasattr(command, "commands"):  # only a group is named
        assert not words, f"there is no command {words[0]} of {name}"
        return
    command.make_context(name, words)


@EACH
def test_every_command_in_code_can_be_typed(document: Path) -> None:
    for line in _commands_in_blocks(document.read_text()):
        try:
            _parse(line)
        except Exception as error:
            raise AssertionError(f"digest {line}") from error


@EACH
def test_every_command_in_prose_is_there(document: Path) -> None:
    for line in re.findall(r"`(?:\S*bin/)?digest ([^`…][^`]*)`", _prose(document.read_text())):
        try:
            _parse(line)
        except Exception as error:
            if type(error).__name__ != "MissingParameter":  # what it is about goes without saying
                raise AssertionError(f"digest {line}") from error


def test_the_page_of_commands_is_made_from_the_commands() -> None:
    assert PAGE.read_text() == commands_page(), "run: python -m tests.commands_page"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


# ---- settings --------------------------------------------------------------------------------


@EACH
def test_every_setting_named_exists(document: Path) -> None:
    text = document.read_text()
    named = set(re.findall(r"\bDIGEST_[A-Z0-9_]*[A-Z0-9](?![A-Z0-9_]*…)", text))
    files = {f"{name}_FILE" for name, row in TABLE.items() if row["secret"]}
    assert named - set(TABLE) - files - BY_TESTS_ONLY == set()
    for beginning in re.findall(r"\b(DIGEST_[A-Z0-9_]*)…", text):
        assert any(name.startswith(beginning) for name in TABLE), beginning


@EACH
def test_every_default_in_prose_is_the_programs(document: Path) -> None:
    """Such as: `DIGEST_RUN_AT` (08:00 by default), or `DIGEST_WAIT_FOR_SOURCES` minutes (60 …)."""
    text = " ".join(document.read_text().split())
    stated = re.findall(r"`(DIGEST_\w+)`[^`()]{0,40}\((\S+) by default\)", text)
    assert {name: TABLE[name]["default"] for name, _ in stated} == dict(stated)
    assert len(stated) == text.count(" by default)"), "one is stated in other words"


@EACH
def test_settings_in_code_can_be_set(document: Path) -> None:
    given = re.findall(r"^(DIGEST_\w+)=(.+)$", _code_blocks(document.read_text()), re.MULTILINE)
    for name, value in given:
        if "…" not in value:
            read_settings({name: value.replace(NEW_KEY, "0123456789abcdef" * 2)})


# ---- links -----------------------------------------------------------------------------------


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _prose(document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@EACH
def test_every_link_to_a_file_or_a_heading_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = (document.parent / path) if path else document
        assert target.exists(), link
        assert not heading or heading in _anchors(target), link


# ---- what operations.md lists ----------------------------------------------------------------


def _table(heading: str) -> dict[str, str]:
    """The rows of the table under a heading of operations.md, by their first cell."""
    _, _, rest = OPERATIONS.read_text().partition(f"\n{heading}\n")
    part, *_ = re.split(r"^#+ ", rest, flags=re.MULTILINE)
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", part, re.MULTILINE)
    return {first: rest for first, rest in rows if not first.startswith("---")}


def _code_in(cells: object) -> set[str]:
    return set(re.findall(r"`([^`]+)`", " ".join(cells)))


def test_each_exit_status_is_what_it_is_said_to_be(newcomer: Person) -> None:
    done = {
        "0": lambda: newcomer.run("config"),
        "1": lambda: newcomer.run("why", "nobody@example.org"),
        "2": lambda: newcomer.run("status", "--jsno"),
        "75": lambda: _without_a_database(newcomer).run("inbox", "-", given="From: a@b.example\n"),
    }
    assert set(_table("## Exit statuses")) - {"exit status"} == set(done)
    of_status = {each for each in _table("## How things are") if each.isdecimal()}
    assert of_status == set(done) - {"75"}
    for status, run in done.items():
        assert str(run().returncode) == status


def _without_a_database(person: Person) -> Person:
    settings = {"DIGEST_DATABASE_URL": "postgresql+psycopg://ada@127.0.0.1:1/digest"}
    return Person(person.folder, settings)


def test_each_worry_is_described() -> None:
    table = _table("## How things are")
    assert _code_in(each for each in table if each.startswith("`")) == set(WarningKind)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    app = App({}, None, **{**SENDING, "home": str(tmp_path)})
    yield app
    app.engine.dispose()


def test_each_name_in_the_status_is_described(app: App) -> None:
    record = to_json(app.status(NOW))
    assert _code_in(_table("### The JSON")) == set(record)


def test_each_figure_is_described(app: App) -> None:
    told = _code_in(_table("### Metrics"))
    names = {re.sub(r"{.*", "", each) for each in told}
    figures = exposition(app.status(NOW), gather_counts(app.ledger, app.registry, NOW)).decode()
    found = {family.name.removeprefix(PREFIX) for family in text_string_to_metric_families(figures)}
    assert found <= names
    only_later = {name for name in names - found if not name.startswith(("last_", "source_"))}
    assert only_later == set(), "an empty ledger has these"


# ---- the two commands of the README ----------------------------------------------------------


def test_ci_runs_the_readmes_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    ci = (ROOT / ".ci" / "run").read_text()
    first, second = re.findall(r"^python3 -m venv .+$", readme, re.MULTILINE)
    assert first in ci
    assert f"\n{second}\n" in ci
