"""What a server's reply means. Pure.

By enhanced status code first (RFC 3463), then by reply code (RFC 5321 section 4.2).
"""

import re

from digest.model import Outcome, OutcomeKind

# The mailbox is not there and will not be: bad address, moved away, disabled.
_DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_ENHANCED = re.compile(r"^(?P<code>[245]\.\d{1,3}\.\d{1,3})(?=\s|$)")
LONGEST_TEXT = 500


def outcome_of(code: int, reply: bytes) -> Outcome:
    """The outcome that a final reply stands for.

    Only a 5yz refusal that names the recipient's address makes the address dead: a 5.7.z speaks
    of us, not of them.
    """
    text = " ".join(reply.decode("utf-8", errors="replace").split())[:LONGEST_TEXT]
    enhanced = _ENHANCED.match(text)
    first = (enhanced["code"] if enhanced else str(code))[0]
    if 200 <= code < 300:
        return Outcome(OutcomeKind.ACCEPTED, text, code)
    if first == "5" and code >= 500:
        dead = enhanced is not None and enhanced["code"] in _DEAD
        return Outcome(OutcomeKind.REFUSED, text, code, address_is_dead=dead)
    # 4yz, and whatever no server should say in this place: ask again later.
    return Outcome(OutcomeKind.DEFERRED, text, code)
