"""The tables of the engine for several machines (Procrastinate), in the same database.

They hold hints, no truth: backups leave them out, and the ledger's rows make lost jobs anew.
"""

from importlib.resources import files

from sqlalchemy import Connection, text


def has_jobs(connection: Connection) -> bool:
    """Return whether the database has the engine's tables."""
    if connection.dialect.name == "sqlite":
        return False
    there = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
    return bool(connection.execute(there).scalar_one())


def create_jobs(connection: Connection) -> bool:
    """Create them, if the engine is installed and they are not there. Return whether they are."""
    if connection.dialect.name == "sqlite" or has_jobs(connection):
        return connection.dialect.name != "sqlite"
    try:
        schema = files("procrastinate.sql").joinpath("schema.sql").read_text("utf-8")
    except ModuleNotFoundError:
        return False
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(schema)
    return True
