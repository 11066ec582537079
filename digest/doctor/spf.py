"""Judge SPF records, which say who may send in a domain's name (RFC 7208). Pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from digest.doctor.diagnosis import Area, Diagnosis

AREA = Area("SPF")
MOST_LOOKUPS = 10  # section 4.6.4
_LOOKING_UP = frozenset({"include", "a", "mx", "ptr", "exists"})
_MECHANISM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?::(\S+?))?((?:/\d{1,3})?(?://\d{1,3})?)",
    re.IGNORECASE,
)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(\S*)", re.IGNORECASE)
_NEEDS_VALUE = frozenset({"include", "exists", "ip4", "ip6"})

Texts = Callable[[str], Iterable[str]]
"""Returns the TXT records of a name."""


class SpfError(ValueError):
    """A record that receivers cannot use: "permerror" (section 2.6.7)."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A term; ``qualifier`` says whether those it matches may send: + yes, - ~ no, ? unsaid."""

    qualifier: str
    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Spf:
    mechanisms: tuple[Mechanism, ...]
    redirect: str = ""


def spf_records(texts: Iterable[str]) -> list[str]:
    """Return the texts that are SPF records (section 4.5)."""
    return [
        text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")
    ]


def read_spf(record: str) -> Spf:
    """Read a record. Raises SpfError if one term is wrong, as receivers do (section 4.6)."""
    mechanisms, modifiers = [], dict[str, str]()
    for term in record.split()[1:]:
        if read := _MODIFIER.fullmatch(term):
            name = read[1].lower()
            if name in {"redirect", "exp"} and name in modifiers:
                raise SpfError(f"{name}= occurs twice")
            modifiers[name] = read[2]
        else:
            mechanisms.append(_read_mechanism(term))
    return Spf(tuple(mechanisms), modifiers.get("redirect", ""))


def _read_mechanism(term: str) -> Mechanism:
    read = _MECHANISM.fullmatch(term)
    if read is None:
        raise SpfError(f"{term!r} is not a term of SPF")
    qualifier, name, value, bits = read[1] or "+", read[2].lower(), read[3] or "", read[4]
    if (name in _NEEDS_VALUE and not value) or (name == "all" and (value or bits)):
        raise SpfError(f"{term!r} lacks a value, or must have none")
    if name in {"ip4", "ip6"}:
        network = IPv4Network if name == "ip4" else IPv6Network
        try:
            network(value + bits, strict=False)
        except ValueError:
            raise SpfError(f"{term!r} is not a network") from None
    return Mechanism(qualifier, name, value)


# ---- followed through other domains ----------------------------------------------------------


def find_spf(domain: str, texts: Texts) -> Spf:
    """Return the only record of a domain. Raises SpfError."""
    records = spf_records(texts(domain))
    if not records:
        raise SpfError(f"{domain} has no SPF record")
    if len(records) > 1:
        raise SpfError(f"{domain} has {len(records)} SPF records, but may have only one")
    try:
        return read_spf(records[0])
    except SpfError as error:
        raise SpfError(f"in the one of {domain}, {error}") from None


@dataclass
class Walk:
    """A walk through everything that a record refers to; ``spent`` counts the look-ups so far."""

    texts: Texts
    spent: int = 0

    def through(self, domain: str, spf: Spf, above: tuple[str, ...] = ()) -> str:
        """Return what the record says about everybody else, "" if nothing; follow a redirection.

        Raises SpfError, after no more look-ups than a receiver would make.
        """
        chain = (*above, domain)
        for term in spf.mechanisms:
            if term.name == "all":  # later terms are never looked at (section 5.1)
                return term.qualifier
            self._spend(term.name in _LOOKING_UP)
            if term.name == "include" and self._follow(term.value, chain) == "+":
                return (
                    term.qualifier
                )  # a record that allows everybody matches everybody (section 5.2)
        if not spf.redirect:
            return ""
        self._spend(1)
        return self._follow(spf.redirect, chain)

    def _follow(self, target: str, chain: tuple[str, ...]) -> str:
        if "%" in target:  # a macro (section 7): it depends on the message
            return "?"
        target = target.lower().rstrip(".")
        if target in chain:
            raise SpfError(f"it includes {target} again, without end")
        return self.through(target, find_spf(target, self.texts), chain)

    def _spend(self, count: int) -> None:
        self.spent += count
        if self.spent > MOST_LOOKUPS:
            raise SpfError(f"it needs more than {MOST_LOOKUPS} look-ups, where receivers give up")


# ---- judged ----------------------------------------------------------------------------------


def judge_spf(domain: str, texts: Texts) -> list[Diagnosis]:
    """Judge the record of an envelope sender's domain."""
    if not spf_records(texts(domain)):
        return [
            AREA.problem(
                f"{domain} has no SPF record, which says who may send in its name.",
                f'Publish a TXT record at {domain}: "v=spf1 include:YOUR-RELAY -all", as your '
                "relay's manual says.",
            )
        ]
    walk = Walk(texts)
    try:
        ending = walk.through(domain, find_spf(domain, texts))
    except SpfError as error:
        what = f"Receivers cannot use the SPF record: {error}."
        return [AREA.problem(what, "Fix it: publish one record, with few includes.")]
    said = f"{domain} has one SPF record ({walk.spent} of {MOST_LOOKUPS} look-ups), ending in"
    end_it = "End it with -all or ~all."
    if ending in {"-", "~"}:
        return [AREA.good(f"{said} {ending}all.")]
    if ending == "+":
        return [AREA.problem(f"{said} +all: anybody may send in your name.", end_it)]
    how = "?all" if ending else "nothing"
    return [AREA.advice(f"{said} {how}: it does not forbid others to send in your name.", end_it)]
