"""The tables about people, in the metadata that the ledger's tables share."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment. It is stored in UTC, because SQLite stores no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment needs a time zone: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# The first day with a digest again of a paused person, else null; by the name of the dialect.
PAUSED_UNTIL = {
    "sqlite": "json_extract(preferences, '$.paused_until')",
    "postgresql": "(preferences ->> 'paused_until')",
}

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("public_id", String(32), nullable=False, unique=True),
    Column("address", String(320), nullable=False),
    Column("address_key", String(320), nullable=False, unique=True),
    Column("topics", JSON, nullable=False),
    Column("preferences", JSON, nullable=False, server_default="{}"),
    Column("consent", String(16), nullable=False, index=True),
    Column("since", UtcDateTime, nullable=False),
    # Those who ever chose a pause are few, and are counted for each page of a list. PostgreSQL
    # needs to know how few; SQLite plans without.
    Index(
        "ix_subscribers_paused",
        "id",
        sqlite_where=text(f"{PAUSED_UNTIL['sqlite']} IS NOT NULL"),
    ).ddl_if(dialect="sqlite"),
    Index("ix_subscribers_paused_until", text(PAUSED_UNTIL["postgresql"])).ddl_if(
        dialect="postgresql"
    ),
    # PostgreSQL finds the beginning of a text only by such an index; SQLite by the unique one.
    Index(
        "ix_subscribers_address_beginning",
        "address_key",
        postgresql_ops={"address_key": "varchar_pattern_ops"},
    ).ddl_if(dialect="postgresql"),
    # An id is never used twice: deliveries of a removed person must not become another's.
    sqlite_autoincrement=True,
)

# Evidence of consent: who did what, when, and where. Rows are only ever added.
consents = Table(
    "consents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "subscriber_id",
        ForeignKey("subscribers.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("event", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("source", String(64), nullable=False),
    # The network address, if the operator keeps it: an IPv6 address has up to 45 characters.
    Column("client", String(45), nullable=False, server_default=""),
    # Who has just confirmed is asked every few seconds.
    Index("ix_consents_event", "event", "at"),
)

# Requests to change an address, one a person, until the new mailbox has confirmed.
address_changes = Table(
    "moves",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("public_id", String(32), nullable=False, unique=True),
    Column("address", String(320), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# Ratings name a paper by its canonical id, so that they can be exported to another database.
ratings = Table(
    "opinions",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("paper", String(80), primary_key=True),
    Column("verdict", String(8), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# The papers that a person named as their own. What is known of them is kept here, because most are
# in no source's lists; ``asked_at`` is when it was looked up, successfully or not.
own_papers = Table(
    "own_papers",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("paper", String(80), primary_key=True, index=True),
    Column("title", Text, nullable=False),
    Column("abstract", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("asked_at", UtcDateTime),
)

# The key of each private feed, which is a part of its address: another key is another address.
feed_links = Table(
    "feed_links",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# Sign-up requests of the last hour, to limit them: ``asker`` names a mailbox, or is a keyed digest
# of a network address.
signups = Table(
    "signups",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("asker", String(330), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
)

# Keyed by address, not by person: a block outlives the person's removal and return.
suppressions = Table(
    "suppressions",
    metadata,
    Column("address_key", String(320), primary_key=True),
    Column("reason", String(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
