"""The one table of settings.

Each row is a typed field, how its text is read, its default or an example, and what it is for.
reading.py reads it, and example.py writes config.example.env from it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from digest.settings import values
from digest.settings.imap_folder import ImapFolder
from digest.settings.values import number

PREFIX = "DIGEST_"
WAIT = number(0.1, 3600)  # seconds
PER_MINUTE = number(0.01, 1_000_000)
NEEDED = ("from_", "base_url", "secret", "postal_address")  # to make a message
NEW_KEY = "paste-the-output-of-openssl-rand-hex-32"

Value = TypeVar("Value")


def setting(read: Callable[[str], Value], default: str) -> Value:
    """Declare a setting that always has a value; ``default`` is text, as ``read`` takes it."""
    metadata = {"read": read, "default": default, "example": default, "secret": False}
    declared: Value = field(metadata=metadata)
    return declared


def optional(read: Callable[[str], Value], example: str, *, secret: bool = False) -> Value | None:
    """Declare a setting that is None until it is set."""
    metadata = {"read": read, "default": "", "example": example, "secret": secret}
    declared: Value | None = field(metadata=metadata)
    return declared


@dataclass(frozen=True)
class Settings:
    """Every setting, read and checked; a field ``home`` is the variable DIGEST_HOME."""

    # ---- where things are kept, and for how long -------------------------------------------------

    home: Path = setting(values.path, "./var")
    """Folder for all state: database, outbox, snapshots."""
    database_url: str | None = optional(
        values.database_url, "postgresql+psycopg://digest:PASSWORD@localhost/digest", secret=True
    )
    """Where the ledger is. Not set: a SQLite file in DIGEST_HOME."""
    keep_snapshots_days: int = setting(number(1, 3650), "30")
    """Days for which answers of sources are kept (DIGEST_HOME/raw)."""
    keep_deliveries_days: int = setting(number(60, 3650), "400")
    """Days for which it is kept who got which papers, and what servers said. Balances stay."""
    keep_evidence_days: int = setting(number(30, 36_500), "1095")
    """Days for which the evidence of consent is kept of people who have left. Blocks stay."""
    keep_unconfirmed_days: int = setting(number(1, 365), "7")
    """Days after which people who were asked to confirm, and did not, are deleted."""

    # ---- how mail goes out, and what comes back --------------------------------------------------

    transport: str | None = optional(
        values.transport_url, "smtp+starttls://USER:PASSWORD@smtp.example.org:587", secret=True
    )
    """Where mail goes: smtp://, smtp+starttls:// or smtps:// (a relay), lmtp://HOST:PORT or
    lmtp:///SOCKET, sendmail:/COMMAND, maildir:/FOLDER, or file:///FOLDER (.eml files). Not set:
    .eml files in DIGEST_HOME/outbox."""
    smtp_ca_file: Path | None = optional(values.existing_file, "/etc/ssl/private-ca.pem")
    """Certificates (PEM) to trust for the relay, instead of the system's; for an IMAP server, as
    well as the system's."""
    smtp_timeout: float = setting(number(0.1, 900), "60")
    """Seconds to wait for the relay to let us in (connection, EHLO, STARTTLS, login), and for the
    end of a sendmail command."""
    smtp_greeting_timeout: float = setting(WAIT, "300")
    """Seconds to wait for the relay's greeting."""
    smtp_mail_timeout: float = setting(WAIT, "300")
    """Seconds to wait for its answer to MAIL."""
    smtp_rcpt_timeout: float = setting(WAIT, "300")
    """Seconds to wait for its answer to RCPT."""
    smtp_data_timeout: float = setting(WAIT, "120")
    """Seconds to wait for its answer to DATA."""
    smtp_block_timeout: float = setting(WAIT, "180")
    """Seconds to wait while it takes a piece."""
    smtp_end_timeout: float = setting(WAIT, "600")
    """Seconds to wait for its answer to the final dot. Too short, and messages that did arrive are
    uncertain. These six are as RFC 5321 section 4.5.3.2 asks."""
    send_processes: int = setting(number(1, 64), "1")
    """Processes that send, at most; for a list that keeps one busy."""
    send_connections: int = setting(number(1, 500), "4")
    """Connections to the relay at a time, over these processes."""
    connection_messages: int = setting(number(1, 100_000), "100")
    """Messages over one connection, before a new one is made."""
    rate: float | None = optional(PER_MINUTE, "600")
    """Emails a minute, at most. Not set: no limit."""
    rate_per_connection: float | None = optional(PER_MINUTE, "120")
    """Emails a minute over each connection, at most. Not set: no limit."""
    rate_per_domain: float | None = optional(PER_MINUTE, "60")
    """Emails a minute to each mailbox provider, at most: the domains of one, such as gmail.com and
    googlemail.com, count together. Not set: no limit, until one asks to be slower."""
    mx_lookups: bool = setting(values.yes_or_no, "yes")
    """Whether the DNS is asked who takes a domain's mail, so that all of a provider's domains count
    together: yes or no."""
    send_window: tuple[time, time] | None = optional(values.window, "06:00-22:00")
    """Hours of the day, in DIGEST_TIMEZONE, in which digests go out. Not set: any."""
    warm_up_since: date | None = optional(values.day, "2026-01-31")
    """First day of sending from a new address: that day at most DIGEST_WARM_UP_FIRST emails go out,
    and each day after it at most half as many more than the day before. Not set: no such limit."""
    warm_up_first: int = setting(number(1, 1_000_000), "200")
    """Emails on that first day, at most."""
    resend_uncertain: bool = setting(values.yes_or_no, "no")
    """Whether emails that may or may not have arrived are sent again by the next run, at the risk
    of arriving twice: yes or no."""
    pause_at_hard_bounces: float = setting(number(0.01, 100), "5")
    """Sending pauses when this share of the last week's emails, in per cent, met dead addresses."""
    pause_at_complaints: float = setting(number(0.001, 100), "0.1")
    """Sending pauses when this share of the last week's emails, in per cent, was reported as spam.
    """
    from_: str | None = optional(values.address, "digest@example.org")
    """Address that the digests come from. Needed to send."""
    from_name: str = setting(values.display_name, "Paper Digest")
    """Name shown with that address."""
    reply_to: str | None = optional(values.address, "team@example.org")
    """Where replies go. Not set: DIGEST_FROM."""
    bounce_address: str | None = optional(values.address, "bounces@example.org")
    """Envelope sender: where failure reports go. Not set: DIGEST_FROM."""
    verp: bool = setting(values.yes_or_no, "yes")
    """Whether each delivery has an envelope sender of its own, such as bounces+TAG@example.org, so
    that a failure report names it: yes or no. Say no where +TAG is not delivered, or where the
    relay allows only one sender; nothing is learned from failure reports then."""
    unsubscribe_address: str | None = optional(values.address, "unsubscribe@example.org")
    """Where unsubscribe requests by mail go. Not set: unsubscribe@ the domain of DIGEST_FROM."""
    inbox: Path | ImapFolder | None = optional(
        values.mailbox, "imaps://USER:PASSWORD@imap.example.org/INBOX", secret=True
    )
    """The mailbox that `digest inbox` reads, with the mail to DIGEST_BOUNCE_ADDRESS,
    DIGEST_UNSUBSCRIBE_ADDRESS and DIGEST_COMPLAINTS_ADDRESS: a Maildir, an mbox file, or a folder
    on an IMAP server, by imaps:// or imap+starttls://."""
    inbox_every: int = setting(number(5, 86_400), "60")
    """Seconds between two readings of it by `digest up` and `digest inbox --watch`."""
    diagnostics: Path | None = optional(values.existing_file, "/etc/paper-digest/diagnostics.toml")
    """File (TOML) with your own rules for what servers say when they refuse a mail; they come
    before those of digest/inbound/diagnostics.toml, and have the same form."""
    complaints_address: str | None = optional(values.address, "complaints@example.org")
    """Where spam complaints go (RFC 9477). Not set: complaints@ the domain of DIGEST_FROM."""
    dkim_selector: str | None = optional(values.selector, "2026a")
    """Name (selector) of the key that signs each message (DKIM), as its DNS record says it; `digest
    dkim generate` makes both. Not set: the relay signs, or nobody does."""
    dkim_key: Path | None = optional(values.path, "/etc/paper-digest/dkim-2026a.pem")
    """File (PEM) with that key, an RSA key."""
    dkim_ed25519_selector: str | None = optional(values.selector, "2026e")
    """Name of a key for a second signature, as well as that one, by Ed25519 (RFC 8463)."""
    dkim_ed25519_key: Path | None = optional(values.path, "/etc/paper-digest/dkim-2026e.pem")
    """File (PEM) with that Ed25519 key."""

    # ---- the pages, the people on them, and what mails look like ---------------------------------

    base_url: str | None = optional(values.public_url, "https://digest.example.org")
    """Public address of `digest serve`, for the links in emails. Needed to send."""
    secret: tuple[str, ...] | None = optional(values.secrets, NEW_KEY, secret=True)
    """Signs the links in emails; use 32 random characters or more. With several, newest first and
    separated by commas, old links keep working: keep each for at least a year. Needed to send."""
    api_tokens: tuple[str, ...] | None = optional(values.secrets, NEW_KEY, secret=True)
    """Whoever has one of these, separated by commas, may use the HTTP API as you. Not set: there is
    no API."""
    metrics_tokens: tuple[str, ...] | None = optional(values.secrets, NEW_KEY, secret=True)
    """Whoever shows one of these, separated by commas, as a bearer token may read the metrics at
    /metrics (Prometheus). Not set: there are none."""
    refused_domains: frozenset[str] | None = optional(
        values.domains, "/etc/paper-digest/disposable-domains.txt"
    )
    """File of mail domains (one a line, with their subdomains) that nobody may subscribe with, such
    as those of disposable mailboxes."""
    sign_ups_per_hour: int = setting(number(1, 1_000_000), "200")
    """Emails per hour that the sign-up form may cause, at most. Beyond it people are told to try
    again later, and DIGEST_OPERATOR is told once an hour."""
    trusted_proxies: tuple[str, ...] = setting(values.networks, "127.0.0.1,::1")
    """Addresses or networks of the proxies in front of `digest serve`, separated by commas, such as
    172.16.0.0/12 for containers. X-Forwarded-For is believed only from them: without it all
    visitors count as one."""
    keep_client_addresses: bool = setting(values.yes_or_no, "no")
    """Whether the network address that a consent came from is stored with it: yes or no."""
    postal_address: str | None = optional(
        values.text, "Paper Digest, 1 Example Street, 0150 Oslo, Norway"
    )
    """Postal address in each footer, as many countries ask. Needed to send."""
    templates: Path | None = optional(values.existing_folder, "/etc/paper-digest/templates")
    """Folder with your own templates; what it lacks is taken from the built-in set."""
    link_hosts: tuple[str, ...] | None = optional(values.names, "arxiv.org,huggingface.co")
    """Hosts that templates may link to, as well as your own and those of the papers; the check of
    the templates reports any other. Not set: any."""
    language: str = setting(values.language, "en")
    """Language of the emails: en, de, or one that DIGEST_TEMPLATES has in locales/CODE.po."""
    welcome: bool = setting(values.yes_or_no, "yes")
    """Whether somebody who has just confirmed gets an email that says what will come: yes or no."""
    goodbye: bool = setting(values.yes_or_no, "no")
    """Whether somebody who has just unsubscribed gets one last email, with a link to undo it: yes
    or no. No keeps the promise that nothing comes after unsubscribing."""
    studio_password: str | None = optional(values.text, NEW_KEY, secret=True)
    """Password of `digest studio`, with any user name. Needed where it listens to other machines;
    put an HTTPS proxy before it there."""
    operator: str | None = optional(values.address, "operator@example.org")
    """Who is told by email when a daily run has trouble. Not set: only the log tells."""
    log_format: str = setting(values.choice("auto", "lines", "json"), "auto")
    """Form of the log: lines (for people), json (for programs), or auto: lines at a terminal, json
    elsewhere."""
    log_addresses: bool = setting(values.yes_or_no, "no")
    """Whether the log shows mail addresses in full, not as a…@example.org: yes or no. It never
    shows tokens or passwords."""
    header_image: str | None = optional(values.image_url, "https://digest.example.org/header.png")
    """Picture at the head of each email, by its https:// address. Not set: there is none."""
    header_image_size: tuple[int, int] | None = optional(values.size, "1200x240")
    """Width and height of that picture in pixels; it is shown at most 600 wide."""
    thumbnails: bool = setting(values.yes_or_no, "no")
    """Whether digests show a picture of each paper, from Hugging Face's servers, which thereby
    learn who looks: yes or no."""

    # ---- sources, editions, ranking --------------------------------------------------------------

    sources: tuple[str, ...] = setting(values.names, "huggingface")
    """Sources to collect from, separated by commas: huggingface, arxiv."""
    huggingface_url: str = setting(values.web_url, "https://huggingface.co")
    """Hugging Face, or a mirror of it."""
    arxiv_feed_url: str = setting(values.web_url, "https://rss.arxiv.org")
    """arXiv's feeds, or a mirror of them."""
    arxiv_feed: str = setting(values.choice("rss", "atom"), "rss")
    """Which of arXiv's two feeds."""
    arxiv_categories: str = setting(values.text, "cs.AI+cs.CL")
    """arXiv categories to follow, joined by +."""
    arxiv_api_url: str = setting(values.web_url, "https://export.arxiv.org")
    """arXiv's look-up service, or a mirror of it."""
    arxiv_interval: float = setting(number(0.0, 60), "3")
    """Seconds between two requests to arXiv; it asks for at least 3."""
    http_timeout: float = setting(number(0.1, 300), "20")
    """Seconds to wait for a source."""
    http_attempts: int = setting(number(1, 10), "4")
    """How many times a source is asked in all."""
    lookback_days: int = setting(number(0, 30), "3")
    """Days the first edition reaches back."""
    timezone: ZoneInfo = setting(values.zone, "UTC")
    """Time zone of editions and of DIGEST_RUN_AT."""
    run_at: time = setting(values.time_of_day, "08:00")
    """When `digest schedule` makes the edition, each day; readers get it at their own time."""
    collect_every_hours: int = setting(number(1, 24), "3")
    """Hours between two collections, so that it is seen how papers rise. One comes right before
    each edition as well."""
    enough_papers: int = setting(number(0, 1000), "5")
    """Papers that are enough for an edition when a source fails for longer than
    DIGEST_WAIT_FOR_SOURCES. With fewer there is no edition that day."""
    wait_for_sources: int = setting(number(0, 720), "60")
    """Minutes that an edition waits for a source that fails; it is asked again every ten minutes.
    """
    stale_after_hours: int = setting(number(1, 720), "48")
    """Hours for which an edition is still sent, and in which readers still get theirs after their
    own time, when nothing ran for a while. What is older is skipped, and counted."""
    max_for_you: int = setting(number(1, 15), "10")
    """Most papers in the section For you."""
    max_trending: int = setting(number(0, 15), "5")
    """Most papers in the section Trending."""
    strictness: str = setting(values.choice("strict", "normal", "broad"), "normal")
    """How well papers must fit the topics of readers who do not say: strict, normal or broad."""
    semantic_model: str | None = optional(values.text, "sentence-transformers/all-MiniLM-L6-v2")
    """Sentence model for semantic ranking: a folder, or a name on the Hugging Face hub. Needs the
    extra "semantic", and is used once 500 papers are collected. Not set: papers are ranked by
    words."""
    semantic_fetch: bool = setting(values.yes_or_no, "no")
    """Whether that model may be fetched from the hub, once: yes or no."""

    @property
    def missing(self) -> list[str]:
        """Return the variables that have to be set before anything can be sent."""
        return [variable(name) for name in NEEDED if getattr(self, name) is None]

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'digest.sqlite3'}"

    @property
    def transport_url(self) -> str:
        return self.transport or (self.home / "outbox").resolve().as_uri()


def variable(field_name: str) -> str:
    """Return the environment variable of a field of Settings."""
    return PREFIX + field_name.rstrip("_").upper()
