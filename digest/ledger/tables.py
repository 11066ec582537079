"""The ledger's tables. Their history is in migrations/; a test compares the two."""

from sqlalchemy import (
    JSON,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from digest.model.identity import LONGEST_NAME_KEY
from subscribers.store.tables import UtcDateTime, metadata

# ---- what was collected ----------------------------------------------------------------------

papers = Table(
    "papers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(80), nullable=False, unique=True),
    Column("title_key", Text, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("arxiv_id", String(32), nullable=False),
    Column("doi", String(150), nullable=False, server_default="", index=True),
    Column("abstract", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("authors", JSON, nullable=False),
    Column("author_count", Integer, nullable=False),
    Column("published_on", Date),
    Column("organisation", Text, nullable=False),
    Column("keywords", JSON, nullable=False),
    Column("categories", JSON, nullable=False),
    Column("page_url", Text, nullable=False),
    Column("code_url", Text, nullable=False),
    Column("project_url", Text, nullable=False),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("picture_url", Text, nullable=False, server_default=""),
    Column("revision", String(16), nullable=False, server_default=""),
    Column("tldr", Text, nullable=False, server_default=""),
    Column("venue", Text, nullable=False, server_default=""),
    Column("citations", Integer, nullable=False, server_default="0"),
)

# The names that papers are found by. ``kind`` is a FollowKind, ``key`` the name as
# ``name_key`` writes it.
paper_names = Table(
    "paper_names",
    metadata,
    Column("kind", String(12), primary_key=True),
    Column("key", String(LONGEST_NAME_KEY), primary_key=True),
    Column("paper_id", ForeignKey("papers.id"), primary_key=True, index=True),
)

# The words by which a paper is found (see search_index.py), as a ``version`` of the program reads
# them; 0 if the paper has changed since. ``reading`` numbers the readings of papers, in order.
paper_words = Table(
    "paper_words",
    metadata,
    Column("paper_id", ForeignKey("papers.id"), primary_key=True),
    Column("words", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("reading", Integer, nullable=False, index=True),
)

# A source presented a paper as new on a day.
listings = Table(
    "listings",
    metadata,
    Column("paper_id", ForeignKey("papers.id"), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("listed_on", Date, primary_key=True, index=True),
)

# Counts as stated by a source: a row for each change.
observations = Table(
    "observations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("paper_id", ForeignKey("papers.id"), nullable=False, index=True),
    Column("source", String(64), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("upvotes", Integer),
    Column("comments", Integer),
    Column("stars", Integer),
)

# One reading of a source, or of files. ``rejections`` are the first entries that could not be read,
# ``rejected`` counts all. ``failure`` is why the rest of the source could not be read.
collections = Table(
    "collections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("day", Date, nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("source", String(64), nullable=False),
    Column("sightings", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("rejections", JSON, nullable=False),
    Column("failure", Text, nullable=False),
)

# The picture of a paper as it is served: two JPEGs under one name. If none could be had from
# ``url``, there is no name, but the reason, how often it was asked for, and when it is again (null:
# never).
pictures = Table(
    "pictures",
    metadata,
    Column("paper_id", ForeignKey("papers.id"), primary_key=True),
    Column("url", Text, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False, index=True),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime),
    Column("problem", Text, nullable=False, server_default=""),
    Column("name", String(32), index=True),
    Column("width", Integer),
    Column("height", Integer),
    # Last, so that a row is read without them.
    Column("small", LargeBinary),
    Column("large", LargeBinary),
)

# A row for each request to the language model. ``verdict`` (model.summaries.Verdict) says whether
# its sentence is used; ``prompt`` is the version of the templates. Without a paper it was a topic.
summaries = Table(
    "summaries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("paper_id", ForeignKey("papers.id")),
    Column("language", String(35), nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("verdict", String(16), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("tokens_sent", Integer, nullable=False),
    Column("tokens_answered", Integer, nullable=False),
    Index("ix_summaries_paper", "paper_id", "language"),
)

# ---- what was made of it ---------------------------------------------------------------------

editions = Table(
    "editions",
    metadata,
    Column("id", Integer, primary_key=True),
    # An announcement has none, so no question about days finds it.
    Column("day", Date, unique=True),
    Column("frozen_at", UtcDateTime, nullable=False),
    # If it was frozen without papers: the last delivery before it got some.
    Column("filled_after", Integer),
    # How many are due, counted from the people; unknown in editions of old versions.
    Column("due", Integer),
    # When the planning began that has not ended; more rows are to come.
    Column("planning_since", UtcDateTime),
    Column("balance", JSON),
    # The sources that failed when it was frozen.
    Column("missing", JSON),
    # The counts of deliveries that are no longer kept: [state, reason, count] each.
    Column("gone", JSON),
)

# The emails that the operator wrote: each is a row of editions as well, so that it is delivered as
# they are. ``key`` is of the words and the readers: the same go out once. ``audience`` is a
# model.announcements.Audience.
announcements = Table(
    "announcements",
    metadata,
    Column("edition_id", ForeignKey("editions.id"), primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("audience", JSON, nullable=False),
    Column("stopped_at", UtcDateTime),
)

# What was known when the edition was frozen, so that a later run of it ranks the same way: the
# papers that it lists, which no other edition does, and the counts of those that were listed
# shortly before (``role`` is a model.digests.Role). ``risen`` are the upvotes gained since the
# edition of the day ``since`` listed the paper; where that is null, in the day before.
edition_papers = Table(
    "edition_papers",
    metadata,
    Column("edition_id", ForeignKey("editions.id"), primary_key=True),
    Column("paper_id", ForeignKey("papers.id"), primary_key=True, index=True),
    Column("listed_on", Date, nullable=False),
    Column("upvotes", Integer),
    Column("comments", Integer),
    Column("stars", Integer),
    Column("risen", Integer, nullable=False, server_default="0"),
    Column("role", String(8), nullable=False, server_default="listed"),
    Column("since", Date),
)

# ---- who got what ----------------------------------------------------------------------------

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("edition_id", ForeignKey("editions.id"), nullable=False),
    # No foreign key, because deliveries are counted after a person is removed.
    Column("subscriber_id", Integer, nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("reason", String(32)),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("planned_at", UtcDateTime),  # null: by an old version
    # Who takes the recipient's mail: deliveries to one provider share one rate.
    Column("provider", String(255), nullable=False, server_default=""),
    # The worker that has it (see live_workers.py).
    Column("claimed_by", String(32)),
    # Whom a refusal was about (model.diagnosis.Scope), if not the address: it is to be sent again.
    Column("refused_for", String(16)),
    # The papers of the digest, with the reasons (model/packed_picks.py); null: none.
    Column("picks", Text),
    UniqueConstraint("edition_id", "subscriber_id"),
    # In the order in which they are claimed: for the first attempt, and for others.
    Index("ix_deliveries_in_order", "state", "edition_id", "id"),
    Index("ix_deliveries_again", "state", "next_attempt_at"),
    Index(
        "ix_deliveries_claimed",
        "claimed_by",
        sqlite_where=text("claimed_by IS NOT NULL"),
        postgresql_where=text("claimed_by IS NOT NULL"),
    ),
)

# One row for each SMTP transaction.
attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("code", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("seconds", Float),  # that it took; older ones do not say
)

# Bounces and complaints: one of each kind per delivery, however often reported.
bounces = Table(
    "bounces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("source", String(16), nullable=False, server_default="mail"),
    UniqueConstraint("delivery_id", "kind"),
)

# How many emails in the inbox wait for a person, as of the last reading, and since when any does.
reviews = Table(
    "reviews",
    metadata,
    Column("inbox", String(16), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("since", UtcDateTime),
)

# ---- how it goes out -------------------------------------------------------------------------

# How fast email may go to a provider, and whether at all; "*" is all email. ``next_at`` is when the
# next message may go, ``gap`` the seconds between two of them if replies have slowed it down. A
# pause with ``probe_at`` ends by itself: one message may go then, to see whether it is accepted.
provider_queues = Table(
    "lanes",
    metadata,
    Column("provider", String(255), primary_key=True),
    Column("next_at", UtcDateTime),
    Column("gap", Float, nullable=False, server_default="0"),
    Column("paused_at", UtcDateTime),
    Column("why", Text, nullable=False, server_default=""),
    Column("resumed_at", UtcDateTime),
    Column("probe_at", UtcDateTime),
    Column("probes", Integer, nullable=False, server_default="0"),
    # How many messages were sent on the latest day of a warm-up.
    Column("day", Date),
    Column("sent", Integer, nullable=False, server_default="0"),
)

# The workers that send, on PostgreSQL (see live_workers.py). ``process`` tells a process of the
# same machine whether this one has ended; ``slots`` are its connections.
workers = Table(
    "workers",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process", Text, nullable=False),
    Column("version", String(32), nullable=False),
    Column("slots", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("heard_at", UtcDateTime, nullable=False),
)

# The provider that takes the mail of a domain, as the DNS said.
mail_domains = Table(
    "mail_domains",
    metadata,
    Column("domain", String(255), primary_key=True),
    Column("provider", String(255), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
)

# ---- what was done ---------------------------------------------------------------------------

# A row for each run, from its beginning. One without an end is under way, or was broken off.
runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("day", Date, nullable=False, index=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("sending", Float, nullable=False),  # seconds
    Column("tried", Integer, nullable=False),
    Column("trouble", Text, nullable=False),  # lines
)

# When each recurring job was done last.
last_runs = Table(
    "milestones",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

# What is wrong, since when, and what the operator was told of it (see alerts.py).
alerts = Table(
    "alerts",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("told", Text),  # lines; null: nothing yet
)

# A row for each DIGEST_HOME that uses this ledger; the folder has the same id and marker (see
# maintenance/instance_guard.py).
instances = Table(
    "instances",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("host", Text, nullable=False),
    Column("home", Text, nullable=False),
    # Changes whenever email is sent, so that an older copy of the ledger has an older one.
    Column("mark", String(32), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    # What was due before is not sent, because the lost ledger may have sent it.
    Column("sends_from", UtcDateTime),
)
