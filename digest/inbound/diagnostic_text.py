"""What servers say of an address that mail did not reach: is it dead? Pure.

By enhanced status code first (RFC 3463), then by reply code (RFC 5321 section 4.2.1), then by
words. In doubt an address is not dead: a failure that lasts will be reported again.
"""

import re

from digest.inbound.report import Recipient
from digest.model.smtp_status import names_dead_mailbox, says_address_may_live

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


def _any_of(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


# What is wrong with us or our mail, or will pass.
_NOT_THE_ADDRESS = _any_of(
    r"quota|full mailbox|used up",
    r"(?:box|storage|disk|user|account|folder).{1,30}?(?:full|exceeded)",
    r"(?:insufficient|not (?:have )?enough|out of|no)\W+(?:\w+\W+)?(?:storage|disk|space)",
    r"too (?:large|big|many|much)|(?:message|size).{1,30}?(?:exceeds|exceeded|limit)",
    r"spam|junk|virus|unsolicited|reputation|policy|content|black.?list|block.?list|blocked|banned",
    r"\bspf\b|dkim|dmarc|authenticat|not authori[sz]ed|\bptr\b|dns mx or|resource record",
    r"relay(?:ing)?.{1,30}?(?:denied|prohibited|not)|not permitted|unable to relay|norelay",
    r"sender.{1,30}?(?:rejected|denied|invalid|unknown|verif|not exist)",
    r"(?:unknown|invalid|bad|unroutable|unresolvable) sender|(?<!rejected: )access denied",
    r"(?:domain|address) of sender|sender('s)? (?:domain|address)|client host|helo|ehlo",
    r"(?:your|sending) (?:host|server|domain|ip)\b|\breverse\b|\brdns|you(?: are|'re| were) not",
    r"tim(?:ed?|ing).?out|expired|too long|giv(?:e|en|ing) up after"
    r"|try(?:ing)? again (?:later|in)|retr(?:y|ies)",
    r"(?:connection|network|session)\W+(?:\w+\W+)?(?:refused|reset|lost|closed|timed|terminat)",
    r"temporar|unreachable|invalid (?:header|message|command)|unknown (?:error|reason|command)",
    r"loop|hop count|too many hops|rate limit|throttl|grey.?list|service unavailable",
    r"(?:account|mailbox|user|recipient).{1,30}?(?:suspend|disabled|inactive|locked|frozen)",
    r"(?:suspend|disabled|inactive|locked|frozen)\w*\W+(?:\w+\W+)?(?:account|mailbox|user)",
    r"permission|autoris[ée]|権限|權限|权限|berechtig|permiso|permiss[ãi]",
    r"überfüllt|voll\b|pleine|saturée|llen[ao]\b|cheia|piena|переполнен|容量|いっぱい|已满|已滿",
    r"unbekannter fehler|erreur inconnue|err\w* (?:desco|sconosc)|onbekende fout|nieznany błąd",
    r"neznámá chyba|ismeretlen hiba|tuntematon virhe|eroare necunoscut|uk\w+ fe(?:jl|il)",
    r"неизвестн\w* ошиб|невідом\w* помил",
    r"przepełnion|překročen|täynnä|megtelt|är full|er fuld|full innboks|dolu\b|용량|가득",
)  # fmt: skip
_NOBODY = (
    r"(?:user|recipient|rcpt|mail ?box|address|account|addressee|person|login|alias|userid"
    r"|subscriber)"
)
_DEAD = _any_of(
    rf"(?:no such|unknown|invalid|non-? ?existent|bad|illegal).{{1,30}}?{_NOBODY}",
    rf"no (?:\w+\W+){{0,2}}{_NOBODY}\W+(?:\w+\W+)?(?:here|by that|by this|with|found|at\b)",
    r"no mail ?box (?:\w+\W+){0,2}for this|(?:is no ?one|nobody) (?:here|at|by|of|with)\b",
    rf"{_NOBODY}(?:\(s\)|s)?.{{1,80}}?(?:unknown|invalid|does(?:n'?t| not) (?:exist|have))",
    rf"{_NOBODY}(?:\(s\)|s)?.{{1,80}}?(?:not|n't) (?:be )?(?:found|known|exist|present|listed)",
    rf"{_NOBODY}.{{1,40}}?not recogni[sz]ed|(?:not|n't) found (?:at|in|on)\b",
    rf"{_NOBODY}.{{1,80}}?(?:no longer|has (?:moved|been (?:deleted|removed|closed|replaced)))",
    rf"{_NOBODY} (?:\w+ ){{0,3}}(?:terminated|cancell?ed)|recipient is not local",
    r"not an? (?:valid|known|active|local|existing) (?:\w+\W+)?"
    r"(?:user|mailbox|recipient|address|account)",
    r"(?:cannot|could not|can't|couldn't|not) (?:be )?(?:find|found|locate|resolve)\w*.{1,30}?"
    rf"{_NOBODY}",
    r"<[^\s<>@]{1,64}@[^\s<>]{1,100}>\W{0,6}(?:was )?not found",
    r"\bnot? (?:[\w-]+ ){1,3}in (?:the )?(?:\w+ )?(?:directory|address (?:book|list))",
    r"not found by smtp address|recipientnotfound|recip(?:ient)?notfound|notinrcpthosts"
    r"|unrout(?:e)?able address|badrcptto|valid(?:rcptto|recipients)",
    # How Microsoft's servers say that they do not know an address.
    r"recipient address rejected: access denied",
    r"unknown (?:local.?part|domain|host)"
    r"|host (?:or domain name |name )?(?:unknown|not found|lookup)",
    r"(?:domain|host).{1,40}?(?:not exist|not found|nonexist|unknown|not resolve|no mx|must exist)",
    r"(?:^|\s)[\w-]{1,63}(?:\.[\w-]{1,63}){1,5} does(?: not|n't) exist",
    r"nxdomain|null ?mx|does not accept (?:e?.?mail|messages)|no (?:valid )?mx",
    r"no smtp service",
    r"no valid recipients?|(?:illegal|invalid|bad)\W+(?:host|domain)|domain is not reachable",
    r"name or service not known|no such (?:domain|host)|all relevant mx records point to non",
    r"unbekannt|existiert nicht|inconnu|n'existe pas|non recens|no existe|desconocid|inexistente",
    r"n[ãa]o existe|desconhecid|sconosciut|non esiste|nessun utente|не существует|не найден",
    r"неизвестн|не існує|невідом|nie istnieje|nieznany|neexistuje|neznám|nem létezik|ismeretlen",
    r"nu există|necunoscut|mevcut değil|onbekend|bestaat niet|finnes ikke|findes ikke|finns inte",
    r"ukendt|ukjent|okänd|gick inte att hitta|ei ole olemassa|tuntematon|δεν υπάρχει",
    r"존재하지|없는 (?:사용자|수신자|계정)",
    r"見つからない|見つかりません|存在しない|存在しません|リストにありません|不存在|查無|找不到",
)  # fmt: skip


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
