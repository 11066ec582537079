"""Serve the pictures of papers, at one address for everybody: nobody learns who looks at them."""

import re
from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Request, Response

from digest.web.site import Site

_FILE = re.compile(r"(?P<name>[0-9a-f]{32})(?P<small>-small)?\.jpg")
_A_YEAR = 365 * 24 * 3600  # seconds


def picture_routes(site: Site) -> APIRouter:
    """Return ``/picture/NAME.jpg`` and ``/picture/NAME-small.jpg``.

    A name is that of a picture's content, so what anybody keeps of it never changes.
    """
    routes = APIRouter()

    @routes.get("/picture/{file}")
    async def picture(request: Request, file: str) -> Response:
        found = _FILE.fullmatch(file)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        headers = {
            "Cache-Control": f"public, max-age={_A_YEAR}, immutable",
            "ETag": f'"{file}"',
        }
        if headers["ETag"] in request.headers.get("If-None-Match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        form = site.pictures.small if found["small"] else site.pictures.large
        octets = await site.picturing.run(form, found["name"])
        if octets is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return Response(octets, media_type="image/jpeg", headers=headers)

    return routes
