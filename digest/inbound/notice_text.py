"""Read a notice for people, up to where it quotes the message that it is about. Pure.

The surest way to name somebody wins: what only a program writes, then lines that begin with an
address, then sentences about a failure.
"""

import logging
import re
from email.message import Message

from flufl.bounce import scan_message

from digest.inbound.addresses import addresses_in, typed_address
from digest.inbound.diagnostic_text import LONGEST_DIAGNOSTIC
from digest.inbound.diagnostics import best_status, code_in
from digest.inbound.dsn_rules import says_failure
from digest.inbound.mime_parts import header, open_mail, returned, without_returned

# ---- its own words --------------------------------------------------------------------------

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
    """Split a notice into its own lines and those of the message that it quotes below."""
    lines = [line[:_LONGEST_LINE] for line in notice.splitlines()[:_MOST_LINES]]
    has_begun = False
    for number, line in enumerate(lines):
        if has_begun and _RETURNED.match(line[:200]):
            return lines[:number], lines[number:]
        has_begun = has_begun or bool(line.strip())
    return lines, []


def diagnostics_of(everybody: list[str], lines: list[str]) -> dict[str, str]:
    """Return what the lines say about each address: from its line to that of another address.

    If there is only one address, all lines are about it.
    """
    own: dict[str, list[str]] = {address.lower(): [] for address in everybody}
    current = list(own) if len(own) == 1 else []
    for line in lines:
        named = [address.lower() for address in addresses_in(line)]
        current = [address for address in named if address in own] or current
        if line.strip():
            for address in current:
                own[address].append(line)
    return {address: _telling(address.lower(), own[address.lower()]) for address in everybody}


def _telling(address: str, lines: list[str]) -> str:
    """Return the lines from the first status or reply code on, or those around the address."""
    for number, line in enumerate(lines):
        if best_status("", line) or code_in(line):
            return _joined(_one_reply(lines[number : number + _MOST_TELLING]))
    for number, line in enumerate(lines):
        if address in line.lower():
            return _joined(lines[max(number - 2, 0) :])
    return _joined(lines)


def _one_reply(lines: list[str]) -> list[str]:
    """Return these lines up to where another reply begins."""
    code = code_in(lines[0])
    for number, line in enumerate(lines):
        if code_in(line) not in {"", code}:
            return lines[:number]
    return lines


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())[:LONGEST_DIAGNOSTIC]


# ---- whom it names --------------------------------------------------------------------------

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


def named_in(mail: Message, lines: list[str], quoted: list[str]) -> list[str]:
    """Return the addresses that the notice says it could not reach.

    ``quoted`` are the lines of the mail that it returns, if it does so in its own text.
    """
    ours = {
        address.lower() for name in ("To", "From") for address in addresses_in(header(mail, name))
    }
    if failed := addresses_in(header(mail, "X-Failed-Recipients")):
        return failed
    for reader in (_labelled, _leading, _in_sentences, _to):
        found = [address for line in lines for address in reader(line)]
        others = [
            address
            for address in _once(found)
            if address.lower() not in ours and not _SYSTEM.match(address)
        ]
        if others:
            return others
    return _addressed(mail, quoted, ours)


def _labelled(line: str) -> list[str]:
    for pattern in (_LABEL, _COMMAND, _ANSWERED):
        if match := pattern.search(line):
            return [address for address in (typed_address(match["rest"]),) if address]
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
    """Return the recipient of the returned message, if there is only one."""
    inner = returned(mail)
    found = addresses_in(header(inner, "To")) if inner else []
    if not found:
        found = next(filter(None, map(_to, quoted)), [])
    return found if len(found) == 1 and found[0].lower() not in ours else []


def _once(found: list[str]) -> list[str]:
    return list({address.lower(): address for address in reversed(found)}.values())[::-1]


# ---- whom flufl.bounce finds ----------------------------------------------------------------

# Its detectors know many programs by heart, and take any mail for a notice: it is only asked about
# one. Each of some fifty patterns is tried on each line.
_MOST_DETECTED = 1500

# It logs a trace for every email that breaks a detector; here that is an answer like any other.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)


def detected_in(content: bytes, lines: list[str]) -> list[str]:
    """Return the addresses that a detector finds, sorted; what is none is left out.

    Some detectors read on in the mail that a notice quotes. So if ``lines``, which are the notice's
    own, name some of those found, only they count.
    """
    try:
        found = scan_message(without_returned(open_mail(content, _MOST_DETECTED)))
    except Exception:  # noqa: BLE001  heuristics of others, on whatever strangers send
        return []
    texts = sorted(octets.decode("ascii", errors="replace") for octets in found)
    addresses = [text for text in texts if addresses_in(text) == [text]]
    own = {address.lower() for line in lines for address in addresses_in(line)}
    return [address for address in addresses if address.lower() in own] or addresses
