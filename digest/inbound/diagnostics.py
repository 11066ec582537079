"""Diagnose a refusal by the table of diagnostics.toml. Pure, but for reading the table."""

import re
import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from digest.errors import SettingError
from digest.model.diagnosis import UNKNOWN, Cause, Diagnosis, Phase, Scope

_MOST_TEXT = 8000
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
# A code, perhaps the same code as a status, a text; not an amount of octets.
_CODE = re.compile(r"(?<![\w.#:/-])([45]\d\d)(?=[\s\-,:;#)\]]|$)(?!\s*(?:bytes|[kKmMgG]i?[bB]\b))")
# Of x.y.0 and x.0.z only the class is said: codes that end in 0 leave the detail open.
_DETAILED = re.compile(r"[245]\.\d{1,3}\.[1-9]")
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"']{1,64}@[^\s<>()\[\]:;,\"']{1,255}")
_URL = re.compile(r"\bhttps?://\S+", re.IGNORECASE)
_ANSWERED = re.compile(r"\(in reply to [^()]{1,60}\)", re.IGNORECASE)
_HOST = re.compile(r"(?<![\w.@-])(?:[a-z0-9_-]{1,63}\.){1,9}[a-z]{2,24}(?![\w@-])")
_PHASES = {
    Phase.DOT: r"(?:after|reply to) end of data|end of data",
    Phase.DATA: r"(?:after|reply to|command) (?:pipelined )?data\b|\btext command"
    r"|>>> ?data\s+<<< ?[45]\d\d",
    Phase.RCPT: r"(?:after|reply to) (?:pipelined )?rcpt to|smtp:rcpt|\[rcpt_to\]"
    r"|>>> ?rcpt to:[^\n]{0,300}\s{1,20}<<< ?[45]\d\d",
    Phase.MAIL: r"(?:after|reply to) (?:pipelined )?mail from|\[mail_from\]"
    r"|>>> ?mail from:[^\n]{0,300}\s{1,20}<<< ?[45]\d\d",
    Phase.OPENING: r"(?:after|reply to) (?:[eh]h?[el]lo|initial)",
}
_PHASE = {phase: re.compile(pattern, re.IGNORECASE) for phase, pattern in _PHASES.items()}
_BEFORE_ADDRESS = frozenset({Phase.OPENING, Phase.MAIL})


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of the table: what a reply must be, and what it means. Empty is anything."""

    cause: Cause
    scope: Scope
    source: str
    words: re.Pattern[str] | None = None
    status: re.Pattern[str] | None = None
    code: re.Pattern[str] | None = None
    phase: frozenset[Phase] = frozenset()
    provider: str = ""
    reported: bool | None = None
    like: str = ""


Table = tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """A refusal, taken apart. ``words`` are its text without codes, addresses, hosts and URLs."""

    words: str
    code: str
    status: str
    phase: Phase | None
    provider: str
    is_reported: bool

    @property
    def is_temporary(self) -> bool:
        return self.code.startswith("4") or self.status.startswith("4")


def diagnose(
    text: str,
    *,
    code: int = 0,
    status: str = "",
    phase: Phase | None = None,
    provider: str = "",
    reported: bool = False,
    table: Table | None = None,
) -> Diagnosis:
    """Return why a server did not take an email, and whom that is about.

    ``text`` is what the server said; ``code`` and ``status`` are read from it if they are not
    given, and so is the phase, where a report names it. ``reported`` means that a report quotes the
    reply, so that our relay had taken the mail.
    """
    reply = Reply(
        words=plain_words(text[:_MOST_TEXT]),
        code=str(code) if code else code_in(text),
        status=best_status(status, text),
        phase=phase or phase_in(text),
        provider=provider,
        is_reported=reported,
    )
    for rule in shipped_table() if table is None else table:
        if _fits(rule, reply):
            return Diagnosis(rule.cause, rule.scope, rule.source)
    return UNKNOWN


def _fits(rule: Rule, reply: Reply) -> bool:
    if rule.cause is Cause.DEAD and (reply.is_temporary or reply.phase in _BEFORE_ADDRESS):
        return False
    return (
        (not rule.phase or reply.phase in rule.phase)
        and (not rule.provider or rule.provider == reply.provider)
        and (rule.reported is None or rule.reported == reply.is_reported)
        and (rule.code is None or rule.code.fullmatch(reply.code) is not None)
        and (rule.status is None or rule.status.fullmatch(reply.status) is not None)
        and (rule.words is None or rule.words.search(reply.words) is not None)
    )


# ---- a reply, taken apart --------------------------------------------------------------------


def best_status(status: str, text: str) -> str:
    """Return the first status that says what went wrong, the server's own words first; else any."""
    found = [*_STATUS.findall(text), *_STATUS.findall(status)]
    failed = [status for status in found if not status.startswith("2")]
    return next((status for status in failed if _DETAILED.match(status)), next(iter(failed), ""))


def code_in(text: str) -> str:
    """Return the first reply code in a text (RFC 5321 section 4.2), or nothing."""
    match = _CODE.search(text)
    return match[1] if match else ""


def phase_in(text: str) -> Phase | None:
    """Return what the reply answered, where a report or a transcript tells."""
    return next((phase for phase, pattern in _PHASE.items() if pattern.search(text)), None)


def plain_words(text: str) -> str:
    """Return what was said in one line: no URLs, and the same name for all addresses and hosts.

    An address may be content@example.org, and a page about spam be linked to.
    """
    text = _HOST.sub("host.name", _ADDRESS.sub("a@b", _URL.sub("", _ANSWERED.sub("", text))))
    lines = " ".join(text.split())
    # Each line of a long reply repeats the code, within a sentence.
    if (code := code_in(lines)) and (begin := lines.find(code) + 3):
        repeated = rf"\s{code}[- ](?:[45]\.\d{{1,3}}\.\d{{1,3}} )?"
        lines = lines[:begin] + re.sub(repeated, " ", lines[begin:])
    return lines


# ---- the table -------------------------------------------------------------------------------


@cache
def shipped_table() -> Table:
    """Return the rules of diagnostics.toml."""
    text = files("digest.inbound").joinpath("diagnostics.toml").read_text("utf-8")
    return _rules(text, "diagnostics.toml")


def table_with(own: Path | None) -> Table:
    """Return the rules of an operator's own file, if there is one, and then the shipped ones.

    The first rule that fits decides, so the operator's add and override. Raises SettingError, which
    names the file and the line.
    """
    if own is None:
        return shipped_table()
    try:
        text = own.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{own}: {error}") from None
    return _rules(text, str(own)) + shipped_table()


def _rules(text: str, name: str) -> Table:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingError(f"{name}: {error}") from None
    # A table in braces stands in one line (TOML 1.0), and each rule begins one.
    numbers = [n for n, line in enumerate(text.splitlines(), 1) if line.lstrip().startswith("{")]
    groups = document.get("groups", [])
    lines = [{**group, **line} for group in groups for line in group.get("lines", [])]
    if len(lines) != len(numbers):
        raise SettingError(f"{name}: expected each rule in braces, on a line of its own")
    somebody = str(document.get("nobody", ""))
    rules = []
    for number, line in zip(numbers, lines, strict=True):
        try:
            rule = _rule(line, somebody)
        except (ValueError, re.error) as error:
            raise SettingError(f"{name}, line {number}: {error}") from None
        if rule.like and not _fits_own_example(rule):
            raise SettingError(f"{name}, line {number}: it does not fit its own example")
        rules.append(rule)
    return tuple(rules)


def _rule(line: dict[str, Any], somebody: str) -> Rule:
    known = {"class", "lines", *(field.name for field in fields(Rule))} - {"cause"}
    if unknown := sorted(line.keys() - known):
        raise ValueError(f"there is no {unknown[0]!r}")
    for name in known - {"lines", "phase", "reported"}:
        if not isinstance(line.get(name, ""), str):
            raise ValueError(f"{name} must be a text")  # noqa: TRY004  told like the others
    return Rule(
        cause=Cause(line.get("class", "")),
        scope=Scope(line.get("scope", "")),
        source=line.get("source", ""),
        words=_pattern(line, "words", somebody),
        status=_pattern(line, "status"),
        code=_pattern(line, "code"),
        phase=frozenset(Phase(phase) for phase in line.get("phase", [])),
        provider=line.get("provider", ""),
        reported=line.get("reported"),
        like=line.get("like", ""),
    )


def _pattern(line: dict[str, Any], name: str, somebody: str = "") -> re.Pattern[str] | None:
    if name not in line:
        return None
    return re.compile(line[name].replace("{nobody}", somebody), re.IGNORECASE)


def _fits_own_example(rule: Rule) -> bool:
    return diagnosed_example(rule, (rule,)) == Diagnosis(rule.cause, rule.scope, rule.source)


def diagnosed_example(rule: Rule, table: Table) -> Diagnosis:
    """Return what the table makes of a rule's own example, said where the rule expects it."""
    phase = min(rule.phase, default=None)
    reported = bool(rule.reported)
    return diagnose(rule.like, phase=phase, provider=rule.provider, reported=reported, table=table)
