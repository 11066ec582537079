"""What a mail to us says. Pure: a message in, what it asks for out.

Anybody can write to us, and anything: nothing here raises for what a mail holds.
"""

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

# Two parts of base64url with a full stop between them (see subscribers.tokens).
_TOKEN = re.compile(r"\.?[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}")
_LONGEST_SUBJECT = 2000


def unsubscribe_tokens(mail: Message) -> list[str]:
    """The texts in a mail's subject that may be tokens: what our mailto: link has put there.

    Only the subject counts (RFC 2369 section 3.2): a report of failure or an answer may quote one
    of our mails, with its links, in the body.
    """
    return _TOKEN.findall(_subject(mail))


def _subject(mail: Message) -> str:
    raw = str(mail.get("Subject", ""))[:_LONGEST_SUBJECT]
    try:
        return str(make_header(decode_header(raw)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return raw
