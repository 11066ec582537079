"""What the doctor makes of transports: of real servers, folders and commands of this machine."""

import errno
import os
import socket
from datetime import UTC, datetime, timedelta

import pytest

from digest.deliver.transport.transport import relay_of
from digest.doctor import database
from digest.doctor.diagnosis import Level
from digest.doctor.relay import examine_outlet, examine_relay, judge_failure
from digest.errors import TransportError
from tests.integration.smtp_server import HOST, Point, nobody_listens
from tests.support import make_settings

LOGIN = ("digest", "opens sesame")
NOW = datetime.now(UTC)


def looked_at(url, authority=None, **settings):
    """What is said of a transport."""
    if authority:
        settings["smtp_ca_file"] = str(authority.ca_file)
    return examine_outlet(make_settings(transport=url, **settings), NOW, offline=False)


def bad(found):
    return [each for each in found if each.level in {Level.ADVICE, Level.PROBLEM}]


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_all_is_well(start_smtp, authority, good_certificate, scheme: str) -> None:
    server = start_smtp(
        scheme, context=good_certificate, login=LOGIN, smtputf8=True, pipelining=True
    )
    found = looked_at(server.url(*LOGIN), authority)
    assert [each.what for each in bad(found)] == [
        "It does not offer ENHANCEDSTATUSCODES (RFC 2034; without it refusals say less)."
    ]
    said = " ".join(each.what for each in found)
    assert "TLSv1.3" in said
    assert f"is for {HOST}, by trustme" in said
    assert "It accepted the login" in said


def test_nothing_is_sent_and_it_ends_politely(smtp_server) -> None:
    looked_at(smtp_server.url())
    heard = b"".join(smtp_server.heard)
    assert smtp_server.begun == 0
    assert b"MAIL" not in heard
    assert heard.lower().endswith(b"quit\r\n")


@pytest.mark.parametrize(("days", "level"), [(10, Level.ADVICE), (1, Level.PROBLEM)])
def test_a_certificate_that_ends_soon(start_smtp, authority, days: int, level: Level) -> None:
    context = authority.context_for(HOST, until=NOW + timedelta(days=days, hours=1))
    server = start_smtp("smtps", context=context)
    (found,) = [each for each in looked_at(server.url(), authority) if "certificate" in each.what]
    assert found.level is level
    assert f"({days} days)" in found.what


def test_a_certificate_of_a_stranger(start_smtp, authority, stranger) -> None:
    server = start_smtp("smtps", context=stranger.context_for(HOST))
    (found,) = looked_at(server.url(), authority)
    assert found.level is Level.PROBLEM
    assert "its certificate is not valid" in found.what
    assert "DIGEST_SMTP_CA_FILE" in found.what_to_do


def test_a_certificate_for_another_name(start_smtp, authority) -> None:
    server = start_smtp("smtps", context=authority.context_for("another.test"))
    (found,) = looked_at(server.url(), authority)
    assert found.level is Level.PROBLEM


def test_a_login_that_is_refused(start_smtp, authority, good_certificate) -> None:
    server = start_smtp("smtps", context=good_certificate, login=LOGIN)
    (found,) = looked_at(server.url("digest", "wrong"), authority)
    assert found.level is Level.PROBLEM
    assert "login refused" in found.what
    assert "password in DIGEST_TRANSPORT" in found.what_to_do
    assert "wrong" not in found.what


def test_a_login_that_is_offered_and_not_made(start_smtp, authority, good_certificate) -> None:
    server = start_smtp("smtps", context=good_certificate, login=LOGIN)
    assert looked_at(server.url(), authority)[-1].level is Level.UNKNOWN


def test_a_password_over_a_clear_connection_is_never_tried() -> None:
    (found,) = looked_at("smtp://user:secret@127.0.0.1")
    assert found.level is Level.PROBLEM
    assert "in clear" in found.what


def test_a_server_that_can_do_little(smtp_server) -> None:
    smtp_server.will_say(Point.EHLO, "250-relay.test\r\n250 SIZE 100000")
    found = bad(looked_at(smtp_server.url()))
    assert [each.level for each in found] == [Level.ADVICE, Level.PROBLEM]
    assert "PIPELINING" in found[0].what
    assert "100000 octets" in found[1].what


def test_a_server_that_says_later(smtp_server) -> None:
    smtp_server.will_say(Point.GREETING, "421 4.3.2 Closed for tonight")
    (found,) = looked_at(smtp_server.url())
    assert found.level is Level.ADVICE
    assert "Closed for tonight" in found.what


def test_a_server_without_starttls(smtp_server) -> None:
    (found,) = looked_at(f"smtp+starttls://{HOST}:{smtp_server.port}")
    assert found.level is Level.PROBLEM
    assert "no STARTTLS" in found.what


def test_a_port_where_nobody_is() -> None:
    with nobody_listens() as port:
        (found,) = looked_at(f"smtp://{HOST}:{port}")
    assert found.level is Level.PROBLEM
    assert "port 25" in found.what_to_do


def test_a_server_that_says_nothing(smtp_server) -> None:
    smtp_server.will_stall(Point.GREETING)
    relay = relay_of(make_settings(transport=smtp_server.url()))
    (found,) = examine_relay(relay, NOW, patience=0.2)
    assert found.level is Level.PROBLEM
    assert "timed out" in found.what


@pytest.mark.parametrize(
    ("why", "level"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "try again"), Level.UNKNOWN),
        (socket.gaierror(socket.EAI_NONAME, "no such name"), Level.PROBLEM),
        (OSError(errno.ENETUNREACH, "no network"), Level.UNKNOWN),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Level.PROBLEM),
    ],
)
def test_no_network_is_not_the_relays_fault(why: OSError, level: Level) -> None:
    error = TransportError("relay.test is out of reach")
    error.__cause__ = why
    assert judge_failure(error).level is level


def test_offline_nothing_is_connected_to(smtp_server) -> None:
    settings = make_settings(transport=smtp_server.url())
    (found,) = examine_outlet(settings, NOW, offline=True)
    assert found.level is Level.UNKNOWN
    assert smtp_server.connections == 0


def test_an_lmtp_server_at_a_socket(start_smtp, tmp_path) -> None:
    server = start_smtp("lmtp", path=tmp_path / "lmtp")
    found = looked_at(server.url())
    assert Level.PROBLEM not in {each.level for each in found}
    assert "does not leave this machine" in " ".join(each.what for each in found)
    (missing,) = looked_at(f"lmtp://{tmp_path / 'nobody'}")
    assert missing.level is Level.PROBLEM


def test_folders(tmp_path) -> None:
    (tmp_path / "file").write_text("no folder")
    good, advice = looked_at((tmp_path / "new" / "outbox").as_uri())
    assert good.level is Level.GOOD
    assert "to nobody" in advice.what
    assert not (tmp_path / "new").exists()
    assert [each.level for each in looked_at(f"maildir:{tmp_path}/Maildir")] == [Level.GOOD]
    assert bad(looked_at((tmp_path / "file").as_uri()))[0].level is Level.PROBLEM


def test_a_folder_that_is_read_only(tmp_path, monkeypatch) -> None:
    # By the answer of the system: to root, as which tests may run, everything is writable.
    monkeypatch.setattr(database.os, "access", lambda path, mode: not mode & os.W_OK)
    assert looked_at(f"maildir:{tmp_path}")[0].level is Level.PROBLEM


def test_commands(tmp_path) -> None:
    command = tmp_path / "sendmail"
    assert looked_at(f"sendmail:{command}")[0].level is Level.PROBLEM
    command.write_text("#!/bin/sh\nexit 1\n")
    assert "chmod" in looked_at(f"sendmail:{command}")[0].what_to_do
    command.chmod(0o755)
    assert looked_at(f"sendmail:{command}")[0].level is Level.GOOD
