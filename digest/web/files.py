"""The files that browsers and search engines ask for: style, script, icon, robots.txt."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from digest.web.caching import public_route
from digest.web.site import Site
from subscribers.tokens import Purpose

_FILES = {
    "style.css": "text/css",
    "page.js": "text/javascript",
    "favicon.svg": "image/svg+xml",
}
# Pages for one person, and those that cost work.
_NOT_FOR_ROBOTS = (*Purpose, "search", "feed", "api", "webhooks")


def file_routes(site: Site) -> APIRouter:
    """Return a route for each file; the operator may have changed it, like any other template."""
    routes = APIRouter(
        route_class=public_route(site.file_versions, site.showing, has_language=False)
    )

    languages = site.templates.languages

    def add(path: str, name: str, kind: str) -> None:
        def file() -> Response:
            return Response(site.templates.render(f"pages/{name}"), media_type=kind)

        routes.add_api_route(path, file)

    for name, kind in _FILES.items():
        add(f"/{name}", name, kind)
    add("/favicon.ico", "favicon.svg", _FILES["favicon.svg"])  # asked for by what shows no page

    @routes.get("/robots.txt")
    def robots() -> PlainTextResponse:
        roots = (site.identity.root, *(f"{site.identity.root}/{code}" for code in languages.codes))
        paths = [f"Disallow: {root}/{place}" for root in roots for place in _NOT_FOR_ROBOTS]
        sitemap = f"Sitemap: {site.identity.base_url}/sitemap.xml"
        return PlainTextResponse("\n".join(["User-agent: *", *paths, "", sitemap, ""]))

    return routes
