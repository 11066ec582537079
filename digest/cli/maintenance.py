"""`digest backup`, `restore` and `tidy`: care for what is stored."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from digest.app.app import App, utc_now
from digest.cli.terminal import Json, err, out, print_json, progress_bar
from digest.ledger.database import NEWEST_REVISION
from digest.ledger.row_counts import RowCounts
from digest.maintenance.backup import back_up
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
    if as_json:
        said = {"file": str(made.file), "bytes": made.octets, **asdict(made.counts)}
        print_json(said)
        return
    size = f"{made.octets / 1_000_000:.1f} MB"
    out.print(Text(f"{made.file}: {_told(made.counts)}; {size}."))


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
    if as_json:
        kept = done.kept and str(done.kept)
        print_json({**asdict(done.counts), "was_at": done.revision, "kept": kept})
        return
    out.print(Text(f"Restored from {file}: {_told(done.counts)}."))
    if done.revision != NEWEST_REVISION:
        out.print(f"It was at revision {done.revision}, and has been upgraded.")
    if done.kept:
        out.print(Text(f"What was there before is kept in {done.kept}."))
    err.print("Nothing is sent from it before you say so: digest db adopt")


def tidy(as_json: Json = False) -> None:
    """Remove what is older than it is to be kept (DIGEST_KEEP_…), as is done each night."""
    with progress_bar("Removing old deliveries") as report:
        gone = asdict(App().retention.tidy(utc_now(), report))
    if as_json:
        print_json(gone)
        return
    lines = [f"{count} {_SAID[name]}" for name, count in gone.items() if count]
    out.print("Removed: " + ", ".join(lines) + "." if lines else "Nothing was old enough.")


def _told(counts: RowCounts) -> str:
    counted = (
        (counts.subscribers, "subscriber"),
        (counts.blocks, "block"),
        (counts.papers, "paper"),
        (counts.editions, "edition"),
    )
    said = [f"{count} {what}{'s' * (count != 1)}" for count, what in counted]
    return ", ".join([f"revision {counts.revision}", *said])
