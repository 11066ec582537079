"""Lists of tags, `name=value; …`, as DKIM and DMARC write them (RFC 6376 section 3.2). Pure."""

import re

_TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*(.*?)\s*", re.DOTALL)


def readable_tags(text: str) -> dict[str, str]:
    """What can be read of such a list: names in small letters, the first value of each."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        if read := _TAG.fullmatch(part):
            tags.setdefault(read[1].lower(), read[2])
    return tags


def read_tags(text: str) -> dict[str, str]:
    """Values by name, in their order. Raises ValueError for what is no such list."""
    tags: dict[str, str] = {}
    parts = text.split(";")
    if not parts[-1].strip():  # behind the last one a semicolon may stand
        parts.pop()
    for part in parts:
        read = _TAG.fullmatch(part)
        if read is None:
            raise ValueError(f"{part.strip()[:40]!r} is no tag")
        name, value = read.groups()
        if name in tags:
            raise ValueError(f"{name}= stands there twice")
        tags[name] = value
    return tags
