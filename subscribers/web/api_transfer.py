"""The routes of the API that export and import all people."""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse

from subscribers.importing import take_in
from subscribers.model import PersonFile
from subscribers.store.registry import Registry
from subscribers.transfer import json_line
from subscribers.web.api_model import Balance
from subscribers.web.api_rules import documented, spoken_by, takes
from subscribers.web.page_context import Context

SOURCE = "import by the API"  # stored as evidence
BATCH = 200  # people read from the database at once
IN_MEMORY = 1024 * 1024  # octets of an import; a larger one uses a temporary file
JSON_LINES = "application/jsonl"

transfer_routes = APIRouter()

_CSV = {"schema": {"type": "string"}, "example": "email,topics\nada@example.org,robots;agents\n"}
_LINES = {"schema": {"type": "string"}, "example": '{"email": "ada@example.org", "topics": []}\n'}


@transfer_routes.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"description": "One person per line.", "content": {JSON_LINES: _LINES}}},
)
def export(context: Context) -> StreamingResponse:
    """Return everybody, one per line, in a form that an import can read."""
    lines = ("".join(map(json_line, batch)) for batch in batches(context.registry, 0))
    return StreamingResponse(lines, media_type=JSON_LINES)


@transfer_routes.post(
    "/import",
    dependencies=[takes("text/csv", JSON_LINES)],
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/csv": _CSV, JSON_LINES: _LINES}}
    },
    responses={200: {"model": Balance}, **documented(409, 413, 415)},
)
async def import_people(context: Context, request: Request) -> JSONResponse:
    """Add people from CSV with a header, or from JSON lines. Known people stay unchanged."""
    with SpooledTemporaryFile(IN_MEMORY) as file:
        async for octets in request.stream():
            file.write(octets)
        file.seek(0)
        done = await run_in_threadpool(
            take_in,
            context.registry,
            context.address_policy,
            file,
            SOURCE,
            context.clock(),
            context.read_papers,
            context.languages.speaks,
        )
    language = spoken_by(request)
    content = done.to_json(lambda sentence: sentence.said(language))
    return JSONResponse(content, headers={"Content-Language": language.code})


def batches(registry: Registry, after: int) -> Iterator[list[PersonFile]]:
    """Yield everybody with a later id than one, in batches."""
    while batch := registry.files_after(after, BATCH):
        yield batch
        after = batch[-1].subscriber.id
