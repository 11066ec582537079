"""People from a file into the tables, some hundreds at a time."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select

from subscribers.addresses import address_key
from subscribers.store.rows import evidence_row, is_suppressed, new_public_id
from subscribers.store.tables import consents, ratings, subscribers, suppressions
from subscribers.transfer import ImportRow


def admit(connection: Connection, rows: Sequence[ImportRow], now: datetime) -> int:
    """Take in people with their evidence, opinions and blocks; how many were not there before."""
    by_key: dict[str, ImportRow] = {}
    for each in rows:
        by_key.setdefault(address_key(each.address), each)
    known = select(subscribers.c.address_key).where(subscribers.c.address_key.in_(list(by_key)))
    for key in connection.execute(known).scalars():
        del by_key[key]
    if not by_key:
        return 0
    connection.execute(insert(subscribers), [_row(key, by_key[key], now) for key in by_key])
    added = select(subscribers.c.address_key, subscribers.c.id).where(
        subscribers.c.address_key.in_(list(by_key))
    )
    ids = {row.address_key: row.id for row in connection.execute(added)}
    said = [evidence_row(ids[key], each) for key in ids for each in by_key[key].evidence]
    connection.execute(insert(consents), said)
    held = [
        {"subscriber_id": ids[key], "paper": each.paper, "verdict": each.verdict, "at": each.at}
        for key in ids
        for each in by_key[key].ratings
    ]
    if held:
        connection.execute(insert(ratings), held)
    for key, each in by_key.items():
        if each.suppression and not is_suppressed(connection, key):
            block = {"reason": each.suppression.reason, "at": each.suppression.at}
            connection.execute(insert(suppressions).values(address_key=key, **block))
    return len(by_key)


def _row(key: str, row: ImportRow, now: datetime) -> dict[str, object]:
    return {
        "public_id": new_public_id(),
        "address": row.address,
        "address_key": key,
        "topics": [topic.text for topic in row.topics],
        "preferences": row.preferences.to_json(),
        "consent": row.consent,
        "since": now,
    }
