"""The sitemap: what search engines may find here (https://www.sitemaps.org/protocol.html)."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, HTTPException, Response
from lxml import etree
from lxml.builder import ElementMaker

from digest.model.page_paths import ARCHIVE, paper_path
from digest.web.caching import public_route
from digest.web.period_view import path_of
from digest.web.periods import Kind, around
from digest.web.site import Site

PAPERS_ON_MAP = 2500  # of 50,000 that are allowed: each is made in one piece

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_make = ElementMaker(namespace=_NAMESPACE, nsmap={None: _NAMESPACE})


def sitemap_routes(site: Site) -> APIRouter:
    """Return ``/sitemap.xml``, which lists one map of days and as many of papers as are needed."""
    routes = APIRouter(route_class=public_route(site.versions, site.showing, has_language=False))
    browsing, base_url = site.browsing, site.identity.base_url

    @routes.get("/sitemap.xml")
    def index() -> Response:
        maps = -(-browsing.count() // PAPERS_ON_MAP)
        names = ["days", *(str(number) for number in range(1, maps + 1))]
        return _xml(
            _make.sitemapindex(
                *(_make.sitemap(_make.loc(f"{base_url}/sitemap-{name}.xml")) for name in names)
            )
        )

    @routes.get("/sitemap-days.xml")
    def days() -> Response:
        """List the pages of all periods that have papers."""
        span = browsing.span()
        with_papers = sorted(browsing.counts(*span)) if span else []
        periods = (path_of(around(kind, day)) for day in with_papers for kind in Kind)
        return _xml(_urls(base_url, dict.fromkeys(("/", ARCHIVE, *periods))))

    @routes.get("/sitemap-{number}.xml")
    def papers(number: int) -> Response:
        if not 1 <= number <= -(-browsing.count() // PAPERS_ON_MAP):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        found = browsing.keys((number - 1) * PAPERS_ON_MAP, PAPERS_ON_MAP)
        return _xml(_urls(base_url, (paper_path(key) for key in found)))

    return routes


def _urls(base_url: str, paths: Iterable[str]) -> Any:
    return _make.urlset(*(_make.url(_make.loc(f"{base_url}{path}")) for path in paths))


def _xml(root: Any) -> Response:
    body = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return Response(body, media_type="application/xml")
