"""Mail in a folder on an IMAP server: which is read, how it is marked, and what can go wrong."""

from contextlib import suppress
from time import sleep
from urllib.parse import quote

import pytest

from digest.errors import InboxError
from digest.inbound import imap
from digest.inbound.mailboxes import messages_in
from digest.inbound.report import MOST_OCTETS, Flag
from digest.settings.imap_folder import imap_folder
from tests.integration.imap_server import HOST, PASSWORD, USER, ImapServer

SEEN, FLAGGED = r"\Seen", r"\Flagged"


@pytest.fixture
def server():
    with ImapServer() as server:
        server.add(b"Subject: one\r\n\r\n", b"Subject: two\r\n\r\n", b"Subject: three\r\n\r\n")
        yield server


def place(server, scheme="imap", name="INBOX", password=PASSWORD):
    who = f"{quote(USER, safe='')}:{quote(password, safe='')}"
    return imap_folder(f"{scheme}://{who}@{HOST}:{server.port}/{quote(name)}")


def read(server, *marks, **where):
    """The subjects of what is there, after it was marked."""
    subjects, marks = [], iter(marks)
    for message in messages_in(place(server, **where)):
        subjects.append(message.content.decode().strip().removeprefix("Subject: "))
        message.flag = next(marks, None)
    return subjects


def test_each_mail_is_marked_on_the_server_and_only_once_read(server):
    assert read(server, Flag.SEEN, Flag.REVIEW) == ["one", "two", "three"]
    assert server.flags() == [{SEEN}, {FLAGGED}, set()]
    assert read(server) == ["three"]


def test_what_a_person_has_read_flagged_or_deleted_is_left_alone(server):
    for mail, flag in zip(
        server.folders["INBOX"].values(), (SEEN, FLAGGED, r"\Deleted"), strict=True
    ):
        mail.flags.add(flag)
    assert read(server) == []


def test_mails_come_as_they_are_and_bounded(server):
    octets = b"Subject: \xff\x00) {3}\r\n\r\n* 1 FETCH\r\n"
    server.folders["INBOX"].clear()
    server.add(octets, b"x" * (MOST_OCTETS + 1), b"")
    contents = [message.content for message in messages_in(place(server))]
    assert contents == [octets, b"x" * MOST_OCTETS, b""]


def test_a_mail_that_vanishes_is_no_trouble(server):
    messages = messages_in(place(server))
    next(messages)
    server.folders["INBOX"].popitem()
    assert next(messages).content.startswith(b"Subject: two")
    server.folders["INBOX"].popitem()
    assert list(messages) == []


def test_a_mail_that_the_server_cannot_read_does_not_stop_the_others(server):
    server.unreadable.add(8)
    assert read(server, Flag.SEEN, Flag.SEEN) == ["one", "three"]


def test_the_marks_are_set_one_by_one(server):
    messages = messages_in(place(server))
    next(messages).flag = Flag.SEEN
    next(messages)
    assert server.flags() == [{SEEN}, set(), set()]
    messages.close()


@pytest.mark.parametrize("command", ["AUTHENTICATE", "SELECT", "SEARCH", "FETCH", "STORE"])
def test_a_lost_connection_is_told_and_the_reading_can_be_repeated(server, command):
    server.hang_up_at = command
    with pytest.raises(InboxError, match=rf"{HOST}:{server.port}/INBOX: the connection was lost"):
        read(server, Flag.SEEN, Flag.SEEN, Flag.SEEN)
    assert server.flags() == [set()] * 3
    assert read(server, Flag.SEEN, Flag.SEEN, Flag.SEEN) == ["one", "two", "three"]
    assert server.flags() == [{SEEN}] * 3


def test_a_server_that_says_no_goodbye_has_done_its_work(server):
    server.hang_up_at = "LOGOUT"
    assert read(server, *[Flag.SEEN] * 3) == ["one", "two", "three"]


def test_a_folder_may_have_any_name(server):
    server.add(b"Subject: four\r\n\r\n", folder='Post/"new" \\&APw-')
    assert read(server, name='Post/"new" \\&APw-') == ["four"]


def test_a_missing_folder_is_told(server):
    with pytest.raises(
        InboxError, match=r"/Nowhere: the folder cannot be opened: .*no such folder"
    ):
        read(server, name="Nowhere")


def test_a_folder_that_cannot_be_marked_is_told(server):
    server.read_only = True
    with pytest.raises(InboxError, match="no mail be marked"):
        read(server)


def test_a_refused_login_is_told_without_the_password(server):
    with pytest.raises(InboxError, match=r"login refused: .*wrong user or password") as caught:
        read(server, password="sesame")
    assert "sesame" not in str(caught.value)


def test_a_server_that_is_not_there_is_told():
    with ImapServer() as gone:
        pass
    with pytest.raises(InboxError, match=f"{HOST}:{gone.port}"):
        read(gone)


# ---- servers that mean harm ---------------------------------------------------------------------


def drip(out):
    """Say an octet at a time, and never end a line."""
    with suppress(OSError):  # until the client has gone
        while True:
            out.write(b"* ")
            sleep(0.02)


def chatter(out):
    """Say lines that nobody asked for, without end."""
    with suppress(OSError):
        while True:
            out.write(b"* OK " + b"x" * 10_000 + b"\r\n")


def say(octets):
    return lambda out: out.write(octets)


@pytest.mark.parametrize("command", ["GREETING", "AUTHENTICATE", "SELECT", "SEARCH", "FETCH"])
@pytest.mark.parametrize("scheme", ["imap", "imaps"])
def test_a_server_that_drips_is_left_in_time(
    command, scheme, good_certificate, authority, monkeypatch
):
    monkeypatch.setattr(imap, "LONGEST_CONVERSATION", 0.3)
    with ImapServer(good_certificate if scheme == "imaps" else None) as server:
        server.add(b"Subject: one\r\n\r\n")
        server.instead[command] = drip
        with pytest.raises(InboxError, match=r"/INBOX: not finished after 0.3 seconds"):
            list(messages_in(place(server, scheme), authority.ca_file))


@pytest.mark.parametrize("mischief", [drip, lambda _: sleep(0.3)], ids=["drip", "silence"])
def test_a_server_that_does_not_answer_logout_is_left_in_time(server, mischief, monkeypatch):
    monkeypatch.setattr(imap, "GOODBYE", 0.1)
    server.instead["LOGOUT"] = mischief
    assert read(server, *[Flag.SEEN] * 3) == ["one", "two", "three"]


@pytest.mark.parametrize("command", ["SELECT", "SEARCH", "FETCH", "STORE"])
def test_lines_without_end_are_too_much(server, command):
    server.instead[command] = chatter
    with pytest.raises(InboxError, match="an answer of more than 4194304 bytes"):
        read(server, Flag.SEEN)


def test_an_email_of_ten_gigabytes_is_not_begun(server):
    server.instead["FETCH"] = say(b"* 1 FETCH (BODY[]<0> {10000000000}\r\n")
    with pytest.raises(InboxError, match="an answer of more than"):
        read(server)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("FETCH", b"* 1 FETCH (BODY[]<0> {" + b"9" * 5000 + b"}\r\n"),
        ("GREETING", b"* OK [CAPABILITY \xff\xfe] ready\r\n"),
        ("GREETING", b"220 mail.example.org ESMTP\r\n"),
        ("SEARCH", b"* SEARCH \xff\r\nTAG OK done\r\n"),
        ("SELECT", b"* BYE\r\n"),
        ("SEARCH", b"x" * 2_000_000),
    ],
)
def test_answers_that_are_none_are_told(server, command, said):
    server.instead[command] = say(said)
    with pytest.raises(InboxError, match=f"{HOST}:{server.port}"):
        read(server)


# ---- TLS -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls"])
def test_nothing_is_said_in_clear(good_certificate, authority, scheme):
    with ImapServer(good_certificate, starttls=scheme == "imap+starttls") as server:
        server.add(b"Subject: one\r\n\r\n")
        [message] = messages_in(place(server, scheme), authority.ca_file)
        assert message.content == b"Subject: one\r\n\r\n"


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls"])
def test_a_certificate_that_nobody_vouches_for_ends_it(good_certificate, stranger, scheme):
    with ImapServer(good_certificate, starttls=scheme == "imap+starttls") as server:
        for trusted in (None, stranger.ca_file):
            with pytest.raises(InboxError, match="its certificate is not valid"):
                list(messages_in(place(server, scheme), trusted))
        assert not [command for command in server.commands if command.startswith("AUTHENTICATE")]


def test_a_certificate_for_another_name_ends_it(authority):
    with (
        ImapServer(authority.context_for("mail.example.net")) as server,
        pytest.raises(InboxError, match="its certificate is not valid"),
    ):
        list(messages_in(place(server, "imaps"), authority.ca_file))


def test_a_server_without_starttls_gets_no_password(server):
    with pytest.raises(InboxError, match="TLS not supported"):
        read(server, scheme="imap+starttls")
    assert not [command for command in server.commands if command.startswith("AUTHENTICATE")]
