"""What clients do not support, compared with what they did not before: a ratchet."""

from collections.abc import Iterable, Iterator, Mapping

from digest.checks.caniemail import table, unsupported
from digest.checks.finding import Finding, Level
from digest.checks.rendered_mail import RenderedMail, found
from digest.checks.rules import Baseline, Rules


def newly_unsupported(rendered: RenderedMail, rules: Rules) -> Iterator[Finding]:
    """Features that a client does not support and that the baseline of this mail has not."""
    known = _known(rules.baseline, rendered.mail)
    new: dict[str, list[str]] = {}
    for client, slugs in unsupported(rendered.html).items():
        for slug in slugs - known.get(client, set()):
            new.setdefault(slug, []).append(client)
    for slug, clients in new.items():
        title = table().features[slug].title
        says = f"{title} ({slug}) is not supported by {', '.join(clients)}; new since the baseline"
        yield found("clients", Level.WARNING, says, rendered.where(*_traces(slug, title)))


def baseline_of(rendered_mails: Iterable[RenderedMail]) -> dict[str, dict[str, list[str]]]:
    """Return of each mail whatever a client does not support in any of its samples."""
    found: dict[str, dict[str, set[str]]] = {}
    for rendered in rendered_mails:
        clients = found.setdefault(rendered.mail, {})
        for client, slugs in unsupported(rendered.html).items():
            clients.setdefault(client, set()).update(slugs)
    return {
        mail: {client: sorted(slugs) for client, slugs in sorted(clients.items())}
        for mail, clients in sorted(found.items())
    }


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
