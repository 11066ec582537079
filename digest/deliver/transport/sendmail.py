"""Deliver through the machine's own mail system, by the command sendmail that each of them has.

The command takes a message on standard input; its exit status (sysexits.h) is the outcome. These
numbers are coarse, so most of them count as "try again later".
"""

import os
import subprocess
from pathlib import Path
from typing import Self

from digest.deliver.transport.replies import OUT_OF_REACH, in_one_line
from digest.errors import TransportError
from digest.model.messages import Message, Outcome, OutcomeKind

EX_OK = 0
# The statuses about this message (its content, its recipient, their host; 69 gives no reason), with
# the enhanced status code that means the same. All others are unknown, or about the machine and its
# setup (usage, software, files, permissions), which the operator can fix.
_REFUSALS = {
    65: ("EX_DATAERR", "5.6.0"),
    67: ("EX_NOUSER", "5.1.1"),
    68: ("EX_NOHOST", ""),
    69: ("EX_UNAVAILABLE", ""),
}


class SendmailTransport:
    """Runs the command once for each message, without a shell."""

    takes_smtputf8 = False  # there is no way to ask the command

    def __init__(self, command: Path, timeout: float) -> None:
        """``timeout`` is how many seconds the command may take for a message."""
        self._command = command
        self._timeout = timeout

    def __enter__(self) -> Self:
        if not (self._command.is_file() and os.access(self._command, os.X_OK)):
            raise TransportError(f"{self._command}: there is no such command")
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def send(self, message: Message) -> Outcome:
        envelope = message.envelope
        if envelope.is_international:
            return OUT_OF_REACH
        # -i: a line with a single dot is not the end. After -- an address is never an option.
        words = [str(self._command), "-i", "-f", envelope.mail_from, "--", envelope.rcpt_to]
        try:
            ended = subprocess.run(  # noqa: S603  the operator's own command, and no shell
                words,
                input=message.content.replace(b"\r\n", b"\n"),  # as text is on this machine
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            # It was killed, but may have passed the message on before.
            late = f"no end within {self._timeout:g} seconds"
            return Outcome(OutcomeKind.UNCERTAIN, late, is_about_relay=True)
        except OSError as error:
            raise TransportError(f"{self._command}: {error.strerror}") from error
        return outcome_of_status(ended.returncode, ended.stdout)


def outcome_of_status(status: int, said: bytes) -> Outcome:
    """Return the outcome that an exit status stands for (sysexits.h), with the command's words.

    A negative status is the signal that ended the command: then nobody knows how far it came.
    """
    words = in_one_line(said)
    if status == EX_OK:
        return Outcome(OutcomeKind.ACCEPTED, words or "taken by the command", 250)
    if status < 0:
        killed = in_one_line(b"ended by signal %d " % -status + said)
        return Outcome(OutcomeKind.UNCERTAIN, killed, is_about_relay=True)
    if status not in _REFUSALS:
        text = in_one_line(f"exit status {status} {words}".encode())
        return Outcome(OutcomeKind.DEFERRED, text, is_about_relay=True)
    name, enhanced = _REFUSALS[status]
    text = in_one_line(f"exit status {status} ({name}) {words}".encode())
    return Outcome(OutcomeKind.REFUSED, text, status=enhanced)
