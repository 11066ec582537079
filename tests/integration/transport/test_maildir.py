"""MaildirTransport: a file for each message, seen only when it is whole and on the disk."""

import errno
import mailbox
import os
import resource
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from digest.deliver.transport.maildir import MaildirTransport
from digest.deliver.transport.transport import make_transport
from digest.errors import TransportError
from digest.inbound.mailboxes import messages_in
from digest.model.messages import Envelope, Message, OutcomeKind
from tests.support import make_settings

MESSAGE = Message(
    Envelope("bounces@example.org", "ada@example.org"),
    "<1@example.org>",
    b"Subject: x\r\nMessage-ID: <1@example.org>\r\n\r\n.dot\r\nFrom here\r\n\xc3\xa9\r\n",
)
ON_DISK = (
    b"Return-Path: <bounces@example.org>\n"
    b"Subject: x\nMessage-ID: <1@example.org>\n\n.dot\nFrom here\n\xc3\xa9\n"
)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_message_is_a_file_among_the_new_ones(tmp_path):
    folder = tmp_path / "made" / "maildir"
    with MaildirTransport(folder) as transport:
        outcome = transport.send(MESSAGE)
    [path] = files(folder)
    assert (outcome.kind, outcome.code, outcome.text) == (OutcomeKind.ACCEPTED, 250, str(path))
    assert path.parent == folder / "new"
    assert path.read_bytes() == ON_DISK


def test_it_is_a_maildir_to_others(tmp_path):
    with MaildirTransport(tmp_path / "box") as transport:
        transport.send(MESSAGE)
    with closing(mailbox.Maildir(tmp_path / "box", create=False)) as box:
        [mail] = box.values()
    assert (mail["Message-ID"], mail.get_subdir()) == ("<1@example.org>", "new")
    [letter] = messages_in(tmp_path / "box")
    assert letter.content == ON_DISK


def test_nobody_else_can_look_into_a_folder_that_is_made(tmp_path):
    with MaildirTransport(tmp_path / "box"):
        pass
    folders = [tmp_path / "box", *(tmp_path / "box" / name for name in ("tmp", "new", "cur"))]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700] * 4


def test_each_message_is_a_file_of_its_own_also_when_sent_again(tmp_path):
    with MaildirTransport(tmp_path) as transport:
        for message in (MESSAGE, MESSAGE, replace(MESSAGE, message_id="<2@example.org>")):
            transport.send(message)
    assert len(files(tmp_path / "new")) == 3


def test_what_is_there_already_stays(tmp_path):
    for name in ("tmp", "new", "cur"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.host").write_bytes(b"of others")
    with MaildirTransport(tmp_path) as transport:
        transport.send(MESSAGE)
    assert len(files(tmp_path)) == 4


def test_the_name_of_the_machine_cannot_lead_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "../a/b:c")
    with MaildirTransport(tmp_path) as transport:
        transport.send(MESSAGE)
    [path] = files(tmp_path)
    assert path.parent == tmp_path / "new"
    assert path.name.endswith(r"...\057a\057b\072c")


# ---- disks that fail ---------------------------------------------------------------------------


def fails(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_a_transport_error_and_leaves_nothing(tmp_path):
    long = replace(MESSAGE, content=b"A: b\r\n\r\n" + b"x\r\n" * 100_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with MaildirTransport(tmp_path) as transport:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))  # some of it can be written
        try:
            with pytest.raises(TransportError, match=f"^{tmp_path}/new/.*: File too large"):
                transport.send(long)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert files(tmp_path) == []
        assert transport.send(long).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize("fault", ["os.fsync", "pathlib.Path.rename"])
def test_a_disk_that_is_found_full_late_is_no_other(tmp_path, monkeypatch, fault):
    with MaildirTransport(tmp_path) as transport:
        monkeypatch.setattr(fault, fails)
        with pytest.raises(TransportError, match=f"^{tmp_path}/new/.*: No space left on device$"):
            transport.send(MESSAGE)
        assert files(tmp_path) == []


def test_the_content_is_on_the_disk_before_it_is_seen_and_the_name_after(tmp_path, monkeypatch):
    done = []
    fsync, rename = os.fsync, Path.rename

    def syncs(number: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "content")
        assert done[-1] == "folder" or os.fstat(number).st_size == len(ON_DISK)
        fsync(number)

    def renames(path: Path, target: Path) -> Path:
        done.append("name")
        return rename(path, target)

    monkeypatch.setattr("os.fsync", syncs)
    monkeypatch.setattr("pathlib.Path.rename", renames)
    with MaildirTransport(tmp_path) as transport:
        transport.send(MESSAGE)
    assert done == ["content", "name", "folder"]


def test_a_name_that_may_get_lost_is_uncertain(tmp_path, monkeypatch):
    fsync = os.fsync
    monkeypatch.setattr(
        "os.fsync",
        lambda number: fails() if stat.S_ISDIR(os.fstat(number).st_mode) else fsync(number),
    )
    with MaildirTransport(tmp_path) as transport:
        outcome = transport.send(MESSAGE)
    [path] = files(tmp_path)
    assert (outcome.kind, outcome.text) == (
        OutcomeKind.UNCERTAIN, f"{path}: No space left on device",
    )  # fmt: skip


def test_a_folder_that_cannot_be_made_is_a_transport_error(tmp_path):
    in_the_way = tmp_path / "box"
    in_the_way.write_text("a file", encoding="utf-8")
    with pytest.raises(TransportError, match=f"^{in_the_way}: "):
        MaildirTransport(in_the_way).__enter__()


def test_a_folder_that_vanishes_is_a_transport_error(tmp_path):
    with MaildirTransport(tmp_path) as transport:
        (tmp_path / "tmp").rmdir()
        with pytest.raises(TransportError, match="No such file or directory"):
            transport.send(MESSAGE)


# ---- by the settings ---------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["maildir:{}", "maildir://{}"])
def test_it_is_the_transport_of_its_url_and_takes_all_addresses(tmp_path, form):
    url = form.format(f"{tmp_path}/my%20mail")
    with make_transport(make_settings(transport=url)) as transport:
        assert transport.takes_smtputf8
        to = Envelope("bounces@example.org", "jos\u00e9@example.org")
        assert transport.send(replace(MESSAGE, envelope=to)).kind is OutcomeKind.ACCEPTED
    assert len(files(tmp_path / "my mail" / "new")) == 1
