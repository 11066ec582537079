"""`digest backup`, `restore` and `tidy`: care for what is stored."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from digest.app.app import App, utc_now
from digest.cli.terminal import Json, print_result, progress_bar, warn
from digest.ledger.database import NEWEST_REVISION
from digest.ledger.row_counts import RowCounts
from digest.maintenance.backup import Restored, back_up
from digest.maintenance.backup import restore as put_back

_SAID = {
    "answers": "answers of sources",
    "deliveries": "deliveries",
    "collections": "records of collections",
    "runs": "records of runs",
    "evidence": "things said by people who have left",
    "address_changes": "changes of address that nobody confirmed",
    "sign_up_limiter": "requests of forms",
    "mail_domains": "answers of the DNS",
    "locks": "locks of senders that died",
}


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Copy the ledger into a file, as it is at one moment; everything may run meanwhile."""
    with progress_bar("Copying") as report:
        made = back_up(App().settings.database, file, force=force, now=utc_now(), progress=report)
    values = {"file": str(made.file), "bytes": made.octets, **asdict(made.counts)}
    line = f"{made.file}: {_told(made.counts)}; {made.octets / 1_000_000:.1f} MB."
    print_result(values, [line], as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `backup` made.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace a ledger that is there; a copy is kept.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put the ledger in a file in the place of the one in use. Stop everything else first."""
    with progress_bar("Copying") as report:
        done = put_back(App().settings.database, file, force=force, now=utc_now(), progress=report)
    values = {
        **asdict(done.counts),
        "was_at": done.revision,
        "kept": done.kept and str(done.kept),
    }
    print_result(values, _restored_lines(file, done), as_json=as_json)
    if not as_json:
        warn("Nothing is sent from it before you say so: digest db adopt")


def tidy(as_json: Json = False) -> None:
    """Remove what is older than it is to be kept (DIGEST_KEEP_…), as is done each night."""
    with progress_bar("Removing old deliveries") as report:
        gone = asdict(App().tidy(utc_now(), report))
    removed = ", ".join(f"{count} {_SAID[name]}" for name, count in gone.items() if count)
    line = f"Removed: {removed}." if removed else "Nothing was old enough."
    print_result(gone, [line], as_json=as_json)


def _restored_lines(file: Path, done: Restored) -> Iterator[str]:
    yield f"Restored from {file}: {_told(done.counts)}."
    if done.revision != NEWEST_REVISION:
        yield f"It was at revision {done.revision}, and has been upgraded."
    if done.kept:
        yield f"What was there before is kept in {done.kept}."


def _told(counts: RowCounts) -> str:
    counted = (
        (counts.subscribers, "subscriber"),
        (counts.blocks, "block"),
        (counts.papers, "paper"),
        (counts.editions, "edition"),
    )
    said = [f"{count} {what}{'s' * (count != 1)}" for count, what in counted]
    return ", ".join([f"revision {counts.revision}", *said])
