"""What a relay can do wrong, at each point: how it ends, that no message arrives twice, and that the
next one goes through.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from digest.deliver.transport.replies import Phase
from digest.deliver.transport.reply_reader import LONGEST_REPLY
from digest.deliver.transport.smtp import SmtpChannel, SmtpTransport
from digest.deliver.transport.smtp_relay import LmtpServer, Relay, Security
from digest.deliver.transport.smtp_transaction import Timeouts
from digest.deliver.transport.smtp_wire import Wire
from digest.errors import TransportError
from digest.model.messages import Envelope, Message, OutcomeKind
from tests.integration.smtp_server import HOST, Authority, Point, SmtpServer

Start = Callable[..., SmtpServer]
Fault = Callable[[SmtpServer, Point], None]

PATIENT = Timeouts(*[20.0] * 7)
SOON = 0.2
A, D, R, U = OutcomeKind
OFF = "the transport is off"  # a TransportError: nobody's message is used up


def message(name: str, size: int = 0) -> Message:
    content = f"Message-ID: <{name}@x>\r\n\r\n".encode() + b"0123456789\r\n" * (size // 12)
    return Message(Envelope("bounces@example.org", f"{name}@example.org"), f"<{name}@x>", content)


def arrivals(server: SmtpServer) -> Counter[str]:
    """How often each message arrived whole, final dot and all, by its name."""
    return Counter(
        received.content[13:].partition(b"@")[0].decode() for received in server.received
    )


@contextmanager
def in_a_hurry(transport: SmtpTransport, *phases: str) -> Iterator[None]:
    """For these phases the transport waits a moment only; for all others it has time."""
    hurried = replace(PATIENT, **dict.fromkeys(phases, SOON))
    channel = transport._channel
    channel._timeouts = hurried
    if channel._conversation:
        channel._conversation.timeout = hurried.connect
    yield
    channel._timeouts = PATIENT


@dataclass(frozen=True)
class Ending:
    """What became of a message: a kind of outcome, or OFF; and whether it is about the relay."""

    kind: OutcomeKind | str
    is_about_relay: bool | None = None


def ending_of(transport: SmtpTransport, sent: Message) -> Ending:
    try:
        outcome = transport.send(sent)
    except TransportError:
        return Ending(OFF)
    return Ending(outcome.kind, None if outcome.kind is A else outcome.is_about_relay)


# ---- what can go wrong -------------------------------------------------------------------------

TRANSIENT = "451 4.3.0 Not now"
PERMANENT = "554 5.7.1 Not from you"

FAULTS: dict[str, Fault] = {
    "4yz": lambda server, point: server.will_say(point, TRANSIENT),
    "5yz": lambda server, point: server.will_say(point, PERMANENT),
    "421": lambda server, point: server.will_say_and_hang_up(point, "421 4.3.2 Closing"),
    "421, and stays": lambda server, point: server.will_say(point, "421 4.3.2 Closing"),
    "hangs up": SmtpServer.will_hang_up,
    "stalls": SmtpServer.will_stall,
    "drips": lambda server, point: server.will_flood(point, b"2", pause=0.03),
    "is slow": lambda server, point: server.will_wait(point, 0.02),
    "words": lambda server, point: server.will_say(point, "what?"),
    "octets": lambda server, point: server.will_say(point, b"\x00\xff\xfe\r\x80"),
    "nothing": lambda server, point: server.will_say(point, b"\r\n"),
    "another protocol": lambda server, point: server.will_say(point, "HTTP/1.1 400 Bad Request"),
    "a line without an end": lambda server, point: server.will_flood(point, b"250 x" * 1000),
    "lines without an end": lambda server, point: server.will_flood(point, b"250-x\r\n" * 1000),
}
REPLIES = {"4yz", "5yz", "421", "421, and stays", "is slow"}
WAITED_FOR = {"stalls", "drips"}


# ---- in a transaction --------------------------------------------------------------------------

BEFORE_THE_DOT = (Point.MAIL, Point.RCPT, Point.DATA)
IN_A_TRANSACTION = (*BEFORE_THE_DOT, Point.DOT)
TIMEOUT_OF = {Point.MAIL: "mail", Point.RCPT: "rcpt", Point.DATA: "data", Point.DOT: "end"}

RELAY, OTHER = True, False


def expected_of(fault: str, point: Point) -> Ending:
    """How a message ends that meets a fault over a connection that was kept."""
    if fault == "is slow":
        return Ending(A)
    if fault == "4yz":
        return Ending(D, RELAY if point is Point.MAIL else OTHER)
    if fault == "5yz":
        return Ending(R, RELAY if point is Point.MAIL else OTHER)
    if point is Point.MAIL:
        return Ending(A)  # over another connection
    if point is Point.DOT and fault not in REPLIES:
        return Ending(U, RELAY)
    # The recipient was taken, and then the connection was no good: it may be for the message.
    is_after_rcpt = point is Point.DATA and fault not in REPLIES
    return Ending(D, OTHER if is_after_rcpt else RELAY)


@pytest.fixture(params=["smtp", "lmtp"])
def scheme(request) -> str:
    return request.param


@pytest.fixture(params=[False, True], ids=["one by one", "pipelined"])
def server(request, start_smtp: Start, scheme) -> SmtpServer:
    return start_smtp(scheme, pipelining=request.param)


@pytest.fixture
def transport(server: SmtpServer) -> Iterator[SmtpTransport]:
    kind = LmtpServer if server.scheme == "lmtp" else Relay
    with SmtpTransport(SmtpChannel(kind(HOST, server.port), PATIENT, 100)) as transport:
        yield transport


@pytest.mark.parametrize("point", IN_A_TRANSACTION)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_transaction(server, transport, fault, point):
    assert ending_of(transport, message("before")) == Ending(A)
    FAULTS[fault](server, point)
    with in_a_hurry(transport, *([TIMEOUT_OF[point]] if fault in WAITED_FOR else [])):
        expected = expected_of(fault, point)
        assert ending_of(transport, message("met")) == expected
    assert ending_of(transport, message("after")) == Ending(A)
    met = 1 if expected.kind is A or point is Point.DOT else 0
    assert arrivals(server) == Counter(before=1, met=met, after=1)
    in_step = fault in {"4yz", "5yz", "is slow"} and expected.kind != OFF
    assert server.connections == (1 if in_step else 2)
    assert server.to_nobody == []


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if fault not in {"4yz", "5yz", "is slow"}]
)
def test_a_new_connection_that_fails_like_the_kept_one_is_not_tried_again(server, transport, fault):
    for _ in range(2):
        FAULTS[fault](server, Point.MAIL)
    with in_a_hurry(transport, *(["mail"] if fault in WAITED_FOR else [])):
        assert ending_of(transport, message("met")) == Ending(D, RELAY)
    assert server.connections == 2
    assert ending_of(transport, message("after")) == Ending(A)
    assert arrivals(server) == Counter(after=1)


@pytest.mark.parametrize("fault", ["421", "hangs up", "stalls", "words"])
@pytest.mark.parametrize("point", [Point.RSET, Point.QUIT])
def test_a_fault_while_tidying_up_changes_nothing(server, transport, fault, point):
    server.will_say(Point.RCPT, "550 5.1.1 No such user")
    FAULTS[fault](server, point)
    with in_a_hurry(transport, "connect"):
        assert ending_of(transport, message("met")) == Ending(R, OTHER)
        transport._loop.run(transport._channel.close())
    assert ending_of(transport, message("after")) == Ending(A)
    assert arrivals(server) == Counter(after=1)


# ---- a message that is under way ---------------------------------------------------------------

LONG = (
    12_000_000  # more than the systems buffer: the client is still writing when the server is gone
)


@pytest.mark.parametrize("fault", ["hangs up", "stalls"])
def test_a_fault_within_the_content(server, transport, fault):
    FAULTS[fault](server, Point.CONTENT)
    with in_a_hurry(transport, "block"):
        assert ending_of(transport, message("met", LONG)) == Ending(D, OTHER)
    assert ending_of(transport, message("after")) == Ending(A)
    assert arrivals(server) == Counter(after=1)


def test_a_server_that_answers_the_final_dot_and_is_gone(server, transport):
    server.will_say_and_hang_up(Point.DOT, "250 2.0.0 OK")
    for name in ("a", "b", "c"):
        assert ending_of(transport, message(name)) == Ending(A)
    assert arrivals(server) == Counter("abc")
    assert server.connections == 2


def test_no_verdict_on_the_final_dot_is_uncertain(server, transport):
    server.will_say(Point.DOT, "354 Go on")
    assert ending_of(transport, message("met")) == Ending(U, RELAY)
    assert ending_of(transport, message("after")) == Ending(A)
    assert arrivals(server) == Counter(met=1, after=1)


@pytest.mark.parametrize("point", BEFORE_THE_DOT)
def test_what_was_said_unasked_is_not_taken_for_an_answer(server, transport, point):
    server.will_say(point, "250 2.0.0 OK\r\n250 2.0.0 Once more\r\n250 2.0.0 And again")
    ended = ending_of(transport, message("met"))
    assert ended.kind in {A, D}  # A where another connection was tried at once
    assert ending_of(transport, message("after")) == Ending(A)
    assert arrivals(server) == Counter({"after": 1} | ({"met": 1} if ended.kind is A else {}))


def test_an_answer_too_many_is_not_that_of_the_next_message(server, transport):
    server.will_say(Point.DOT, "250 2.0.0 OK\r\n550 5.1.1 No such user")
    for name in ("a", "b"):
        assert ending_of(transport, message(name)) == Ending(A)
    assert arrivals(server) == Counter("ab")
    assert server.connections == 2


@pytest.mark.parametrize("stopped_at", ["_put", "_reply"])
def test_an_interruption_leaves_no_connection_half_way(server, transport, monkeypatch, stopped_at):
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Wire, stopped_at, stop)
        with pytest.raises(KeyboardInterrupt):
            transport.send(message("met"))
    assert ending_of(transport, message("after")) == Ending(A)
    assert arrivals(server) == Counter(after=1)
    assert server.connections == 2


# ---- the mail that is about no recipient -------------------------------------------------------


def test_a_relay_that_takes_nothing_from_us_uses_no_message_up(server, transport):
    server.will_say(Point.MAIL, "550 5.7.1 Not from you")
    outcome = transport.send(message("met"))
    assert (outcome.kind, outcome.is_about_relay) == (R, RELAY)
    assert (outcome.code, outcome.text) == (550, "5.7.1 Not from you")


@pytest.mark.parametrize("point", [Point.MAIL, Point.DATA])
@pytest.mark.parametrize("reply", ["552 Too big", "552 5.3.4 Too big", "550 5.6.0 No 8 bits"])
def test_a_message_too_big_or_of_the_wrong_kind_is_refused_for_itself(
    server, transport, point, reply
):
    server.will_say(point, reply)
    assert ending_of(transport, message("met")) == Ending(R, OTHER)
    assert ending_of(transport, message("after")) == Ending(A)
    assert server.connections == 1


@pytest.mark.parametrize("point", BEFORE_THE_DOT)
def test_a_2yz_in_the_wrong_place_is_deferred_and_brings_an_empty_mail_to_nobody(
    server, transport, point
):
    server.will_say(point, "252 Whatever")
    assert ending_of(transport, message("met")).kind is D
    assert ending_of(transport, message("after")) == Ending(A)
    assert arrivals(server) == Counter(after=1)
    assert server.to_nobody == []


# ---- pipelining (RFC 2920 section 3.1) ---------------------------------------------------------


@pytest.mark.parametrize("scheme", ["smtp", "lmtp"])
@pytest.mark.parametrize("reply", ["550 5.1.1 No such user", "450 4.2.1 Greylisted"])
def test_data_taken_after_a_refused_recipient_is_ended_by_a_dot_alone(
    start_smtp: Start, scheme, reply
):
    server = start_smtp(scheme, pipelining=True)
    kind = LmtpServer if scheme == "lmtp" else Relay
    with SmtpTransport(SmtpChannel(kind(HOST, server.port), PATIENT, 100)) as transport:
        server.will_say(Point.RCPT, reply)
        server.will_say(Point.DATA, "354 Go on")
        outcome = transport.send(message("met"))
        assert f"{outcome.code} {outcome.text}" == reply
        assert server.to_nobody == [b""]
        assert ending_of(transport, message("after")) == Ending(A)
    assert arrivals(server) == Counter(after=1)
    assert server.connections == 1


def test_data_taken_after_a_refused_sender_is_never_ended(start_smtp: Start):
    server = start_smtp(pipelining=True)
    with SmtpTransport(SmtpChannel(Relay(HOST, server.port), PATIENT, 100)) as transport:
        server.will_say(Point.MAIL, "451 4.3.0 Not now")
        server.will_say(Point.DATA, "354 Go on")
        assert ending_of(transport, message("met")) == Ending(D, RELAY)
        assert ending_of(transport, message("after")) == Ending(A)
    assert server.to_nobody == []
    assert server.connections == 2


@pytest.mark.parametrize("first", [Point.MAIL, Point.RCPT])
@pytest.mark.parametrize("fault", ["421", "hangs up", "stalls", "words"])
def test_a_refusal_stands_whatever_becomes_of_the_answers_behind_it(
    start_smtp: Start, first, fault
):
    server = start_smtp(pipelining=True)
    with SmtpTransport(SmtpChannel(Relay(HOST, server.port), PATIENT, 100)) as transport:
        server.will_say(first, "451 4.3.0 Not now")
        FAULTS[fault](server, Point.DATA if first is Point.RCPT else Point.RSET)
        with in_a_hurry(transport, "data", "connect"):
            about = OTHER if first is Point.RCPT else RELAY
            assert ending_of(transport, message("met")) == Ending(D, about)
        assert ending_of(transport, message("after")) == Ending(A)
    assert arrivals(server) == Counter(after=1)


# ---- before the first message ------------------------------------------------------------------

OPENING = (Point.GREETING, Point.EHLO, Point.STARTTLS, Point.AUTH)


@pytest.mark.parametrize("point", OPENING)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_connecting_anew(
    start_smtp: Start, authority: Authority, good_certificate, fault, point
):
    server = start_smtp("smtp+starttls", context=good_certificate, login=("ada", "secret"))
    relay = Relay(HOST, server.port, Security.STARTTLS, "ada", "secret", ca_file=authority.ca_file)
    with SmtpTransport(SmtpChannel(relay, PATIENT, 100)) as transport:
        assert ending_of(transport, message("before")) == Ending(A)
        server.hang_up_now()
        for _ in range(2 if point is Point.AUTH else 1):  # it is tried in two ways
            FAULTS[fault](server, point)
        waits = "greeting" if point is Point.GREETING else "connect"
        with in_a_hurry(transport, *([waits] if fault in WAITED_FOR else [])):
            expected = {
                "is slow": Ending(A),
                "4yz": Ending(D, RELAY),
                "421": Ending(D, RELAY),
                "421, and stays": Ending(D, RELAY),
            }.get(fault, Ending(OFF))
            assert ending_of(transport, message("met")) == expected
        server._script.clear()
        assert ending_of(transport, message("after")) == Ending(A)
    met = int(expected.kind is A)
    assert arrivals(server) == Counter(before=1, met=met, after=1)


@pytest.mark.parametrize("point", OPENING)
@pytest.mark.parametrize("reply", [TRANSIENT, PERMANENT, "421 4.3.2 Closing"])
def test_a_relay_that_does_not_let_us_in_is_told_of_at_once(
    start_smtp: Start, authority: Authority, good_certificate, point, reply
):
    server = start_smtp("smtp+starttls", context=good_certificate, login=("ada", "secret"))
    for _ in range(2):
        server.will_say(point, reply)
    relay = Relay(HOST, server.port, Security.STARTTLS, "ada", "secret", ca_file=authority.ca_file)
    with pytest.raises(TransportError, match=f"^{relay}: .*{reply}$".replace("+", r"\+")) as off:
        SmtpTransport(SmtpChannel(relay, PATIENT, 100)).__enter__()
    assert "secret" not in str(off.value)


def test_a_server_that_knows_no_ehlo_is_greeted_by_helo(start_smtp: Start):
    server = start_smtp(pipelining=True)
    server.will_say(Point.EHLO, "502 5.5.1 Not implemented")
    with SmtpTransport(SmtpChannel(Relay(HOST, server.port), PATIENT, 100)) as transport:
        assert ending_of(transport, message("a")) == Ending(A)
    assert b"MAIL FROM:<bounces@example.org>\r\n" in server.heard  # it has offered nothing


@pytest.mark.parametrize("before", [True, False])
def test_what_is_offered_last_counts(
    start_smtp: Start, authority: Authority, good_certificate, before
):
    """PIPELINING before TLS and not within, or the other way round."""
    offers = ["250-relay.test\r\n250-PIPELINING\r\n250 STARTTLS", "250-relay.test\r\n250 STARTTLS"]
    server = start_smtp("smtp+starttls", context=good_certificate)
    for offer in offers if before else reversed(offers):
        server.will_say(Point.EHLO, offer)
    relay = Relay(HOST, server.port, Security.STARTTLS, ca_file=authority.ca_file)
    with SmtpTransport(SmtpChannel(relay, PATIENT, 100)) as transport:
        assert ending_of(transport, message("a")) == Ending(A)
    alone = b"MAIL FROM:<bounces@example.org>\r\n" in server.heard
    assert alone is before


def test_what_was_said_in_clear_before_tls_does_not_count(
    start_smtp: Start, authority: Authority, good_certificate
):
    server = start_smtp("smtp+starttls", context=good_certificate)
    server.will_say(Point.STARTTLS, "220 Go ahead\r\n250 PIPELINING")
    relay = Relay(HOST, server.port, Security.STARTTLS, ca_file=authority.ca_file)
    with pytest.raises(TransportError):
        SmtpTransport(SmtpChannel(relay, PATIENT, 100)).__enter__()


def test_a_login_that_asks_for_nonsense(start_smtp: Start, authority: Authority, good_certificate):
    server = start_smtp("smtps", context=good_certificate, login=("ada", "secret"))
    server.will_say(Point.AUTH, "334 x")  # no base64
    relay = Relay(HOST, server.port, Security.TLS, "ada", "secret", ca_file=authority.ca_file)
    with pytest.raises(TransportError, match=r"^smtps://127\.0\.0\.1:\d+: login failed: ") as off:
        SmtpTransport(SmtpChannel(relay, PATIENT, 100)).__enter__()
    assert "secret" not in str(off.value)


# ---- bounds ------------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", [b"250-x\r\n", b"250 x"])
def test_no_more_is_kept_of_a_reply_than_there_may_be(start_smtp: Start, octets):
    server = start_smtp()
    server.will_flood(Point.RCPT, octets * 10_000)
    conversation = Relay(HOST, server.port).connect(PATIENT)
    conversation.put(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\n", 20)
    assert conversation.reply(20).code == 250
    with pytest.raises(OSError, match="without an end"):
        conversation.reply(20)
    assert len(conversation.replies.unread) < 2 * LONGEST_REPLY
    conversation.close()


def test_a_reply_of_several_lines_is_one(start_smtp: Start):
    server = start_smtp()
    server.will_say(Point.RCPT, "550-5.1.1 No such user;\r\n550-5.1.1\r\n550 5.1.1 ask us")
    with SmtpTransport(SmtpChannel(Relay(HOST, server.port), PATIENT, 100)) as transport:
        outcome = transport.send(message("a"))
        assert outcome.text == "5.1.1 No such user; 5.1.1 5.1.1 ask us"
        assert outcome.status == "5.1.1"
        assert ending_of(transport, message("b")) == Ending(A)


def test_an_address_is_never_two_commands(server, transport):
    envelope = Envelope("a@example.org", "b@example.org>\r\nRCPT TO:<c@example.org")
    with pytest.raises(ValueError, match="more than one line"):
        transport.send(Message(envelope, "<x@x>", b"\r\n"))
    assert ending_of(transport, message("after")) == Ending(A)
    assert arrivals(server) == Counter(after=1)


def test_each_phase_has_its_point():
    """No phase of a transaction is left untried here."""
    assert {point.value for point in IN_A_TRANSACTION} == {*Phase} - {Phase.OPENING}
