"""`digest db`: the schema of the ledger, and whose it is."""

from typing import Annotated

import typer

from digest.app.app import App, utc_now
from digest.cli.terminal import group, out
from digest.ledger.database import NEWEST_REVISION
from digest.maintenance.backup import upgrade_ledger

database = group("Care for the database.")


@database.command("upgrade")
def upgrade_database() -> None:
    """Bring the database to the schema of this version, after a backup if it is a file."""
    kept = upgrade_ledger(App().settings.database, utc_now())
    out.print(f"The database is at revision {NEWEST_REVISION}.")
    if kept:
        out.print(f"As it was before, it is kept in {kept}.")


@database.command("adopt")
def adopt(
    drop: Annotated[
        bool,
        typer.Option(
            "--drop",
            help="It is an older copy. Give up what waits in it and what was due before now, "
            "because all of that may have been sent.",
        ),
    ] = False,
    send: Annotated[
        bool,
        typer.Option(
            "--send",
            help="It has been used nowhere else since, or others use it as well: send what waits.",
        ),
    ] = False,
) -> None:
    """Use a ledger here that was restored or has moved, and so sends nothing yet."""
    if drop is send:
        raise typer.BadParameter("say --drop or --send: --help tells which")
    app, now = App(), utc_now()
    if send:
        app.instance_guard.adopt(now)
        out.print("This ledger is used here from now on. What waits is sent.")
    else:
        dropped = app.uncertain_resolver.drop_waiting(now)
        app.instance_guard.adopt(now, sends_from=now)
        out.print(f"This ledger is used here from now on. Given up: {dropped} that waited.")
