"""The one table of settings: each with its type, reader, default or example, and description.

reading.py reads them, and example.py writes config.example.env.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.engine import URL, make_url

from digest.settings import values
from digest.settings.imap_folder import ImapFolder
from digest.settings.values import NEW_KEY, number

PREFIX = "DIGEST_"
WAIT = number(0.1, 3600)  # seconds
PER_MINUTE = number(0.01, 1_000_000)
FEEDS = "feeds"  # the source that stands for several
NEEDED = ("from_", "base_url", "secret", "postal_address")  # to make a message
OF_SOURCES = {  # the settings that are for one source
    "huggingface_lists": "huggingface",
    "biorxiv_categories": "biorxiv",
    "medrxiv_categories": "medrxiv",
    "feeds": FEEDS,
}

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
    """Folder for everything that is stored: database, outbox, answers of sources."""
    database_url: str | None = optional(
        values.database_url, "postgresql+psycopg://digest:PASSWORD@localhost/digest", secret=True
    )
    """The database. Not set: an SQLite file in DIGEST_HOME."""
    instance: str | None = optional(values.text, "lab-digest")
    """Name of this installation, where the name of the machine or the path of DIGEST_HOME changes,
    as in containers and scheduled workflows. By it a copy of the database is told from the
    database itself: use each name once. Not set: the machine's name and DIGEST_HOME."""
    engine: str = setting(values.choice("embedded", "cluster"), "embedded")
    """Who hands out the work: embedded (this program alone, on one machine) or cluster (several
    machines with `digest worker`, on PostgreSQL; needs paper-digest[cluster])."""
    worker_silence: int = setting(number(3, 3600), "60")
    """Seconds of silence after which a worker on PostgreSQL counts as dead, and others get what it
    had. Less than 60 only where no process ever stands still."""
    keep_snapshots_days: int = setting(number(1, 3650), "30")
    """Days for which the answers of sources are kept (DIGEST_HOME/raw)."""
    keep_pictures_days: int = setting(number(45, 3650), "90")
    """Days for which pictures of papers are kept, in the database: some 4 MB a day for 40 papers.
    Emails that are older show none."""
    keep_deliveries_days: int = setting(number(60, 3650), "400")
    """Days for which it is kept who got which papers and what mail servers answered. The balances
    are kept forever."""
    keep_evidence_days: int = setting(number(30, 36_500), "1095")
    """Days for which the evidence of consent of people who have left is kept. Blocks are kept
    forever."""
    keep_unconfirmed_days: int = setting(number(1, 365), "7")
    """Days after which people who were asked to confirm, and did not, are deleted."""

    # ---- how mail goes out, and what comes back --------------------------------------------------

    transport: str | None = optional(
        values.transport_url, "smtp+starttls://USER:PASSWORD@smtp.example.org:587", secret=True
    )
    """Where emails go: smtp://, smtp+starttls:// or smtps:// (a relay), lmtp://HOST:PORT or
    lmtp:///SOCKET, sendmail:/COMMAND, maildir:/FOLDER, or file:///FOLDER (.eml files). Not set:
    .eml files in DIGEST_HOME/outbox. Digests of `digest send --state` may also go to a chat room:
    chat: and a URL of Apprise, or file:///FOLDER for Markdown."""
    smtp_ca_file: Path | None = optional(values.existing_file, "/etc/ssl/private-ca.pem")
    """File (PEM) with certificates to trust: for the relay instead of the system's, for an IMAP
    server as well as the system's."""
    smtp_timeout: float = setting(number(0.1, 900), "60")
    """Seconds to wait for the connection to the relay (EHLO, STARTTLS and login included), and for
    a sendmail command to end."""
    smtp_greeting_timeout: float = setting(WAIT, "300")
    """Seconds to wait for the relay's greeting."""
    smtp_mail_timeout: float = setting(WAIT, "300")
    """Seconds to wait for the relay's answer to MAIL."""
    smtp_rcpt_timeout: float = setting(WAIT, "300")
    """Seconds to wait for the relay's answer to RCPT."""
    smtp_data_timeout: float = setting(WAIT, "120")
    """Seconds to wait for the relay's answer to DATA."""
    smtp_block_timeout: float = setting(WAIT, "180")
    """Seconds to wait while the relay takes a piece of the message."""
    smtp_end_timeout: float = setting(WAIT, "600")
    """Seconds to wait for the relay's answer to the final dot. If this is too short, messages that
    did arrive become uncertain. These six defaults are those of RFC 5321 section 4.5.3.2."""
    send_processes: int = setting(number(1, 64), "1")
    """Processes that send, at most. One is enough for most lists."""
    send_connections: int = setting(number(1, 500), "4")
    """Connections to the relay at the same time, in all processes together."""
    connection_messages: int = setting(number(1, 100_000), "100")
    """Messages to send over one connection before a new one is made."""
    rate: float | None = optional(PER_MINUTE, "600")
    """Emails a minute, at most. Not set: no limit."""
    rate_per_connection: float | None = optional(PER_MINUTE, "120")
    """Emails a minute over each connection, at most. Not set: no limit."""
    rate_per_domain: float | None = optional(PER_MINUTE, "60")
    """Emails a minute to each mailbox provider, at most; the domains of a provider, such as
    gmail.com and googlemail.com, count together. Not set: no limit, until a provider asks to be
    slower."""
    mx_lookups: bool = setting(values.yes_or_no, "yes")
    """Whether to ask the DNS which provider takes a domain's mail, so that all domains of a
    provider count together, and sign-ups from domains that do not exist are refused: yes or no."""
    send_window: tuple[time, time] | None = optional(values.window, "06:00-22:00")
    """Hours of the day, in DIGEST_TIMEZONE, in which digests are sent. Not set: all."""
    warm_up_since: date | None = optional(values.day, "2026-01-31")
    """First day of sending from a new address. On that day at most DIGEST_WARM_UP_FIRST emails are
    sent, and on each later day at most half as many more than the day before. Not set: no such
    limit."""
    warm_up_first: int = setting(number(1, 1_000_000), "200")
    """Emails on the first day of DIGEST_WARM_UP_SINCE, at most."""
    resend_uncertain: bool = setting(values.yes_or_no, "no")
    """Whether the next run sends emails again that may or may not have arrived, so that some
    readers may get them twice: yes or no."""
    pause_at_hard_bounces: float = setting(number(0.01, 100), "5")
    """Sending pauses when this percentage of the last week's emails went to dead addresses."""
    pause_at_complaints: float = setting(number(0.001, 100), "0.1")
    """Sending pauses when this percentage of the last week's emails was reported as spam."""
    from_: str | None = optional(values.address, "digest@example.org")
    """Address that the digests come from. Required to send."""
    from_name: str = setting(values.display_name, "Paper Digest")
    """Name that is shown with DIGEST_FROM."""
    reply_to: str | None = optional(values.address, "team@example.org")
    """Address for replies. Not set: DIGEST_FROM."""
    bounce_address: str | None = optional(values.address, "bounces@example.org")
    """Envelope sender, to which failure reports are sent. Not set: DIGEST_FROM."""
    verp: bool = setting(values.yes_or_no, "yes")
    """Whether each delivery has its own envelope sender, such as bounces+TAG@example.org, so that a
    failure report names the delivery: yes or no. Say no if mail to +TAG is not delivered, or if the
    relay allows only one sender; nothing is then learned from failure reports."""
    unsubscribe_address: str | None = optional(values.address, "unsubscribe@example.org")
    """Address for unsubscribe requests by email. Not set: unsubscribe@ the domain of
    DIGEST_FROM."""
    inbox: Path | ImapFolder | None = optional(
        values.mailbox, "imaps://USER:PASSWORD@imap.example.org/INBOX", secret=True
    )
    """Mailbox that `digest inbox` reads. It has the mail to DIGEST_BOUNCE_ADDRESS,
    DIGEST_UNSUBSCRIBE_ADDRESS and DIGEST_COMPLAINTS_ADDRESS. It is a Maildir, an mbox file, or a
    folder of an IMAP server (imaps:// or imap+starttls://)."""
    inbox_every: int = setting(number(5, 86_400), "60")
    """Seconds between two readings of DIGEST_INBOX by `digest up` and `digest inbox --watch`."""
    diagnostics: Path | None = optional(values.existing_file, "/etc/paper-digest/diagnostics.toml")
    """File (TOML) with your own rules for what mail servers say when they refuse an email. They are
    tried before those of digest/inbound/diagnostics.toml, and have the same form."""
    webhook_ses: tuple[str, ...] | None = optional(
        values.secrets, "arn:aws:sns:eu-central-1:123456789012:digest"
    )
    """Topics (ARN) of Amazon SNS, separated by commas, by which Amazon SES reports bounces and
    complaints to /webhooks/bounces/ses. docs/deliverability.md says how to set up this and the
    following services. Not set: such requests are refused."""
    webhook_postmark: tuple[str, ...] | None = optional(values.secrets, NEW_KEY, secret=True)
    """Password that Postmark shows at /webhooks/bounces/postmark."""
    webhook_sendgrid: tuple[str, ...] | None = optional(
        values.secrets, "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"
    )
    """Verification key of SendGrid's signed event webhook, for /webhooks/bounces/sendgrid."""
    webhook_mailgun: tuple[str, ...] | None = optional(values.secrets, NEW_KEY, secret=True)
    """Webhook signing key of Mailgun, for /webhooks/bounces/mailgun."""
    webhook_brevo: tuple[str, ...] | None = optional(values.secrets, NEW_KEY, secret=True)
    """Token or password that Brevo shows at /webhooks/bounces/brevo."""
    webhook_generic: tuple[str, ...] | None = optional(values.secrets, NEW_KEY, secret=True)
    """Secret of a program of yours that reports bounces to /webhooks/bounces/generic."""
    complaints_address: str | None = optional(values.address, "complaints@example.org")
    """Address for spam complaints (RFC 9477). Not set: complaints@ the domain of DIGEST_FROM."""
    dkim_selector: str | None = optional(values.selector, "2026a")
    """Selector (name) of the DKIM key that signs each message, as in its DNS record. `digest dkim
    generate` makes both. Not set: the relay signs, or nobody does."""
    dkim_key: Path | None = optional(values.path, "/etc/paper-digest/dkim-2026a.pem")
    """File (PEM) with the RSA key of DIGEST_DKIM_SELECTOR."""
    dkim_ed25519_selector: str | None = optional(values.selector, "2026e")
    """Selector of the key for a second signature, by Ed25519 (RFC 8463)."""
    dkim_ed25519_key: Path | None = optional(values.path, "/etc/paper-digest/dkim-2026e.pem")
    """File (PEM) with the Ed25519 key of DIGEST_DKIM_ED25519_SELECTOR."""

    # ---- the pages, the people on them, and what emails look like --------------------------------

    base_url: str | None = optional(values.public_url, "https://digest.example.org")
    """Public address of the pages, for the links in emails. Required to send. With none there are
    no pages (as for `digest send --state`): titles lead to the sources, and leaving is by mail to
    DIGEST_UNSUBSCRIBE_ADDRESS."""
    secret: tuple[str, ...] | None = optional(values.signing_keys, NEW_KEY, secret=True)
    """Key that signs the links in emails: 32 random characters or more. To change it, put the new
    key first, then a comma and the old one; keep the old one for a year or more, so that old links
    keep working. Required to send."""
    api_tokens: tuple[str, ...] | None = optional(values.secrets, NEW_KEY, secret=True)
    """Tokens, separated by commas, each of which gives full access to the HTTP API. Not set: there
    is no API."""
    metrics_tokens: tuple[str, ...] | None = optional(values.secrets, NEW_KEY, secret=True)
    """Bearer tokens, separated by commas, each of which may read the metrics at /metrics
    (Prometheus). Not set: there are no metrics."""
    refused_domains: frozenset[str] | None = optional(
        values.domains, "/etc/paper-digest/disposable-domains.txt"
    )
    """File of mail domains (one a line, with their subdomains) that nobody may subscribe with, such
    as those of disposable mailboxes."""
    sign_ups_per_hour: int = setting(number(1, 1_000_000), "200")
    """Emails per hour that the sign-up form may cause, at most. Beyond it people are told to try
    again later, and DIGEST_OPERATOR is told once an hour."""
    proof_of_work: bool = setting(values.yes_or_no, "no")
    """Whether the browser must do a small calculation (a proof of work, as ALTCHA has it) before
    the sign-up form is taken: yes or no. It slows down programs that sign strangers up; people then
    need JavaScript and https."""
    embed_origins: frozenset[str] | None = optional(
        values.origins, "https://www.example.org,https://lab.example.org"
    )
    """Other sites that may have the sign-up form that `digest embed` prints: their origins (scheme,
    host, perhaps a port), separated by commas. Whoever sends it from any other site is shown your
    own form, filled in, to send that. Not set: no other site."""
    trusted_proxies: tuple[str, ...] = setting(values.networks, "127.0.0.1,::1")
    """Addresses or networks of the proxies in front of `digest serve`, separated by commas, such as
    172.16.0.0/12 for containers. X-Forwarded-For is believed only from them: without it all
    visitors count as one."""
    keep_client_addresses: bool = setting(values.yes_or_no, "no")
    """Whether the IP address that a consent came from is stored with it: yes or no."""
    postal_address: str | None = optional(
        values.text, "Paper Digest, 1 Example Street, 0150 Oslo, Norway"
    )
    """Postal address in the footer of each email, as many countries require. Required to send."""
    templates: Path | None = optional(values.existing_folder, "/etc/paper-digest/templates")
    """Folder with your own templates. Files that it lacks are taken from the built-in set."""
    link_hosts: tuple[str, ...] | None = optional(values.names, "arxiv.org,huggingface.co")
    """Hosts, separated by commas, that templates may link to, as well as your own and those of the
    papers; the check of the templates reports any other. Not set: all."""
    language: str = setting(values.language, "en")
    """Language of emails and pages for people who have none of their own, and of emails to the
    operator: ar, de, en, es, fr, ja, zh-Hans, or one that DIGEST_TEMPLATES has in
    locales/CODE.po."""
    first_digest: bool = setting(values.yes_or_no, "yes")
    """Whether people who have just confirmed get the latest edition with papers at once, if it is
    not older than a week and has papers for them: yes or no. `digest up` or `digest schedule` must
    run for it. With no, their first digest comes at the time that they chose."""
    welcome: bool = setting(values.yes_or_no, "yes")
    """Whether people who have just confirmed, and get no digest at once, get an email about what
    will come: yes or no."""
    goodbye: bool = setting(values.yes_or_no, "no")
    """Whether people who have just unsubscribed get one last email with a link to undo it: yes or
    no. With no, nothing is sent after unsubscribing."""
    studio_password: str | None = optional(values.text, NEW_KEY, secret=True)
    """Password of `digest studio`, for all who log in, each with a name of their own. Required if
    other machines can reach it; then put an HTTPS proxy in front of it."""
    operator: str | None = optional(values.address, "operator@example.org")
    """Address that is told by email when a daily run has trouble. Not set: see the log."""
    ping_url: str | None = optional(values.web_url, "https://hc-ping.com/YOUR-CHECK", secret=True)
    """Address that is called after each edition whose balance adds up, and with /fail after it when
    there was trouble: a dead-man's service, such as Healthchecks, tells you when no call comes."""
    log_format: str = setting(values.choice("auto", "lines", "json"), "auto")
    """Form of the log: lines (for people), json (for programs), or auto (lines at a terminal, json
    elsewhere)."""
    log_addresses: bool = setting(values.yes_or_no, "no")
    """Whether the log shows email addresses in full, and not as a…@example.org: yes or no. It never
    shows tokens or passwords."""
    header_image: str | None = optional(values.image_url, "https://digest.example.org/header.png")
    """Picture at the top of each email: its https:// address. Not set: none."""
    header_image_size: tuple[int, int] | None = optional(values.size, "1200x240")
    """Width and height of that picture in pixels. It is shown at most 600 wide."""
    pictures: bool = setting(values.yes_or_no, "yes")
    """Whether digests and pages show pictures of papers: yes or no. They are fetched when papers
    are collected, made small, and served by your own pages, so that nobody else sees who opens an
    email. Readers can switch them off for themselves."""

    # ---- sources, editions, ranking --------------------------------------------------------------

    sources: tuple[str, ...] = setting(values.names, "huggingface")
    """Sources of papers, separated by commas: huggingface, arxiv, biorxiv, medrxiv, feeds, or
    plug-ins of your own."""
    huggingface_url: str = setting(values.web_url, "https://huggingface.co")
    """Hugging Face, or a mirror of it."""
    huggingface_lists: tuple[str, ...] | None = optional(
        values.some_of("trending", "week", "month"), "trending,week"
    )
    """Lists of Hugging Face to read as well as each day's, separated by commas: trending, week,
    month. Their papers are in no edition for that, but their votes are known. Not set: none."""
    arxiv_feed_url: str = setting(values.web_url, "https://rss.arxiv.org")
    """arXiv's feeds, or a mirror of them."""
    arxiv_feed: str = setting(values.choice("rss", "atom"), "rss")
    """Which of arXiv's two feeds to read: rss or atom."""
    arxiv_categories: str = setting(values.text, "cs.AI+cs.CL")
    """arXiv categories to collect, joined by +."""
    arxiv_api_url: str = setting(values.web_url, "https://export.arxiv.org")
    """arXiv's API, or a mirror of it: for days that were missed, and for look-ups by id."""
    arxiv_interval: float = setting(number(0.0, 60), "3")
    """Seconds between two requests to arXiv, which asks for 3 or more."""
    biorxiv_url: str = setting(values.web_url, "https://api.biorxiv.org")
    """API of bioRxiv and medRxiv, or a mirror of it."""
    biorxiv_categories: tuple[str, ...] | None = optional(values.names, "neuroscience,cell biology")
    """Categories of bioRxiv to collect, separated by commas. Not set: all."""
    medrxiv_categories: tuple[str, ...] | None = optional(values.names, "oncology,epidemiology")
    """Categories of medRxiv to collect, separated by commas. Not set: all."""
    feeds: tuple[tuple[str, str], ...] | None = optional(
        values.feeds,
        "nature=https://www.nature.com/nature.rss lab=https://lab.example.org/atom.xml",
    )
    """RSS or Atom feeds that the source feeds reads, separated by blanks: a name of your own, =,
    and the address."""
    semantic_scholar_key: str | None = optional(values.text, "YOUR-KEY", secret=True)
    """Key of Semantic Scholar's API, by which papers get citations, where they were published and,
    if they have no summary, a sentence. Not set: it is not asked."""
    http_timeout: float = setting(number(0.1, 300), "20")
    """Seconds to wait for an answer of a source."""
    http_attempts: int = setting(number(1, 10), "4")
    """How often a source is asked before it counts as failed."""
    lookback_days: int = setting(number(0, 30), "3")
    """How many days the first edition looks back."""
    timezone: ZoneInfo = setting(values.zone, "UTC")
    """Time zone of editions and of DIGEST_RUN_AT."""
    run_at: time = setting(values.time_of_day, "08:00")
    """Time at which the edition is made each day. Readers get it at their own time."""
    collect_every_hours: int = setting(number(1, 24), "3")
    """Hours between two collections, which show how papers rise. There is another one right before
    each edition."""
    enough_papers: int = setting(number(0, 1000), "5")
    """Papers that are enough for an edition if a source still fails after DIGEST_WAIT_FOR_SOURCES.
    With fewer there is no edition that day."""
    wait_for_sources: int = setting(number(0, 720), "60")
    """Minutes for which an edition waits for a source that fails. The source is asked again every
    ten minutes."""
    stale_after_hours: int = setting(number(1, 720), "48")
    """Hours after which an edition is no longer sent, for example after the machine was down. What
    is older is skipped and counted."""
    max_for_you: int = setting(number(1, 15), "10")
    """Papers in the section For you, at most."""
    max_trending: int = setting(number(0, 15), "5")
    """Papers in the sections Trending and Rising together, at most."""
    max_rising: int = setting(number(0, 15), "3")
    """Papers in the section Rising, at most; and no more than half of that."""
    rising_days: int = setting(number(0, 30), "14")
    """Days after it was listed on which a paper may still come in Rising, and votes are asked for;
    0: never."""
    strictness: str = setting(values.choice("strict", "normal", "broad"), "normal")
    """How well papers must match the topics of readers who did not choose: strict, normal or
    broad."""
    semantic_model: str | None = optional(values.text, "sentence-transformers/all-MiniLM-L6-v2")
    """Sentence model for semantic ranking: a folder, or a name on the Hugging Face hub. It needs
    the extra "semantic". Not set: the model that `digest model install` installed last; without
    one, papers are ranked by words."""
    semantic_fetch: bool = setting(values.yes_or_no, "no")
    """Whether that model may be downloaded from the hub, once: yes or no."""

    # ---- sentences by a language model -----------------------------------------------------------

    summaries_url: str | None = optional(values.endpoint, "http://localhost:11434/v1")
    """Language model that says in one sentence what a paper is about, in each reader's language:
    the base of an API like OpenAI's, such as that of Ollama, llama.cpp or vLLM. Titles and
    abstracts of papers are sent to it, nothing about readers. See docs/summaries.md. Not set: there
    are no such sentences."""
    summaries_key: str | None = optional(values.text, "YOUR-KEY", secret=True)
    """Key of that API. Not set: none is sent."""
    summaries_model: str | None = optional(values.text, "qwen2.5:7b-instruct")
    """Name of the model there. Required with DIGEST_SUMMARIES_URL."""
    summaries_prices: tuple[float, float] | None = optional(values.prices, "0.15/0.60")
    """What a million tokens cost that are sent, and that are answered. Not set: nothing."""
    summaries_cost_per_day: float | None = optional(number(0.01, 100_000), "1.50")
    """What the model may cost a day (in UTC), by DIGEST_SUMMARIES_PRICES. Not set: any cost."""
    summaries_tokens_per_day: int = setting(number(1000, 1_000_000_000), "500000")
    """Tokens a day (in UTC), sent and answered together, at most. A sentence takes some 600."""
    summaries_at_once: int = setting(number(1, 64), "4")
    """Requests to the model at the same time."""
    summaries_timeout: float = setting(number(0.1, 600), "30")
    """Seconds to wait for an answer of the model."""
    summaries_deadline: float = setting(number(0.1, 3600), "120")
    """Seconds for which an edition waits for sentences, all in all. Then it is sent with those that
    are there, and the beginning of the abstract stands for the others."""
    summaries_topics: bool = setting(values.yes_or_no, "no")
    """Whether the model proposes a translation where a topic is in a language that the papers do
    not use: yes or no. The text of such a topic is then sent to it."""

    @property
    def source_names(self) -> tuple[str, ...]:
        """Return the names of the sources as papers have them: each feed has its own."""
        feeds = [name for name, _ in self.feeds or ()]
        return tuple(
            name for given in self.sources for name in (feeds if given == FEEDS else [given])
        )

    @property
    def without_effect(self) -> list[str]:
        """Return, in sentences, the settings for a source that DIGEST_SOURCES does not name."""
        return [
            f"{variable(name)} has no effect, because DIGEST_SOURCES does not name {source}."
            for name, source in OF_SOURCES.items()
            if getattr(self, name) and source not in self.sources
        ]

    @property
    def missing(self) -> list[str]:
        """Return the variables that have to be set before anything can be sent."""
        return [variable(name) for name in NEEDED if getattr(self, name) is None]

    @property
    def is_trial(self) -> bool:
        """Return whether the pages are on this machine only, so that nobody else gets mail."""
        return (self.base_url or "").startswith("http:")  # read for this machine only

    @property
    def database(self) -> URL:
        """Return where the database is. % and ? in a path would mean more in a text."""
        if self.database_url:
            return make_url(self.database_url)
        return URL.create("sqlite", database=str(self.home / "digest.sqlite3"))

    @property
    def transport_url(self) -> str:
        return self.transport or (self.home / "outbox").resolve().as_uri()

    @property
    def is_chat(self) -> bool:
        """Return whether digests go to a chat room, as Markdown."""
        return self.transport_url.startswith("chat:")

    @property
    def outbox(self) -> Path | None:
        """Return the folder that emails are written to; None if they are sent."""
        url = urlsplit(self.transport_url)
        return Path(unquote(url.path)) if url.scheme == "file" else None


def variable(field_name: str) -> str:
    """Return the environment variable of a field of Settings."""
    return PREFIX + field_name.rstrip("_").upper()
