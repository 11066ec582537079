"""What a notice says before it quotes the mail that it is about, and of whom. Pure."""

import re

from digest.inbound.addresses import addresses_in
from digest.inbound.diagnostic_text import LONGEST_DIAGNOSTIC, best_status, reply_code

_MOST_LINES = 600
_LONGEST_LINE = 600
_MOST_TELLING = 4
_RULE = r"[\s*=_~#|+:.-]*"
_QUOTED = r"(?:original|returned|unsent|undelivered|rejected|failed|forwarded|source|copy of)"
_MAIL = r"(?:the |your |this )?(?:e-?mail|mail|message)(?: ?(?:text|body|headers?|info))?"
# "--- Below this line is a copy of the message.", "Original message follows:" and their kind.
_RETURNED = re.compile(
    rf"^\s*[-=*_~#|+]{{2}}{_RULE}(?:[\w']+ ){{0,6}}{_QUOTED} {_MAIL}"
    rf"|^\s*(?:[\w']+ ){{0,6}}{_QUOTED} {_MAIL}(?: \w+){{0,3}}(?: follows?| below| attached|:)\W*$"
    rf"|^{_RULE}(?:message|mail) (?:text |body |headers? )(?:follows?|is following|below){_RULE}$"
    rf"|^{_RULE}(?:below|included|here|this) (?:\w+ ){{0,4}}(?:copy|header|beginning|part)"
    rf"|^{_RULE}the (?:headers?|first|body) (?:\S+ ){{1,8}}(?:follows?|following){_RULE}$"
    rf"|^[\s>]*(?:received|return-path|dkim-signature):"
    rf"|^{_RULE}original message (?:headers|details)",
    re.IGNORECASE,
)


def lines_of(notice: str) -> tuple[list[str], list[str]]:
    """The notice's own lines, and those of the mail that it quotes below."""
    lines = [line[:_LONGEST_LINE] for line in notice.splitlines()[:_MOST_LINES]]
    said_something = False
    for number, line in enumerate(lines):
        if said_something and _RETURNED.match(line[:200]):
            return lines[:number], lines[number:]
        said_something = said_something or bool(line.strip())
    return lines, []


def said_of_each(everybody: list[str], lines: list[str]) -> dict[str, str]:
    """What the lines say of each address: from where it stands to where another does.

    If there is only one, all of them speak of it.
    """
    own: dict[str, list[str]] = {each.lower(): [] for each in everybody}
    current = list(own) if len(own) == 1 else []
    for line in lines:
        named = [each.lower() for each in addresses_in(line)]
        current = [each for each in named if each in own] or current
        if line.strip():
            for each in current:
                own[each].append(line)
    return {each: _telling(each.lower(), own[each.lower()]) for each in everybody}


def _telling(address: str, lines: list[str]) -> str:
    """The lines from the first with a status or a reply code on; else those around the address."""
    for number, line in enumerate(lines):
        if best_status("", line) or reply_code(line):
            return _joined(_one_reply(lines[number : number + _MOST_TELLING]))
    for number, line in enumerate(lines):
        if address in line.lower():
            return _joined(lines[max(number - 2, 0) :])
    return _joined(lines)


def _one_reply(lines: list[str]) -> list[str]:
    """These lines up to where another reply begins."""
    code = reply_code(lines[0])
    for number, line in enumerate(lines):
        if reply_code(line) not in {"", code}:
            return lines[:number]
    return lines


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())[:LONGEST_DIAGNOSTIC]
