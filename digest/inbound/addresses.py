"""Find addresses as reports write them. Pure."""

import re

# An atom or a quoted string before the at sign, a host with a dot after it (RFC 5322 section 3.4.1,
# RFC 6531). It begins after something that no atom holds, which keeps the search linear.
# Full-width punctuation of East Asian notices breaks as well.
_BREAK = r"\s<>()\[\]{},:;\"\\|`（）［］＜＞〈〉《》「」『』【】〔〕，、。：；"
_ADDRESS = re.compile(
    rf"""(?<![^{_BREAK}'])(?:"[^"\s@]{{1,62}}"|[^{_BREAK}@'.](?:[^{_BREAK}@.]|\.(?![.@])){{0,255}})"""
    r"""@(?:[^\W_][\w-]{0,62}\.){1,20}[^\W\d_][\w-]{0,62}"""
)
# Letters that East Asian sentences glue to an address without a blank.
_GLUED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f"
_GLUED_BEFORE = re.compile(rf"^[^@]*[{_GLUED}](?=[!-~]+@[!-~]+)")
_GLUED_AFTER = re.compile(rf"(@[!-~]+\.[a-z]{{2,24}})[{_GLUED}].*$", re.IGNORECASE)
# How servers write what ASCII cannot: RFC 6533 section 3, and RFC 3461 section 4 (xtext), which
# hides nothing in an address but these two.
_UNICODE = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_XTEXT = re.compile(r"\+(2B|3D)")
_TYPE = re.compile(r"^\s*[A-Za-z0-9-]{1,20}\s*;")


def addresses_in(text: str) -> list[str]:
    """Return the addresses in a text in order, each once, whatever their case."""
    found: dict[str, str] = {}
    for match in _ADDRESS.finditer(text):
        address = _GLUED_BEFORE.sub("", _GLUED_AFTER.sub(r"\1", match[0]))
        address = address.lstrip("*-.").rstrip("-_")
        found.setdefault(address.lower(), address)
    return list(found.values())


def typed_address(value: str) -> str:
    """Return the address in a field like ``rfc822; ada@example.org`` (RFC 3464 section 2.1.2).

    Empty if it is not one of e-mail, or is not what it says.
    """
    plain = _UNICODE.sub(_character, _TYPE.sub("", value))
    return next(iter(addresses_in(plain)), "")


def original_address(value: str) -> str:
    """Return the same from Original-Recipient, where some servers leave it encoded as xtext."""
    return typed_address(_XTEXT.sub(lambda match: chr(int(match[1], 16)), value))


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else match[0]
