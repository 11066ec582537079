"""What big clients do not support of the mails as they are: more of it is told of, less as well."""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from digest.checks.caniemail import unsupported
from digest.checks.rendered_mail import RenderedMail

# Mail, client, slugs of caniemail.com in order.
Baseline = Mapping[str, Mapping[str, list[str]]]

SHIPPED = Path(__file__).with_name("baseline.json")
OWN = "baseline.json"  # in an operator's folder of templates


@lru_cache(maxsize=1)
def shipped_baseline() -> Baseline:
    """That of the built-in templates, which operators' own are compared with too."""
    return read_baseline(SHIPPED)


def read_baseline(path: Path) -> Baseline:
    read: Baseline = json.loads(path.read_text(encoding="utf-8"))
    return read


def baseline_of(rendered_mails: Iterable[RenderedMail]) -> dict[str, dict[str, list[str]]]:
    """Of each mail whatever a client does not support in any of its samples."""
    found: dict[str, dict[str, set[str]]] = {}
    for rendered in rendered_mails:
        clients = found.setdefault(rendered.mail, {})
        for client, slugs in unsupported(rendered.html).items():
            clients.setdefault(client, set()).update(slugs)
    return {
        mail: {client: sorted(slugs) for client, slugs in sorted(clients.items())}
        for mail, clients in sorted(found.items())
    }


def write_baseline(baseline: Baseline, path: Path = SHIPPED) -> None:
    path.write_text(json.dumps(baseline, indent=1) + "\n", encoding="utf-8")
