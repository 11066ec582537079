"""Addresses beyond ASCII (RFC 6531, RFC 6532), over relays that take them and relays that do not."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from digest.app.app import App
from digest.compose.composer import Composer
from digest.compose.content import Content
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.compose.message import build_message
from digest.deliver.transport.folder import FolderTransport
from digest.deliver.transport.transport import Transport, make_transport
from digest.errors import TransportError
from digest.ledger.ledger import Ledger
from digest.model.messages import Message, OutcomeKind
from digest.model.papers import Harvest
from subscribers.errors import AddressError
from subscribers.model import Standing
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose
from tests.integration.pipelines import make_pipeline
from tests.integration.senders import make_delivery_worker
from tests.integration.smtp_server import HOST, Authority, Point, SmtpServer
from tests.raw_message import read
from tests.support import NOW, SENDING, make_settings, make_sighting

Start = Callable[..., SmtpServer]

ADA, JOSE, GRACE = "ada@example.org", "jos\u00e9@xn--bcher-kva.example", "grace@example.org"
YONGHU = "\u7528\u6237@xn--fsqu00a.xn--4rr70v"
OPTIONS = {"BODY=8BITMIME", "SMTPUTF8"}
SENDER = from_identity(make_settings())


def message_to(address: str, person: str = "a" * 32) -> Message:
    content = Content("Über 3 things", "Grüße\n", "<p>Grüße</p>\n")
    return build_message(content, SENDER, to=address, public_id=person, what="x", now=NOW)


@pytest.fixture
def open_transport():
    """Opens transports by their URLs, and closes them at the end of the test."""
    with ExitStack() as stack:

        def enter(url: str, **fixed: str) -> Transport:
            settings = make_settings(transport=url, smtp_timeout="10", **fixed)
            return stack.enter_context(make_transport(settings))

        yield enter


# ---- a relay that takes them -------------------------------------------------------------------


@pytest.fixture
def able(start_smtp: Start) -> SmtpServer:
    return start_smtp(smtputf8=True)


@pytest.mark.parametrize("address", [JOSE, YONGHU])
def test_a_message_to_it_arrives_byte_for_byte(able, open_transport, address):
    message = message_to(address)
    outcome = open_transport(able.url()).send(message)
    assert (outcome.kind, outcome.text) == (OutcomeKind.ACCEPTED, "2.0.0 OK")
    [received] = able.received
    assert received.rcpt_to == (address,)
    assert received.mail_from == "digest@example.org"
    assert set(received.options) == OPTIONS
    assert received.content == message.content


def test_the_header_names_it_as_it_is_and_those_for_programs_stay_ascii(able, open_transport):
    open_transport(able.url()).send(message_to(JOSE, "b" * 32))
    mail = read(able.received[0].content, "utf-8")
    assert mail.one("To") == JOSE
    web, mailto = mail.one("List-Unsubscribe").split(", ")
    token = SENDER.tokens.make(Purpose.UNSUBSCRIBE, "b" * 32)
    assert web == f"<https://digest.example.org/unsubscribe/{token}>"
    assert mailto == f"<mailto:unsubscribe@example.org?subject={token}>"
    assert mail.one("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    assert [name for name, value in mail.headers if not value.isascii()] == ["To"]


def test_the_options_are_asked_for_such_messages_only(able, open_transport):
    transport = open_transport(able.url())
    for address in (ADA, JOSE, GRACE, YONGHU, ADA):
        assert transport.send(message_to(address)).kind is OutcomeKind.ACCEPTED
    asked = [(each.rcpt_to[0], set(each.options)) for each in able.received]
    assert asked == [
        (ADA, set()), (JOSE, OPTIONS), (GRACE, set()), (YONGHU, OPTIONS), (ADA, set())
    ]  # fmt: skip
    assert able.connections == 1
    for each in able.received:
        assert each.content.isascii() is each.rcpt_to[0].isascii()


@pytest.mark.parametrize("point", [Point.MAIL, Point.RCPT, Point.DATA, Point.DOT])
def test_after_a_refusal_the_next_message_goes_out_without_the_options(able, open_transport, point):
    transport = open_transport(able.url())
    able.will_say(point, "550 5.6.7 not beyond this hop")
    outcome = transport.send(message_to(JOSE))
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, 550)
    able.received.clear()
    assert transport.send(message_to(ADA)).kind is OutcomeKind.ACCEPTED
    assert [(each.rcpt_to, each.options) for each in able.received] == [((ADA,), ())]


def test_a_server_that_knows_no_such_mailbox_says_so(able, open_transport):
    able.will_say(Point.RCPT, "550 5.1.1 no such user")
    assert open_transport(able.url()).send(message_to(JOSE)).status == "5.1.1"


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_what_is_offered_within_tls_counts(
    start_smtp: Start, authority: Authority, good_certificate, open_transport, scheme
):
    server = start_smtp(scheme, context=good_certificate, login=("ada", "secret"), smtputf8=True)
    transport = open_transport(server.url("ada", "secret"), smtp_ca_file=str(authority.ca_file))
    assert transport.takes_smtputf8
    assert transport.send(message_to(JOSE)).kind is OutcomeKind.ACCEPTED
    assert server.received[0].over_tls


# ---- a relay that does not ---------------------------------------------------------------------


def test_without_the_option_nothing_is_sent_and_the_address_is_not_dead(
    smtp_server, open_transport
):
    transport = open_transport(smtp_server.url())
    outcome = transport.send(message_to(JOSE))
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, 550)
    assert outcome.text == "5.6.7 the relay offers no SMTPUTF8"
    assert smtp_server.begun == 0


def test_the_connection_serves_the_next_message(smtp_server, open_transport):
    transport = open_transport(smtp_server.url())
    for address in (JOSE, ADA, YONGHU, GRACE):
        transport.send(message_to(address))
    assert [each.rcpt_to for each in smtp_server.received] == [(ADA,), (GRACE,)]
    assert smtp_server.connections == 1


# ---- who says that they take them --------------------------------------------------------------


def test_a_relay_takes_them_if_it_says_so(start_smtp: Start, open_transport):
    for offers in (True, False):
        transport = open_transport(start_smtp(smtputf8=offers).url())
        assert transport.takes_smtputf8 is offers
        assert transport.send(message_to(ADA)).kind is OutcomeKind.ACCEPTED


def test_what_a_relay_says_at_the_last_connection_counts(able, open_transport):
    transport = open_transport(able.url())
    able.hang_up_now()
    able.will_say(Point.EHLO, "250 relay.test")
    assert transport.send(message_to(JOSE)).status == "5.6.7"
    assert not transport.takes_smtputf8
    assert able.connections == 2


def test_a_relay_that_is_gone_cannot_be_asked():
    with SmtpServer(smtputf8=True) as server:
        transport = make_transport(make_settings(transport=server.url()))
    with pytest.raises(TransportError, match=f"{HOST}:{server.port}"):
        transport.__enter__()


def test_a_folder_takes_them(tmp_path: Path, open_transport):
    transport = open_transport(tmp_path.as_uri())
    assert isinstance(transport, FolderTransport)
    assert transport.takes_smtputf8
    messages = [message_to("jos\u00e9@example.org", "a"), message_to("jos\u00e8@example.org", "b")]
    for message in messages:
        assert transport.send(message).kind is OutcomeKind.ACCEPTED
        assert transport.path_of(message).read_bytes() == message.content
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.rpartition("-")[0] for name in names] == ["jos_@example.org"] * 2
    assert all(name.isascii() for name in names)


# ---- a whole run -------------------------------------------------------------------------------


class OnePaperADay:
    """A source that lists another paper each day."""

    name = "huggingface"

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        for day in days:
            number = day.toordinal() % 90_000
            yield Harvest(
                (make_sighting(number, title=f"Paper {number}", listed_on=day, seen_at=now),)
            )


def test_a_relay_that_cannot_reach_somebody_reaches_the_others(
    ledger: Ledger, registry: Registry, tmp_path: Path, start_smtp: Start
):
    people = [
        registry.add(address, (), source="test", now=NOW).id for address in (ADA, JOSE, GRACE)
    ]

    def run(relay: SmtpServer, now: datetime) -> list[tuple[str, str]]:
        """What became of each of the three in a day's run over a relay."""
        settings = make_settings(home=str(tmp_path), transport=relay.url(), lookback_days="0")
        composer = Composer(Templates(), from_identity(settings))
        sending = make_delivery_worker(settings, ledger, registry, composer)
        pipeline = make_pipeline(settings, ledger, registry, lambda: [OnePaperADay()], sending.send)
        tick = pipeline.tick(now, everybody=True)
        assert tick.balance.is_balanced
        assert bool(tick.trouble) is (relay is unable)
        edition = ledger.editions.on(now.date())
        became = {
            report.delivery.subscriber_id: (report.state.value, report.last_words)
            for report in ledger.deliveries.reports(edition)
        }
        return [became[person] for person in people]

    unable, able = start_smtp(), start_smtp(smtputf8=True)
    accepted = ("accepted", "2.0.0 OK")
    waits = ("deferred", "5.6.7 the relay offers no SMTPUTF8")
    assert run(unable, NOW) == [accepted, waits, accepted]
    assert [each.rcpt_to for each in unable.received] == [(ADA,), (GRACE,)]
    assert registry.standing(people[1]) is Standing.MAY_RECEIVE
    assert run(able, NOW + timedelta(days=1)) == [accepted] * 3
    assert Counter(each.rcpt_to for each in able.received) == {(ADA,): 1, (JOSE,): 2, (GRACE,): 1}


# ---- who is let in -----------------------------------------------------------------------------


def app_over(folder: Path, transport: str) -> App:
    settings = {**SENDING, "home": str(folder), "transport": transport, "smtp_timeout": "10"}
    return App(environment={}, dotenv=None, **settings)


def test_the_relay_is_asked_once_and_only_when_it_matters(tmp_path: Path, able):
    gate = app_over(tmp_path, able.url()).address_policy
    assert gate.admit(ADA) == ADA
    assert able.connections == 0
    assert [gate.admit(address) for address in (JOSE, YONGHU, ADA)] == [JOSE, YONGHU, ADA]
    assert able.connections == 1
    assert able.received == []


def test_a_relay_that_says_no_is_asked_once_as_well(tmp_path: Path, smtp_server):
    gate = app_over(tmp_path, smtp_server.url()).address_policy
    for _ in range(2):
        with pytest.raises(AddressError, match="which our mail server does not take"):
            gate.admit(JOSE)
    assert smtp_server.connections == 1
    assert gate.admit(ADA) == ADA


def test_while_the_relay_is_down_the_answer_is_no_and_later_it_is_asked_again(tmp_path: Path):
    server = SmtpServer(smtputf8=True)  # not entered yet: nobody listens
    gate = app_over(tmp_path, server.url()).address_policy
    with capture_logs() as logs, pytest.raises(AddressError, match="cannot be reached from here"):
        gate.admit(JOSE)
    [said] = logs
    assert said["event"] == "the relay cannot be asked for SMTPUTF8"
    assert f"smtp://{HOST}:{server.port}: " in said["why"]
    assert JOSE not in str(said)
    with server:
        assert gate.admit(JOSE) == JOSE


def test_a_folder_lets_them_in(tmp_path: Path):
    assert app_over(tmp_path, (tmp_path / "outbox").as_uri()).address_policy.admit(JOSE) == JOSE


def test_refused_domains_come_from_their_file_and_the_relay_is_not_asked(tmp_path: Path, able):
    file = tmp_path / "domains.txt"
    file.write_text("b\u00fccher.example\n", encoding="utf-8")
    settings = {**SENDING, "transport": able.url(), "refused_domains": str(file)}
    gate = App(environment={}, dotenv=None, home=str(tmp_path), **settings).address_policy
    with pytest.raises(
        AddressError, match=r"^addresses at xn--bcher-kva\.example are not accepted"
    ):
        gate.admit(JOSE)
    assert able.connections == 0
