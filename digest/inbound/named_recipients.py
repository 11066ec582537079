"""Whom a notice in plain words is about, by how such notices are written. Pure.

The surest way to name somebody wins: what only a program writes, then lines that begin with an
address, then sentences about a failure.
"""

import re
from collections.abc import Callable
from email.message import Message

from digest.inbound.addresses import addresses_in, typed_address
from digest.inbound.dsn_rules import says_failure
from digest.inbound.mime_parts import header, returned

_LABEL = re.compile(
    r"^[\s>*|-]*(?:(?:failed|intended|invalid|unknown|original|final|undeliverable)\s+)?"
    r"(?:recipient|error-for|undeliverable address|original address"
    r"|delivery failed)\b[^:@]{0,24}[:=]\s*(?P<rest>.*)$",
    re.IGNORECASE,
)  # fmt: skip
_COMMAND = re.compile(r"\brcpt to\s*:\s*(?P<rest>.*)$", re.IGNORECASE)
_ANSWERED = re.compile(
    r"^\s*[45]\d\d[\s-]+<?(?P<rest>[^\s<>]+@[^\s<>]+)>?\s*(?:\.\.\.|:)", re.IGNORECASE
)
# An address alone, or with what was said of it: "<ada@example.org>: 550 ...", "* ada@example.org".
_LEADING = re.compile(
    r"^(?:[^\s@<:]+@[^\s<]+\s+)?[<\"'\[(]?(?P<rest>[^\s<>\"'\[\]()]+@[^\s<>\"'\[\]():;,]+)"
)
_AFTER = re.compile(r"^[>\"'\])]*\s*(?:<[^>]*>\s*)?(?:$|:|;|,|\.\.\.|\[|\(|\s-)")
# Addresses to turn to, not to give up.
_HELP = re.compile(
    r"contact|support|assistance|help|question|postmaster|further|administrator|abuse@|unsubscribe",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"^[\s>*-]*(?:from|sender|reply-to|mail from|return-path|cc|subject|date|message-id)\s*:"
    r"|<<<|\bmail from\b",
    re.IGNORECASE,
)
_TO = re.compile(r"^[\s>*-]*to\s*:\s*(?P<rest>.*)$", re.IGNORECASE)
_SYSTEM = re.compile(
    r"^(?:postmaster|mailer-daemon|mail-daemon|abuse|double-bounce)@", re.IGNORECASE
)

_BULLETS = " \t>*|#-"

Reader = Callable[[str], list[str]]


def named_in(mail: Message, lines: list[str], quoted: list[str]) -> list[str]:
    """The addresses that the notice says it could not reach.

    ``quoted`` are the lines of the mail that it returns, if it does so in its own text.
    """
    ours = {each.lower() for name in ("To", "From") for each in addresses_in(header(mail, name))}
    if failed := addresses_in(header(mail, "X-Failed-Recipients")):
        return failed
    for reader in (_labelled, _leading, _in_sentences, _to):
        found = [each for line in lines for each in reader(line)]
        others = [
            each for each in _once(found) if each.lower() not in ours and not _SYSTEM.match(each)
        ]
        if others:
            return others
    return _addressed(mail, quoted, ours)


def _labelled(line: str) -> list[str]:
    for pattern in (_LABEL, _COMMAND, _ANSWERED):
        if match := pattern.search(line):
            return [each for each in (typed_address(match["rest"]),) if each]
    return []


def _leading(line: str) -> list[str]:
    stripped = line.lstrip(_BULLETS)
    match = _LEADING.match(stripped)
    if not match or not _AFTER.match(stripped[match.end() :]) or _OTHERS.match(line):
        return []
    return addresses_in(match["rest"])[:1]


def _in_sentences(line: str) -> list[str]:
    if not says_failure(line) or _HELP.search(line) or _OTHERS.search(line):
        return []
    return addresses_in(line)


def _to(line: str) -> list[str]:
    match = _TO.match(line)
    return addresses_in(match["rest"]) if match else []


def _addressed(mail: Message, quoted: list[str], ours: set[str]) -> list[str]:
    """Whom the returned message was for, if for one only: then it is about them."""
    inner = returned(mail)
    found = addresses_in(header(inner, "To")) if inner else []
    if not found:
        found = next(filter(None, map(_to, quoted)), [])
    return found if len(found) == 1 and found[0].lower() not in ours else []


def _once(found: list[str]) -> list[str]:
    return list({each.lower(): each for each in reversed(found)}.values())[::-1]
