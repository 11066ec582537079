"""The language of each request for a page, and links that keep it.

A page is in the language that its address names (``/de/today``, or ``?lang=de`` as in emails), else
in the one that the browser accepts, else in the installation's. A reader's own page is in theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from digest.compose.from_identity import FromIdentity
from digest.compose.language import Language
from digest.compose.languages import Languages
from subscribers.tokens import Purpose

_IN_QUERY = "lang"
_LONGEST_TAG = 35  # characters (RFC 5646 section 4.4.1)
_LONGEST_QUERY = 4000  # letters, as in an address


@dataclass(frozen=True, slots=True)
class Alternate:
    """The same page in a language: its tag, its name in itself, and its path.

    ``url`` is its one address for search engines.
    """

    code: str
    name: str
    path: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a page, in a language.

    ``prefix`` keeps a language that was chosen: links below it are in it. ``path`` is that of the
    page without it, with its query; empty if it is in one language only, or cannot be asked for
    again. ``accepted`` is what the browser accepts.
    """

    languages: Languages
    identity: FromIdentity
    language: Language
    prefix: str = ""
    path: str = ""
    accepted: str = ""

    @property
    def root(self) -> str:
        """Return what the paths of links begin with."""
        return self.identity.root + self.prefix

    @property
    def base_url(self) -> str:
        """Return what the addresses of pages in this language begin with."""
        return self.identity.base_url + self.prefix

    def canonical(self, path: str) -> str:
        """Return the one address of a page in this language, for search engines."""
        return self._address(self.language.code, path)

    def _address(self, code: str, path: str) -> str:
        """Return the address of a page in a language: that of the usual one does not name it."""
        named = "" if code == self.languages.usual.code else f"/{code}"
        return f"{self.identity.base_url}{named}{path}"

    @property
    def alternates(self) -> Sequence[Alternate]:
        """Return this page in all languages; nothing if it is in one only."""
        if not self.path:
            return ()
        return [
            Alternate(
                code,
                name,
                f"/{code}{self.path}",
                self._address(code, self.path),
                code == self.language.code,
            )
            for code, name in self.languages.own_names.items()
        ]

    def of_reader(self, locale: str | None) -> "Visit":
        """Return it in a reader's own language; None is the installation's, as of their emails."""
        language = self.languages.of_reader(locale)
        is_browsers = language.code == self.languages.of_reader(None, self.accepted).code
        prefix = "" if is_browsers else f"/{language.code}"
        return replace(self, language=language, prefix=prefix, path="")


class Visits:
    """ASGI middleware that finds the language of each request, and takes it out of the path."""

    def __init__(self, app: ASGIApp, usual: Visit) -> None:
        self._app = app
        self._usual = usual

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            visit, path = self._found(scope)
            scope = {**scope, "path": path, "state": {**scope.get("state", {}), "visit": visit}}
        await self._app(scope, receive, send)

    def _found(self, scope: Scope) -> tuple[Visit, str]:
        languages, path = self._usual.languages, scope["path"]
        first, _, rest = path[1:].partition("/")
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        named = dict(query).get(_IN_QUERY, "")[:_LONGEST_TAG]
        chosen = first if first in languages.codes else named if languages.speaks(named) else None
        if chosen == first:
            path = f"/{rest}"
        accepted = Headers(scope=scope).get("accept-language", "")
        language = languages.of_reader(chosen, accepted)
        others = urlencode([field for field in query if field[0] != _IN_QUERY])
        if len(others) > _LONGEST_QUERY:  # links to other languages would say it many times
            others = ""
        again = quote(path) + (f"?{others}" if others else "")
        is_own = path[1:].partition("/")[0] in set(Purpose)  # of one reader, in their language
        prefix = f"/{language.code}" if chosen else ""
        return replace(
            self._usual,
            language=language,
            prefix=prefix,
            path=again if scope["method"] in ("GET", "HEAD") and not is_own else "",
            accepted=accepted,
        ), path


def visit_of(request: Request) -> Visit:
    """Return the visit that a request is."""
    visit: Visit = request.state.visit
    return visit


async def _visit_of(request: Request) -> Visit:
    return visit_of(request)


Visited = Annotated[Visit, Depends(_visit_of)]
