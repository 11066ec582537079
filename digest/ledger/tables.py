"""The ledger's tables. Their history is in migrations/; a test compares the two."""

from sqlalchemy import (
    JSON,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

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

# ---- what was made of it ---------------------------------------------------------------------

editions = Table(
    "editions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("day", Date, nullable=False, unique=True),
    Column("frozen_at", UtcDateTime, nullable=False),
    # If it was frozen without papers: the last delivery before it got some.
    Column("filled_after", Integer),
    # How many are due, counted from the people; unknown in editions of old versions.
    Column("due", Integer),
    Column("balance", JSON),
    # The sources that failed when it was frozen.
    Column("missing", JSON),
    # The counts of deliveries that are no longer kept: [state, reason, count] each.
    Column("gone", JSON),
)

# The pool, with the counts as they were, so that a later run of the edition ranks the same way. A
# paper belongs to one edition at most, so that nobody is shown it twice.
edition_papers = Table(
    "edition_papers",
    metadata,
    Column("edition_id", ForeignKey("editions.id"), primary_key=True),
    Column("paper_id", ForeignKey("papers.id"), primary_key=True),
    Column("listed_on", Date, nullable=False),
    Column("upvotes", Integer),
    Column("comments", Integer),
    Column("stars", Integer),
    Column("risen", Integer, nullable=False, server_default="0"),
    UniqueConstraint("paper_id"),
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
    # The worker that claimed it last. Its lock tells whether it lives (see live_workers.py).
    Column("claimed_by", String(32)),
    # Whom a refusal was about (model.diagnosis.Scope), if not the address: it is to be sent again.
    Column("refused_for", String(16)),
    UniqueConstraint("edition_id", "subscriber_id"),
    # In the order in which they are claimed: for the first attempt, and for others.
    Index("ix_deliveries_in_order", "state", "edition_id", "id"),
    Index("ix_deliveries_again", "state", "next_attempt_at"),
)

# The picks of a digest, with the reasons.
delivery_papers = Table(
    "delivery_papers",
    metadata,
    Column("delivery_id", ForeignKey("deliveries.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("paper_id", ForeignKey("papers.id"), nullable=False),
    Column("section", String(16), nullable=False),
    Column("score", Float),
    Column("topic", Text),
    Column("words", JSON),
    Column("liked", Text),
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

# How many mails in the inbox wait for a person, as of the last reading, and since when any does.
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
