"""Addresses as reports write them. Pure."""

import re

# An atom or a quoted string before the at sign, a host with a dot after it (RFC 5322 section 3.4.1,
# RFC 6531). It begins after something that no atom holds, which keeps the search linear.
_BREAK = r"\s<>()\[\]{},:;\"\\|`"
_ADDRESS = re.compile(
    rf"""(?<![^{_BREAK}'])(?:"[^"\s@]{{1,62}}"|[^{_BREAK}@'.](?:[^{_BREAK}@.]|\.(?![.@])){{0,255}})"""
    r"""@(?:[^\W_][\w-]{0,62}\.){1,20}[^\W\d_][\w-]{0,62}"""
)
_TYPE = re.compile(r"^\s*[A-Za-z0-9-]{1,20}\s*;")


def addresses_in(text: str) -> list[str]:
    """The addresses in a text in order, each once, whatever their case."""
    found: dict[str, str] = {}
    for match in _ADDRESS.finditer(text):
        address = match[0].lstrip("*-.").rstrip("-_")
        found.setdefault(address.lower(), address)
    return list(found.values())


def typed_address(value: str) -> str:
    """The address in a field like ``rfc822; ada@example.org`` (RFC 3464 section 2.1.2).

    Empty if it is not one of e-mail, or is not what it says.
    """
    return next(iter(addresses_in(_TYPE.sub("", value))), "")
