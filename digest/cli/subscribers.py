"""`digest subscribers …`: the operator's side of the people."""

import csv
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.app.app import App, utc_now
from digest.cli.terminal import (
    Json,
    More,
    Topics,
    fail,
    group,
    out,
    print_json,
    print_result,
    progress_bar,
    read_topics,
    warn,
)
from digest.errors import LedgerError
from subscribers.addresses import normalise_address
from subscribers.importing import import_people
from subscribers.model import Consent, SuppressionReason
from subscribers.transfer import to_csv_row, to_record

people = group("Add, list, show, block, remove and transfer subscribers.")

Blocked = Annotated[bool, typer.Option("--suppressed", help="Only those with a block.")]


@people.command("add")
def add(address: str, topic: Topics = None, more: More = None) -> None:
    """Add somebody who asked you to, or change their topics."""
    topics, app = read_topics(topic, more), App()
    added = app.registry.add(
        app.address_policy.admit(address), topics, source="operator", now=utc_now()
    )
    shown = ", ".join(topic.text for topic in added.topics) or "whatever is trending"
    out.print(f"{added.address}: {shown}")


@people.command("list")
def list_some(
    consent: Annotated[Consent | None, typer.Option(help="Only those with this consent.")] = None,
    topic: Annotated[
        str, typer.Option(metavar="TEXT", help="Only those with this in a topic.")
    ] = "",
    suppressed: Blocked = False,
    as_json: Json = False,
) -> None:
    """List subscribers: address, consent, block, topics."""
    records = [to_record(file) for file in App().registry.files()]
    chosen = [
        record
        for record in records
        if (consent is None or record["consent"] == consent)
        and (not topic or any(topic.casefold() in typed.casefold() for typed in record["topics"]))
        and (record["suppressed"] or not suppressed)
    ]
    values = [{"address": record.pop("email"), **record} for record in chosen]
    print_result(values, map(_line, values), as_json=as_json)


@people.command("show")
def show(address: str, as_json: Json = False) -> None:
    """Show everything that is stored about somebody."""
    file = App().registry.file_of(address)
    if file is None:
        fail(f"there is no subscriber {address}")
    record = to_record(file)
    if as_json:
        print_json(record)
        return
    for name, value in record.items():
        if name == "evidence":
            for said in value:
                where = f", from {said['client']}" if "client" in said else ""
                line = f"evidence: {said['event']} at {said['at']}, by {said['source']}{where}"
                out.print(line)
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            out.print(f"{name}: {text}")


@people.command("remove")
def remove(address: str) -> None:
    """Forget somebody, with everything that is stored about them but a block."""
    if not App().registry.remove(address):
        fail(f"there is no subscriber {address}")
    out.print(f"{address} is removed")


@people.command("suppress")
def suppress(address: str) -> None:
    """Block an address: whoever it belongs to gets nothing until the block is lifted."""
    address = normalise_address(address)
    App().registry.suppressions.add(address, SuppressionReason.OPERATOR, now=utc_now())
    out.print(f"{address} gets nothing any more")


@people.command("unsuppress")
def unsuppress(address: str) -> None:
    """Lift the block on an address."""
    if not App().registry.suppressions.lift(normalise_address(address)):
        fail(f"there is no block on {address}")
    out.print(f"the block on {address} is lifted")


@people.command("export")
def export(
    as_csv: Annotated[
        bool, typer.Option("--csv", help="CSV with the columns of an import, not JSON lines.")
    ] = False,
) -> None:
    """Print everybody, one a line, for `import` to read again."""
    files = App().registry.files()
    if as_csv:
        rows = [to_csv_row(file) for file in files]
        writer = csv.DictWriter(sys.stdout, rows[0] if rows else ["email"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return
    for file in files:
        print_json(to_record(file))


@people.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV with a header, or JSON lines.")],
    as_json: Json = False,
) -> None:
    """Take in people from a file. Those who are there already are left as they are."""
    app = App()
    try:
        with progress_bar("Reading") as report:
            imported = import_people(app.registry, app.address_policy, file, utc_now(), report)
    except OSError as error:
        raise LedgerError(f"{file}: {error.strerror}") from error
    for fault in imported.faults():
        warn(f"left out: {fault}")
    counts = f"{imported.new} new, {imported.known} known already"
    line = f"{counts}, {len(imported.unread)} lines left out. Read as {imported.form}."
    print_result(imported, [line], as_json=as_json)
    if imported.unread and not imported.new + imported.known:
        raise typer.Exit(1)


def _line(value: dict[str, Any]) -> str:
    blocked = f"  suppressed: {value['suppressed']['reason']}" if value["suppressed"] else ""
    topics = ", ".join(value["topics"]) or "whatever is trending"
    return f"{value['address']}  {value['consent']}{blocked}  {topics}"
