"""What servers say of an address that mail did not reach: is it dead? Pure.

By enhanced status code first (RFC 3463), then by reply code (RFC 5321 section 4.2.1), then by
words. In doubt an address is not dead: a failure that lasts will be reported again.
"""

import re

from digest.inbox.report import Recipient
from digest.statuses import names_dead_mailbox, says_address_may_live

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
# Big hosts use the status of a disabled mailbox for one that gets too much at once, too.
_DISABLED = "5.2.1"
_TOO_MUCH = re.compile(r"at a rate|too (?:many|much|quickly)|quota|full\b", re.IGNORECASE)


def _any_of(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


# What is wrong with us or our mail, or will pass.
_NOT_THE_ADDRESS = _any_of(
    r"quota|full mailbox",
    r"(?:box|storage|disk|user|account|folder).{1,30}?(?:full|exceeded)",
    r"(?:insufficient|not enough|out of|no)\W+(?:\w+\W+)?(?:storage|disk|space)",
    r"too (?:large|big|many|much)|(?:message|size).{1,30}?(?:exceeds|exceeded|limit)",
    r"spam|junk|virus|unsolicited|reputation|policy|content|black.?list|block.?list|blocked|banned",
    r"\bspf\b|dkim|dmarc|authenticat|unauthenticated|not authori[sz]ed|\bptr\b|reverse dns",
    r"relay(?:ing)?.{1,30}?(?:denied|prohibited|not)|not permitted|unable to relay|norelay",
    r"sender.{1,30}?(?:rejected|denied|invalid|unknown|verif)|access denied",
    r"(?:domain|address) of sender|sender('s)? (?:domain|address)|client host|helo|ehlo",
    r"tim(?:ed?|ing).?out|expired|too long|giv(?:e|en|ing) up after"
    r"|try(?:ing)? again (?:later|in)|retr(?:y|ies)",
    r"temporar|(?:connection|network)\W+(?:\w+\W+)?(?:refused|reset|lost|closed|timed)|unreachable",
    # RFC 5321 gives 550 this text for policy as well.
    r"action not taken\W+mailbox unavailable",
    r"loop|hop count|too many hops|rate limit|throttl|grey.?list|service unavailable",
    r"(?:account|mailbox|user|recipient).{1,30}?(?:suspend|disabled|inactive|locked|frozen)",
    r"(?:suspend|disabled|inactive|locked|frozen)\w*\W+(?:\w+\W+)?(?:account|mailbox|user)",
    r"permission|autoris[ée]|権限|權限|权限|berechtig|permiso|permiss[ãi]",
    r"überfüllt|voll\b|pleine|saturée|llen[ao]\b|cheia|piena|переполнен|容量|いっぱい|已满",
)  # fmt: skip
_NOBODY = (
    r"(?:user|recipient|mailbox|address|account|addressee|person|login|alias|userid|subscriber)"
)
_DEAD = _any_of(
    rf"(?:no such|unknown|invalid|nonexistent|non-existent|bad|illegal).{{1,30}}?{_NOBODY}",
    rf"no (?:\w+\W+){{0,2}}{_NOBODY}\W+(?:\w+\W+)?(?:here|by that|by this|with|found|at\b)",
    rf"{_NOBODY}(?:\(s\)|s)?.{{1,40}}?(?:unknown|invalid|not found|not known|not exist)",
    rf"{_NOBODY}(?:\(s\)|s)?.{{1,40}}?(?:does(?:n'?t| not) (?:exist|have)|not listed)",
    rf"{_NOBODY}.{{1,40}}?(?:no longer|has (?:moved|been (?:deleted|removed|closed)))",
    r"not a (?:valid|known) (?:\w+\W+)?(?:user|mailbox|recipient|address|account)",
    r"(?:cannot|could not|can't|couldn't|not) (?:be )?(?:find|found|locate|resolve)\w*.{1,30}?"
    rf"{_NOBODY}",
    r"not found by smtp address|recipientnotfound|recipnotfound|notinrcpthosts"
    r"|unrout(?:e)?able address",
    r"unknown (?:local.?part|domain|host)"
    r"|host (?:or domain name |name )?(?:unknown|not found|lookup)",
    r"(?:domain|host).{1,40}?(?:not exist|not found|nonexist|unknown|not resolve|no mx)",
    r"(?:^|\s)[\w-]{1,63}(?:\.[\w-]{1,63}){1,5} does(?: not|n't) exist",
    r"nxdomain|null mx|nullmx|does not accept (?:e?.?mail|messages)|no (?:valid )?mx"
    r"|no smtp service",
    r"no valid recipients?|(?:illegal|invalid|bad)\W+(?:host|domain)|domain is not reachable",
    r"name or service not known|no such (?:domain|host)|all relevant mx records point to non",
    r"unbekannt|existiert nicht|inconnu|n'existe pas|non recens|no existe|desconocid|inexistente",
    r"n[ãa]o existe|desconhecid|sconosciut|non esiste|не существует|не найден|неизвестн",
    r"見つからない|存在しない|存在しません|不存在|用户不存在|onbekend|bestaat niet|finnes ikke",
)  # fmt: skip


def recipient(address: str, said: str, status: str = "", transcript: str = "") -> Recipient:
    """What a server has said of one address, and whether it means that the address is dead.

    ``status`` is what the report says itself; if it leaves the detail open, the server's words may
    hold a better one. ``transcript`` is what was said between servers, if anybody tells.
    """
    diagnostic = " ".join(said.split())[:LONGEST_DIAGNOSTIC]
    status = best_status(status, diagnostic)
    dead = is_hard(status, diagnostic)
    if dead and not names_dead_mailbox(status):
        dead = not _NOT_AT_ADDRESS.search(f"{diagnostic}\n{transcript}")
    return Recipient(address, dead, status, diagnostic)


def best_status(status: str, said: str) -> str:
    """The first status that says what went wrong, the server's own words first; else any."""
    found = [*_STATUS.findall(said), *_STATUS.findall(status)]
    failed = [each for each in found if not each.startswith("2")]
    return next((each for each in failed if _DETAILED.match(each)), next(iter(failed), ""))


def is_hard(status: str, said: str) -> bool:
    """Whether the address is dead."""
    if names_dead_mailbox(status):
        return status != _DISABLED or not _TOO_MUCH.search(said)
    if says_address_may_live(status):
        return False
    code = reply_code(said)
    if code.startswith("4") or code == _MAILBOX_FULL:
        return False
    return bool(_DEAD.search(said)) and not _NOT_THE_ADDRESS.search(said)


def reply_code(said: str) -> str:
    match = _REPLY.search(said)
    return match[1] if match else ""
