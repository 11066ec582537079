"""SendmailTransport with real commands: what they are given, and what their ends mean."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from digest.deliver.transport.replies import LONGEST_TEXT
from digest.deliver.transport.sendmail import SendmailTransport
from digest.deliver.transport.transport import make_transport
from digest.errors import TransportError
from digest.model.messages import Envelope, Message, OutcomeKind
from tests.support import make_settings

K = OutcomeKind
PLAIN = b"Subject: x\r\n\r\n.\r\n..two\r\nquit\r\n"


def make_message(content: bytes = PLAIN, to: str = "ada@example.org") -> Message:
    return Message(Envelope("bounces+1=ada@example.org", to), "<1@example.org>", content)


@dataclass
class Command:
    """A command of the machine that keeps what it is given, and then does as it is told."""

    path: Path

    def will(self, script: str) -> SendmailTransport:
        keeps = f'printf "%s\\n" "$@" > "{self.path}.words"\ncat > "{self.path}.input"\n'
        return self.does(keeps + script)

    def does(self, script: str, timeout: float = 60) -> SendmailTransport:
        # Written by another process: while anybody has it open for writing it cannot be run.
        self.path.with_suffix(".sh").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        os.spawnlp(os.P_WAIT, "cp", "cp", f"{self.path}.sh", str(self.path))
        self.path.chmod(0o755)
        return SendmailTransport(self.path, timeout)

    @property
    def words(self) -> list[str]:
        return Path(f"{self.path}.words").read_text(encoding="utf-8").splitlines()

    @property
    def input(self) -> bytes:
        return Path(f"{self.path}.input").read_bytes()


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path / "sendmail")


# ---- what the command is given -----------------------------------------------------------------


def test_the_envelope_is_its_words_and_the_message_its_input(command):
    with command.will("exit 0") as transport:
        outcome = transport.send(make_message())
    assert (outcome.kind, outcome.code) == (K.ACCEPTED, 250)
    assert command.words == ["-i", "-f", "bounces+1=ada@example.org", "--", "ada@example.org"]
    assert command.input == b"Subject: x\n\n.\n..two\nquit\n"


@pytest.mark.parametrize(
    "address", ["-bp@example.org", "$(touch hacked)@example.org", "a b;id|x@example.org", "'@e.org"]
)
def test_an_address_is_neither_an_option_nor_a_command(command, address):
    with command.will("exit 0") as transport:
        transport.send(make_message(to=address))
    assert command.words[-2:] == ["--", address]


def test_a_long_message_arrives_whole_also_where_much_is_said(command):
    content = b"A: b\r\n\r\n" + b"0123456789\r\n" * 200_000
    with command.will(f'cat "{command.path}.input"; exit 75') as transport:
        outcome = transport.send(make_message(content))
    assert command.input == content.replace(b"\r\n", b"\n")
    assert (outcome.kind, len(outcome.text)) == (K.DEFERRED, LONGEST_TEXT)


def test_a_command_that_does_not_read_is_taken_at_its_word(command):
    content = b"A: b\r\n\r\n" + b"0123456789\r\n" * 200_000
    with command.does("exit 69") as transport:
        assert transport.send(make_message(content)).kind is K.REFUSED


def test_an_address_beyond_ascii_is_out_of_reach(command):
    with command.will("exit 0") as transport:
        assert not transport.takes_smtputf8
        outcome = transport.send(make_message(to="jos\u00e9@example.org"))
    assert (outcome.kind, outcome.status) == (K.REFUSED, "5.6.7")
    assert not Path(f"{command.path}.words").exists()


# ---- what its end means ------------------------------------------------------------------------

# sysexits.h, with what is before, within and behind its range.
ENDS = {
    **dict.fromkeys(range(256), K.DEFERRED),
    0: K.ACCEPTED,
    65: K.REFUSED,  # EX_DATAERR
    67: K.REFUSED,  # EX_NOUSER
    68: K.REFUSED,  # EX_NOHOST
    69: K.REFUSED,  # EX_UNAVAILABLE
}


@pytest.mark.parametrize("status", [0, 1, 2, *range(63, 80), 127, 255])
def test_each_exit_status_has_its_outcome(command, status):
    with command.will(f'echo "what is  it"; echo why >&2; exit {status}') as transport:
        outcome = transport.send(make_message())
    assert outcome.kind is ENDS[status]
    assert outcome.status == {65: "5.6.0", 67: "5.1.1"}.get(status, "")
    assert outcome.is_about_relay is (outcome.kind is K.DEFERRED)
    assert outcome.text.endswith("what is it why")
    if status:
        assert outcome.text.startswith(f"exit status {status} ")
        assert outcome.code == 0


def test_a_refusal_is_named(command):
    with command.will("exit 67") as transport:
        assert transport.send(make_message()).text == "exit status 67 (EX_NOUSER)"


def test_a_command_that_does_not_end_in_time_is_uncertain_and_gone(command):
    fifo = f"{command.path}.fifo"
    os.mkfifo(fifo)
    # It waits for somebody to write into the fifo, and nobody does.
    with command.does(f'exec cat "{fifo}"', timeout=0.3) as transport:
        outcome = transport.send(make_message())
    assert (outcome.kind, outcome.text) == (K.UNCERTAIN, "no end within 0.3 seconds")
    with pytest.raises(OSError, match="No such device or address"):  # nobody is reading it
        os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)


def test_a_command_that_is_killed_is_uncertain(command):
    with command.will("echo so far; kill -9 $$") as transport:
        outcome = transport.send(make_message())
    assert (outcome.kind, outcome.text) == (K.UNCERTAIN, "ended by signal 9 so far")


# ---- no command --------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["nothing", "a file", "a folder"])
def test_what_is_no_command_is_a_transport_error(tmp_path, what):
    path = tmp_path / "sendmail"
    if what == "a file":
        path.touch()
    elif what == "a folder":
        path.mkdir()
    with pytest.raises(TransportError, match=f"^{path}: there is no such command$"):
        SendmailTransport(path, 10).__enter__()


def test_a_command_that_vanishes_is_a_transport_error(command):
    with command.will("exit 0") as transport:
        command.path.unlink()
        with pytest.raises(TransportError, match=f"^{command.path}: No such file or directory$"):
            transport.send(make_message())


@pytest.mark.parametrize("form", ["sendmail:{}", "sendmail://{}"])
def test_it_is_the_transport_of_its_url(tmp_path, form):
    command = Command(tmp_path / "my sendmail")
    command.will("exit 0")
    url = form.format(f"{tmp_path}/my%20sendmail")
    with make_transport(make_settings(transport=url)) as transport:
        assert transport.send(make_message()).kind is K.ACCEPTED
    assert command.words[-1] == "ada@example.org"


def test_the_command_has_the_time_that_a_relay_has(command):
    os.mkfifo(f"{command.path}.fifo")
    command.does(f'exec cat "{command.path}.fifo"')
    settings = make_settings(transport=f"sendmail:{command.path}", smtp_timeout="0.2")
    with make_transport(settings) as transport:
        assert transport.send(make_message()).text == "no end within 0.2 seconds"
