"""One message over one connection (RFC 5321 section 3.3), with each failure put in its phase.

The phase decides what may happen next. Before the final dot nothing was handed over: the server
must drop what it has (section 4.1.1.10), and another attempt is safe (section 3.8). After it only
the server knows, and if its answer never comes the outcome is uncertain.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from digest.deliver.transport.replies import (
    CLOSING,
    OUT_OF_REACH,
    Reply,
    has_had_enough,
    outcome_of,
)
from digest.deliver.transport.smtp_conversation import Conversation, Timeouts
from digest.model.diagnosis import Phase
from digest.model.messages import Message, Outcome, OutcomeKind

FINAL_DOT = b".\r\n"
BLOCK = 65_536  # octets of content that are handed over at a time

# What leads on. 251 is "will forward" (RFC 5321 section 3.4).
_GOOD = {Phase.MAIL: {250}, Phase.RCPT: {250, 251}, Phase.DATA: {354}}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a transaction ended.

    ``connection_was_over`` says that the message has met nothing but a connection without a future:
    another one may take it at once.
    """

    outcome: Outcome
    connection_was_over: bool = False


class Transaction:
    """MAIL, RCPT, DATA, the content and the final dot; begun and ended once.

    Afterwards the conversation is either closed or ready for the next message.
    """

    def __init__(self, server: Conversation, message: Message, timeouts: Timeouts) -> None:
        self._server = server
        self._message = message
        self._timeouts = timeouts
        self._waits = {
            Phase.MAIL: timeouts.mail,
            Phase.RCPT: timeouts.rcpt,
            Phase.DATA: timeouts.data,
            Phase.DOT: timeouts.end,
        }
        self._pipelined = server.has_extn("pipelining")

    def run(self) -> Ended:
        if self._message.envelope.is_international and not self._server.has_extn("smtputf8"):
            return Ended(OUT_OF_REACH)
        answered: set[Phase] = set()
        try:
            for phase, reply in self._replies():
                if reply.code not in _GOOD[phase]:
                    return self._refused(phase, reply)
                answered.add(phase)
            self._put_content()
            # A write of its own: where one of the two fails, it is known which. If it is this one,
            # the server has no final dot either.
            self._server.put(FINAL_DOT, self._timeouts.block)
        except OSError as error:
            self._server.close()
            text = f"connection lost before the end: {error}"
            # Once the recipient was taken, it may be this message that a server cannot stand.
            is_of_relay = Phase.RCPT not in answered
            lost = Outcome(OutcomeKind.DEFERRED, text, is_about_relay=is_of_relay)
            return Ended(lost, connection_was_over=not answered)
        return Ended(self._verdict())

    # ---- up to the content -----------------------------------------------------------------

    def _commands(self) -> dict[Phase, bytes]:
        envelope = self._message.envelope
        # RFC 6531 section 3.4; a server that offers SMTPUTF8 offers 8BITMIME as well (section 3.1).
        options = " BODY=8BITMIME SMTPUTF8" if envelope.is_international else ""
        return {
            Phase.MAIL: _line(f"MAIL FROM:<{envelope.mail_from}>{options}"),
            Phase.RCPT: _line(f"RCPT TO:<{envelope.rcpt_to}>"),
            Phase.DATA: _line("DATA"),
        }

    def _replies(self) -> Iterator[tuple[Phase, Reply]]:
        """Say the commands, all in one where the server has offered that (RFC 2920)."""
        commands = self._commands()
        if self._pipelined:
            self._server.put(b"".join(commands.values()), self._timeouts.mail)
        for phase, command in commands.items():
            if not self._pipelined:
                self._server.put(command, self._waits[phase])
            yield phase, self._answer(phase)

    def _answer(self, phase: Phase) -> Reply:
        return self._server.reply(self._waits[phase])

    def _refused(self, phase: Phase, reply: Reply) -> Ended:
        """Make the conversation fit for more after a refusal before the content."""
        outcome = outcome_of(reply, phase)
        if reply.code == CLOSING:
            self._server.close()  # as the server does
            return Ended(outcome, connection_was_over=phase is Phase.MAIL)
        try:
            self._clear(phase, reply)
        except OSError:
            self._server.close()
        enough = has_had_enough(reply, phase)
        if enough:
            self._server.leave()
        return Ended(outcome, connection_was_over=enough)

    def _clear(self, phase: Phase, reply: Reply) -> None:
        """Hear out what was said ahead, and end the transaction on the server's side too."""
        if self._pipelined and phase is not Phase.DATA:
            if phase is Phase.MAIL:
                self._answer(Phase.RCPT)
            if self._answer(Phase.DATA).code == 354:
                # It waits for content all the same. RFC 2920 section 3.1 has us send a final dot
                # alone; but that must not bring an empty mail to anybody, and is only sure not to
                # where the server has clearly refused the one recipient.
                if phase is Phase.MAIL or reply.code < 400:
                    self._server.close()
                    return
                self._server.put(FINAL_DOT, self._timeouts.block)
                self._answer(Phase.DOT)
        if self._server.docmd("RSET")[0] != 250:
            self._server.close()

    # ---- the content and its end -----------------------------------------------------------

    def _put_content(self) -> None:
        """Send all but the final dot, dots at line starts doubled (RFC 5321 section 4.5.2)."""
        content = self._message.content
        first = b"." if content.startswith(b".") else b""
        last = b"" if content.endswith(b"\r\n") else b"\r\n"
        stuffed = first + content.replace(b"\r\n.", b"\r\n..") + last
        for start in range(0, len(stuffed), BLOCK):
            self._server.put(stuffed[start : start + BLOCK], self._timeouts.block)

    def _verdict(self) -> Outcome:
        try:
            reply = self._answer(Phase.DOT)
        except OSError as error:
            return self._uncertain(f"no answer to the final dot: {error}")
        if reply.code // 100 == 3:
            # Neither taken nor refused (RFC 5321 section 4.2.1): asking again might mail twice.
            return self._uncertain(f"no verdict on the final dot: {reply}")
        if reply.code == CLOSING:
            self._server.close()
        return outcome_of(reply, Phase.DOT)

    def _uncertain(self, text: str) -> Outcome:
        self._server.close()
        return Outcome(OutcomeKind.UNCERTAIN, text, is_about_relay=True)


def _line(command: str) -> bytes:
    if "\r" in command or "\n" in command:
        raise ValueError(f"a command of more than one line: {command!r}")
    return f"{command}\r\n".encode()
