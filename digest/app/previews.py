"""Make what renders emails to look at and to check; apart from the App, as few commands need it."""

from functools import partial
from pathlib import Path

from digest.app.app import App
from digest.checks.rules import OWN, SHIPPED, Rules, read_baseline
from digest.compose.environment import Templates
from digest.compose.from_identity import FromIdentity
from digest.compose.pseudo import studio_language
from digest.studio.preview import Previews
from digest.studio.rendering import render_apart


def previews_of(
    app: App, identity: FromIdentity, folder: Path | None = None, code: str = ""
) -> Previews:
    """Return what renders and checks emails, from the templates as they are now.

    ``folder`` is used instead of DIGEST_TEMPLATES, the language with a ``code`` instead of
    DIGEST_LANGUAGE.
    """
    own = folder or app.settings.templates
    hosts = app.settings.link_hosts
    rules = Rules(
        allowed_hosts=frozenset(hosts) if hosts else None,
        baseline=read_baseline(_baseline_file(app)),
    )
    said_in = studio_language(code or app.settings.language, own)
    return Previews(Templates(own, said_in), identity, rules, partial(render_apart, own))


def _baseline_file(app: App) -> Path:
    """Return the file of what mail clients need not support: the operator's or the built-in."""
    own = app.settings.templates and app.settings.templates / OWN
    return own if own and own.exists() else SHIPPED
