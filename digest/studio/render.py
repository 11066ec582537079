"""Fill the studio's own pages, which operators do not edit."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

NAVIGATION = {
    "Templates": "/",
    "Pages": "/pages",
    "Editions": "/editions",
    "Runs": "/runs",
    "Subscribers": "/subscribers",
    "Announcements": "/announcements",
    "Prompts": "/prompts",
}
_FOLDER = Path(__file__).parent / "pages"


class Pages:
    """The pages in ``digest/studio/pages``; ``brand`` is the name of the digest.

    All links begin with ``root``, the path that a proxy serves the studio under. Everything is
    escaped. A page extends ``base.html.j2``, which needs ``here``: the item of the navigation that
    it belongs to, in lower case. ``more`` has items beside those of NAVIGATION. ``has_login``: one
    can log out.
    """

    def __init__(
        self, brand: str, root: str = "", more: Mapping[str, str] = {}, *, has_login: bool = False
    ) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        navigation = {**NAVIGATION, **more}
        self._environment.globals |= {
            "brand": brand,
            "root": root,
            "navigation": navigation,
            "has_login": has_login,
        }
        self._environment.filters["thousands"] = thousands

    def html(self, name: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> HTMLResponse:
        """Return a page as an answer."""
        return HTMLResponse(self.fill(name, values), status, {"Content-Language": "en"})

    def fill(self, name: str, values: Mapping[str, object]) -> str:
        """Return the text of a page."""
        return self._environment.get_template(name).render(values)


def static(name: str) -> str:
    """Return the text of a style sheet, a script or an icon."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def thousands(number: int) -> str:
    """Return a number with its thousands separated: 12,345."""
    return f"{number:,}"
