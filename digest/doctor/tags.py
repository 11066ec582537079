"""Lists of tags, `name=value; …`, as DKIM and DMARC write them (RFC 6376 section 3.2). Pure."""

import re

_TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*(.*?)\s*", re.DOTALL)


def readable_tags(text: str) -> dict[str, str]:
    """Return what can be read of a list: values by name in lower case, the first of each."""
    read = filter(None, map(_TAG.fullmatch, reversed(text.split(";"))))
    return {tag[1].lower(): tag[2] for tag in read}


def read_tags(text: str) -> dict[str, str]:
    """Return values by name, in their order. Raises ValueError if the text is no such list."""
    tags: dict[str, str] = {}
    parts = text.split(";")
    if not parts[-1].strip():  # the last one may end with a semicolon
        parts.pop()
    for part in parts:
        read = _TAG.fullmatch(part)
        if read is None:
            raise ValueError(f"{part.strip()[:40]!r} is not a tag")
        if read[1] in tags:
            raise ValueError(f"{read[1]}= occurs twice")
        tags[read[1]] = read[2]
    return tags
