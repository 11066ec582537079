"""Notices that flufl.bounce knows by their form. Pure.

Its detectors know many programs of the last decades by heart. They take any mail for a notice, so
they are only asked about one.
"""

import logging

from flufl.bounce import scan_message

from digest.inbound.addresses import addresses_in
from digest.inbound.mime_parts import open_mail, without_returned

# Each of some fifty patterns is tried on each line.
_MOST_LINES = 1500

# It logs a trace for every mail that breaks a detector; here that is an answer like any other.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)


def detected_in(content: bytes, lines: list[str]) -> list[str]:
    """The addresses that a detector finds, sorted; what is none is left out.

    Some detectors read on in the mail that a notice quotes. So if ``lines``, which are the notice's
    own, name some of those found, only they count.
    """
    try:
        found = scan_message(without_returned(open_mail(content, _MOST_LINES)))
    except Exception:  # noqa: BLE001  heuristics of others, on whatever strangers send
        return []
    texts = sorted(each.decode("ascii", errors="replace") for each in found)
    addresses = [each for each in texts if addresses_in(each) == [each]]
    own = {each.lower() for line in lines for each in addresses_in(line)}
    return [each for each in addresses if each.lower() in own] or addresses
