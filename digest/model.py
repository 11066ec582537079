"""The language of the program: frozen values that every part passes on. Pure."""

from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from enum import StrEnum

from subscribers.topics import TopicFilter

# ---- collect -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signals:
    """Raw counts. None is "this source does not say", which is not zero."""

    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None

    def then(self, seen: "Signals") -> "Signals":
        """The counts after ``seen``: what it states, and the rest as it was."""
        stated = {row.name: getattr(seen, row.name) for row in fields(seen)}
        return replace(self, **{name: n for name, n in stated.items() if n is not None})


@dataclass(frozen=True, slots=True)
class Facts:
    """What sources say of a work. Text is clean (see collect.text); empty means not given.

    ``summary`` is one sentence by the source, ``abstract`` the authors' own. ``author_count`` may
    exceed ``authors`` where a source gives only the number. ``page_url`` is the source's page.
    """

    title: str
    arxiv_id: str = ""
    abstract: str = ""
    summary: str = ""
    authors: tuple[str, ...] = ()
    author_count: int = 0
    published_on: date | None = None
    organisation: str = ""
    keywords: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    page_url: str = ""
    code_url: str = ""
    project_url: str = ""

    def then(self, seen: "Facts") -> "Facts":
        """What is known after ``seen``: what it states, and the rest as it was.

        So a source that knows little takes nothing away.
        """
        stated = {row.name: getattr(seen, row.name) for row in fields(seen)}
        return replace(self, **{name: value for name, value in stated.items() if value})


@dataclass(frozen=True, slots=True)
class Sighting:
    """One source's observation of a paper.

    ``listed_on`` is the day the source presented it as new; None for a mere look-up or a new
    version, which make nothing eligible.
    """

    source: str
    seen_at: datetime
    listed_on: date | None
    facts: Facts
    signals: Signals = Signals()


@dataclass(frozen=True, slots=True)
class Rejection:
    """One thing that could not be read: in which file or address, where in it, and why."""

    file: str
    where: str
    why: str

    @classmethod
    def of_source(cls, name: str, why: str) -> "Rejection":
        """A source that failed: its remaining parts could not be read."""
        return cls(name, "source", why)

    @property
    def is_of_source(self) -> bool:
        return self.where == "source"


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one reading of a source gave. Nothing is lost: unreadable entries are listed."""

    sightings: tuple[Sighting, ...] = ()
    rejected: tuple[Rejection, ...] = ()

    def __add__(self, other: "Harvest") -> "Harvest":
        return Harvest(self.sightings + other.sightings, self.rejected + other.rejected)


@dataclass(frozen=True, slots=True)
class Listing:
    """A source presented a paper as new on a day."""

    source: str
    day: date


@dataclass(frozen=True, slots=True)
class Observation:
    """The counts of one source, from this moment until its next observation."""

    source: str
    seen_at: datetime
    signals: Signals


@dataclass(frozen=True, slots=True)
class KnownPaper:
    """A paper as the ledger has it: ``key`` is its canonical id, ``signals`` are by source."""

    id: int
    key: str
    facts: Facts
    signals: dict[str, Signals]
    listings: frozenset[Listing]


@dataclass(frozen=True, slots=True)
class MergedPaper:
    """What the ledger is to hold after a merge: the paper, and what is new about it.

    ``known_id`` is None for a paper not seen before.
    """

    known_id: int | None
    key: str
    title_key: str
    facts: Facts
    first_seen: datetime
    facts_changed: bool
    new_listings: tuple[Listing, ...]
    new_observations: tuple[Observation, ...]

    @property
    def is_new(self) -> bool:
        return self.known_id is None

    @property
    def is_updated(self) -> bool:
        changes = self.facts_changed or self.new_listings or self.new_observations
        return not self.is_new and bool(changes)


@dataclass(frozen=True, slots=True)
class Collected:
    """The balance of a collection, in papers."""

    papers: int
    new: int
    updated: int
    rejected: tuple[Rejection, ...] = ()

    @property
    def failures(self) -> tuple[str, ...]:
        """The sources that failed, and why: more than an entry that cannot be read."""
        return tuple(f"{each.file}: {each.why}" for each in self.rejected if each.is_of_source)

    @property
    def failed_sources(self) -> tuple[str, ...]:
        return tuple(each.file for each in self.rejected if each.is_of_source)


# ---- rank ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper that is eligible for an edition, with its signals as the edition froze them.

    ``paper_id`` is the ledger's number for it, ``key`` its canonical id; ``risen`` are the upvotes
    of the last day before that, as far as earlier ones were seen.
    """

    paper_id: int
    key: str
    facts: Facts
    signals: Signals
    listed_on: date
    risen: int = 0


@dataclass(frozen=True, slots=True)
class Edition:
    """A day's frozen pool, the same for everyone. ``candidates`` are in the order of their id.

    ``missing`` are the names of the sources that had failed when it was frozen.
    """

    id: int
    day: date
    candidates: tuple[Candidate, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a paper is in a digest: the topic as typed, and words of the paper that speak for it.

    Where it was matched with papers that the reader liked, ``liked`` is the title of the one that
    is most like it, and there is no topic.
    """

    topic: str
    words: tuple[str, ...] = ()
    liked: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """How well a candidate fits a topic filter: ``score`` in 0..1, and the reason to show."""

    score: float
    reason: Reason


class Section(StrEnum):
    FOR_YOU = "for-you"
    TRENDING = "trending"


@dataclass(frozen=True, slots=True)
class Pick:
    """One paper of a digest. Trending papers have no match: votes put them there."""

    section: Section
    candidate: Candidate
    match: Match | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """One subscriber's selection from an edition, in the order it is read.

    Where there is none, and they want to know, it is a note that says ``why_nothing``. ``missing``
    is as of the edition.
    """

    day: date
    topics: tuple[TopicFilter, ...]
    picks: tuple[Pick, ...]
    pool_size: int
    missing: tuple[str, ...] = ()
    why_nothing: "SkipReason | None" = None


# ---- deliver -------------------------------------------------------------------------------


class DeliveryState(StrEnum):
    """Where a delivery stands. ledger.deliveries holds the transitions."""

    PENDING = "pending"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"
    UNCERTAIN = "uncertain"


class SkipReason(StrEnum):
    """Why somebody gets nothing. The first two are also what a note tells, where one is wanted."""

    NO_PAPERS = "no-papers"
    NOTHING_MATCHED = "nothing-matched"
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"
    NOT_CONFIRMED = "not-confirmed"
    REMOVED = "removed"
    NOT_RENDERED = "not-rendered"
    TOO_LARGE = "too-large"
    STALE = "stale"
    MISSED = "missed"  # their time was too long ago when somebody looked
    DROPPED = "dropped"  # by the operator, where nobody knew whether it had arrived


@dataclass(frozen=True, slots=True)
class Delivery:
    """The durable intent to send one digest to one subscriber.

    ``provider`` is who takes the subscriber's mail, as of when it was planned (see
    deliver.providers). ``note`` is why there is nothing for them, where it is a note of that.
    """

    id: int
    edition_id: int
    subscriber_id: int
    attempts: int
    provider: str = ""
    note: SkipReason | None = None


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of a delivery: its state, why it was skipped, and the server's last words.

    Of a note, ``reason`` is why there is nothing. ``planned_at`` is not known of older ones;
    ``next_attempt_at`` is there where one was put off.
    """

    delivery: Delivery
    state: DeliveryState
    reason: str
    last_words: str
    planned_at: datetime | None
    changed_at: datetime
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True)
class Envelope:
    """SMTP's MAIL FROM and RCPT TO (RFC 5321 section 2.3.1)."""

    mail_from: str
    rcpt_to: str

    @property
    def is_international(self) -> bool:
        """Whether it takes SMTPUTF8 (RFC 6531) to send it."""
        return not (self.mail_from + self.rcpt_to).isascii()


@dataclass(frozen=True, slots=True)
class Message:
    """A finished mail: its envelope and the octets of its content, CRLF line ends."""

    envelope: Envelope
    message_id: str
    content: bytes


class OutcomeKind(StrEnum):
    """How one SMTP transaction ended; uncertain is "the answer to the final dot never came"."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


class Concern(StrEnum):
    """Whom a reply is about: by what it answers, and by its status (see deliver.replies)."""

    RECIPIENT = "recipient"
    MESSAGE = "message"
    RELAY = "relay"  # us and the relay, whoever the message is for


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt's end. ``text`` is the server's words or the fault; ``code`` is 0 without reply.

    ``status`` is the reply's enhanced status code (RFC 3463), if it has one. ``address_is_dead`` is
    set by replies that say so by themselves (see deliver.replies).
    """

    kind: OutcomeKind
    text: str
    code: int = 0
    address_is_dead: bool = False
    status: str = ""
    concern: Concern = Concern.RECIPIENT

    @property
    def is_no_verdict(self) -> bool:
        """Whether the relay takes nothing from us, whoever it is for: so this is not used up."""
        is_not_taken = self.kind in {OutcomeKind.DEFERRED, OutcomeKind.REFUSED}
        return is_not_taken and self.concern is Concern.RELAY


# ---- what comes back -----------------------------------------------------------------------


class BounceKind(StrEnum):
    """What came back about a delivery; once each."""

    HARD = "hard"  # nobody will ever be reached at the address
    SOFT = "soft"  # it failed, and another mail may arrive
    BLOCKED = "blocked"  # it failed for what we are or do, not for the address
    COMPLAINT = "complaint"  # the reader called it spam


@dataclass(frozen=True, slots=True)
class Bounce:
    """Something that came back: ``status`` (RFC 3463) and ``text`` as far as they were told."""

    kind: BounceKind
    status: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """What became of everybody due for an edition. ``due`` is always the sum of the rest."""

    edition: date
    due: int = 0
    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    suppressed: int = 0
    skipped: int = 0
    uncertain: int = 0
    pending: int = 0
    skipped_for: dict[str, int] = field(default_factory=dict)

    @property
    def is_balanced(self) -> bool:
        """Whether everybody due is somewhere, once."""
        decided = self.accepted + self.refused + self.suppressed + self.skipped + self.uncertain
        return self.due == decided + self.deferred + self.pending
