"""Settings: one table. config_reading.py reads it, and writes config.example.env from it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from digest import config_values as values

PREFIX = "DIGEST_"


# ---- the table -------------------------------------------------------------------------------


def _setting(
    default: str, read: Callable[[str], Any], about: str, *, example: str = "", secret: bool = False
) -> Any:
    """A row: ``default`` is text as the environment would give it; "" is "not set" (None)."""
    return field(
        metadata={
            "default": default,
            "read": read,
            "about": about,
            "example": example or default,
            "secret": secret,
        }
    )


@dataclass(frozen=True)
class Settings:
    """Every setting, read and checked; a field ``home`` is the variable DIGEST_HOME."""

    home: Path = _setting(
        "./var", values.folder, "Folder for all state: database, outbox, snapshots."
    )
    database_url: str | None = _setting(
        "",
        values.database_url,
        "Where the ledger is. Not set: a SQLite file in DIGEST_HOME.",
        example="postgresql+psycopg://digest:PASSWORD@localhost/digest",
        secret=True,
    )
    transport: str | None = _setting(
        "",
        values.transport_url,
        "Where mail goes: smtp://, smtp+starttls:// or smtps:// (a relay), lmtp://HOST:PORT or "
        "lmtp:///SOCKET, sendmail:/COMMAND, maildir:/FOLDER, or file:///FOLDER (.eml files). "
        "Not set: .eml files in DIGEST_HOME/outbox.",
        example="smtp+starttls://USER:PASSWORD@smtp.example.org:587",
        secret=True,
    )
    smtp_ca_file: Path | None = _setting(
        "",
        values.existing_file,
        "Certificates (PEM) to trust for the relay, instead of the system's.",
        example="/etc/ssl/private-ca.pem",
    )
    smtp_timeout: float = _setting(
        "60",
        values.number(0.1, 900),
        "Seconds to wait for each answer of the relay, and for the end of a sendmail command.",
    )
    from_: str | None = _setting(
        "",
        values.address,
        "Address the digests come from. Needed to send.",
        example="digest@example.org",
    )
    from_name: str = _setting(
        "Paper Digest", values.display_name, "Name shown beside that address."
    )
    reply_to: str | None = _setting(
        "",
        values.address,
        "Where answers go. Not set: DIGEST_FROM.",
        example="team@example.org",
    )
    bounce_address: str | None = _setting(
        "",
        values.address,
        "Envelope sender: where failure reports go. Not set: DIGEST_FROM.",
        example="bounces@example.org",
    )
    unsubscribe_address: str | None = _setting(
        "",
        values.address,
        "Where unsubscribe mails go. Not set: unsubscribe@ the domain of DIGEST_FROM.",
        example="unsubscribe@example.org",
    )
    inbox: Path | None = _setting(
        "",
        values.folder,
        "Maildir or mbox file with the mail to DIGEST_UNSUBSCRIBE_ADDRESS, for `digest inbox`.",
        example="/var/mail/unsubscribe",
    )
    complaints_address: str | None = _setting(
        "",
        values.address,
        "Where spam complaints go (RFC 9477). Not set: complaints@ the domain of DIGEST_FROM.",
        example="complaints@example.org",
    )
    dkim_selector: str | None = _setting(
        "",
        values.selector,
        "Name of the key that signs each mail (DKIM), as its DNS record says it; `digest dkim "
        "generate` makes both. Not set: the relay signs, or nobody.",
        example="2026a",
    )
    dkim_key: Path | None = _setting(
        "",
        values.file,
        "File (PEM) with that key, an RSA key.",
        example="/etc/paper-digest/dkim-2026a.pem",
    )
    dkim_ed25519_selector: str | None = _setting(
        "",
        values.selector,
        "Name of a key for a second signature beside that one, by Ed25519 (RFC 8463).",
        example="2026e",
    )
    dkim_ed25519_key: Path | None = _setting(
        "",
        values.file,
        "File (PEM) with that Ed25519 key.",
        example="/etc/paper-digest/dkim-2026e.pem",
    )
    base_url: str | None = _setting(
        "",
        values.public_url,
        "Public address of `digest serve`, for the links in mails. Needed to send.",
        example="https://digest.example.org",
    )
    secret: tuple[str, ...] | None = _setting(
        "",
        values.secrets,
        "Signs the links in mails; best 32 random characters or more. Several, newest first and "
        "separated by commas, keep old links working: keep each for a year at least. Needed to "
        "send.",
        example="paste-the-output-of-openssl-rand-hex-32",
        secret=True,
    )
    api_tokens: tuple[str, ...] | None = _setting(
        "",
        values.secrets,
        "Whoever has one of these, separated by commas, may use the HTTP API as you. Not set: "
        "there is no API.",
        example="paste-the-output-of-openssl-rand-hex-32",
        secret=True,
    )
    refused_domains: frozenset[str] | None = _setting(
        "",
        values.domains,
        "File of mail domains (one a line, with their subdomains) that nobody may subscribe with, "
        "such as those of mailboxes for a day.",
        example="/etc/paper-digest/disposable-domains.txt",
    )
    keep_client_addresses: bool = _setting(
        "no",
        values.yes_or_no,
        "Whether the network address that a consent came from is stored with it: yes or no.",
    )
    postal_address: str | None = _setting(
        "",
        values.text,
        "Postal address in each footer, as many countries ask. Needed to send.",
        example="Paper Digest, 1 Example Street, 0150 Oslo, Norway",
    )
    templates: Path | None = _setting(
        "",
        values.existing_folder,
        "Folder with your own templates; what it lacks is taken from the built-in set.",
        example="/etc/paper-digest/templates",
    )
    link_hosts: tuple[str, ...] | None = _setting(
        "",
        values.names,
        "Hosts that templates may link to, beside your own and those of the papers; the check of "
        "the templates names others. Not set: any.",
        example="arxiv.org,huggingface.co",
    )
    language: str = _setting(
        "en",
        values.language,
        "Language of the mails: en, de, or one that DIGEST_TEMPLATES has in locales/CODE.po.",
    )
    welcome: bool = _setting(
        "yes",
        values.yes_or_no,
        "Whether somebody who has just confirmed gets a mail that says what will come: yes or no.",
    )
    goodbye: bool = _setting(
        "no",
        values.yes_or_no,
        "Whether somebody who has just left gets one last mail, with a link to undo it: yes or "
        "no. No keeps the promise that nothing comes after leaving.",
    )
    studio_password: str | None = _setting(
        "",
        values.text,
        "Password of `digest studio`, with any user name. Needed where it listens to other "
        "machines; put an HTTPS proxy before it there.",
        example="paste-the-output-of-openssl-rand-hex-32",
        secret=True,
    )
    operator: str | None = _setting(
        "",
        values.address,
        "Who is told by mail when a daily run has trouble. Not set: nobody is, only the log.",
        example="operator@example.org",
    )
    header_image: str | None = _setting(
        "",
        values.image_url,
        "Picture at the head of each mail, by its https:// address. Not set: there is none.",
        example="https://digest.example.org/header.png",
    )
    header_image_size: tuple[int, int] | None = _setting(
        "",
        values.size,
        "Width and height of that picture in pixels; it is shown at most 600 wide.",
        example="1200x240",
    )
    thumbnails: bool = _setting(
        "no",
        values.yes_or_no,
        "Whether digests show a picture of each paper, from Hugging Face's servers, which so "
        "learn who looks: yes or no.",
    )
    sources: tuple[str, ...] = _setting(
        "huggingface",
        values.names,
        "Sources to collect from, separated by commas: huggingface, arxiv.",
    )
    huggingface_url: str = _setting(
        "https://huggingface.co", values.web_url, "Hugging Face, or a mirror of it."
    )
    arxiv_feed_url: str = _setting(
        "https://rss.arxiv.org", values.web_url, "arXiv's feeds, or a mirror of them."
    )
    arxiv_feed: str = _setting("rss", values.choice("rss", "atom"), "Which of arXiv's two feeds.")
    arxiv_categories: str = _setting(
        "cs.AI+cs.CL", values.text, "arXiv categories to follow, joined by +."
    )
    arxiv_api_url: str = _setting(
        "https://export.arxiv.org", values.web_url, "arXiv's look-up service, or a mirror of it."
    )
    arxiv_interval: float = _setting(
        "3", values.number(0, 60), "Seconds between two requests to arXiv; it asks for at least 3."
    )
    http_timeout: float = _setting("20", values.number(0.1, 300), "Seconds to wait for a source.")
    http_attempts: int = _setting("4", values.count(1, 10), "How often a source is asked in all.")
    lookback_days: int = _setting(
        "3", values.count(0, 30), "How many days back the very first edition reaches."
    )
    timezone: ZoneInfo = _setting("UTC", values.zone, "Time zone of editions and of DIGEST_RUN_AT.")
    run_at: time = _setting("08:00", values.time_of_day, "When `digest schedule` runs, each day.")
    stale_after_hours: int = _setting(
        "48", values.count(1, 720), "An edition older than this is no longer sent."
    )
    max_for_you: int = _setting("10", values.count(1, 15), "Most papers in the section For you.")
    max_trending: int = _setting("5", values.count(0, 15), "Most papers in the section Trending.")
    strictness: str = _setting(
        "normal",
        values.choice("strict", "normal", "broad"),
        "How well papers must fit the topics of readers who do not say: strict, normal or broad.",
    )
    semantic_model: str | None = _setting(
        "",
        values.text,
        "Sentence model for semantic ranking: a folder, or a name on the Hugging Face hub. Needs "
        'the extra "semantic", and is used once 500 papers are collected. Not set: papers are '
        "ranked by words.",
        example="sentence-transformers/all-MiniLM-L6-v2",
    )
    semantic_fetch: bool = _setting(
        "no",
        values.yes_or_no,
        "Whether that model may be fetched from the hub, once: yes or no.",
    )

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'digest.sqlite3'}"

    @property
    def transport_url(self) -> str:
        return self.transport or (self.home / "outbox").resolve().as_uri()


def variable(field_name: str) -> str:
    """The environment variable of a field of Settings."""
    return PREFIX + field_name.rstrip("_").upper()
