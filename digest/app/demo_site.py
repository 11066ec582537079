"""Make the demo's site: pages and studio under one address."""

from starlette.applications import Starlette
from starlette.routing import Mount

from digest.app.app import App
from digest.app.studio import studio
from digest.app.web import web


def demo_site(app: App) -> Starlette:
    """Return the pages, with the studio under ``/studio``."""
    return Starlette(routes=[Mount("/studio", studio(app, root="/studio")), Mount("/", web(app))])
