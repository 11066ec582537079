"""Find what of the status needs the operator's attention. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from digest.ledger.last_runs import Job
from digest.ledger.provider_queues import ALL, name_of
from digest.model.wording import length
from digest.monitoring.status import RunState, Status, StatusWarning, WarningKind
from subscribers.model import Consent

LONGEST_SILENCE = timedelta(hours=36)  # a day without a run, and half a day's patience
# The schedule looks each minute; what else it does may keep it for a while.
LONGEST_SLEEP = timedelta(minutes=15)
LONGEST_LATENESS = timedelta(hours=1)  # of an edition, after it has waited for sources
LONGEST_REVIEW = timedelta(days=1)  # that an email waits for a person
LONGEST_UNREAD = timedelta(hours=1)  # an inbox
PATIENT_EDITIONS = 3  # until an inbox that is set must have been read
LONGEST_UNHEARD = timedelta(minutes=2)  # of a worker, which shows every few seconds that it lives
UNPLANNED_FOR = timedelta(hours=1)  # an announcement
LONGEST_STANDSTILL = timedelta(hours=1)  # of sending, while something waits

_Found = Iterator[tuple[WarningKind, str]]


def find_warnings(status: Status) -> list[StatusWarning]:
    """Return what needs attention; empty if all is well."""
    areas = (_about_sending, _about_runs, _about_what_comes_in)
    return [StatusWarning(kind, text) for area in areas for kind, text in area(status)]


def _about_sending(status: Status) -> _Found:
    if status.held and _matters(status):
        yield WarningKind.HELD, status.held.why
    for pause in status.pauses:
        yield WarningKind.PAUSED, f"no mail goes to {name_of(pause.provider)}: {pause.why}"
    for edition in status.refused:
        text = f"{edition.count} emails of {edition.day} are refused, and wait: {edition.said}"
        yield WarningKind.REFUSED, text
    if uncertain := status.queue.uncertain:
        text = f"of {uncertain} nobody knows whether they arrived: see digest deliveries uncertain"
        yield WarningKind.UNCERTAIN, text
    for worker in status.workers:
        if worker.silent_for > LONGEST_UNHEARD:
            silence = length(worker.silent_for)
            text = f"the worker on {worker.host} (process {worker.pid}) is silent for {silence}"
            yield WarningKind.SILENT, text
    if _is_stuck(status):
        since = _utc(_could_go_since(status))
        text = f"{status.queue.waiting} wait, and since {since} none was tried: the log says why"
        yield WarningKind.STUCK, text


def _about_runs(status: Status) -> _Found:
    if last := status.last_run:
        if last.state is RunState.BROKEN_OFF:
            yield WarningKind.BROKEN_OFF, f"the run of {last.day} was broken off"
        for line in last.trouble:
            yield WarningKind.TROUBLE, f"the last run: {line}"
    if status.subscribers[Consent.CONFIRMED]:  # somebody waits for a digest
        yield from _late_by_schedule(status) if _is_scheduled(status) else _late_by_hand(status)
    for day in status.unbalanced:
        yield WarningKind.UNBALANCED, f"the balance of {day} does not add up"
    for announcement in status.announcements:
        if announcement.balance.discrepancy:
            yield WarningKind.UNBALANCED, announcement.balance.discrepancy
        elif announcement.balance.is_being_planned and status.at - announcement.at > UNPLANNED_FOR:
            text = f"{announcement.balance.edition} is not planned for everybody: see digest run"
            yield WarningKind.UNBALANCED, text


def _about_what_comes_in(status: Status) -> _Found:
    for source in status.sources:
        if source.failure:
            when = f" since {_utc(source.failing_since)}" if source.failing_since else ""
            yield WarningKind.SOURCE, f"{source.name} cannot be collected{when}: {source.failure}"
        elif source.doubt:
            yield WarningKind.FEW_PAPERS, f"{source.name}: {source.doubt}"
    if not any(pause.provider == ALL for pause in status.pauses):
        for why in status.too_many_back:
            yield WarningKind.CAME_BACK, why
    since = status.review.since
    if since and status.at - since > LONGEST_REVIEW:
        text = f"{status.review.count} emails wait for you to read them, since {_utc(since)}"
        yield WarningKind.REVIEW, text
    if status.inbox_every is not None:
        yield from _unread_inbox(status, timedelta(seconds=status.inbox_every))


def _matters(status: Status) -> bool:
    """Return whether the guard holds up somebody who sends from here.

    If nobody ever did, but somebody elsewhere does, this machine only looks on.
    """
    was_used = status.held is not None and status.held.was_used
    return was_used or _is_asleep(status) or not _is_scheduled(status)


def _is_stuck(status: Status) -> bool:
    """Return whether emails wait without a reason: no pause, rate or sending hours.

    Without a schedule they wait for the next run.
    """
    is_held_up = status.held or status.pauses or not status.rates.is_free
    if status.queue.ready_since is None or is_held_up:
        return False
    is_at_work = _is_scheduled(status) and not _is_asleep(status)
    return is_at_work and status.at - _could_go_since(status) > LONGEST_STANDSTILL


def _could_go_since(status: Status) -> datetime:
    ready, tried = status.queue.ready_since, status.queue.tried_at
    return max(moment for moment in (ready, tried) if moment)


def _late_by_schedule(status: Status) -> _Found:
    schedule = status.schedule
    overdue_since = schedule.edition_overdue_since
    if _is_asleep(status) and (planned := schedule.done[Job.PLANNED]):
        yield WarningKind.ASLEEP, f"the schedule has not looked who is due since {_utc(planned)}"
    elif overdue_since and status.at > schedule.waits_for_sources_until + LONGEST_LATENESS:
        text = f"the day's edition was due {_utc(overdue_since)}, and is not made"
        yield WarningKind.NO_EDITION, text


def _late_by_hand(status: Status) -> _Found:
    last = status.last_run
    if last is None:
        yield WarningKind.NO_RUN, "there was no run yet"
    elif status.at - last.started_at > LONGEST_SILENCE:
        hours = LONGEST_SILENCE // timedelta(hours=1)
        yield WarningKind.NO_RUN, f"there was no run for {hours} hours"


def _is_scheduled(status: Status) -> bool:
    """Return whether a scheduler does the runs, and not somebody with `digest run`."""
    planned, last = status.schedule.done[Job.PLANNED], status.last_run
    return planned is not None and (last is None or last.started_at <= planned)


def _is_asleep(status: Status) -> bool:
    """Return whether the schedule has stopped: it looks each minute."""
    planned, reachable = status.schedule.done[Job.PLANNED], status.schedule.to_be_planned
    if not _is_scheduled(status) or planned is None or reachable is None:
        return False
    return reachable - planned > LONGEST_SLEEP


def _unread_inbox(status: Status, every: timedelta) -> _Found:
    read = status.schedule.done[Job.INBOX]
    if read is None:
        if len(status.editions) >= PATIENT_EDITIONS:  # a new operator has some days to set it up
            yield WarningKind.INBOX, "the inbox was never read"
    elif status.at - read > max(LONGEST_UNREAD, 2 * every):
        yield WarningKind.INBOX, f"the inbox was read last {_utc(read)}"


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
