"""`digest subscribers …`: the operator's side of the people."""

import json
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.terminal import (
    Address,
    Json,
    MoreTopics,
    Topics,
    fail,
    group,
    misused,
    print_result,
    progress_bar,
    read_day,
    read_topics,
    warn,
)
from digest.errors import LedgerError
from subscribers.addresses import normalise_address
from subscribers.importing import import_people
from subscribers.model import Consent, Subscriber, SuppressionReason
from subscribers.own_papers import MOST_OWN_PAPERS
from subscribers.transfer import csv_lines, json_line, to_record

LARGEST_FILE = 2 * 1024 * 1024  # octets of a file of references

people = group("Add, list, show, block and remove subscribers; import and export them.")


def read_bounce_reason(typed: str) -> SuppressionReason:
    """Return the kind of bounce that a block is for, typed in the singular or the plural."""
    for reason in (SuppressionReason.SOFT_BOUNCES, SuppressionReason.HARD_BOUNCE):
        if typed.rstrip("s") == reason.rstrip("s"):
            return reason
    raise typer.BadParameter("only blocks for soft-bounce or hard-bounce are lifted together")


@people.command("add")
def add(
    address: Address, topic: Topics = None, more: MoreTopics = None, as_json: Json = False
) -> None:
    """Add somebody who asked you to, or change their topics.

    $ digest subscribers add ada@example.org --topic "video generation" --topic agents
    """
    topics, app = read_topics(topic, more), App()
    admitted = app.address_policy.admit(address)
    is_new = app.registry.file_of(admitted) is None
    added = app.registry.add(admitted, topics, source="operator", now=utc_now())
    texts = [topic.text for topic in added.topics]
    line = f"{'Added' if is_new else 'Updated'} {added.address}: {_topics(texts)}"
    print_result(
        {"address": added.address, "topics": texts, "new": is_new}, [line], as_json=as_json
    )


@people.command("list")
def list_some(
    consent: Annotated[Consent | None, typer.Option(help="Only those with this consent.")] = None,
    topic: Annotated[
        str, typer.Option(metavar="TEXT", help="Only those with this text in a topic.")
    ] = "",
    suppressed: Annotated[
        bool, typer.Option("--suppressed", help="Only blocked addresses.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List subscribers: address, consent, block, topics.

    $ digest subscribers list --consent confirmed --topic robots
    """
    records = [to_record(file) for file in App().registry.files()]
    chosen = [
        record
        for record in records
        if (consent is None or record["consent"] == consent)
        and (not topic or any(topic.casefold() in typed.casefold() for typed in record["topics"]))
        and (record["suppressed"] or not suppressed)
    ]
    values = [{"address": record.pop("email"), **record} for record in chosen]
    if not values:
        warn("No subscriber matches." if records else "There are no subscribers yet.")
    print_result(values, map(_line, values), as_json=as_json)


@people.command("show")
def show(address: Address, as_json: Json = False) -> None:
    """Show everything that is stored about somebody.

    $ digest subscribers show ada@example.org
    """
    file = App().registry.file_of(address)
    if file is None:
        fail(f"there is no subscriber {address}")
    record = to_record(file)
    lines = []
    for name, value in record.items():
        if name == "evidence":
            for event in value:
                where = f", from {event['client']}" if "client" in event else ""
                lines.append(
                    f"evidence: {event['event']} at {event['at']}, by {event['source']}{where}"
                )
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            lines.append(f"{name}: {text}")
    print_result(record, lines, as_json=as_json)


@people.command("papers")
def papers(
    address: Address,
    add: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Add those in a file: ids or links, BibTeX, an export of Zotero or Scholar.",
        ),
    ] = None,
    remove: Annotated[
        str, typer.Option(metavar="ID", help="Remove one, such as arxiv:2602.00001.")
    ] = "",
    as_json: Json = False,
) -> None:
    """List somebody's own papers, add some or remove one.

    They get papers like these.

    $ digest subscribers papers ada@example.org --add own.bib
    """
    app = App()
    file = app.registry.file_of(address)
    if file is None:
        fail(f"there is no subscriber {address}")
    person, lines = file.subscriber, list[str]()
    if add:
        lines = _add_papers(app, person, add)
    if remove:
        if remove not in {own.paper for own in app.registry.own_papers.of(person.id)}:
            fail(f"{address} has no paper {remove}")
        app.registry.own_papers.remove(person.id, remove)
    own = app.registry.own_papers.of(person.id)
    shown = [f"{paper.paper}  {paper.title or 'not known yet'}" for paper in own]
    if not own:
        warn(f"{address} has no papers of their own.")
    print_result(own, [*lines, *shown], as_json=as_json)


def _add_papers(app: App, person: Subscriber, file: Path) -> list[str]:
    """Add the papers in a file; return what is to be told of it."""
    try:
        octets = file.read_bytes()[:LARGEST_FILE]
    except OSError as error:
        fail(f"{file}: {error.strerror}")
    given = app.read_papers(octets, utc_now())
    too_many = app.registry.own_papers.add(person.public_id, given.papers)
    for fault in given.left_out:
        warn(f"left out: {fault}")
    if too_many:
        warn(f"left out: {too_many} papers, because at most {MOST_OWN_PAPERS} are kept")
    read = len(given.papers)
    how = f"{len(given.known)} known here, {given.by_title} by title"
    later = f"{given.to_look_up} to be looked up at the next collection"
    return [f"Read {read} paper{'s' * (read != 1)}: {how}, {later}."]


@people.command("remove")
def remove(address: Address, as_json: Json = False) -> None:
    """Delete a subscriber and all data about them, but not a block.

    $ digest subscribers remove ada@example.org
    """
    if not App().registry.remove(address):
        fail(f"there is no subscriber {address}")
    print_result({"removed": address}, [f"Removed {address}."], as_json=as_json)


@people.command("suppress")
def suppress(address: Address, as_json: Json = False) -> None:
    """Block an address. No email goes there until you lift the block.

    $ digest subscribers suppress ada@example.org
    """
    address = normalise_address(address)
    App().registry.suppressions.add(address, SuppressionReason.OPERATOR, now=utc_now())
    line = f"Blocked {address}: no email goes there until the block is lifted."
    print_result({"suppressed": address}, [line], as_json=as_json)


@people.command("unsuppress")
def unsuppress(
    address: Annotated[str | None, typer.Argument(metavar="ADDRESS")] = None,
    reason: Annotated[
        SuppressionReason | None,
        typer.Option(
            parser=read_bounce_reason,
            metavar="soft-bounce|hard-bounce",
            help="Lift all blocks for this; with --since.",
        ),
    ] = None,
    since: Annotated[
        date | None,
        typer.Option(parser=read_day, metavar="YYYY-MM-DD", help="Blocks from this day (UTC) on."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Lift them; else they are counted.")] = False,
    as_json: Json = False,
) -> None:
    """Lift the block on an address, or all for bounces since a day.

    $ digest subscribers unsuppress ada@example.org
    $ digest subscribers unsuppress --reason soft-bounce --since 2025-12-05
    """
    if reason and since and not address:
        _lift_all(reason, since, yes=yes, as_json=as_json)
    elif address and not reason and not since:
        if not App().registry.suppressions.lift(normalise_address(address)):
            fail(f"there is no block on {address}")
        line = f"Lifted the block on {address}."
        print_result({"unsuppressed": address}, [line], as_json=as_json)
    else:
        misused("give an address, or --reason and --since")


def _lift_all(reason: SuppressionReason, since: date, *, yes: bool, as_json: bool) -> None:
    app, begin = App(), datetime.combine(since, time(), UTC)
    what = f"addresses blocked for {reason} since {since}"
    if yes:
        app.ledger.bounces.forget_soft(reason, begin)
        count = app.registry.suppressions.lift_all(reason, begin)
        line = f"Lifted the blocks on {count} {what}."
    else:
        count = app.registry.suppressions.count(reason, begin)
        line = f"{count} {what}. To lift their blocks, add --yes."
    print_result({"count": count, "lifted": yes}, [line], as_json=as_json)


@people.command("export")
def export(
    as_csv: Annotated[
        bool, typer.Option("--csv", help="CSV with the columns of an import, not JSON lines.")
    ] = False,
) -> None:
    """Print all subscribers in a form that `import` reads.

    $ digest subscribers export > people.jsonl
    """
    files = App().registry.files()
    if as_csv:
        sys.stdout.writelines(csv_lines(files))
    else:
        sys.stdout.writelines(map(json_line, files))


@people.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV with a header, or JSON lines.", metavar="FILE")],
    as_json: Json = False,
) -> None:
    """Add people from a file. Those who are known already stay as they are.

    $ digest subscribers import people.csv
    """
    app = App()
    try:
        with progress_bar("Bytes read") as report:
            imported = import_people(
                app.registry,
                app.address_policy,
                file,
                utc_now(),
                report,
                app.read_papers,
                app.templates.languages.speaks,
            )
    except OSError as error:
        raise LedgerError(f"{file}: {error.strerror}") from error
    for fault in imported.faults():
        warn(f"left out: {fault.said()}")
    for warning in imported.warnings():
        warn(f"{warning.said()}.")
    left_out = len(imported.unread)
    counts = f"{imported.new} new, {imported.known} known already"
    lines = f"{left_out} line{'s' * (left_out != 1)} left out"
    line = f"{counts}, {lines}. Read as {imported.form}."
    print_result(imported, [line], as_json=as_json)
    if imported.unread and not imported.new + imported.known:
        raise typer.Exit(1)


def _line(value: dict[str, Any]) -> str:
    blocked = f"  suppressed: {value['suppressed']['reason']}" if value["suppressed"] else ""
    return f"{value['address']}  {value['consent']}{blocked}  {_topics(value['topics'])}"


def _topics(texts: list[str]) -> str:
    return ", ".join(texts) or "no topics, only what is trending"
