"""LmtpTransport against a real server, over TCP and over a Unix socket."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digest.deliver.transport.smtp import SmtpTransport
from digest.deliver.transport.transport import make_transport
from digest.errors import TransportError
from digest.model.messages import Envelope, Message, OutcomeKind
from tests.integration.smtp_server import HOST, Point, SmtpServer, nobody_listens
from tests.support import make_settings

Start = Callable[..., SmtpServer]
PLAIN = b"Subject: hello\r\n\r\nA line.\r\n.\r\n..two\r\n"
JOSE = "jos\u00e9@example.org"


def make_message(content: bytes = PLAIN, to: str = "ada@example.org") -> Message:
    return Message(Envelope("bounces@example.org", to), "<1@example.org>", content)


def transport_to(url: str):
    return make_transport(make_settings(transport=url, smtp_timeout="10"))


@pytest.fixture(params=["tcp", "a unix socket"])
def server(request, start_smtp: Start, tmp_path: Path) -> SmtpServer:
    return start_smtp("lmtp", path=None if request.param == "tcp" else tmp_path / "a socket")


@pytest.fixture
def transport(server: SmtpServer) -> Iterator[SmtpTransport]:
    with transport_to(server.url()) as transport:
        yield transport


def test_a_message_arrives_byte_for_byte(server, transport):
    outcome = transport.send(make_message())
    assert (outcome.kind, outcome.code, outcome.text) == (OutcomeKind.ACCEPTED, 250, "2.0.0 OK")
    [received] = server.received
    assert received.content == PLAIN
    assert (received.mail_from, received.rcpt_to) == ("bounces@example.org", ("ada@example.org",))


def test_several_messages_share_a_connection_until_it_is_lost(server, transport):
    for to in ("a@example.org", "b@example.org"):
        assert transport.send(make_message(to=to)).kind is OutcomeKind.ACCEPTED
    assert server.connections == 1
    server.hang_up_now()
    assert transport.send(make_message(to="c@example.org")).kind is OutcomeKind.ACCEPTED
    assert [received.rcpt_to[0][0] for received in server.received] == ["a", "b", "c"]
    assert server.connections == 2


@pytest.mark.parametrize("point", [Point.RCPT, Point.DOT])
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("452 4.2.2 Mailbox full", OutcomeKind.DEFERRED),
        ("550 5.1.1 No such user", OutcomeKind.REFUSED),
        ("554 5.7.1 Not from you", OutcomeKind.REFUSED),
    ],
)
def test_a_refusal_is_its_outcome_and_the_next_message_goes_out(
    server, transport, point, reply, kind
):
    server.will_say(point, reply)
    outcome = transport.send(make_message(to="refused@example.org"))
    assert outcome.kind is kind
    assert f"{outcome.code} {outcome.text}" == reply
    server.received.clear()
    assert transport.send(make_message(to="next@example.org")).kind is OutcomeKind.ACCEPTED
    assert [received.rcpt_to for received in server.received] == [("next@example.org",)]


def test_a_connection_lost_after_the_final_dot_is_uncertain(server, transport):
    server.will_hang_up(Point.DOT)
    outcome = transport.send(make_message())
    assert (outcome.kind, outcome.code) == (OutcomeKind.UNCERTAIN, 0)
    assert len(server.received) == 1
    assert transport.send(make_message()).kind is OutcomeKind.ACCEPTED


# ---- addresses beyond ASCII --------------------------------------------------------------------


@pytest.mark.parametrize("offers", [True, False])
def test_an_address_beyond_ascii_goes_where_they_are_taken(start_smtp: Start, offers):
    server = start_smtp("lmtp", smtputf8=offers)
    with transport_to(server.url()) as transport:
        assert transport.takes_smtputf8 is offers
        outcome = transport.send(make_message(to=JOSE))
    assert outcome.kind is (OutcomeKind.ACCEPTED if offers else OutcomeKind.REFUSED)
    assert [received.rcpt_to for received in server.received] == ([(JOSE,)] if offers else [])


# ---- no server, or another ---------------------------------------------------------------------


def test_nobody_listening_is_a_transport_error():
    with nobody_listens() as port, pytest.raises(TransportError) as refused:
        transport_to(f"lmtp://{HOST}:{port}").__enter__()
    assert str(refused.value).startswith(f"lmtp://{HOST}:{port}: ")


def test_no_socket_of_the_name_is_a_transport_error(tmp_path):
    with pytest.raises(TransportError) as refused:
        transport_to(f"lmtp://{tmp_path}/none").__enter__()
    assert str(refused.value).startswith(f"lmtp://{tmp_path}/none: ")


def test_a_server_of_smtp_is_told_from_one_of_lmtp(smtp_server):
    url = smtp_server.url().replace("smtp:", "lmtp:")
    with pytest.raises(TransportError, match=f"^lmtp://{HOST}:.*: LHLO refused: 500 "):
        transport_to(url).__enter__()
    assert smtp_server.received == []
