"""Look at all that a database holds about people, and compare two looks."""

from sqlalchemy import Table, select

from subscribers.store import tables
from tests.support import NOW

TABLES = [var for var in vars(tables).values() if isinstance(var, Table)]


def look(engine):
    """Return every row about people, by its table and its key."""
    with engine.connect() as connection:
        return {
            (table.name, *(row[column.name] for column in table.primary_key)): dict(row)
            for table in TABLES
            for row in connection.execute(select(table)).mappings()
        }


def changes(before, after):
    """Return the changes between two looks: a line for each new, removed or changed row.

    People go by what stands before the @ in their address.
    """
    names = {
        row["id"]: row["address"].partition("@")[0]
        for (table, *_), row in (*after.items(), *before.items())
        if table == "subscribers"
    }
    lines = []
    for key in before.keys() | after.keys():
        old, new = before.get(key, {}), after.get(key, {})
        row = new or old
        place = f"{key[0]} {names.get(row.get('subscriber_id', row.get('id')), '')}".strip()
        if old and new:
            lines += [
                f"{place}: {name} {_said(old[name])} -> {_said(new[name])}"
                for name in row
                if old[name] != new[name]
            ]
        else:
            values = (_said(row[name]) for name in row if name not in {"id", "subscriber_id"})
            lines.append(f"{'+' if new else '-'} {place}: {', '.join(values)}")
    return sorted(lines)


def _said(value):
    return "now" if value == NOW else str(value)
