"""The table of settings: how mail goes out, and what comes back."""

from dataclasses import dataclass
from datetime import date, time
from pathlib import Path

from digest.settings import values
from digest.settings.imap_folder import ImapFolder
from digest.settings.row import setting

WAIT = values.number(0.1, 3600)


@dataclass(frozen=True)
class DeliverySettings:
    """The relay, the pace, addresses, the inbox, DKIM."""

    transport: str | None = setting(
        "",
        values.transport_url,
        "Where mail goes: smtp://, smtp+starttls:// or smtps:// (a relay), lmtp://HOST:PORT or "
        "lmtp:///SOCKET, sendmail:/COMMAND, maildir:/FOLDER, or file:///FOLDER (.eml files). "
        "Not set: .eml files in DIGEST_HOME/outbox.",
        example="smtp+starttls://USER:PASSWORD@smtp.example.org:587",
        secret=True,
    )
    smtp_ca_file: Path | None = setting(
        "",
        values.existing_file,
        "Certificates (PEM) to trust for the relay, instead of the system's; for an IMAP server, "
        "beside them.",
        example="/etc/ssl/private-ca.pem",
    )
    smtp_timeout: float = setting(
        "60",
        values.number(0.1, 900),
        "Seconds to wait for the relay to let us in (connection, EHLO, STARTTLS, login), and for "
        "the end of a sendmail command.",
    )
    smtp_greeting_timeout: float = setting("300", WAIT, "Seconds to wait for the relay's greeting.")
    smtp_mail_timeout: float = setting("300", WAIT, "Seconds to wait for its answer to MAIL.")
    smtp_rcpt_timeout: float = setting("300", WAIT, "Seconds to wait for its answer to RCPT.")
    smtp_data_timeout: float = setting("120", WAIT, "Seconds to wait for its answer to DATA.")
    smtp_block_timeout: float = setting("180", WAIT, "Seconds to wait while it takes a piece.")
    smtp_end_timeout: float = setting(
        "600",
        WAIT,
        "Seconds to wait for its answer to the final dot. Too short, and messages that did arrive "
        "are uncertain. These six are as RFC 5321 section 4.5.3.2 asks.",
    )
    send_processes: int = setting(
        "1", values.count(1, 64), "Processes that send, at most; for a list that keeps one busy."
    )
    send_connections: int = setting(
        "4", values.count(1, 500), "Connections to the relay at a time, over these processes."
    )
    connection_messages: int = setting(
        "100", values.count(1, 100_000), "Messages over one connection, before a new one is made."
    )
    rate: float | None = setting(
        "",
        values.number(0.01, 1_000_000),
        "Mails a minute, at most. Not set: no limit.",
        example="600",
    )
    rate_per_connection: float | None = setting(
        "",
        values.number(0.01, 1_000_000),
        "Mails a minute over each connection, at most. Not set: no limit.",
        example="120",
    )
    rate_per_domain: float | None = setting(
        "",
        values.number(0.01, 1_000_000),
        "Mails a minute to each mailbox provider, at most: the domains of one, such as gmail.com "
        "and googlemail.com, count together. Not set: no limit, until one asks to be slower.",
        example="60",
    )
    mx_lookups: bool = setting(
        "yes",
        values.yes_or_no,
        "Whether the DNS is asked who takes a domain's mail, so that all of a provider's domains "
        "count together: yes or no.",
    )
    send_window: tuple[time, time] | None = setting(
        "",
        values.window,
        "Hours of the day, in DIGEST_TIMEZONE, in which digests go out. Not set: any.",
        example="06:00-22:00",
    )
    warm_up_since: date | None = setting(
        "",
        values.day,
        "First day of sending from a new address: that day DIGEST_WARM_UP_FIRST mails go out at "
        "most, each day after half as many again. Not set: no such limit.",
        example="2026-01-31",
    )
    warm_up_first: int = setting("200", values.count(1, 1_000_000), "Mails on that first day.")
    resend_uncertain: bool = setting(
        "no",
        values.yes_or_no,
        "Whether mails of which nobody knows if they arrived are sent again by the next run, "
        "at the risk of arriving twice: yes or no.",
    )
    pause_at_hard_bounces: float = setting(
        "5",
        values.number(0.01, 100),
        "Per cent of the last week's mails: when so many met dead addresses, sending pauses.",
    )
    pause_at_complaints: float = setting(
        "0.1",
        values.number(0.001, 100),
        "Per cent of the last week's mails: when so many were called spam, sending pauses.",
    )
    from_: str | None = setting(
        "",
        values.address,
        "Address the digests come from. Needed to send.",
        example="digest@example.org",
    )
    from_name: str = setting("Paper Digest", values.display_name, "Name shown beside that address.")
    reply_to: str | None = setting(
        "",
        values.address,
        "Where answers go. Not set: DIGEST_FROM.",
        example="team@example.org",
    )
    bounce_address: str | None = setting(
        "",
        values.address,
        "Envelope sender: where failure reports go. Not set: DIGEST_FROM.",
        example="bounces@example.org",
    )
    verp: bool = setting(
        "yes",
        values.yes_or_no,
        "Whether each delivery has an envelope sender of its own, such as "
        "bounces+TAG@example.org, so that a failure report names it: yes or no. No where +TAG is "
        "not delivered, or the relay allows one sender only; failures are then not learned from.",
    )
    unsubscribe_address: str | None = setting(
        "",
        values.address,
        "Where unsubscribe mails go. Not set: unsubscribe@ the domain of DIGEST_FROM.",
        example="unsubscribe@example.org",
    )
    inbox: Path | ImapFolder | None = setting(
        "",
        values.mailbox,
        "Where the mail lies that `digest inbox` reads, to DIGEST_BOUNCE_ADDRESS, "
        "DIGEST_UNSUBSCRIBE_ADDRESS and DIGEST_COMPLAINTS_ADDRESS: a Maildir, an mbox file, or a "
        "folder on an IMAP server, by imaps:// or imap+starttls://.",
        example="imaps://USER:PASSWORD@imap.example.org/INBOX",
        secret=True,
    )
    inbox_every: int = setting(
        "60",
        values.count(5, 86_400),
        "Seconds between two readings of it by `digest up` and `digest inbox --watch`.",
    )
    complaints_address: str | None = setting(
        "",
        values.address,
        "Where spam complaints go (RFC 9477). Not set: complaints@ the domain of DIGEST_FROM.",
        example="complaints@example.org",
    )
    dkim_selector: str | None = setting(
        "",
        values.selector,
        "Name of the key that signs each mail (DKIM), as its DNS record says it; `digest dkim "
        "generate` makes both. Not set: the relay signs, or nobody.",
        example="2026a",
    )
    dkim_key: Path | None = setting(
        "",
        values.file,
        "File (PEM) with that key, an RSA key.",
        example="/etc/paper-digest/dkim-2026a.pem",
    )
    dkim_ed25519_selector: str | None = setting(
        "",
        values.selector,
        "Name of a key for a second signature beside that one, by Ed25519 (RFC 8463).",
        example="2026e",
    )
    dkim_ed25519_key: Path | None = setting(
        "",
        values.file,
        "File (PEM) with that Ed25519 key.",
        example="/etc/paper-digest/dkim-2026e.pem",
    )
