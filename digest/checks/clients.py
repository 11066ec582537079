"""Compare what clients do not support with a baseline: only more than that is a finding."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from digest.checks.caniemail import table, unsupported
from digest.checks.finding import Finding, Level
from digest.checks.rendered_mail import RenderedMail, found
from digest.checks.rules import Rules

Clients = Mapping[str, Collection[str]]
"""The slugs of features, by client."""


def newly_unsupported(rendered: RenderedMail, rules: Rules) -> Iterator[Finding]:
    """Find features that a client does not support and that are not in the email's baseline."""
    # An email without a baseline is compared with those of all others.
    baseline = rules.baseline
    mails = [baseline[rendered.mail]] if rendered.mail in baseline else baseline.values()
    known = _united(mails)
    new: dict[str, list[str]] = {}
    for client, slugs in unsupported(rendered.html).items():
        for slug in slugs - known.get(client, set()):
            new.setdefault(slug, []).append(client)
    for slug, clients in new.items():
        title = table()[slug].title
        says = f"{title} ({slug}) is not supported by {', '.join(clients)}; new since the baseline"
        yield found("clients", Level.WARNING, says, rendered.where(*_traces(slug, title)))


def baseline_of(rendered_mails: Iterable[RenderedMail]) -> dict[str, dict[str, list[str]]]:
    """Return what each client does not support in any sample, for each email."""
    found: dict[str, list[Clients]] = defaultdict(list)
    for rendered in rendered_mails:
        found[rendered.mail].append(unsupported(rendered.html))
    return {
        mail: {client: sorted(slugs) for client, slugs in sorted(_united(samples).items())}
        for mail, samples in sorted(found.items())
    }


def _united(samples: Iterable[Clients]) -> dict[str, set[str]]:
    slugs_of: dict[str, set[str]] = defaultdict(set)
    for clients in samples:
        for client, slugs in clients.items():
            slugs_of[client].update(slugs)
    return slugs_of


def _traces(slug: str, title: str) -> Iterator[str]:
    """Yield patterns that find a feature in MJML."""
    name = slug.partition("-")[2].removeprefix("at-")
    if slug.startswith("css-"):
        yield rf"(?<![\w-]){name}\s*[:(]"
    if title.startswith(("@", ":")):
        yield title.partition(" ")[0].replace("()", "")
    if slug.startswith("html-"):
        yield rf"<{name}\b"
        yield rf"\s{name}\s*="
