"""Read the text of a setting: each function returns a value, or raises ValueError.

The error's text says what was expected.
"""

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import date, time
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from digest.settings.imap_folder import OWN_MACHINE, ImapFolder, imap_folder
from subscribers.addresses import normalise_address
from subscribers.errors import AddressError, PreferenceError
from subscribers.origins import parse_origin
from subscribers.preferences import parse_timezone

Number = TypeVar("Number", int, float)

LONGEST_NAME = 100
SOURCES = {"huggingface", "arxiv", "biorxiv", "medrxiv", "feeds", "files"}  # names of no feed
NEW_KEY = "paste-the-output-of-openssl-rand-hex-32"  # in the examples
SHORTEST_SECRET = 8  # against slips; four times as long is recommended
SHORTEST_KEY = 32  # of the key that signs links, which must not be guessed
PERCENT_ENCODE = (
    "expected a password without / ? # @; percent-encode them: %2F for /, %3F for ?, %23 for #, "
    "%40 for @, and %25 for % itself"
)
NO_PAGES = "none"
LONGEST_PUBLIC_URL = 500  # with a token behind it, it must fit a header's line of 998 octets

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
# One absolute path and nothing else: a folder, a command, a socket.
_OWN_MACHINE_URL = re.compile(r"(?i:maildir|sendmail|lmtp):(?://)?/[^/?#][^?#]*")
_PLAIN_URL = re.compile(r"[A-Za-z0-9:/._~%!$&'()*+;=\[\]-]+")


def matching(pattern: str, expected: str) -> Callable[[str], str]:
    """Return a reader of texts that have this form as a whole."""

    def read(value: str) -> str:
        if re.fullmatch(pattern, value, re.ASCII):
            return value
        raise ValueError(f"expected {expected}")

    return read


def choice(*choices: str) -> Callable[[str], str]:
    return matching("|".join(map(re.escape, choices)), f"one of {', '.join(choices)}")


# A tag (RFC 5646); compose/language.py knows which languages there are.
language = matching(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language like en or pt-BR")

# A DKIM selector: labels of a domain name (RFC 6376 section 3.1), in all no longer than one may be.
selector = matching(
    rf"(?!.{{64}}){_LABEL}(?:\.{_LABEL})*",
    "at most 63 letters, digits and hyphens, like 2026a",
)


def text(value: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in value):
        raise ValueError("expected one line without control characters")
    return value


def display_name(value: str) -> str:
    if len(value) > LONGEST_NAME:
        raise ValueError(f"expected at most {LONGEST_NAME} characters")
    return text(value)


def path(value: str) -> Path:
    """Read a path, which need not exist yet."""
    with suppress(RuntimeError):
        return Path(value).expanduser()
    raise ValueError("expected a path; there is no such user")


def mailbox(value: str) -> Path | ImapFolder:
    """Read a Maildir or an mbox file, or the URL of a folder on a server."""
    _check_percent_encoding(value)
    return imap_folder(value) if "://" in value else path(value)


def existing_folder(value: str) -> Path:
    with suppress(OSError):  # of a name that is too long
        if (found := path(value)).is_dir():
            return found
    raise ValueError("expected an existing folder")


def existing_file(value: str) -> Path:
    with suppress(OSError):  # of a name that is too long
        if (found := path(value)).is_file():
            return found
    raise ValueError("expected an existing file")


def domains(value: str) -> frozenset[str]:
    """Read a file of domains, one a line; lines that begin with # are comments."""
    try:
        lines = existing_file(value).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read: {error}") from None
    found = set()
    for number, line in enumerate(lines, 1):
        name = line.strip().strip(".")
        if not name or name.startswith("#"):
            continue
        try:
            found.add(normalise_address(f"postmaster@{name}").rpartition("@")[2])
        except AddressError:
            raise ValueError(f"line {number} is no domain: {line.strip()[:60]!r}") from None
    return frozenset(found)


def origins(value: str) -> frozenset[str]:
    """Read the origins of web sites, separated by commas."""
    return frozenset(map(parse_origin, names(value)))


def networks(value: str) -> tuple[str, ...]:
    """Read IP addresses and networks, separated by commas."""
    found = tuple(part.strip() for part in value.split(",") if part.strip())
    for part in found:
        try:
            ip_network(part)
        except ValueError:
            raise ValueError(
                f"expected addresses or networks like 10.0.0.0/8, got {part}"
            ) from None
    return found


def yes_or_no(value: str) -> bool:
    with suppress(KeyError):
        return {"yes": True, "no": False}[value.strip().casefold()]
    raise ValueError("expected yes or no")


def address(value: str) -> str:
    try:
        read = normalise_address(value)
    except AddressError as error:
        raise ValueError(str(error)) from None
    if not read.isascii():  # it is put in headers that programs read
        raise ValueError("expected an address of plain ASCII letters")
    return read


def database_url(value: str) -> str:
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):  # their texts may hold a piece of the password
        raise ValueError("expected a URL like sqlite:///papers.sqlite3") from None
    is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    if not is_file and url.get_backend_name() != "postgresql":
        raise ValueError("expected sqlite:///FILE or postgresql+psycopg://…")
    if not is_file and "@" in f"{url.host}{url.database}":  # as releases of SQLAlchemy differ
        raise ValueError(PERCENT_ENCODE)
    return value


def _check_percent_encoding(url: str) -> None:
    """Raise ValueError if the user name or password in a URL has a character that ends it."""
    server, *rest = re.split(r"([/?#])", url.partition("://")[2], maxsplit=1)
    if server and "@" not in server and "@" in "".join(rest):
        raise ValueError(PERCENT_ENCODE)


def transport_url(value: str) -> str:
    _check_percent_encoding(value)
    with suppress(ValueError):  # its text may hold a piece of the password
        parts = urlsplit(value)
        has_port = bool(parts.port)  # raises ValueError for one that is no number
        if parts.scheme == "chat" and "://" in parts.path:
            return value
        if _OWN_MACHINE_URL.fullmatch(value) or (parts.scheme == "file" and parts.path):
            return value
        if parts.scheme in {"smtp", "smtp+starttls", "smtps"} and parts.hostname:
            return value
        # LMTP has no port of its own (RFC 2033 section 5), and here no login.
        others = (parts.username, parts.path.strip("/"), parts.query, parts.fragment)
        if parts.scheme == "lmtp" and parts.hostname and has_port and not any(others):
            return value
    raise ValueError(
        "expected smtp://HOST, smtp+starttls://USER:PASSWORD@HOST:587, smtps://HOST:465, "
        "lmtp://HOST:PORT, lmtp:///SOCKET, sendmail:/COMMAND, maildir:/FOLDER, file:///FOLDER, or "
        "chat: and the URL of a room"
    )


def web_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected a URL like https://digest.example.org")
    return value.rstrip("/")


def endpoint(value: str) -> str:
    """Check the base of an API. A key in it would be told by logs."""
    url = web_url(value)
    if re.search(r"[@?#\s]", url):
        raise ValueError("expected a URL without user, ?, # or blanks; a key has its own setting")
    return url


def prices(value: str) -> tuple[float, float]:
    """Read two prices, such as ``0.15/0.60``."""
    if found := re.fullmatch(r"(\d{1,6}(?:\.\d+)?)/(\d{1,6}(?:\.\d+)?)", value, re.ASCII):
        return float(found[1]), float(found[2])
    raise ValueError("expected two prices like 0.15/0.60")


def public_url(value: str) -> str:
    """Check a URL that mail may hold: https, or http on the own machine, to try things out.

    Without pages it is "none", read as "".
    """
    if value == NO_PAGES:
        return ""
    url = web_url(value)
    if not _PLAIN_URL.fullmatch(url) or len(url) > LONGEST_PUBLIC_URL:
        raise ValueError(
            f"expected at most {LONGEST_PUBLIC_URL} plain characters without ?, #, @ or blanks; "
            "a host of other letters in its xn-- form"
        )
    if urlsplit(url).scheme == "http" and urlsplit(url).hostname not in OWN_MACHINE:
        raise ValueError("expected https:// (RFC 8058 asks for it); http:// only for localhost")
    return url


def image_url(value: str) -> str:
    parts = urlsplit(value)
    is_plain = _PLAIN_URL.fullmatch(value.replace("?", "", 1)) and len(value) <= LONGEST_PUBLIC_URL
    if parts.scheme != "https" or not parts.hostname or not is_plain:
        raise ValueError("expected the https:// address of a picture, in plain characters")
    return value


def size(value: str) -> tuple[int, int]:
    """Read a width and a height in pixels."""
    if found := re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", value, re.ASCII):
        return int(found[1]), int(found[2])
    raise ValueError("expected a width and a height in pixels, like 1200x240")


def secrets(value: str) -> tuple[str, ...]:
    """Read keys or passwords. The examples in the documents are known to everybody."""
    keys = tuple(key.strip() for key in value.split(","))
    if NEW_KEY in keys:
        raise ValueError(
            "is the text of the example; put there what this prints: openssl rand -hex 32"
        )
    if any(len(key) < SHORTEST_SECRET for key in keys):
        raise ValueError(f"expected a random text of at least {SHORTEST_SECRET} characters")
    return keys


def signing_keys(value: str) -> tuple[str, ...]:
    """Read keys, the newest first. Older ones may be short: links in sent emails need them."""
    keys = secrets(value)
    if len(keys[0]) < SHORTEST_KEY:
        raise ValueError(
            f"expected a random text of at least {SHORTEST_KEY} characters (openssl rand -hex 32); "
            "to keep links in sent emails working, put the key used until now after it and a comma"
        )
    return keys


def zone(value: str) -> ZoneInfo:
    with suppress(PreferenceError):
        return ZoneInfo(parse_timezone(value))
    raise ValueError("expected an IANA time zone like Europe/Oslo")


def time_of_day(value: str) -> time:
    if found := re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value, re.ASCII):
        return time(int(found[1]), int(found[2]))
    raise ValueError("expected a time like 08:00")


def window(value: str) -> tuple[time, time]:
    """Read two times of the day; if the second is earlier, it is on the next day."""
    with suppress(ValueError):
        start, end = (time_of_day(side.strip()) for side in value.split("-"))
        if start != end:
            return start, end
    raise ValueError("expected two times like 06:00-22:00")


def day(value: str) -> date:
    with suppress(ValueError):
        return date.fromisoformat(value)
    raise ValueError("expected a day like 2026-01-31")


def names(value: str) -> tuple[str, ...]:
    if found := tuple(name.strip() for name in value.split(",") if name.strip()):
        return found
    raise ValueError("expected one name or more, separated by commas")


def some_of(*choices: str) -> Callable[[str], tuple[str, ...]]:
    """Return a reader of some of these names, separated by commas."""

    def read(value: str) -> tuple[str, ...]:
        if set(found := names(value)) <= set(choices):
            return found
        raise ValueError(f"expected some of {', '.join(choices)}")

    return read


def feeds(value: str) -> tuple[tuple[str, str], ...]:
    """Read names and addresses of feeds, such as ``nature=https://www.nature.com/nature.rss``."""
    found = []
    for part in value.split():
        name, _, url = part.partition("=")
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
            raise ValueError(
                f"expected NAME=ADDRESS, the name of small letters, digits and hyphens, got {part}"
            )
        if "@" in urlsplit(url).netloc:
            raise ValueError(
                f"{name} has a user name or password in its address; logs would tell it"
            )
        found.append((name, web_url(url)))
    names = [name for name, _ in found]
    if taken := next((name for name in names if names.count(name) > 1 or name in SOURCES), None):
        raise ValueError(f"the name {taken} is taken; give each feed its own")
    if not found:
        raise ValueError("expected one feed or more, separated by blanks")
    return tuple(found)


def number(lowest: Number, highest: Number) -> Callable[[str], Number]:
    """Return a reader of numbers within these bounds: whole ones if ``lowest`` is an int."""
    kind = type(lowest)
    what = "whole number" if kind is int else "number"

    def read(value: str) -> Number:
        with suppress(ValueError):
            if lowest <= (found := kind(value)) <= highest:
                return found
        raise ValueError(f"expected a {what} from {lowest} to {highest}")

    return read
