"""Files in a mailbox that are no emails, or cannot be read: each costs itself only."""

import mailbox
import os
import socket
from pathlib import Path

import pytest

from digest.errors import InboxError
from digest.inbound import mailboxes
from digest.inbound.mailboxes import count_for_review, messages_in
from digest.inbound.report import MOST_OCTETS, Flag

LETTER = b"Subject: %s\n\nplease\n"


@pytest.fixture
def maildir(tmp_path):
    """A Maildir with two emails, one before and one behind what a test adds."""
    mailboxes._tell_left_out.cache_clear()
    with_folders = mailbox.Maildir(tmp_path / "maildir", create=True)
    with_folders.close()
    for name in ("1.a", "3.c"):
        (tmp_path / "maildir" / "new" / name).write_bytes(LETTER % name.encode())
    return tmp_path / "maildir"


def read(place: Path, flag: Flag | None = None) -> list[str]:
    """The subjects of what is there, each flagged."""
    subjects = []
    for message in messages_in(place):
        subjects.append(message.content.partition(b"\n")[0].decode().removeprefix("Subject: "))
        message.flag = flag
    return subjects


def folder(path):
    path.mkdir()


def symbolic_link(path):
    outside = path.parent.parent.parent / "outside"
    outside.write_bytes(LETTER % b"outside")
    path.symlink_to(outside)


def bound_socket(path):
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path may have 107 octets only
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


NO_FILES = [folder, os.mkfifo, bound_socket, symbolic_link]


@pytest.mark.parametrize("make", NO_FILES, ids=lambda make: make.__name__)
@pytest.mark.parametrize("where", ["new", "cur"])
def test_what_is_no_file_is_left_out_and_told_once(maildir, capsys, make, where):
    make(maildir / where / "2.b")
    for _ in range(2):
        assert sorted(read(maildir)) == ["1.a", "3.c"]
    assert capsys.readouterr().out.count("not a regular file") == 1
    assert (maildir / where / "2.b").is_symlink() is (make is symbolic_link)


def test_a_device_is_left_out(maildir, monkeypatch):
    (maildir / "new" / "2.b").write_bytes(b"")
    lstat = Path.lstat
    zero = lstat(Path("/dev/zero"))  # to make one takes root
    monkeypatch.setattr(Path, "lstat", lambda path: zero if path.name == "2.b" else lstat(path))
    assert read(maildir) == ["1.a", "3.c"]


def test_a_file_that_vanishes_before_it_is_read_is_let_go(maildir):
    messages = messages_in(maildir)
    next(messages)
    (maildir / "new" / "3.c").unlink()
    assert list(messages) == []


def test_a_file_without_permission_is_left_out_and_told(maildir, monkeypatch, capsys):
    opened = Path.open

    def refuse(path, *args, **kwargs):
        if path.name == "1.a":
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    assert read(maildir) == ["3.c"]
    assert "Permission denied" in capsys.readouterr().out


def test_of_a_large_file_only_the_beginning_is_read(maildir):
    with (maildir / "new" / "2.b").open("wb") as file:
        file.write(LETTER % b"2.b")
        file.truncate(200_000_000)  # sparse: it takes no space
    sizes = [len(message.content) for message in messages_in(maildir)]
    assert max(sizes) == MOST_OCTETS
    assert read(maildir) == ["1.a", "2.b", "3.c"]


# ---- mbox ----------------------------------------------------------------------------------------


def mbox_of(path: Path, *letters: bytes) -> Path:
    path.write_bytes(
        b"\n".join(
            b"From ada@example.org Mon Jan  5 10:00:00 2026\n" + letter for letter in letters
        )
    )
    return path  # fmt: skip


@pytest.mark.parametrize("make", [os.mkfifo, bound_socket], ids=["fifo", "socket"])
def test_a_mailbox_that_is_neither_a_file_nor_a_folder_is_told(tmp_path, make):
    make(tmp_path / "box")
    with pytest.raises(InboxError, match="neither an mbox file nor a Maildir"):
        read(tmp_path / "box")


def test_a_device_is_no_mailbox():
    with pytest.raises(InboxError, match="neither an mbox file nor a Maildir"):
        read(Path("/dev/zero"))


def test_an_email_in_an_mbox_that_is_too_large_to_flag_is_left_out(tmp_path, monkeypatch, capsys):
    mailboxes._tell_left_out.cache_clear()
    monkeypatch.setattr(mailboxes, "LARGEST_IN_MBOX", 10_000)
    large = LETTER % b"two" + b"x\n" * 10_000
    place = mbox_of(tmp_path / "mbox", LETTER % b"one", large, LETTER % b"three")
    assert read(place, Flag.REVIEW) == ["one", "three"]
    assert count_for_review(place) == 2
    assert read(place) == []
    assert capsys.readouterr().out.count("not read as an email") == 1
    assert large in place.read_bytes()


def test_an_mbox_may_have_other_octets_where_it_says_who_sent_an_email(tmp_path):
    place = mbox_of(tmp_path / "mbox", LETTER % b"one", LETTER % b"two")
    place.write_bytes(place.read_bytes().replace(b"From ada", b"From \xe4da", 1))
    assert read(place, Flag.SEEN) == ["one", "two"]
    assert read(place) == []


def test_an_email_in_an_mbox_without_a_line_is_left_out(tmp_path, capsys):
    mailboxes._tell_left_out.cache_clear()
    place = mbox_of(tmp_path / "mbox", LETTER % b"one", b"", LETTER % b"three")
    place.write_bytes(place.read_bytes().replace(b"2026\n\nFrom", b"2026\nFrom"))
    assert read(place, Flag.REVIEW) == ["one", "three"]
    assert "is empty" in capsys.readouterr().out


def test_an_email_that_python_cannot_write_anew_is_flagged_as_it_is(tmp_path):
    """Its multipart has no parts, and other octets in the text that stands for them."""
    damaged = (
        b"Subject: one\nContent-Type: multipart/mixed; boundary=x; charset=utf-8\n"
        b"Content-Transfer-Encoding: 8bit\n\n\xe2\x80\xae \xcc\x81\xff\n"
    )
    place = mbox_of(tmp_path / "mbox", damaged, LETTER % b"two")
    assert read(place, Flag.REVIEW) == ["one", "two"]
    assert read(place) == []
    assert damaged in place.read_bytes()
