"""Refusals, told by a real server: whom they count against, what waits, and what is paused."""

from collections import Counter
from datetime import timedelta

import pytest

from digest.deliver.breaker import FEWEST_RECIPIENTS, MOST_REFUSED
from digest.ledger.deliveries import Plan
from digest.ledger.provider_queues import ALL, FIRST_PROBE
from digest.model.deliveries import BounceKind
from digest.model.digests import Pick, Section
from digest.model.packed_picks import pack
from subscribers.model import Standing
from tests.integration.deliver.test_delivery_worker import Crowd, names
from tests.integration.ledger.test_papers import absorb
from tests.integration.smtp_server import Point
from tests.support import NOW, TODAY, few_of, make_sighting

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

# What a relay says that takes nothing from us, or nothing of what we wrote.
OUR_FAULT = [
    (Point.DOT, "554 Message rejected: sender identity is not verified"),
    (Point.DOT, "552 5.3.4 Message size exceeds fixed limit"),
    (Point.DOT, "550 5.6.0 Message content rejected"),
    (Point.RCPT, "550 relay not permitted"),
    (Point.RCPT, "554 5.7.1 Relay access denied: authenticate first"),
    (Point.MAIL, "550 5.7.1 Sender address not allowed"),
    (Point.MAIL, "552 5.2.2 Your sending is over quota"),
    (Point.RCPT, "550 5.7.750 Service unavailable. Client blocked from unregistered domains"),
    (Point.RCPT, "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    (Point.RCPT, "554 5.7.1 Your account is suspended, please contact support"),
    (Point.RCPT, "503 5.5.1 Error: need MAIL command"),
]
# What says nothing, or is misread as a word about an address; all get it alike.
SAYS_NOTHING = ["550 no", "554 Transaction failed", "550 5.2.2 Storage is full", "550 On hold"]
# What is said of one address, however much it looks like a word about us.
ABOUT_ONE_ADDRESS = [
    "550 5.7.1 No such user!",
    "550 5.7.124 Sender not in allowed-senders list",
    "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; not authenticated for group",
    "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required",
    "550 5.7.1 You do not have permission to post to this group",
    "550 5.7.1 This user has blocked you",
    "525 5.7.13 User account disabled",
    "550 5.7.17 Mailbox owner has changed",
    "550 5.7.18 Domain owner has changed",
]
BAD_NAME = "550 5.7.1 Our system has detected a very low reputation of the sending IP address"


class List(Crowd):
    """A list of readers who get an edition each day, over a real server."""

    def __init__(self, ledger, registry, server):
        super().__init__(
            ledger,
            registry,
            transport=server.url(),
            send_connections="1",
            pause_at_hard_bounces="100",
        )
        self.server = server

    def publish(self, day):
        """Make the edition of a day that is ``day`` days from now, and plan it for everybody."""
        date = TODAY + day * DAY
        if day:
            absorb(self.ledger, make_sighting(day + 1, listed_on=date))
            self.edition = self.ledger.editions.freeze(date, date, NOW + day * DAY)
        picks = (Pick(Section.TRENDING, self.edition.candidates[0]),)
        plans = [
            Plan(person.id, pack(picks), person.address.partition("@")[2])
            for person in self.registry.everybody()
        ]
        self.ledger.deliveries.plan(self.edition.id, plans, NOW + day * DAY)
        return self.edition

    def join(self, *addresses):
        for address in addresses:
            self.registry.add(address, (), source="test", now=NOW)

    def standings(self):
        return Counter(self.registry.standing(each.id) for each in self.registry.everybody())

    def expire(self, now):
        self.ledger.deliveries.expire(now - 2 * DAY, now)

    @property
    def paused(self):
        return [pause.provider for pause in self.ledger.provider_queues.paused()]


@pytest.fixture
def readers(ledger, registry, smtp_server):
    return List(ledger, registry, smtp_server)


def says(point, reply, to=""):
    """A server that says this at a point, to addresses with this in them."""
    return lambda at, recipient: reply if at is point and to in recipient else None


# ---- our fault -------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # the others have both databases
@pytest.mark.parametrize(("point", "reply"), few_of(OUR_FAULT, len(OUR_FAULT)))
def test_a_relay_that_refuses_us_for_nine_days_costs_no_reader(readers, point, reply):
    """Each edition waits as long as it is fresh; the last one goes out when the relay is fixed."""
    readers.join(*names(8))
    readers.server.habit = says(point, reply)
    for day in range(9):
        edition = readers.publish(day)
        for hours in (0, 1, 12):
            now = NOW + day * DAY + timedelta(hours=hours)
            readers.expire(now)
            troubles = readers.send(now=now)
            assert any(reply.partition(" ")[2] in line for line in troubles)
        balance = readers.balance
        assert balance.due == 8 == balance.deferred + balance.pending
    assert readers.standings() == {Standing.MAY_RECEIVE: 8}
    assert readers.ledger.health.came_back(NOW)[BounceKind.SOFT] == 0

    readers.server.habit = says(point, None)
    readers.server.received.clear()
    assert readers.ledger.deliveries.retry(None, now + MINUTE)
    readers.ledger.provider_queues.probe_now(now + MINUTE)
    readers.expire(now + MINUTE)
    assert readers.send(now=now + MINUTE) == ()
    assert readers.ledger.editions.balance(edition).accepted == 8
    assert readers.ledger.outcomes.refused_editions() == []


@pytest.mark.parametrize("reply", few_of(SAYS_NOTHING))
@pytest.mark.parametrize("to", ["", "@strict.test"])
def test_nine_days_of_a_word_that_all_get_alike_cost_no_reader(readers, reply, to):
    """Whether the relay says it to everybody, or one provider to all who have its addresses."""
    readers.join(*names(4, "strict.test"), *names(2, "kind.test"))
    readers.server.habit = says(Point.RCPT, reply, to)
    for day in range(9):
        readers.publish(day)
        readers.send(now=NOW + day * DAY)
    assert readers.balance.refused == (4 if to else 6)
    assert readers.standings() == {Standing.MAY_RECEIVE: 6}


def test_nine_days_of_a_word_that_one_reader_gets_block_that_reader(readers):
    readers.join(*names(4, "strict.test"))
    readers.server.habit = says(Point.RCPT, "550 On hold", "reader002@")
    for day in range(9):
        readers.publish(day)
        readers.send(now=NOW + day * DAY)
    assert readers.standings() == {Standing.MAY_RECEIVE: 3, Standing.SUPPRESSED: 1}


def test_the_run_after_a_fix_sends_what_is_fresh_by_itself(readers):
    readers.join(*names(8))
    readers.publish(0)
    readers.server.habit = says(Point.RCPT, "550 relay not permitted")
    readers.send()
    readers.server.habit = says(Point.RCPT, None)
    assert readers.send(now=NOW + DAY) == ()
    assert readers.balance.accepted == 8


@pytest.mark.parametrize(("point", "reply"), few_of(OUR_FAULT))
def test_after_twenty_alike_sending_pauses_and_single_messages_are_tried(readers, point, reply):
    readers.join(*(f"reader@domain{number}.test" for number in range(60)))
    readers.publish(0)
    readers.server.habit = says(point, reply)
    troubles = readers.send()
    assert any(line.startswith("sending is paused") for line in troubles)
    assert readers.server.begun == MOST_REFUSED
    assert readers.paused == [ALL]
    # Probes: one message each, after twice the time.
    for minutes, begun in ((9, 0), (10, 1), (29, 1), (30, 2), (31, 2), (69, 2), (70, 3)):
        readers.send(now=NOW + minutes * MINUTE)
        assert readers.server.begun == MOST_REFUSED + begun, minutes
    [pause] = readers.ledger.provider_queues.paused()
    assert (pause.probes, pause.probe_at) == (3, NOW + 150 * MINUTE)
    assert readers.balance.due == readers.balance.deferred + readers.balance.pending

    readers.server.habit = says(point, None)
    assert readers.send(now=NOW + 150 * MINUTE) == ()
    assert readers.paused == []
    assert readers.balance.accepted == 60


def test_a_provider_that_refuses_twenty_alike_is_paused_alone(readers):
    readers.join(*names(30, "gmail.com"), *names(30, "gmx.net"))
    readers.publish(0)
    reply = "550 5.7.26 This mail is unauthenticated"
    readers.server.habit = says(Point.DOT, reply, to="gmail.com")
    readers.send()
    assert readers.paused == ["gmail.com"]
    assert readers.balance.accepted == 30
    assert readers.standings() == {Standing.MAY_RECEIVE: 60}


@pytest.mark.parametrize(
    ("point", "reply"),
    few_of(
        [
            (Point.DOT, "552 5.3.4 Message too big"),
            (Point.DOT, "550 5.6.0 Message content rejected"),
            (Point.RCPT, "550 relay not permitted"),
            (Point.RCPT, "530 5.7.0 Authenticate first"),
            (Point.RCPT, "550 5.7.1 You have a poor reputation"),
        ],
        4,
    ),
)
def test_a_provider_whose_readers_all_come_first_stops_no_other(readers, point, reply):
    readers.join(*names(25, "strict.test"), *names(6, "kind.test"))
    readers.publish(0)
    readers.server.habit = says(point, reply, to="strict.test")
    readers.send()
    assert readers.paused == ["strict.test"]
    assert readers.balance.accepted == 6


def test_a_message_too_big_for_one_server_holds_up_nobody_else(readers):
    readers.join(*names(4), "ada@small.test")
    readers.publish(0)
    readers.server.habit = says(Point.DOT, "552 5.3.4 Message too big", to="small.test")
    [trouble] = readers.send()
    assert "552 5.3.4 Message too big" in trouble
    assert (readers.balance.accepted, readers.balance.deferred) == (4, 1)
    assert readers.paused == []


# ---- a provider's word about us --------------------------------------------------------------


@pytest.mark.parametrize("reply", few_of(ABOUT_ONE_ADDRESS, 4))
def test_a_refusal_about_one_address_pauses_nothing(readers, reply):
    """Not even where several addresses of a provider are refused so."""
    readers.join(*names(8, "yandex.ru"), *names(5, "dead.yandex.ru"))
    readers.publish(0)
    readers.server.habit = says(Point.RCPT, reply, to="@dead")
    assert readers.send() == ()
    assert readers.paused == []
    assert (readers.balance.refused, readers.balance.accepted) == (5, 8)


def test_a_provider_is_paused_by_three_recipients_and_tried_again_by_itself(readers):
    readers.join(*names(6, "strict.test"), *names(6, "kind.test"))
    readers.publish(0)
    readers.server.habit = says(Point.DOT, BAD_NAME, to="strict.test")
    [trouble] = readers.send()
    assert trouble.startswith("strict.test is paused")
    assert BAD_NAME.partition(" ")[2] in trouble
    assert readers.balance.accepted == 6
    assert readers.standings() == {Standing.MAY_RECEIVE: 12}
    assert len(readers.server.received) == 6 + FEWEST_RECIPIENTS
    assert readers.send(now=NOW + MINUTE) == (trouble,)
    assert len(readers.server.received) == 6 + FEWEST_RECIPIENTS

    readers.server.habit = says(Point.DOT, None)
    assert readers.send(now=NOW + FIRST_PROBE) == ()
    assert readers.send(now=NOW + 2 * FIRST_PROBE) == ()
    assert readers.paused == []
    assert readers.balance.accepted == 12


def test_two_recipients_or_one_that_is_tried_again_and_again_pause_no_provider(readers):
    readers.join(*names(2, "strict.test"), "ada@kind.test")
    readers.publish(0)
    readers.server.habit = says(Point.DOT, BAD_NAME, to="strict.test")
    for hours in range(0, 40, 8):
        [trouble] = readers.send(now=NOW + timedelta(hours=hours))
        assert BAD_NAME in trouble
    assert readers.paused == []
    assert readers.balance.deferred == 2


def test_a_probe_to_somebody_who_has_left_is_made_up_for_by_another(readers, registry):
    readers.join(*names(4, "strict.test"))
    readers.publish(0)
    readers.server.habit = says(Point.DOT, BAD_NAME)
    readers.send()
    [waiting] = [
        each for each in registry.everybody() if each.address == names(4, "strict.test")[3]
    ]
    registry.withdraw(waiting.public_id, source="test", now=NOW)
    readers.server.habit = says(Point.DOT, None)
    readers.send(now=NOW + FIRST_PROBE)
    assert readers.paused == []
    assert readers.balance.accepted == 3
