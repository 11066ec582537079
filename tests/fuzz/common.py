"""What all readers of the fuzzer share: what a reader is, and samples to change."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from digest.model.verp import Verp
from subscribers.errors import TokenError
from subscribers.tokens import Purpose, Tokens
from tests.support import NOW

FIXTURES = Path(__file__).parents[1] / "fixtures"
KEY = "a key for fuzzing only, and a long one"
PERSON = "0123456789abcdef0123456789abcdef"
TOKENS = Tokens([KEY])
VERP = Verp([KEY], "bounces@example.org")
FOLDER = Path(tempfile.mkdtemp(prefix="digest-fuzz-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


@dataclass(frozen=True)
class Reader:
    """A reader of outside input, the inputs to try, and the errors that it documents."""

    read: Callable[[Any], object]
    inputs: st.SearchStrategy[Any]
    raises: tuple[type[Exception], ...] = ()


def files(*patterns: str) -> list[bytes]:
    found = sorted(path for pattern in patterns for path in FIXTURES.glob(pattern))
    assert found, patterns
    return [path.read_bytes() for path in found]


def as_json(*values: object) -> list[bytes]:
    return [json.dumps(value).encode() for value in values]


def read_token(token: str) -> None:
    for purpose in Purpose:
        for read in (TOKENS.read, lambda why, it: TOKENS.read_at(why, it, NOW)):
            try:
                read(purpose, token)
            except TokenError:
                continue
