"""`digest backup`, `restore`, `tidy` and `db`: the database as a whole."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.terminal import Json, group, misused, print_result, progress_bar, warn
from digest.ledger.database import NEWEST_REVISION
from digest.ledger.row_counts import RowCounts
from digest.maintenance.backup import back_up, upgrade_ledger
from digest.maintenance.backup import restore as put_back
from digest.maintenance.move import move as move_ledger

_DELETED = {
    "answers": "answers of sources",
    "deliveries": "deliveries",
    "collections": "records of collections",
    "runs": "records of runs",
    "evidence": "records of consent of people who have left",
    "unconfirmed": "people who never confirmed",
    "address_changes": "changes of address that nobody confirmed",
    "sign_up_limiter": "requests of forms",
    "mail_domains": "answers of the DNS",
    "pictures": "pictures of papers",
    "locks": "locks of senders that died",
}

database = group("Upgrade the database, or take over one that was restored or moved.")


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    as_json: Json = False,
) -> None:
    """Copy the database to a file, as it is at one moment. Everything may run meanwhile.

    $ digest backup digest.backup
    """
    with progress_bar("Pages copied") as report:
        made = back_up(App().settings.database, file, force=force, now=utc_now(), progress=report)
    values = {"file": made.file, "bytes": made.octets, **asdict(made.counts)}
    line = f"{made.file}: {_counted(made.counts)}; {made.octets / 1_000_000:.1f} MB."
    print_result(values, [line], as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `backup` made.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace a database that is in use; a copy is kept.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Replace the database by a backup. Stop everything else first.

    Nothing is sent from it until you run `digest db adopt`.

    $ digest restore digest.backup --force
    """
    with progress_bar("Pages copied") as report:
        done = put_back(App().settings.database, file, force=force, now=utc_now(), progress=report)
    lines = [f"Restored from {file}: {_counted(done.counts)}."]
    if done.revision != NEWEST_REVISION:
        lines.append(f"It was at revision {done.revision}, and has been upgraded.")
    if done.kept:
        lines.append(f"The database that was there is kept in {done.kept}.")
    values = {**asdict(done.counts), "was_at": done.revision, "kept": done.kept}
    print_result(values, lines, as_json=as_json)
    if not as_json:
        warn("Nothing is sent from it until you run: digest db adopt")


def tidy(as_json: Json = False) -> None:
    """Delete what is older than DIGEST_KEEP_… says. `digest up` does so each night.

    $ digest tidy
    """
    with progress_bar("Old deliveries deleted") as report:
        gone = asdict(App().tidy(utc_now(), report))
    deleted = ", ".join(f"{count} {_DELETED[name]}" for name, count in gone.items() if count)
    line = f"Deleted: {deleted}." if deleted else "Nothing was old enough to be deleted."
    print_result(gone, [line], as_json=as_json)


@database.command()
def upgrade(as_json: Json = False) -> None:
    """Bring the database to the schema of this version. An SQLite file is backed up first.

    $ digest db upgrade
    """
    kept = upgrade_ledger(App().settings.database, utc_now())
    lines = [f"The database is at revision {NEWEST_REVISION}."]
    if kept:
        lines.append(f"A copy of the database before the upgrade is kept in {kept}.")
    print_result({"revision": NEWEST_REVISION, "kept": kept}, lines, as_json=as_json)


@database.command()
def move(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The database in use.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="An empty one in PostgreSQL.")],
    anew: Annotated[
        bool, typer.Option("--anew", help="Delete what is in TO, and copy everything.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Move the installation to PostgreSQL. Stop everything else first.

    If it is interrupted, run it again: it goes on where it was. At the end counts and checksums of
    all tables are compared. Nothing is sent from FROM from then on; set DIGEST_DATABASE_URL to TO.

    $ digest db move sqlite:///var/digest.sqlite3 postgresql+psycopg://digest@localhost/digest
    """
    app = App()
    with progress_bar("Rows copied") as report:
        moved = move_ledger(source, target, app.settings, anew=anew, now=utc_now(), progress=report)
    line = f"Moved {moved.rows} rows; counts and checksums are the same. Set DIGEST_DATABASE_URL."
    print_result(moved, [line], as_json=as_json)


@database.command()
def adopt(
    drop: Annotated[
        bool,
        typer.Option(
            "--drop",
            help="It is an older copy: give up what waits in it and what was due before now, "
            "because all of that may have been sent.",
        ),
    ] = False,
    send: Annotated[
        bool,
        typer.Option(
            "--send",
            help="It was used nowhere else since, or others use it as well: send what waits.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Use a database here that was restored, copied or moved.

    Until then, nothing is sent from it.

    $ digest db adopt --drop
    """
    if drop and send:
        misused("give --drop or --send, not both")
    if not (drop or send):
        drop = _is_older_copy()
    app, now = App(), utc_now()
    dropped = app.uncertain_resolver.drop_waiting(now) if drop else 0
    app.instance_guard.adopt(now, sends_from=now if drop else None)
    rest = f"Given up: {dropped} that waited." if drop else "What waits is sent."
    line = f"This database is used here from now on. {rest}"
    print_result({"adopted": True, "dropped": dropped}, [line], as_json=as_json)


def _is_older_copy() -> bool:
    """Ask the person at the terminal what the choice of ``adopt`` depends on."""
    if not sys.stdin.isatty():
        misused(
            "give --drop if this is an older copy, or --send if the database was used nowhere else "
            "since"
        )
    return typer.confirm("May emails have been sent since this copy was made?")


def _counted(counts: RowCounts) -> str:
    counted = (
        (counts.subscribers, "subscriber"),
        (counts.blocks, "block"),
        (counts.papers, "paper"),
        (counts.editions, "edition"),
    )
    said = [f"{count} {what}{'s' * (count != 1)}" for count, what in counted]
    return ", ".join([f"revision {counts.revision}", *said])
