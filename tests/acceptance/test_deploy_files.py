"""What the files of docs/deploy name is there: settings, services, volumes, extras, commands."""

import re
import shutil
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from digest.settings.reading import read_settings
from tests.acceptance.test_docs import TABLE, _parse

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROFILES = {"trial", "sqlite", "postgresql"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file as Compose reads it, with the default of each variable."""
    text = (DEPLOY / "compose.yaml").read_text()
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))


def test_every_setting_that_they_name_exists() -> None:
    for file in DEPLOY.rglob("*"):
        if file.is_file():
            named = set(re.findall(r"\bDIGEST_[A-Z_]+[A-Z]\b", file.read_text()))
            assert named <= set(TABLE), file


def test_compose_names_what_it_has(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        assert set(service["profiles"]) <= PROFILES, name
        profiles = set(service["profiles"])
        for needed in service.get("depends_on", ()):
            assert profiles <= set(services[needed]["profiles"]), f"{name} needs {needed}"
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            there = (
                (DEPLOY / source).is_file() if source[0] == "." else source in compose["volumes"]
            )
            assert there, volume
        assert set(service.get("networks", ())) <= set(compose["networks"])
    waited_for = [
        needed
        for service in services.values()
        if isinstance(service.get("depends_on"), dict)
        for needed, how in service["depends_on"].items()
        if how["condition"] == "service_healthy"
    ]
    assert waited_for
    assert all("healthcheck" in services[needed] for needed in waited_for)


def test_each_profile_has_pages_and_their_settings_can_be_read(compose: dict[str, Any]) -> None:
    ours = [each for each in compose["services"].values() if each["image"] == "paper-digest"]
    serving = set()
    for service in ours:
        command = service.get("command", ["up"])
        _parse(" ".join(command))
        read_settings(service["environment"])
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        if command[0] in {"up", "serve"} or "command" not in service:
            serving |= set(service["profiles"])
    assert serving == PROFILES
    name, port = compose["services"]["caddy"]["environment"]["PAGES"].split(":")
    assert port == "8000"
    for profile in compose["services"]["caddy"]["profiles"]:
        networks = [each["networks"] for each in ours if profile in each["profiles"]]
        named = [each["default"]["aliases"] for each in networks if isinstance(each, dict)]
        assert named == [[name]], profile


def test_the_image_gets_what_it_copies() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = [line[1:] for line in ignored if line.startswith("!")]
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE):
        for source in line.split():
            assert (ROOT / source).exists(), source
            assert any(fnmatch(source, pattern) for pattern in let_in), source
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert set(re.findall(r"^ARG EXTRAS=(.+)$", dockerfile, re.MULTILINE)[0].split(",")) <= set(
        extras
    )
    command = re.findall(r"^CMD (\[.+\])$", dockerfile, re.MULTILINE)[-1]
    _parse(" ".join(yaml.safe_load(command)))


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.stem)
def test_a_unit_is_sound_and_hardened(tmp_path: Path, file: Path) -> None:
    (program,) = re.findall(r"^ExecStart=(\S+/digest) (.+)$", file.read_text(), re.MULTILINE)
    _parse(program[1])
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze on this machine: Debian's package is systemd")
    unit = tmp_path / file.name
    unit.write_text(file.read_text().replace(program[0], "/bin/true"))  # a program must be there
    verified = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", unit]
    assert subprocess.run(judged, capture_output=True, check=False).returncode == 0


def test_all_units_have_the_same_folder_and_the_same_limits() -> None:
    """Two folders of one machine would be two installations: one would be taken for a copy."""
    one, *others = [
        set(re.findall(r"^(?!Description|ExecStart)\w+=.*$", unit.read_text(), re.MULTILINE))
        for unit in UNITS
    ]
    assert "Environment=DIGEST_HOME=/var/lib/paper-digest" in one
    for other in others:
        assert other == one
