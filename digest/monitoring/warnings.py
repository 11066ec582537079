"""What of the status wants a person. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.ledger.last_runs import Job
from digest.ledger.provider_queues import name_of
from digest.monitoring.status import RunState, Status
from subscribers.model import Consent

LONGEST_SILENCE = timedelta(hours=36)  # a day without a run, and half a day's patience
# The schedule looks each minute; what else it does may keep it for a while.
LONGEST_SLEEP = timedelta(minutes=15)
LONGEST_LATENESS = timedelta(hours=1)  # of an edition, after it has waited for sources
LONGEST_UNREAD = timedelta(hours=1)  # an inbox
PATIENT_EDITIONS = 3  # until an inbox that is set must have been read
LONGEST_STANDSTILL = timedelta(hours=1)  # of sending, while something waits


class WarningKind(StrEnum):
    """What may want a person."""

    HELD = "held"
    PAUSED = "paused"
    UNCERTAIN = "uncertain"
    STUCK = "stuck"
    BROKEN_OFF = "broken-off"
    TROUBLE = "trouble"
    ASLEEP = "asleep"
    NO_EDITION = "no-edition"
    NO_RUN = "no-run"
    SOURCE = "source"
    INBOX = "inbox"
    UNBALANCED = "unbalanced"


@dataclass(frozen=True, slots=True)
class StatusWarning:
    """Something that wants a person, in a line."""

    kind: WarningKind
    text: str


def warnings(status: Status) -> list[StatusWarning]:
    """What wants a person; nothing, if all is well."""
    found = [*_about_the_guard(status)]
    found += [
        StatusWarning(WarningKind.PAUSED, f"no mail goes to {name_of(each.provider)}: {each.why}")
        for each in status.pauses
    ]
    if uncertain := status.queue.uncertain:
        found.append(
            StatusWarning(
                WarningKind.UNCERTAIN, f"of {uncertain} nobody knows whether they arrived"
            )
        )
    found += _about_sending(status)
    found += _about_the_run(status)
    found += _about_the_schedule(status)
    found += [
        StatusWarning(WarningKind.SOURCE, f"{each.name} cannot be collected: {each.failure}")
        for each in status.sources
        if each.failure
    ]
    found += _about_the_inbox(status)
    found += [
        StatusWarning(WarningKind.UNBALANCED, f"the balance of {day} does not add up")
        for day in status.unbalanced
    ]
    return found


def _about_the_guard(status: Status) -> list[StatusWarning]:
    """Whether somebody who sends from here is held.

    Where nobody ever did, but somebody elsewhere is at it, this is a machine beside theirs.
    """
    held = status.held
    if held is None or not (held.was_used or _is_asleep(status) or not _is_scheduled(status)):
        return []
    return [StatusWarning(WarningKind.HELD, held.why)]


def _about_sending(status: Status) -> list[StatusWarning]:
    """Whether nothing is sent, though something waits, and nothing that was asked for holds it up.

    Without a schedule it waits for the next run.
    """
    queue = status.queue
    is_held_up = status.held or status.pauses or not status.rates.is_free
    if queue.ready_since is None or is_held_up or not _is_scheduled(status) or _is_asleep(status):
        return []
    since = max(queue.ready_since, queue.tried_at or queue.ready_since)
    if status.at - since <= LONGEST_STANDSTILL:
        return []
    text = f"{queue.waiting} wait, and since {_utc(since)} none was tried: the log says why"
    return [StatusWarning(WarningKind.STUCK, text)]


def _about_the_run(status: Status) -> list[StatusWarning]:
    last = status.last_run
    if last is None:
        return []
    found = [
        StatusWarning(WarningKind.TROUBLE, f"the last run: {line}") for line in last.run.trouble
    ]
    if last.state is RunState.BROKEN_OFF:
        found.insert(
            0, StatusWarning(WarningKind.BROKEN_OFF, f"the run of {last.run.day} was broken off")
        )
    return found


def _about_the_schedule(status: Status) -> list[StatusWarning]:
    """Whether somebody waits for a digest that nobody is about to make."""
    if not status.subscribers[Consent.CONFIRMED]:
        return []
    return _late_by_schedule(status) if _is_scheduled(status) else _late_by_hand(status)


def _late_by_schedule(status: Status) -> list[StatusWarning]:
    ticks = status.ticks
    if _is_asleep(status):
        since = _utc(ticks.done[Job.PLANNED])
        return [StatusWarning(WarningKind.ASLEEP, f"nobody has looked since {since} who is due")]
    if ticks.overdue_since and status.at > ticks.patient_until + LONGEST_LATENESS:
        since = _utc(ticks.overdue_since)
        return [
            StatusWarning(
                WarningKind.NO_EDITION, f"the day's edition was due {since}, and is not made"
            )
        ]
    return []


def _late_by_hand(status: Status) -> list[StatusWarning]:
    last = status.last_run
    if last is None:
        return [StatusWarning(WarningKind.NO_RUN, "there was no run yet")]
    if status.at - last.run.started_at > LONGEST_SILENCE:
        hours = int(LONGEST_SILENCE.total_seconds() / 3600)
        return [StatusWarning(WarningKind.NO_RUN, f"there was no run for {hours} hours")]
    return []


def _is_scheduled(status: Status) -> bool:
    """Whether a schedule does the runs, and not somebody with `digest run`, who plans for all."""
    planned, last = status.ticks.done.get(Job.PLANNED), status.last_run
    return planned is not None and (last is None or last.run.started_at <= planned)


def _is_asleep(status: Status) -> bool:
    """Whether the schedule has stopped: it looks each minute."""
    ticks = status.ticks
    if not _is_scheduled(status) or ticks.to_be_planned is None:
        return False
    return ticks.to_be_planned - ticks.done[Job.PLANNED] > LONGEST_SLEEP


def _about_the_inbox(status: Status) -> list[StatusWarning]:
    if status.inbox_every is None:
        return []
    patience = max(LONGEST_UNREAD, 2 * status.inbox_every)
    read = status.ticks.done.get(Job.INBOX)
    if read is None:
        return _about_an_inbox_never_read(status)
    if status.at - read <= patience:
        return []
    return [StatusWarning(WarningKind.INBOX, f"the inbox was read last {_utc(read)}")]


def _about_an_inbox_never_read(status: Status) -> list[StatusWarning]:
    """Whoever sets one up has some days."""
    if len(status.editions) < PATIENT_EDITIONS:
        return []
    return [StatusWarning(WarningKind.INBOX, "the inbox was never read")]


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
