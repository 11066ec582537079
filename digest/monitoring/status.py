"""The values of the status. gathering.py fills them in; the CLI prints them."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from digest.ledger.daily_stats import DailyStats
from digest.ledger.health import Queue, SourceHealth
from digest.ledger.history import PastRun
from digest.ledger.last_runs import Job
from digest.ledger.live_workers import LiveWorker
from digest.ledger.outcomes import RefusedEdition
from digest.ledger.provider_queues import Pause
from digest.ledger.reviews import Review
from digest.ledger.shards import ShardCounts
from digest.model.deliveries import Balance, BounceKind
from digest.model.summaries import Verdict
from subscribers.model import Consent


class WarningKind(StrEnum):
    """The kinds of what may need the operator's attention."""

    HELD = "held"
    PAUSED = "paused"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    STUCK = "stuck"
    BROKEN_OFF = "broken-off"
    TROUBLE = "trouble"
    ASLEEP = "asleep"
    NO_EDITION = "no-edition"
    NO_RUN = "no-run"
    SOURCE = "source"
    FEW_PAPERS = "few-papers"
    INBOX = "inbox"
    REVIEW = "review"
    CAME_BACK = "came-back"
    UNBALANCED = "unbalanced"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class StatusWarning:
    """Something that needs the operator's attention, in a line."""

    kind: WarningKind
    text: str


@dataclass(frozen=True, slots=True)
class AnnouncementStatus:
    """An announcement of the last days, and how it stands."""

    number: int
    subject: str
    at: datetime
    to: str
    stopped_at: datetime | None
    balance: Balance


class RunState(StrEnum):
    """The states of a run."""

    ENDED = "ended"
    UNDER_WAY = "under-way"
    BROKEN_OFF = "broken-off"  # it has no end, and had the time for one


@dataclass(frozen=True, slots=True)
class LastRun(PastRun):
    """The latest run, and how far it has come."""

    state: RunState


@dataclass(frozen=True, slots=True)
class Schedule:
    """The last time of each job (None: never), and the next times.

    ``edition_overdue_since`` is when the day's edition was to be made, if it is not; it may wait
    for sources until ``waits_for_sources_until``. ``to_be_planned`` is the moment up to which
    everybody due could have been planned for by now; None before the first edition.
    """

    done: dict[Job, datetime | None]
    next_edition: datetime
    next_collection: datetime | None  # None: at once
    waits_for_sources_until: datetime
    edition_overdue_since: datetime | None = None
    to_be_planned: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """The limits that are set: messages a minute, the sending hours, and how many on this day.

    ``sent_today`` counts towards ``most_today``; both are None without a warm-up. ``is_free`` says
    whether for an hour neither the hours nor that number have been in the way.
    """

    all: float | None
    per_provider: float | None
    per_connection: float | None
    sending_hours: tuple[time, time] | None
    most_today: int | None
    sent_today: int | None
    is_free: bool


@dataclass(frozen=True, slots=True)
class Summaries:
    """The requests to the language model on a day of UTC, and what is left of the day's bounds.

    Their outcomes are those that are ``used``, dropped or failed by reason. Costs are None without
    prices, ``cost_left`` also without a bound.
    """

    asked: int
    used: int
    dropped: dict[Verdict, int]
    failed: dict[Verdict, int]
    tokens: int
    tokens_left: int
    cost: float | None
    cost_left: float | None


@dataclass(frozen=True, slots=True)
class Readers:
    """The number of readers due within a day, and when the next is; pauses aside."""

    due_within_a_day: int
    next_due: datetime | None


@dataclass(frozen=True, slots=True)
class Held:
    """The reason why nothing is sent from this ledger here, and whether anything ever was."""

    why: str
    was_used: bool


@dataclass(frozen=True, slots=True)
class Status:
    """The status at a moment, in the form that `digest status --json` prints.

    ``editions`` are the latest, newest first; the balances of the days in ``unbalanced`` do not
    add up. ``refused`` are those whose emails wait because they were refused for another reason
    than their addresses. ``intervals`` are the seconds between two messages to providers that asked
    for less speed. ``inbox_every`` is how many seconds apart the inbox is read, if one is set.
    ``readers`` takes a look at everybody, so it is not there for those who ask every few seconds.
    ``too_many_back`` says which limits over the list the bounces reported by mail exceed.
    ``announcements`` are those of the last days, newest first. ``workers`` are those on
    PostgreSQL; ``shards`` are there if several machines send, and ``summaries`` if a language model
    is set.
    """

    at: datetime
    editions: tuple[DailyStats, ...]
    unbalanced: tuple[date, ...]
    queue: Queue
    pauses: tuple[Pause, ...]
    refused: tuple[RefusedEdition, ...]
    intervals: dict[str, float]
    came_back: dict[BounceKind, int]
    came_back_since: datetime
    too_many_back: tuple[str, ...]
    review: Review
    sources: tuple[SourceHealth, ...]
    last_run: LastRun | None
    subscribers: dict[Consent, int]
    schedule: Schedule
    rates: Rates
    inbox_every: int | None
    held: Held | None
    readers: Readers | None = None
    announcements: tuple[AnnouncementStatus, ...] = ()
    workers: tuple[LiveWorker, ...] = ()
    shards: ShardCounts | None = None
    summaries: Summaries | None = None
    warnings: tuple[StatusWarning, ...] = ()
    is_well: bool = True
