"""What all pages behind signed links share."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from subscribers.model import Subscriber
from subscribers.registry import Registry
from subscribers.tokens import Purpose, Tokens
from subscribers.wishes import Fields

TO_LOOK = ["GET", "HEAD"]
TO_ACT = ["POST"]


async def _form_fields(request: Request) -> Fields:
    fields = defaultdict(list)
    async with request.form() as form:
        for name, typed in form.multi_items():
            if isinstance(typed, str):  # and no file
                fields[name].append(typed)
    return dict(fields)


FormFields = Annotated[Fields, Depends(_form_fields)]


class Render(Protocol):
    """Fills a page template with values."""

    def __call__(self, name: str, **values: object) -> str: ...


class LinkPages:
    """Pages over the registry, filled from templates."""

    def __init__(
        self, registry: Registry, tokens: Tokens, render: Render, clock: Callable[[], datetime]
    ) -> None:
        self.registry = registry
        self.tokens = tokens
        self.clock = clock
        self._render = render

    def page(self, name: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> HTMLResponse:
        """The page of a template, filled."""
        return HTMLResponse(self._render(f"pages/{name}.html.j2", **values), status)

    def welcome(self, person: Subscriber) -> HTMLResponse:
        """For whoever has just become a reader, or has come back."""
        token = self.tokens.make(Purpose.PREFERENCES, person.public_id)
        return self.page("welcome", address=person.address, preferences=token)
