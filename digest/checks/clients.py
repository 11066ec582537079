"""What clients do not support, compared with what they did not before: a ratchet."""

from collections.abc import Iterable, Iterator, Mapping

from digest.checks.baseline import Baseline, baseline_of
from digest.checks.caniemail import table, unsupported
from digest.checks.finding import Finding, Level
from digest.checks.rules import Rules
from digest.checks.specimen import Specimen, found


def newly_unsupported(specimen: Specimen, rules: Rules) -> Iterator[Finding]:
    """Features that a client does not support and that the baseline of this mail has not."""
    known = _known(rules.baseline, specimen.mail)
    new: dict[str, list[str]] = {}
    for client, slugs in unsupported(specimen.html).items():
        for slug in slugs - known.get(client, set()):
            new.setdefault(slug, []).append(client)
    for slug, clients in new.items():
        title = table().features[slug].title
        says = f"{title} ({slug}) is not supported by {', '.join(clients)}; new since the baseline"
        yield found("clients", Level.WARNING, says, specimen.where(*_traces(slug, title)))


def no_longer_used(specimens: Iterable[Specimen], rules: Rules) -> list[Finding]:
    """What the baseline of a mail has, and none of its samples any more. It wants all samples."""
    findings = []
    for mail, clients in baseline_of(specimens).items():
        gone: dict[str, list[str]] = {}
        for client, slugs in rules.baseline.get(mail, {}).items():
            for slug in sorted(set(slugs) - set(clients.get(client, ()))):
                gone.setdefault(slug, []).append(client)
        for slug, without in sorted(gone.items()):
            says = (
                f"{slug}, which {', '.join(without)} did not support, is no longer used: "
                "the baseline can go down"
            )
            findings.append(Finding("clients", Level.NOTE, says, f"mail/{mail}/body.mjml.j2"))
    return findings


def _known(baseline: Baseline, mail: str) -> Mapping[str, set[str]]:
    """A mail that the baseline has not is compared with all that it has."""
    mails = [baseline[mail]] if mail in baseline else baseline.values()
    known: dict[str, set[str]] = {}
    for clients in mails:
        for client, slugs in clients.items():
            known.setdefault(client, set()).update(slugs)
    return known


def _traces(slug: str, title: str) -> Iterator[str]:
    """How a feature may be written in MJML."""
    name = slug.partition("-")[2].removeprefix("at-")
    if slug.startswith("css-"):
        yield rf"(?<![\w-]){name}\s*[:(]"
    if title.startswith(("@", ":")):
        yield title.partition(" ")[0].replace("()", "")
    if slug.startswith("html-"):
        yield rf"<{name}\b"
        yield rf"\s{name}\s*="
