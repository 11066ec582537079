"""Send one message over one connection (RFC 5321 section 3.3), and say where a failure happened.

Pure: a transaction asks for one step after the other, and is told the replies. The socket belongs
to whoever takes the steps (see ``Wire.perform``).

The phase of a failure decides what may follow. Before the final dot nothing was handed over: the
server must drop what it has (section 4.1.1.10), and another attempt is safe (section 3.8). After
the dot only the server knows; if its answer never comes, the outcome is uncertain.
"""

from collections.abc import Collection, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from digest.deliver.transport.replies import (
    CLOSING,
    OUT_OF_REACH,
    Reply,
    has_had_enough,
    outcome_of,
)
from digest.model.diagnosis import Phase
from digest.model.messages import Message, Outcome, OutcomeKind

FINAL_DOT = b".\r\n"
BLOCK = 65_536  # octets of content that are handed over at a time

# The replies after which the transaction goes on. 251 is "will forward" (RFC 5321 section 3.4).
_GOOD = {Phase.MAIL: {250}, Phase.RCPT: {250, 251}, Phase.DATA: {354}}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The seconds to wait in each phase; the defaults are those of RFC 5321 section 4.5.3.2.

    ``connect`` is for what the RFC leaves open: making the connection, and each answer to a command
    outside of a transaction. ``block`` is for handing over a piece of the content, ``end`` for the
    answer to the final dot.
    """

    connect: float = 60
    greeting: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    end: float = 600


@dataclass(frozen=True, slots=True)
class Put:
    """The step to hand octets to the system, which has to take them within so many seconds."""

    octets: bytes
    within: float


@dataclass(frozen=True, slots=True)
class Await:
    """The step to read the next reply, which must be complete within so many seconds."""

    within: float


class HandOver:
    """The step to ask whether the message may be handed over, which its final dot does.

    It must be known durably from then on that it may have been (RFC 5321 section 4.1.1.10).
    """


class After(Enum):
    """The fates of a connection after a transaction."""

    KEEP = auto()
    QUIT = auto()
    CLOSE = auto()


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a transaction; without an outcome, the message was not to be handed over.

    ``connection_was_over`` says that the connection had come to its end before the message, which
    may be sent over another one at once.
    """

    outcome: Outcome | None
    connection_was_over: bool = False
    after: After = After.KEEP


Asked = TypeVar("Asked")
Step = Put | Await | HandOver
# Steps are sent the reply to each Await and the answer to HandOver. The OSError of a step that
# failed is thrown into them.
Steps = Generator[Step, Reply | bool | None, Asked]


class Transaction:
    """MAIL, RCPT, DATA, the content and the final dot of one message; its steps are taken once.

    ``extensions`` are what the server offers, in lower case.
    """

    def __init__(
        self, message: Message, timeouts: Timeouts, extensions: Collection[str] = ()
    ) -> None:
        self._message = message
        self._timeouts = timeouts
        self._waits = {
            Phase.MAIL: timeouts.mail,
            Phase.RCPT: timeouts.rcpt,
            Phase.DATA: timeouts.data,
            Phase.DOT: timeouts.end,
        }
        self._pipelined = "pipelining" in extensions
        self._takes_smtputf8 = "smtputf8" in extensions

    def steps(self) -> Steps[Ended]:
        if self._message.envelope.is_international and not self._takes_smtputf8:
            return Ended(OUT_OF_REACH)
        answered: set[Phase] = set()
        try:
            for phase, command in self._commands():
                if command:
                    yield Put(command, self._waits[phase])
                reply = yield from self._answer(phase)
                if reply.code not in _GOOD[phase]:
                    return (yield from self._refused(phase, reply))
                answered.add(phase)
            for block in self._content():
                yield Put(block, self._timeouts.block)
            if not (yield HandOver()):
                return Ended(None, after=After.CLOSE)  # nothing else ends it without a message
            # The dot is a write of its own, so that it is known which of the two has failed. If
            # this one has, the server has no final dot either.
            yield Put(FINAL_DOT, self._timeouts.block)
        except OSError as error:
            text = f"connection lost before the end: {error}"
            # After the recipient was accepted, this message may be what breaks the server.
            is_of_relay = Phase.RCPT not in answered
            lost = Outcome(OutcomeKind.DEFERRED, text, is_about_relay=is_of_relay)
            return Ended(lost, connection_was_over=not answered, after=After.CLOSE)
        return (yield from self._verdict())

    # ---- up to the content -----------------------------------------------------------------

    def _commands(self) -> list[tuple[Phase, bytes]]:
        """Return what to send before each reply; all at once if the server offers it (RFC 2920)."""
        envelope = self._message.envelope
        # RFC 6531 section 3.4; a server that offers SMTPUTF8 offers 8BITMIME as well (section 3.1).
        options = " BODY=8BITMIME SMTPUTF8" if envelope.is_international else ""
        mail = _line(f"MAIL FROM:<{envelope.mail_from}>{options}")
        rcpt = _line(f"RCPT TO:<{envelope.rcpt_to}>")
        data = _line("DATA")
        if self._pipelined:
            mail, rcpt, data = mail + rcpt + data, b"", b""
        return [(Phase.MAIL, mail), (Phase.RCPT, rcpt), (Phase.DATA, data)]

    def _answer(self, phase: Phase) -> Steps[Reply]:
        reply = yield Await(self._waits[phase])
        assert isinstance(reply, Reply)
        return reply

    def _refused(self, phase: Phase, reply: Reply) -> Steps[Ended]:
        """Return the end by a refusal, and make the connection ready for the next message."""
        outcome = outcome_of(reply, phase)
        if reply.code == CLOSING:  # as the server does
            return Ended(outcome, connection_was_over=phase is Phase.MAIL, after=After.CLOSE)
        is_clear = False
        with suppress(OSError):
            is_clear = yield from self._clear(phase, reply)
        enough = has_had_enough(reply, phase)
        after = After.QUIT if enough else After.KEEP
        return Ended(outcome, connection_was_over=enough, after=after if is_clear else After.CLOSE)

    def _clear(self, phase: Phase, reply: Reply) -> Steps[bool]:
        """Read the answers to commands sent ahead, and end the transaction at the server too.

        Return whether the connection is good for another message.
        """
        if self._pipelined and phase is not Phase.DATA:
            if phase is Phase.MAIL:
                yield from self._answer(Phase.RCPT)
            if (yield from self._answer(Phase.DATA)).code == 354:
                # It waits for content all the same. RFC 2920 section 3.1 asks for a final dot
                # alone. That must not bring anybody an empty email, and it surely does not only if
                # the server has clearly refused the one recipient.
                if phase is Phase.MAIL or reply.code < 400:
                    return False
                yield Put(FINAL_DOT, self._timeouts.block)
                yield from self._answer(Phase.DOT)
        yield Put(_line("RSET"), self._timeouts.connect)
        reset = yield Await(self._timeouts.connect)
        return isinstance(reset, Reply) and reset.code == 250

    # ---- the content and its end -----------------------------------------------------------

    def _content(self) -> Iterator[bytes]:
        """Yield all but the final dot, dots at line starts doubled (RFC 5321 section 4.5.2)."""
        content = self._message.content
        if self._message.has_dots:
            first = b"." if content.startswith(b".") else b""
            content = first + content.replace(b"\r\n.", b"\r\n..")
        if not content.endswith(b"\r\n"):
            content += b"\r\n"
        for start in range(0, len(content), BLOCK):
            yield content[start : start + BLOCK]

    def _verdict(self) -> Steps[Ended]:
        try:
            reply = yield from self._answer(Phase.DOT)
        except OSError as error:
            return _uncertain(f"no answer to the final dot: {error}")
        if reply.code // 100 == 3:
            # Neither taken nor refused (RFC 5321 section 4.2.1): asking again might mail twice.
            return _uncertain(f"no verdict on the final dot: {reply}")
        after = After.CLOSE if reply.code == CLOSING else After.KEEP
        return Ended(outcome_of(reply, Phase.DOT), after=after)


def _uncertain(text: str) -> Ended:
    outcome = Outcome(OutcomeKind.UNCERTAIN, text, is_about_relay=True)
    return Ended(outcome, after=After.CLOSE)


def _line(command: str) -> bytes:
    if "\r" in command or "\n" in command:
        raise ValueError(f"a command of more than one line: {command!r}")
    return f"{command}\r\n".encode()
