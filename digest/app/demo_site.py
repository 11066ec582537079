"""Make the demo's site: pages and studio under one address."""

from starlette.applications import Starlette
from starlette.routing import Mount

from digest.app.app import App
from digest.app.studio import studio
from digest.app.web import web
from digest.studio.watch import Watch


def demo_site(app: App, watch: Watch) -> Starlette:
    """Return the pages, with the studio under ``/studio``; the caller ends ``watch``."""
    operators = studio(app, watch=watch, root="/studio")
    return Starlette(routes=[Mount("/studio", operators), Mount("/", web(app))])
