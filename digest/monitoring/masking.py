"""Hide in the texts of a log what it must not tell: mail addresses, tokens, passwords.

Of an address its first letter and its domain stay, ``a…@example.org``. Pure, and about linear in
the length of a text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

HIDDEN = "…"
SHORTEST_SECRET = 6  # characters; shorter ones are in many words

# What may stand before the @ of an address, and what ends it in a text; the @ may be written as in
# a URL. A run of such letters is looked at once, from its beginning.
_LETTERS = r"[^\s<>()\[\],;:\"\\@]"
_DOMAIN = r"(?:\[[^\]\s]*\]|[^\s<>()\[\],;:\"'\\@]+)"
_ADDRESS = re.compile(
    rf"(?<!{_LETTERS})(?P<before>['=]*+)(?P<first>(?!['=]){_LETTERS})?{_LETTERS}*"
    rf"(?P<at>@|%40)(?P<domain>{_DOMAIN})"
    rf"|\"[^\"]*\"(?P<at_quoted>@|%40)(?P<domain_quoted>{_DOMAIN})"
)
# A token of subscribers.tokens: what is signed, and 32 octets of signature in base 64.
_TOKEN = re.compile(r"(?<![\w.-])\.?[\w-]+\.[\w-]{43}(?![\w-])", re.ASCII)
# The tag in an envelope sender (see verp.py): the delivery's number may be read.
_TAG = re.compile(r"(\+[0-9]{1,10}-)[a-z2-7]{20}(?=@|%40)", re.IGNORECASE)
# The password of a URL, also one that was not escaped.
_PASSWORD = re.compile(r"(://[^\s:/@?#]*):\S*@")


def _without_name(found: re.Match[str]) -> str:
    if found["at"]:
        return f"{found['before']}{found['first'] or ''}{HIDDEN}{found['at']}{found['domain']}"
    return f"{HIDDEN}{found['at_quoted']}{found['domain_quoted']}"


@dataclass
class Mask:
    """Hides them; ``secrets`` are texts to hide wherever they stand."""

    shows_addresses: bool = False
    secrets: tuple[str, ...] = ()

    def hide(self, secrets: Iterable[str]) -> None:
        """Hide these as well from now on, unless they are too short to be told from words."""
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        known |= set(self.secrets)
        self.secrets = tuple(sorted(known, key=len, reverse=True))  # one may be part of another

    def text(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        text = _TOKEN.sub(HIDDEN, text)
        if "@" not in text and "%40" not in text:
            return text
        text = _TAG.sub(rf"\1{HIDDEN}", _PASSWORD.sub(rf"\1:{HIDDEN}@", text))
        return text if self.shows_addresses else _ADDRESS.sub(_without_name, text)

    def value(self, value: Any) -> Any:
        """Return a value of any kind, masked: numbers as they are, all else as texts."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(item) for name, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item) for item in value]
        if isinstance(value, bytes | bytearray):
            return self.text(value.decode(errors="backslashreplace"))
        return self.text(str(value))
