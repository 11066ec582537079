"""Read the settings from the environment.

The environment wins over ``.env``, which wins over the default. A secret may be in a file:
``DIGEST_SECRET_FILE=/run/secrets/digest`` is read for DIGEST_SECRET. Why this is not
pydantic-settings: docs/decisions/settings.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from dotenv.parser import parse_stream

from digest.errors import SettingError
from digest.settings.settings import PREFIX, Settings, variable

# Only what is plainly the URL of a server is ever shown: in any other text a password may be
# anywhere (unescaped, so that it looks like a path; in the query, as PostgreSQL allows).
_SERVER_URL = re.compile(
    r"(?P<before>(?:(?:smtp|imap)(?:s|\+starttls)?|lmtp|postgresql(?:\+\w+)?)://[^:@/?#]+)"
    r"(?P<password>:[^@/?#]+(?=@))?"
    r"(?P<after>(?:@[^:@/?#]+)?(?::\d+)?(?:/[^@?#]*)?)"
)
# A place, not a key; in a URL, the password is what is between user and host, escaped or not.
_PLACE = re.compile(
    r"[/.~]|(?:sqlite|postgresql|file|maildir|sendmail|lmtp|smtp|imap)[\w+]*:"
    r"(?://[^:@/]*:(?P<password>.+)@)?"
)


# Settings of earlier versions, and what to do instead.
_REMOVED = {
    "DIGEST_THUMBNAILS": (
        "pictures are now served by your own pages, and DIGEST_PICTURES turns them on or off; "
        "remove this line"
    ),
}

# Each place that sets variables, by its name; the first that sets one wins.
Layers = list[tuple[str, Mapping[str, str | None]]]


@dataclass(frozen=True)
class Origin:
    """The text of a setting, and the place that set it."""

    name: str
    value: str
    came_from: str
    secret: bool

    @property
    def secrets(self) -> list[str]:
        """Return the passwords and keys in a secret value; a path is not one."""
        if not self.secret or not self.value:
            return []
        if place := _PLACE.match(self.value):
            password = place["password"]
            return [password, unquote(password)] if password else []
        return [self.value, *re.split(r"\s*,\s*", self.value)]

    @property
    def shown(self) -> str:
        """Return what may be printed: dots for a secret, or a server's URL with dots in it."""
        if not self.secret or not self.value:
            return self.value
        url = _SERVER_URL.fullmatch(self.value)
        if url is None:
            return "••••••••"
        return url["before"] + (":••••••••" if url["password"] else "") + url["after"]


def read_settings(
    environment: Mapping[str, str], dotenv: Path | None = None, **fixed: str
) -> tuple[Settings, list[Origin]]:
    """Read every setting from the environment, a ``.env`` file and the defaults.

    ``fixed`` holds texts by field name, from the command line, which win over all. Raises
    SettingError, which names the variable, for a value that cannot be read and for an unknown
    variable with our prefix.
    """
    from_file = _read_dotenv(dotenv) if dotenv and dotenv.exists() else {}
    layers: Layers = [
        ("command line", {variable(name): value for name, value in fixed.items()}),
        ("environment", environment),
        (str(dotenv), from_file),
    ]
    _refuse_unknown(layers)
    read: dict[str, Any] = {}
    origins = []
    for row in fields(Settings):
        origin = _find(variable(row.name), row.metadata, layers)
        try:
            read[row.name] = row.metadata["read"](origin.value) if origin.value else None
        except ValueError as error:
            shown = "" if origin.secret else f" is {origin.value!r}:"
            raise SettingError(f"{origin.name}{shown} {error} ({origin.came_from})") from None
        origins.append(origin)
    return Settings(**read), origins


def _read_dotenv(file: Path) -> dict[str, str | None]:
    """Return what a ``.env`` file sets, without interpolation: a password may hold a dollar."""
    try:
        lines = list(parse_stream(StringIO(file.read_text(encoding="utf-8"))))
    except OSError as error:
        raise SettingError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingError(f"{file} is not in UTF-8: save it in this encoding") from None
    for line in lines:
        if line.error:
            text = line.original.string
            blank_lines = text[: len(text) - len(text.lstrip())].count("\n")
            number = line.original.line + blank_lines
            raise SettingError(f"{file}, line {number}: expected NAME=value")
    return {line.key: line.value for line in lines if line.key}


def _find(name: str, row: Mapping[str, Any], layers: Layers) -> Origin:
    for came_from, layer in layers:
        if value := layer.get(name):
            return Origin(name, value, came_from, row["secret"])
        if row["secret"] and (file := layer.get(f"{name}_FILE")):
            return Origin(name, _read_secret(f"{name}_FILE", file), f"{came_from}, {file}", True)
    return Origin(name, row["default"], "default", row["secret"])


def _read_secret(name: str, file: str) -> str:
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, ValueError, RuntimeError) as error:  # no UTF-8, a NUL, no such user
        raise SettingError(f"{name} is {file!r}: cannot be read ({error})") from None


def _refuse_unknown(layers: Layers) -> None:
    """Refuse a misspelt name, which would otherwise be ignored."""
    known = [variable(row.name) for row in fields(Settings)]
    known += [f"{variable(row.name)}_FILE" for row in fields(Settings) if row.metadata["secret"]]
    for came_from, layer in layers:
        for name in layer:
            # The tests have settings of their own.
            is_ours = name.startswith(PREFIX) and not name.startswith("DIGEST_TEST_")
            if is_ours and name in _REMOVED:
                raise SettingError(f"{name} is no longer a setting ({came_from}): {_REMOVED[name]}")
            if is_ours and name not in known:
                close = get_close_matches(name.upper(), known, n=1, cutoff=0.75)
                hint = f"did you mean {close[0]}?" if close else "see digest config --example"
                raise SettingError(f"{name} is not a setting ({came_from}); {hint}")
