"""How large a database is, in octets and in rows."""

from pathlib import Path

from sqlalchemy import Engine, func, select, text

from subscribers.store.tables import metadata


def stored_octets(engine: Engine) -> int:
    """Return the size of the file and its write-ahead log, or of the schema's tables."""
    if engine.dialect.name == "sqlite":
        files = (Path(f"{engine.url.database}{ending}") for ending in ("", "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())
    query = """
        SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class
        WHERE relkind = 'r' AND relnamespace = to_regnamespace(current_schema())
    """
    with engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def stored_rows(engine: Engine) -> dict[str, int]:
    """Count the rows of every table that has any."""
    with engine.connect() as connection:
        counts = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
    return {name: count for name, count in counts.items() if count}
