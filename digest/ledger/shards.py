"""Shards: deliveries that a worker on any machine is asked to send.

A job is a hint that somebody should look at these rows. The rows decide: a job may be lost, doubled
or late, and nothing is sent twice or forgotten. Jobs are rows of the engine's tables, in the same
database (see jobs_schema.py), so they are handed out in the transaction that plans their rows.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, select, text, update

from digest.ledger.database import write_transaction
from digest.ledger.delivery_rows import IS_ANNOUNCED, among, is_held_by, may_be_tried
from digest.ledger.jobs_schema import has_jobs
from digest.ledger.provider_queues import ALL, closed_queues
from digest.ledger.tables import deliveries
from digest.model.announcements import FIRST_NUMBER
from digest.model.deliveries import DeliveryState
from subscribers.store.id_list import one_of
from subscribers.store.store import Store

MOST = 200  # deliveries in a shard
_FEW = 20  # of one provider: they share a shard with those of others
_MOST_AT_ONCE = 200_000  # deliveries handed out anew
SEND_SHARD = "send_shard"  # the engine's name of the job
SEND_QUEUE = "send"
# Longer than any answer to a final dot is waited for.
_SENDING_AT_MOST = timedelta(minutes=15)

# ruff: noqa: S608  only names of our own stand in these
_HAND_OUT = text(f"""
    SELECT procrastinate_defer_jobs_v1(ARRAY(
        SELECT ROW('{SEND_QUEUE}', '{SEND_SHARD}', CAST(:priority AS integer), NULL, NULL,
                   jsonb_build_object('ids', ids), NULL)::procrastinate_job_to_defer_v1
        FROM jsonb_array_elements(CAST(:shards AS jsonb)) AS shards (ids)))
""")
_IS_LIVE = f"task_name = '{SEND_SHARD}' AND status IN ('todo', 'doing')"
_LIVE = (
    text(f"""
        SELECT CAST(jsonb_array_elements_text(args->'ids') AS integer) AS id
        FROM procrastinate_jobs WHERE {_IS_LIVE}
    """)
    .columns(deliveries.c.id)
    .cte("live")
)
_COUNTS = text(f"""
    SELECT count(*) FILTER (WHERE status = 'doing') AS running,
           count(*) FILTER (WHERE status = 'todo') AS waiting
    FROM procrastinate_jobs WHERE {_IS_LIVE}
""")
# The planner thinks that there are few live ones: it would look through them for each delivery.
_NO_LOOP = text("SET LOCAL enable_nestloop TO off")
_ENDED = text("""
    DELETE FROM procrastinate_jobs WHERE status IN ('succeeded', 'failed', 'cancelled', 'aborted')
""")


@dataclass(frozen=True, slots=True)
class ShardCounts:
    """How many shards are being sent, and how many wait."""

    running: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a shard: rows that may be tried now, and rows that somebody is sending.

    ``held`` are those that one worker has, leased or marked. ``provider`` is that of all its rows,
    if they have one.
    """

    waiting: int
    being_sent: int
    held: int
    provider: str | None

    @property
    def is_settled(self) -> bool:
        return not (self.waiting or self.being_sent)


def cut(rows: Iterable[tuple[int, str]]) -> list[list[int]]:
    """Cut deliveries (id and provider) into shards, each of one provider unless it has few."""
    by_provider: dict[str, list[int]] = {}
    for number, provider in rows:
        by_provider.setdefault(provider, []).append(number)
    few = sorted(number for ids in by_provider.values() if len(ids) < _FEW for number in ids)
    whole = [ids for ids in by_provider.values() if len(ids) >= _FEW]
    return [ids[at : at + MOST] for ids in (*whole, few) for at in range(0, len(ids), MOST)]


def hand_out(connection: Connection, edition_id: int, subscribers: Collection[int]) -> None:
    """Have the workers send what waits for some subscribers, once the transaction is committed."""
    its = deliveries.c
    waiting = select(its.id, its.provider).where(its.edition_id == edition_id)
    waiting = waiting.where(
        one_of(its.subscriber_id, subscribers), its.state == DeliveryState.PENDING
    )
    rows = connection.execute(waiting.order_by(its.id)).all()
    _hand_out(connection, rows, announced=edition_id >= FIRST_NUMBER)


def _hand_out(connection: Connection, rows: Sequence[tuple[int, str]], *, announced: bool) -> None:
    """Make the jobs; those of digests go first."""
    if rows:
        shards, priority = json.dumps(cut(rows)), -1 if announced else 0
        connection.execute(_HAND_OUT, {"shards": shards, "priority": priority})


def _has_job() -> ColumnElement[bool]:
    return select(_LIVE.c.id).where(_LIVE.c.id == deliveries.c.id).exists()


class Shards(Store):
    """The shards of one ledger in PostgreSQL."""

    def rest(self, ids: Collection[int], now: datetime, worker: str) -> Rest:
        """Return what is left to do of a shard now, and what a worker still has of it.

        Mail that is paused is not waited for.
        """
        is_sending = deliveries.c.state == DeliveryState.SENDING
        closed = closed_queues(now)
        is_open = and_(deliveries.c.provider.not_in(closed), literal(ALL).not_in(closed))
        query = select(
            func.count(case((and_(may_be_tried(now), is_open), 1))),
            func.count(case((is_sending, 1))),
            func.count(case((is_held_by(worker), 1))),
            func.min(deliveries.c.provider),
            func.max(deliveries.c.provider),
        )
        row = self._row(query.where(*among(ids)))
        assert row is not None
        waiting, being_sent, held, first, last = row
        return Rest(waiting, being_sent, held, first if first == last else None)

    def hand_out_forgotten(self, now: datetime) -> int:
        """Hand out what may be tried now and no job is for; return how many deliveries.

        This is the one way in which deliveries that were put off, resumed or restored, and those
        whose job was lost, go out.
        """
        closed = closed_queues(now)
        query = (
            select(deliveries.c.id, deliveries.c.provider, IS_ANNOUNCED)
            .where(may_be_tried(now), deliveries.c.claimed_by.is_(None))
            .where(deliveries.c.provider.not_in(closed), literal(ALL).not_in(closed))
            .where(~_has_job())
            .order_by(deliveries.c.edition_id, deliveries.c.id)
            .limit(_MOST_AT_ONCE)
        )
        with write_transaction(self._engine) as connection:
            connection.execute(_NO_LOOP)
            rows = connection.execute(query).all()
            for kind in (False, True):
                its = [(number, provider) for number, provider, is_ in rows if is_ is kind]
                _hand_out(connection, its, announced=kind)
        return len(rows)

    def resolve_forgotten(self, now: datetime) -> int:
        """Mark as uncertain what has been sent for so long that nobody can be sending it."""
        forgotten = update(deliveries).where(
            deliveries.c.state == DeliveryState.SENDING,
            deliveries.c.changed_at < now - _SENDING_AT_MOST,
            ~_has_job(),
        )
        with write_transaction(self._engine) as connection:
            connection.execute(_NO_LOOP)
            forgotten = forgotten.values(state=DeliveryState.UNCERTAIN, changed_at=now)
            return connection.execute(forgotten).rowcount

    def remove_ended(self) -> None:
        """Remove jobs that failed or were ended by hand: what they were for is handed out anew."""
        with self._engine.begin() as connection:
            connection.execute(_ENDED)

    def counts(self) -> ShardCounts | None:
        """Count the shards; None if the database has no engine for several machines."""
        with self._engine.connect() as connection:
            if not has_jobs(connection):
                return None
            row = connection.execute(_COUNTS).one()
            return ShardCounts(row.running, row.waiting)
