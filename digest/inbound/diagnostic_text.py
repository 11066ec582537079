"""What servers say of an address that mail did not reach: is it dead? Pure.

By enhanced status code first (RFC 3463), then by reply code (RFC 5321 section 4.2.1), then by
words. In doubt an address is not dead: a failure that lasts will be reported again.
"""

import re

from digest.inbound.phrases import phrases
from digest.inbound.report import Recipient
from digest.model.messages import names_dead_mailbox, says_address_may_live

LONGEST_DIAGNOSTIC = 500

_STATUS = re.compile(r"(?<![\d.])([245]\.[0-7]\.\d{1,3})(?!\.?\d)")
# A reply: a code, perhaps the same code as status, a text.
_REPLY = re.compile(r"(?<![\w.#:/-])([45]\d\d)(?=[\s\-,:;#)\]]|$)(?!\s*(?:bytes|[kKmMgG]i?[bB]\b))")
# 5.0.0 and the like only say that it failed; codes that end in 0 leave the detail open.
_DETAILED = re.compile(r"^[245]\.\d\.[1-9]")
_MAILBOX_FULL = "552"
# A server that refuses before it was told the address, or once it has the whole mail, has nothing
# against the address: filters pretend like that.
_NOT_AT_ADDRESS = re.compile(
    r"(?:after|reply to) (?:end of data|(?:pipelined )?mail from|[eh]h?[el]lo|initial)"
    r"|>>>\s*data\s+<<<\s*55[0-3]|command\s+data\b",
    re.IGNORECASE,
)
# What RFC 5321 (section 4.2.2) has servers say of an address that they do not know, and of a mail
# that they do not want alike. It is the address that they mean when they have just been told it.
_UNAVAILABLE = re.compile(r"action not taken\W+mailbox unavailable", re.IGNORECASE)
_AT_ADDRESS = re.compile(
    r"(?:after|reply to) (?:pipelined )?rcpt to|>>> ?rcpt to:[^\n]{0,300}\s{1,20}<<< ?55[0-3]",
    re.IGNORECASE,
)
# Big hosts use the status of a disabled mailbox for one that gets too much at once, too.
_DISABLED = "5.2.1"
_TOO_MUCH = re.compile(r"at a rate|too (?:many|much|quickly)|quota|full\b", re.IGNORECASE)
_NOT_THE_ADDRESS = phrases("not_the_address")
_DEAD = phrases("dead_address")


def recipient(address: str, text: str, status: str = "", transcript: str = "") -> Recipient:
    """Read what a server has said of one address, and whether it means that the address is dead.

    ``status`` is what the report says itself; if it leaves the detail open, the server's words may
    hold a better one. ``transcript`` is what was said between servers, if anybody tells.
    """
    diagnostic = " ".join(text.split())[:LONGEST_DIAGNOSTIC]
    status = best_status(status, diagnostic)
    return Recipient(address, is_hard(status, diagnostic, transcript), status, diagnostic)


def best_status(status: str, text: str) -> str:
    """Return the first status that says what went wrong, the server's own words first; else any."""
    found = [*_STATUS.findall(text), *_STATUS.findall(status)]
    failed = [status for status in found if not status.startswith("2")]
    return next((status for status in failed if _DETAILED.match(status)), next(iter(failed), ""))


def is_hard(status: str, text: str, transcript: str = "") -> bool:
    """Whether the address is dead."""
    if names_dead_mailbox(status):
        return not (status == _DISABLED and _TOO_MUCH.search(text)) and not _is_guess(status, text)
    code = reply_code(text)
    if says_address_may_live(status) or code.startswith("4") or code == _MAILBOX_FULL:
        return False
    talk = f"{text}\n{transcript}"
    if _NOT_THE_ADDRESS.search(text) or _NOT_AT_ADDRESS.search(talk):
        return False
    found = _AT_ADDRESS.search(talk) if _UNAVAILABLE.search(text) else _DEAD.search(text)
    return found is not None


def reply_code(text: str) -> str:
    match = _REPLY.search(text)
    return match[1] if match else ""


def _is_guess(status: str, text: str) -> bool:
    """Whether a server has made up the status from a reply that had none, and speaks of others."""
    if status in text or not reply_code(text):
        return False
    return bool(_NOT_THE_ADDRESS.search(text)) and not _DEAD.search(text)
