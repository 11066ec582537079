"""What a server's reply means. Pure.

By enhanced status code first (RFC 3463), then by reply code (RFC 5321 section 4.2).
"""

import re

from digest.model import Outcome, OutcomeKind
from digest.statuses import names_dead_mailbox

_ENHANCED = re.compile(r"^(?P<code>[245]\.\d{1,3}\.\d{1,3})(?=\s|$)")
LONGEST_TEXT = 500

# Where an address beyond ASCII cannot be sent to. The code is RFC 6531's own for it; the address is
# not dead, only out of reach.
OUT_OF_REACH = Outcome(OutcomeKind.REFUSED, "5.6.7 the relay offers no SMTPUTF8", 550)


def outcome_of(code: int, reply: bytes) -> Outcome:
    """The outcome that a final reply stands for.

    Only a 5yz refusal that names the recipient's address makes the address dead: a 5.7.z speaks
    of us, not of them.
    """
    text = in_one_line(reply)
    enhanced = _ENHANCED.match(text)
    first = (enhanced["code"] if enhanced else str(code))[0]
    if 200 <= code < 300:
        return Outcome(OutcomeKind.ACCEPTED, text, code)
    if first == "5" and code >= 500:
        dead = enhanced is not None and names_dead_mailbox(enhanced["code"])
        return Outcome(OutcomeKind.REFUSED, text, code, address_is_dead=dead)
    # 4yz, and whatever no server should say in this place: ask again later.
    return Outcome(OutcomeKind.DEFERRED, text, code)


def in_one_line(said: bytes) -> str:
    """What a server or a program has said, as text of a bounded length."""
    return " ".join(said.decode("utf-8", errors="replace").split())[:LONGEST_TEXT]
