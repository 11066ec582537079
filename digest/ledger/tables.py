"""The ledger's tables. Their history is in ledger/migrations; a test holds the two together."""

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

# Counts as a source gave them. A row for each change; between two rows nothing changed.
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

# One reading of a source, or of files: what it gave, and what of it could not be read (the first of
# it; ``rejected`` counts all). A failure is why the rest of the source could not be read.
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
    # The last delivery there was when its papers came, if it was frozen without any.
    Column("filled_after", Integer),
    # How many are due, counted from the people; not known of editions from before this was counted.
    Column("due", Integer),
    Column("balance", JSON),
    # The sources that failed when it was frozen.
    Column("missing", JSON),
    # What became of deliveries whose rows are no longer kept: [state, reason, count] each.
    Column("gone", JSON),
)

# The pool, with the counts as they were: a later run of the same edition ranks the same way.
# A paper belongs to one edition at most, so nobody is shown it twice.
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

# ---- who got it ------------------------------------------------------------------------------

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("edition_id", ForeignKey("editions.id"), nullable=False),
    # No foreign key: the balance outlives a person who is removed.
    Column("subscriber_id", Integer, nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("reason", String(32)),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
    # Null: by an older version.
    Column("planned_at", UtcDateTime),
    # Who takes the recipient's mail: deliveries to one provider keep one pace.
    Column("provider", String(255), nullable=False, server_default=""),
    # The sender that has claimed it last. Its lock tells whether it lives (see live_workers.py).
    Column("claimed_by", String(32)),
    UniqueConstraint("edition_id", "subscriber_id"),
    # In the order in which they are claimed: the first time, and again.
    Index("ix_deliveries_in_order", "state", "edition_id", "id"),
    Index("ix_deliveries_again", "state", "next_attempt_at"),
)

# The digest, as ids: what was chosen for whom, and why.
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

# What came back about a delivery: that it failed after all, or that the reader called it spam. Once
# each, however often it is reported.
bounces = Table(
    "bounces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("text", Text, nullable=False),
    UniqueConstraint("delivery_id", "kind"),
)

# ---- how it goes out -------------------------------------------------------------------------

# How fast mail may go to a provider, and whether it may at all; "*" is all mail. ``next_at`` is
# when the next may go, ``interval`` the seconds between two that replies have led to.
provider_queues = Table(
    "lanes",
    metadata,
    Column("provider", String(255), primary_key=True),
    Column("next_at", UtcDateTime),
    Column("gap", Float, nullable=False, server_default="0"),
    Column("paused_at", UtcDateTime),
    Column("why", Text, nullable=False, server_default=""),
    Column("resumed_at", UtcDateTime),
    # How many went out on the latest day on which any did.
    Column("day", Date),
    Column("sent", Integer, nullable=False, server_default="0"),
)

# Who takes the mail of a domain, as the DNS said.
mail_domains = Table(
    "mail_domains",
    metadata,
    Column("domain", String(255), primary_key=True),
    Column("provider", String(255), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
)

# ---- what was done ---------------------------------------------------------------------------

# A row for each run, from its first moment. It names its day, because there may be no edition of it
# yet. One without an end is under way, or died.
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

# When something that is done again and again was done last.
last_runs = Table(
    "milestones",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

# Who works with this ledger: a row for each DIGEST_HOME, whose folder has the same number and mark.
# A ledger that was restored or copied has others than the folder it is used with.
instances = Table(
    "instances",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("host", Text, nullable=False),
    Column("home", Text, nullable=False),
    # Changes whenever mail is sent, so that an older copy of the ledger has an older one.
    Column("mark", String(32), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    # What was due before is not sent: the ledger that was lost may have sent it.
    Column("sends_from", UtcDateTime),
)
