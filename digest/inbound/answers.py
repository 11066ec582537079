"""Recognise answers to our mail, and reports about its authentication. Pure."""

import re
from email.message import Message
from itertools import pairwise

from digest.inbound.mime_parts import header, notice
from digest.inbound.phrases import phrases

# Two parts of base64url with a full stop between them (see subscribers.tokens). It begins after
# something that no token holds, which keeps the search linear.
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])\.?[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}")
_MOST_TOKENS = 20

# ---- a wish to leave ---------------------------------------------------------------------------

_MOST_LINES = 3  # of their own words
_LONGEST_LINE = 100
_ANSWER = re.compile(
    r"^(?:\s*(?:re|aw|sv|vs|antw|rif|r|odp|ynt|回复|答复|返信)\s*(?:\[\d+\])?\s*[:：])+",
    re.IGNORECASE,
)
_UNSUBSCRIBE = phrases("unsubscribe")
# Where a quotation of our mail begins, and what programs put below the text.
_QUOTED = re.compile(
    r"^\s*(?:>|-{2,}|_{5,}|\*{5,}|(?:from|von|de|da|van|från|fra|od|от|发件人|差出人)\s*[:：])"
    r"|[:：]\s*$|^\s*(?:sent from|get outlook|von meinem|envoyé de|enviado desde|inviato da)",
    re.IGNORECASE,
)


def wants_to_leave(mail: Message) -> bool:
    """Return whether a person's own words are a request to unsubscribe, and nothing else.

    Their own words are the subject and the first lines above any quotation. Whole lines count: "do
    not unsubscribe me" is for a person to read.
    """
    own = own_lines(mail)
    subject = _ANSWER.sub("", header(mail, "Subject"))
    if _is_request(subject):
        return True
    return bool(own) and len(own) <= _MOST_LINES and any(map(_is_request, own))


def own_lines(mail: Message) -> list[str]:
    """Return the lines that somebody wrote above any quotation, but for empty ones."""
    lines: list[str] = []
    for line in notice(mail).splitlines():
        if _QUOTED.search(line) or len(lines) > _MOST_LINES:
            break
        if line.strip():
            lines.append(line.strip())
    return lines


def _is_request(line: str) -> bool:
    words = " ".join(line[: _LONGEST_LINE + 1].split()).strip(" .!*\"'«»„“”。！…")
    return len(line) <= _LONGEST_LINE and _UNSUBSCRIBE.fullmatch(words) is not None


def unsubscribe_tokens(mail: Message) -> list[str]:
    """Return possible tokens in an email's subject, where our mailto: link puts one.

    By themselves only those in the subject count (RFC 2369 section 3.2): a report of failure or an
    answer may quote one of our emails, with its links, in the body.
    """
    return tokens_in(header(mail, "Subject"))


def tokens_of_reply(mail: Message) -> list[str]:
    """Return possible tokens anywhere in a message: they tell who wrote, not what they want."""
    return [*unsubscribe_tokens(mail), *tokens_in(notice(mail))][:_MOST_TOKENS]


def tokens_in(text: str) -> list[str]:
    """Return the possible tokens in a text; only their signatures tell whether they are tokens.

    Mail programs fold long lines, so each word may go on in the next one.
    """
    words = text.split()
    joined = [before + after for before, after in pairwise(words)]
    found = (token for word in [*words, *joined] for token in _TOKEN.findall(word))
    return list(dict.fromkeys(found))


# ---- reports about authentication --------------------------------------------------------------

_REPORT_TITLE = re.compile(r"^\W*report domain\s*:\s*\S+.*\bsubmitter\s*:", re.IGNORECASE)
_REPORT_TYPES = frozenset({"application/tlsrpt+gzip", "application/tlsrpt+json"})
# receiver!policy-domain!begin!end.xml.gz, or .json.gz
_REPORT_FILE = re.compile(
    r"[^!\s/]+![^!\s/]+!\d{9,11}!\d{9,11}(?:![^!\s]*)?\.(?:xml|json)\b", re.IGNORECASE
)


def is_about_authentication(mail: Message) -> bool:
    """Return whether an email is an aggregate report of DMARC (RFC 9990) or TLS (RFC 8460)."""
    if "TLS-Report-Domain" in mail or str(mail.get_param("report-type")).lower() == "tlsrpt":
        return True
    if _REPORT_TITLE.search(header(mail, "Subject")):
        return True
    return any(
        part.get_content_type() in _REPORT_TYPES or _REPORT_FILE.search(part.get_filename() or "")
        for part in mail.walk()
    )
