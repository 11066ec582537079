"""What an enhanced status code says of an address. Pure.

The codes are those of RFC 3463 and its registry: class, subject, detail. Class 4 passes, class 5
does not; but a failure that does not pass need not be the address's fault.
"""

# The mailbox is not there and will not be: bad address, moved away, disabled.
_DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
# Full, or the mail is too big for it: another mail may arrive.
_MAY_PASS = frozenset({"5.2.2", "5.2.3", "5.3.4"})
# They speak of the sender's address.
_OURS = frozenset({"5.1.7", "5.1.8"})


def names_dead_mailbox(status: str) -> bool:
    """Whether no mail will ever arrive at the address that has this status."""
    return status in _DEAD


def says_address_may_live(status: str) -> bool:
    """Whether the status clears the address: it passes, or speaks of us (5.7.z) or our mail.

    Of many codes neither this nor ``names_dead_mailbox`` is true, 5.0.0 among them.
    """
    return status.startswith(("4.", "5.6.", "5.7.")) or status in _MAY_PASS | _OURS
