"""Judge DMARC records, which say what to do with forged mail (RFC 9989, formerly RFC 7489). Pure.

The organizational domain is found by a walk up the tree of names (section 4.10), and no longer by a
list of public suffixes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from digest.doctor.diagnosis import Area, Diagnosis
from digest.doctor.tags import readable_tags

AREA = Area("DMARC")
LONGEST_WALK = 8  # questions
_GONE = ("pct", "rf", "ri")  # tags of RFC 7489 that no longer mean anything
_VERSION = re.compile(r"\s*[vV]\s*=\s*DMARC1\s*(;|\Z)")
_POLICIES = ("none", "quarantine", "reject")

Texts = Callable[[str], Iterable[str]]
Tags = Mapping[str, str]


# ---- records ---------------------------------------------------------------------------------


def dmarc_records(texts: Iterable[str]) -> list[Tags]:
    """Return the texts that begin with v=DMARC1 (section 4.7), without their malformed tags."""
    return [readable_tags(text) for text in texts if _VERSION.match(text)]


# ---- the walk up the tree --------------------------------------------------------------------


def names_to_ask(domain: str) -> list[str]:
    """Return the domain and those above it; the middle of a long name is left out."""
    labels = domain.lower().rstrip(".").split(".")
    above = labels[1:][-(LONGEST_WALK - 1) :]
    return [".".join(labels), *(".".join(above[at:]) for at in range(len(above)))]


def walk(domain: str, texts: Texts) -> dict[str, Tags]:
    """Return the records on the way up, the longest name first; two at one name count as none."""
    found: dict[str, Tags] = {}
    names = names_to_ask(domain)
    for name in names:
        records = dmarc_records(texts(f"_dmarc.{name}"))
        if len(records) == 1:
            found[name] = records[0]
            said = _psd(records[0])
            if said == "n" or (said == "y" and name != names[0]):
                break
    return found


def _psd(tags: Tags) -> str:
    """Return whether a domain says that it is a public suffix (y), is not (n), or neither (u)."""
    return tags.get("psd", "u").lower()


def organizational_domain(domain: str, found: Mapping[str, Tags]) -> str:
    """Return the organizational domain (section 4.10.2) by what the walk found."""
    domain = domain.lower().rstrip(".")
    for name, tags in found.items():
        if _psd(tags) == "n":
            return name
        if _psd(tags) == "y" and name != domain:
            return ".".join(domain.split(".")[-(name.count(".") + 2) :])
    return min(found, key=lambda name: name.count("."), default=domain)


@dataclass(frozen=True, slots=True)
class Policy:
    """The record that applies to a domain, and the name that has it."""

    at: str
    tags: Tags
    is_inherited: bool

    @property
    def asked(self) -> str:
        """Return what receivers are asked to do; a malformed policy means none."""
        own = self.tags.get("p", "none")
        said = (self.tags.get("sp", own) if self.is_inherited else own).lower()
        return said if said in _POLICIES else "none"


def policy_of(domain: str, found: Mapping[str, Tags]) -> Policy | None:
    """Return that of the domain, its organizational domain or a public suffix, in this order."""
    domain = domain.lower().rstrip(".")
    answering = organizational_domain(domain, found)
    suffixes = [name for name, tags in found.items() if _psd(tags) == "y"]
    for name in (domain, answering, *suffixes):
        if name in found:
            return Policy(name, found[name], is_inherited=name != domain)
    return None


def is_aligned(author: str, other: str, texts: Texts, *, strict: bool) -> bool:
    """Return whether an authenticated domain is aligned with that of From (section 4.4)."""
    author, other = author.lower().rstrip("."), other.lower().rstrip(".")
    if author == other or strict:
        return author == other
    answering = (organizational_domain(name, walk(name, texts)) for name in (author, other))
    return next(answering) == next(answering)


# ---- judged ----------------------------------------------------------------------------------


def judge_dmarc(author: str, returns: str, texts: Texts, *, is_signed: bool) -> list[Diagnosis]:
    """Judge the record that applies to ``author``, the domain of From.

    ``returns`` is the domain of the envelope sender. Our own signatures are by the domain of From,
    so they are aligned; those of a relay may not be.
    """
    at_author = dmarc_records(texts(f"_dmarc.{author}"))
    if len(at_author) > 1:
        what = f"There are {len(at_author)} DMARC records at _dmarc.{author}, so none is used."
        return [AREA.problem(what, "Keep one of them.")]
    policy = policy_of(author, walk(author, texts))
    if policy is None:
        return [
            AREA.advice(
                f"There is no DMARC record for {author}; mailbox providers require one of bulk "
                "senders (Gmail and Outlook.com: from 5,000 messages a day).",
                f'Publish one, of type TXT, at _dmarc.{author}: "v=DMARC1; p=none; '
                f'rua=mailto:dmarc@{author}".',
            )
        ]
    return [*_judge_policy(policy), *_judge_alignment(author, returns, policy, texts, is_signed)]


def _judge_policy(policy: Policy) -> Iterator[Diagnosis]:
    where = f"The DMARC record at _dmarc.{policy.at}"
    if policy.tags.get("p", "none").lower() not in _POLICIES:
        yield AREA.advice(
            f"{where} has p={policy.tags['p']}, which is not a policy.",
            "Use one of none, quarantine and reject.",
        )
    elif policy.asked == "none":
        yield AREA.advice(
            f"{where} asks receivers to do nothing (p=none).",
            "That is right to begin with. When the reports show that all of your mail passes, use "
            "p=quarantine, then p=reject.",
        )
    else:
        yield AREA.good(f"{where} asks for {policy.asked}.")
    if policy.tags.get("t", "n").lower() == "y":
        yield AREA.advice(
            f"{where} says that you are testing (t=y), so receivers do less than it asks for.",
            "Remove t=y when the reports are good.",
        )
    if gone := [f"{name}=" for name in _GONE if name in policy.tags]:
        yield AREA.advice(
            f"{where} has {', '.join(gone)}, which RFC 9989 no longer has.",
            "Remove it; t=y now does what pct= was used for.",
        )
    if not policy.tags.get("rua"):
        yield AREA.advice(
            f"{where} has no address for reports (rua=).",
            "Add one: the reports tell who sends in your name, and what fails.",
        )


def _judge_alignment(
    author: str, returns: str, policy: Policy, texts: Texts, is_signed: bool
) -> Iterator[Diagnosis]:
    strict = policy.tags.get("aspf", "r").lower() == "s"
    if is_aligned(author, returns, texts, strict=strict):
        yield AREA.good(f"The envelope sender's domain, {returns}, is aligned with {author}.")
        return
    said = f"The envelope sender's domain, {returns}, is not aligned with {author} (aspf)."
    if is_signed:
        yield AREA.advice(
            f"{said} Messages pass DMARC by their signature alone.",
            f"Set DIGEST_BOUNCE_ADDRESS to an address at {author} or below it.",
        )
    else:
        yield AREA.problem(
            f"{said} Messages are not signed here, so the relay must sign them as {author}.",
            f"Set DIGEST_BOUNCE_ADDRESS to an address at {author} or below it, or sign messages "
            "(digest dkim generate).",
        )
