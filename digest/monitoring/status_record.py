"""The status as a program gets it (docs/operations.md describes the form)."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from digest.ledger.daily_stats import DailyStats
from digest.ledger.health import Queue, SourceHealth
from digest.ledger.last_runs import Job
from digest.monitoring.status import CAME_BACK_WITHIN, LastRun, Rates, Readers, Status, Ticks
from digest.monitoring.warnings import warnings


def status_record(status: Status, readers: Readers) -> dict[str, Any]:
    """Plain values only. Names are only ever added to this form."""
    found = warnings(status)
    return {
        "at": status.at.isoformat(),
        "is_well": not found,
        "worries": [{"kind": each.kind.value, "text": each.text} for each in found],
        "editions": [_edition(each) for each in status.editions],
        "queue": _queue(status.queue, status.at),
        "pauses": [{**asdict(each), "since": each.since.isoformat()} for each in status.pauses],
        "gaps": status.intervals,
        "came_back": {
            "since": (status.at - CAME_BACK_WITHIN).isoformat(),
            **{kind.value: count for kind, count in status.came_back.items()},
        },
        "sources": [_source(each) for each in status.sources],
        "last_run": status.last_run and _run(status.last_run),
        "subscribers": {consent.value: n for consent, n in status.subscribers.items()},
        "readers": {"due_within_a_day": readers.within_a_day, "next_due": _moment(readers.next)},
        **_ticks(status.ticks),
        "rates": _rates(status.rates),
        "held": status.held.why if status.held else "",
    }


def _ticks(ticks: Ticks) -> dict[str, Any]:
    return {
        "next_edition": _moment(ticks.next_edition),
        "edition_overdue_since": _moment(ticks.overdue_since),
        "next_collection": _moment(ticks.next_collection),
        "done": {name.value: _moment(ticks.done.get(name)) for name in Job},
    }


def _rates(rates: Rates) -> dict[str, Any]:
    return {
        "all": rates.all,
        "per_provider": rates.per_provider,
        "per_connection": rates.per_connection,
        "window": [f"{each:%H:%M}" for each in rates.window] if rates.window else None,
        "most_today": rates.most_today,
        "sent_today": rates.sent if rates.most_today is not None else None,
    }


def _edition(stats: DailyStats) -> dict[str, Any]:
    balance = asdict(stats.balance)
    del balance["edition"]
    return {
        "day": stats.day.isoformat(),
        "papers": stats.papers,
        "made_at": _moment(stats.made_at),
        "missing": list(stats.missing),
        "sending_seconds": stats.sending.total_seconds(),
        "balance": balance,
    }


def _queue(queue: Queue, now: datetime) -> dict[str, Any]:
    since = queue.oldest_since
    return {
        "waiting": queue.waiting,
        "put_off": queue.put_off,
        "put_off_from": _moment(queue.put_off_from),
        "put_off_until": _moment(queue.put_off_until),
        "being_sent": queue.being_sent,
        "uncertain": queue.uncertain,
        "oldest_since": _moment(since),
        "oldest_seconds": (now - since).total_seconds() if since else None,
        "ready_since": _moment(queue.ready_since),
        "tried_at": _moment(queue.tried_at),
    }


def _source(source: SourceHealth) -> dict[str, Any]:
    return {
        **asdict(source),
        "collected_at": _moment(source.collected_at),
        "failed_at": _moment(source.failed_at),
    }


def _run(last: LastRun) -> dict[str, Any]:
    return {
        "day": last.run.day.isoformat(),
        "state": last.state.value,
        "started_at": last.run.started_at.isoformat(),
        "ended_at": _moment(last.run.ended_at),
        "sending_seconds": last.run.sending.total_seconds(),
        "tried": last.run.tried,
        "trouble": list(last.run.trouble),
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
