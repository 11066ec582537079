"""SmtpTransport against a real server: what arrives, over which connections, and to whom at all.

What can go wrong on the way is in test_smtp_faults.py.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.deliver.transport.smtp import SmtpTransport
from digest.deliver.transport.smtp_transaction import Timeouts
from digest.deliver.transport.transport import make_channel, make_transport, timeouts_of
from digest.errors import SettingError, TransportError
from digest.model.messages import Envelope, Message, Outcome, OutcomeKind
from tests.integration.smtp_server import HOST, Authority, Point, SmtpServer, nobody_listens
from tests.support import make_settings

Start = Callable[..., SmtpServer]
PLAIN = b"Subject: hello\r\n\r\nA line.\r\n"


def make_message(content: bytes = PLAIN, to: str = "ada@example.org") -> Message:
    return Message(Envelope("bounces@example.org", to), "<1@example.org>", content)


def transport_to(url: str, ca_file: Path | None = None, **fixed: str):
    if ca_file:
        fixed["smtp_ca_file"] = str(ca_file)
    return make_transport(make_settings(transport=url, smtp_timeout="10", **fixed))


@pytest.fixture(params=[False, True], ids=["one by one", "pipelined"])
def smtp_server(request, start_smtp: Start) -> SmtpServer:
    return start_smtp(pipelining=request.param)


@pytest.fixture
def transport(smtp_server: SmtpServer) -> Iterator[SmtpTransport]:
    with transport_to(smtp_server.url()) as transport:
        yield transport


# ---- what arrives ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PLAIN, id="plain"),
        pytest.param(b".Subject: x\r\n\r\n", id="dot at the very start"),
        pytest.param(b"A: b\r\n\r\n.\r\n..\r\n...\r\n.end\r\n", id="dots at line starts"),
        pytest.param(b"A: b\r\n\r\n" + b"x" * 998 + b"\r\n", id="998 octets"),
        pytest.param(b"A: b\r\n\r\n." + b"x" * 997 + b"\r\n", id="998 octets from a dot"),
        pytest.param(b"A: b\r\n\r\nquit\r\nRSET\r\n", id="lines like commands"),
        pytest.param(
            b"A: b\r\n\r\n" + b"0123456789" * 90 + b"\r\n" * 5, id="empty lines at the end"
        ),
        pytest.param(b"A: b\r\n\r\n" + (b"y" * 70 + b"\r\n") * 20_000, id="1.4 MB"),
    ],
)
def test_a_message_arrives_byte_for_byte(smtp_server, transport, content):
    outcome = transport.send(make_message(content))
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert (outcome.code, outcome.text) == (250, "2.0.0 OK")
    [received] = smtp_server.received
    assert received.content == content
    assert received.mail_from == "bounces@example.org"
    assert received.rcpt_to == ("ada@example.org",)


def test_a_missing_last_line_end_is_added(smtp_server, transport):
    assert transport.send(make_message(b"A: b\r\n\r\nend")).kind is OutcomeKind.ACCEPTED
    assert smtp_server.received[0].content == b"A: b\r\n\r\nend\r\n"


def test_a_recipient_forwarded_by_the_server_is_accepted(smtp_server, transport):
    smtp_server.will_say(Point.RCPT, "251 User not local; will forward")
    assert transport.send(make_message()).kind is OutcomeKind.ACCEPTED
    assert len(smtp_server.received) == 1


def test_commands_are_said_together_where_that_is_offered(smtp_server, transport):
    transport.send(make_message())
    said = [b"MAIL FROM:<bounces@example.org>\r\n", b"RCPT TO:<ada@example.org>\r\n", b"DATA\r\n"]
    first = 1  # behind EHLO
    if smtp_server.pipelining:
        assert smtp_server.heard[first] == b"".join(said)
    else:
        assert smtp_server.heard[first : first + 3] == said


# ---- connections -----------------------------------------------------------------------------


def send_all(transport: SmtpTransport, number: int) -> None:
    for name in range(number):
        outcome = transport.send(make_message(to=f"{name}@example.org"))
        assert outcome.kind is OutcomeKind.ACCEPTED


def recipients(server: SmtpServer) -> list[str]:
    return [received.rcpt_to[0].partition("@")[0] for received in server.received]


def test_several_messages_share_a_connection_and_nothing_is_said_between_them(
    smtp_server, transport
):
    send_all(transport, 3)
    assert recipients(smtp_server) == ["0", "1", "2"]
    assert smtp_server.connections == 1
    verbs = [line.partition(b" ")[0] for line in b"".join(smtp_server.heard).split(b"\r\n")]
    assert not {b"NOOP", b"RSET"} & set(verbs)


def test_a_connection_closed_while_idle_is_opened_anew(smtp_server, transport):
    send_all(transport, 1)
    smtp_server.hang_up_now()
    send_all(transport, 1)
    assert len(smtp_server.received) == 2
    assert smtp_server.connections == 2


def test_a_connection_is_left_after_so_many_messages(smtp_server):
    with transport_to(smtp_server.url(), connection_messages="2") as transport:
        send_all(transport, 5)
    assert recipients(smtp_server) == ["0", "1", "2", "3", "4"]
    assert smtp_server.connections == 3
    assert b"".join(smtp_server.heard).count(b"QUIT\r\n") == 3


def test_refused_messages_count_as_well(smtp_server):
    with transport_to(smtp_server.url(), connection_messages="2") as transport:
        smtp_server.will_say(Point.RCPT, "550 5.1.1 No such user")
        transport.send(make_message())
        send_all(transport, 2)
    assert smtp_server.connections == 2


@pytest.mark.parametrize("pipelining", [False, True])
def test_a_server_with_enough_recipients_meets_the_message_over_a_new_connection(
    start_smtp: Start, pipelining
):
    server = start_smtp(pipelining=pipelining, most_recipients=2)
    with transport_to(server.url()) as transport:
        send_all(transport, 5)
    assert recipients(server) == ["0", "1", "2", "3", "4"]
    assert server.connections == 3
    assert server.to_nobody == []


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls", "smtps"])
def test_what_is_written_goes_out_at_once(
    start_smtp: Start, authority: Authority, good_certificate, scheme
):
    server = start_smtp(scheme, context=None if scheme == "smtp" else good_certificate)
    with transport_to(server.url(), authority.ca_file) as transport:
        wire = transport._channel._conversation.sock
        assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_may_not_be_handed_over_is_not(smtp_server):
    """After 354, only closing the connection ends a message without sending it."""
    asked = []

    async def may_hand_over() -> bool:
        asked.append(len(smtp_server.received))
        return len(asked) != 2

    async def send_three() -> list[Outcome | None]:
        channel = make_channel(make_settings(transport=smtp_server.url()))
        await channel.open()
        outcomes = [await channel.send(make_message(), may_hand_over) for _ in range(3)]
        await channel.close()
        return outcomes

    first, second, third = asyncio.run(send_three())
    assert first.kind is third.kind is OutcomeKind.ACCEPTED
    assert second is None
    assert asked == [0, 1, 1]
    assert len(smtp_server.received) == 2
    assert smtp_server.connections == 2


def test_the_settings_say_how_long_to_wait():
    seconds = ("connect", "greeting", "mail", "rcpt", "data", "block", "end")
    names = {"connect": "smtp_timeout"}
    given = {
        names.get(phase, f"smtp_{phase}_timeout"): str(n) for n, phase in enumerate(seconds, 1)
    }
    assert timeouts_of(make_settings(**given)) == Timeouts(1, 2, 3, 4, 5, 6, 7)
    assert timeouts_of(make_settings()) == Timeouts()


# ---- TLS and login ---------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_tls_with_a_private_authority(
    start_smtp: Start, authority: Authority, good_certificate, scheme
):
    server = start_smtp(scheme, context=good_certificate)
    with transport_to(server.url(), authority.ca_file) as transport:
        assert transport.send(make_message()).kind is OutcomeKind.ACCEPTED
    [received] = server.received
    assert received.over_tls
    assert received.content == PLAIN


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_a_certificate_for_another_host_is_refused(start_smtp: Start, authority: Authority, scheme):
    server = start_smtp(scheme, context=authority.context_for("other.example"))
    with pytest.raises(TransportError) as refused:
        transport_to(server.url(), authority.ca_file).__enter__()
    text = str(refused.value)
    assert text.startswith(f"{scheme}://{HOST}:{server.port}: its certificate is not valid: ")
    assert "mismatch" in text
    assert server.received == []


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_a_certificate_that_has_expired_is_refused(start_smtp: Start, authority: Authority, scheme):
    past = authority.context_for(HOST, until=datetime(2020, 1, 1, tzinfo=UTC))
    server = start_smtp(scheme, context=past)
    with pytest.raises(TransportError, match=r"its certificate is not valid: .*expired"):
        transport_to(server.url(), authority.ca_file).__enter__()


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
@pytest.mark.parametrize("trusts", ["the system", "another authority"])
def test_a_certificate_of_an_unknown_authority_is_refused(
    start_smtp: Start, authority: Authority, stranger: Authority, scheme, trusts
):
    server = start_smtp(scheme, context=stranger.context_for(HOST))
    ca_file = authority.ca_file if trusts == "another authority" else None
    with pytest.raises(TransportError) as refused:
        transport_to(server.url(), ca_file).__enter__()
    text = str(refused.value)
    assert text.startswith(f"{scheme}://{HOST}:{server.port}: its certificate is not valid: ")
    assert "unable to get local issuer certificate" in text or "self-signed" in text
    assert server.received == []


def test_a_server_without_starttls_is_refused(smtp_server):
    url = smtp_server.url().replace("smtp:", "smtp+starttls:")
    with pytest.raises(TransportError, match=f"{HOST}:{smtp_server.port}: .*offers no STARTTLS"):
        transport_to(url).__enter__()
    assert smtp_server.received == []


def test_tls_to_a_server_that_speaks_none_is_refused(smtp_server):
    url = smtp_server.url().replace("smtp:", "smtps:")
    with pytest.raises(TransportError, match=f"^smtps://{HOST}:{smtp_server.port}: "):
        transport_to(url).__enter__()


def test_a_ca_file_without_certificates_is_a_transport_error(
    start_smtp: Start, good_certificate, tmp_path
):
    not_pem = tmp_path / "ca.pem"
    not_pem.write_text("this is no certificate", encoding="utf-8")
    server = start_smtp("smtps", context=good_certificate)
    with pytest.raises(TransportError, match=f"^{not_pem}: "):
        transport_to(server.url(), not_pem).__enter__()


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_login_over_tls(start_smtp: Start, authority: Authority, good_certificate, scheme):
    server = start_smtp(scheme, context=good_certificate, login=("ada@x", "p@ss:w/rd%"))
    url = server.url("ada@x", "p@ss:w/rd%")
    with transport_to(url, authority.ca_file) as transport:
        assert transport.send(make_message()).kind is OutcomeKind.ACCEPTED
    assert server.received[0].user == "ada@x"


def test_a_refused_login_is_told_without_the_password(
    start_smtp: Start, authority: Authority, good_certificate
):
    server = start_smtp("smtps", context=good_certificate, login=("ada", "right"))
    with pytest.raises(TransportError) as refused:
        transport_to(server.url("ada", "wrong-password"), authority.ca_file).__enter__()
    text = str(refused.value)
    assert text.startswith(f"smtps://{HOST}:{server.port}: login refused: 535 5.7.8 ")
    assert "wrong-password" not in text


def test_a_login_the_server_does_not_offer_is_told(
    start_smtp: Start, authority: Authority, good_certificate
):
    server = start_smtp("smtps", context=good_certificate)
    with pytest.raises(TransportError, match=f"{HOST}:{server.port}: .*authentication"):
        transport_to(server.url("ada", "secret"), authority.ca_file).__enter__()


@pytest.mark.parametrize("who", ["ada:secret@", "ada@"])
def test_a_login_in_clear_is_a_setting_error(who):
    with pytest.raises(SettingError, match="DIGEST_TRANSPORT: a password is never sent in clear"):
        transport_to(f"smtp://{who}{HOST}:2525")


def test_nobody_listening_is_a_transport_error():
    with nobody_listens() as port, pytest.raises(TransportError) as refused:
        transport_to(f"smtp://{HOST}:{port}").__enter__()
    assert str(refused.value).startswith(f"smtp://{HOST}:{port}: ")
    assert "refused" in str(refused.value)


def test_a_server_gone_between_two_messages_is_a_transport_error():
    server = SmtpServer().__enter__()
    with transport_to(server.url()) as transport:
        assert transport.send(make_message()).kind is OutcomeKind.ACCEPTED
        server.__exit__(None, None, None)
        with pytest.raises(TransportError, match=f"{HOST}:{server.port}: "):
            transport.send(make_message())
    assert len(server.received) == 1
