"""Diagnoses: why a message was refused, and whom the refusal is about."""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """The part of an SMTP conversation that a reply answers (RFC 5321 section 3)."""

    OPENING = "opening"  # the connection, EHLO, STARTTLS and the login: all before a message
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "final dot"


class Cause(StrEnum):
    """The reasons why a server refuses a message."""

    DEAD = "dead mailbox"  # nobody will ever be reached at the address
    FULL = "mailbox full"
    RESTRICTED = "restricted mailbox"  # closed for now, or open to some senders only
    BLOCKED = "sender blocked by the mailbox"  # by the reader, or by a rule of their mailbox
    RATE = "rate"  # too much mail at once
    CONTENT = "content"
    SIZE = "size"
    AUTHENTICATION = "sender authentication"  # SPF, DKIM, DMARC, or a sender that is not allowed
    REPUTATION = "sender reputation"
    RELAY = "relay or configuration"
    DNS = "DNS"  # names could not be looked up; that may pass
    TRANSIENT = "transient"
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """The extent of a refusal: which other messages would be refused as well."""

    ADDRESS = "this address"  # any mail to this address, or to its domain
    MESSAGE = "this message"  # this message, whoever it is for
    PROVIDER = "this provider"  # any mail from us to this provider
    US = "us"  # any mail from us


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The meaning of a refusal; ``source`` says where the rule that decided it comes from."""

    cause: Cause
    scope: Scope
    source: str = ""

    @property
    def is_dead(self) -> bool:
        """Return whether the address should get no more mail."""
        return self.cause is Cause.DEAD

    @property
    def counts_against_reader(self) -> bool:
        """Return whether it says anything about the reader's own mailbox."""
        return self.scope is Scope.ADDRESS


UNKNOWN = Diagnosis(Cause.UNKNOWN, Scope.ADDRESS)
