"""Sending: many connections at once, limits, hours and pauses, and what ends a pass."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from threading import Barrier

import pytest

from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.deliver import feed
from digest.deliver.breaker import MOST_REFUSED
from digest.ledger.deliveries import Plan
from digest.ledger.provider_queues import ALL
from digest.model.deliveries import Balance
from digest.model.digests import Edition, Pick, Section
from digest.model.messages import Outcome, OutcomeKind
from digest.model.packed_picks import pack
from tests.integration.ledger.test_papers import absorb
from tests.integration.senders import Waiting, make_delivery_worker
from tests.integration.smtp_server import HOST, Point, nobody_listens
from tests.support import NOW, PLAIN_TEMPLATES, TODAY, make_settings, make_sighting

TEMPLATES = Templates(PLAIN_TEMPLATES)


class Post:
    """A transport that takes everything, or what ``says`` has as outcome for it."""

    takes_smtputf8 = True

    def __init__(self, clock, says=lambda _: Outcome(OutcomeKind.ACCEPTED, "250 OK", 250)):
        self.sent = []
        self.moments = []
        self._clock = clock
        self._says = says

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def send(self, message):
        self.sent.append(message.envelope.rcpt_to)
        self.moments.append((self._clock() - NOW).total_seconds())
        return self._says(message)


class Crowd:
    """Subscribers who wait for an edition, and what sends it to them; fields of Settings by name."""

    def __init__(self, ledger, registry, **settings):
        self.ledger = ledger
        self.registry = registry
        self.clock = Waiting()
        self.settings = make_settings(**settings)
        absorb(ledger, make_sighting(1))
        self.edition: Edition = ledger.editions.freeze(TODAY, TODAY, NOW)

    def add(self, *addresses, provider=""):
        picks = (Pick(Section.TRENDING, self.edition.candidates[0]),)
        for address in addresses:
            person = self.registry.add(address, (), source="test", now=NOW)
            where = provider or address.partition("@")[2]
            self.ledger.deliveries.plan(self.edition.id, [Plan(person.id, pack(picks), where)], NOW)

    def send(self, post=None, now=NOW, **settings):
        """One pass; what kept it from sending all."""
        chosen = make_settings(**settings) if settings else self.settings
        composer = Composer(TEMPLATES, from_identity(chosen))
        sending = make_delivery_worker(
            chosen, self.ledger, self.registry, composer, post, self.clock
        )
        return sending.send(now)

    @property
    def balance(self) -> Balance:
        balance = self.ledger.editions.balance(self.edition)
        assert balance.is_balanced
        return balance


def names(count, domain="example.org"):
    return [f"reader{number:03}@{domain}" for number in range(count)]


@pytest.fixture
def crowd(ledger, registry):
    return Crowd(ledger, registry)


def deferred(text, code=450, status=""):
    return Outcome(OutcomeKind.DEFERRED, text, code, status=status)


# ---- at once ---------------------------------------------------------------------------------


def test_many_connections_share_a_list_and_nobody_is_mailed_twice(crowd, smtp_server):
    crowd.add(*names(40))
    assert crowd.send(transport=smtp_server.url(), send_connections="5") == ()
    assert Counter(each.rcpt_to[0] for each in smtp_server.received) == Counter(names(40))
    assert crowd.balance.accepted == 40
    assert 1 < smtp_server.connections <= 5


def test_no_more_connections_than_mails(crowd, smtp_server):
    crowd.add(*names(2))
    crowd.send(transport=smtp_server.url(), send_connections="20")
    assert smtp_server.connections <= 2


def test_connections_do_not_wait_for_each_other(crowd):
    """Four mails can only go out if all four are on the wire together."""
    crowd.add(*names(4))
    together = Barrier(4, timeout=20)

    def wait(_):
        together.wait()
        return Outcome(OutcomeKind.ACCEPTED, "OK", 250)

    crowd.send(Post(crowd.clock, wait), send_connections="4")
    assert crowd.balance.accepted == 4


def test_a_relay_that_is_down_is_one_line_whatever_the_connections(crowd):
    crowd.add(*names(9))
    with nobody_listens() as port:
        [trouble] = crowd.send(transport=f"smtp://{HOST}:{port}", send_connections="6")
    assert f"smtp://{HOST}:{port}" in trouble
    assert crowd.balance.pending == 9


def test_told_to_stop_it_ends_after_the_mail_in_hand(crowd):
    crowd.add(*names(5))
    composer = Composer(TEMPLATES, from_identity(crowd.settings))
    post = Post(crowd.clock)
    sending = make_delivery_worker(crowd.settings, crowd.ledger, crowd.registry, composer, post)
    post._says = lambda _: sending.stopping.set() or Outcome(OutcomeKind.ACCEPTED, "OK", 250)
    sending.send(NOW)
    assert (crowd.balance.accepted, crowd.balance.pending) == (1, 4)


@pytest.mark.parametrize("connections", ["1", "3"])
def test_a_list_is_longer_than_a_block(crowd, smtp_server, monkeypatch, connections):
    monkeypatch.setattr(feed, "BLOCK", 4)
    crowd.add(*names(23))
    assert crowd.send(transport=smtp_server.url(), send_connections=connections) == ()
    assert Counter(mail.rcpt_to[0] for mail in smtp_server.received) == Counter(names(23))


def test_who_moves_while_their_mail_waits_gets_it_at_the_new_address(crowd):
    crowd.add(*names(3))
    post = Post(crowd.clock)

    def move_the_last(_):
        if len(post.sent) == 1:
            person = crowd.registry.file_of(names(3)[2]).subscriber
            asked = crowd.registry.address_changes.ask(person, "new@example.org", NOW)
            crowd.registry.address_changes.complete(asked.public_id, source="test", now=NOW)
        return Outcome(OutcomeKind.ACCEPTED, "OK", 250)

    post._says = move_the_last
    crowd.send(post)
    assert post.sent == [*names(2), "new@example.org"]


def test_who_leaves_while_their_mail_waits_gets_nothing(crowd):
    crowd.add(*names(3))
    post = Post(crowd.clock)

    def leave(_):
        person = crowd.registry.file_of(names(3)[2]).subscriber
        crowd.registry.withdraw(person.public_id, source="test", now=NOW)
        return Outcome(OutcomeKind.ACCEPTED, "OK", 250)

    post._says = leave
    crowd.send(post)
    assert post.sent == names(2)
    assert (crowd.balance.accepted, crowd.balance.skipped) == (2, 1)


# ---- pace ------------------------------------------------------------------------------------


def test_a_rate_is_kept(crowd):
    crowd.add(*names(5))
    post = Post(crowd.clock)
    crowd.send(post, rate="30")
    assert post.moments == [0, 2, 4, 6, 8]


def test_a_rate_of_each_connection_is_kept(crowd):
    crowd.add(*names(4))
    post = Post(crowd.clock)
    crowd.send(post, rate_per_connection="20")
    assert post.moments == [0, 3, 6, 9]


def test_a_rate_of_each_provider_lets_others_go_between(crowd):
    crowd.add(*names(3, "gmail.com"), provider="gmail.com")
    crowd.add(*names(2, "googlemail.com"), provider="gmail.com")
    crowd.add(*names(2, "gmx.net"), provider="gmx.net")
    post = Post(crowd.clock)
    crowd.send(post, rate_per_domain="6")
    to_google = [at for at, to in zip(post.moments, post.sent, strict=True) if "mail.com" in to]
    to_gmx = [at for at, to in zip(post.moments, post.sent, strict=True) if "gmx" in to]
    assert (to_google, to_gmx) == ([0, 10, 20, 30, 40], [0, 10])


def test_who_asks_to_slow_down_is_heeded_and_nobody_else_waits(crowd):
    crowd.add(*names(20, "busy.test"))
    crowd.add(*names(5, "quick.test"))
    first = iter([deferred("4.7.28 too many", 421, "4.7.28")])
    taken = Outcome(OutcomeKind.ACCEPTED, "OK", 250)
    post = Post(crowd.clock, lambda _: next(first, taken))
    crowd.send(post)
    at = dict(zip(post.sent, post.moments, strict=True))
    assert {at[name] for name in names(5, "quick.test")} == {0}
    busy = [at[name] for name in names(20, "busy.test")]
    intervals = [round(b - a, 2) for a, b in pairwise(busy)]
    assert intervals[0] == 1
    assert intervals == sorted(intervals, reverse=True)  # slowly up again
    assert intervals[-1] < 0.5
    assert crowd.balance.deferred == 1


def test_outside_the_hours_nothing_goes_and_nothing_is_lost(crowd):
    crowd.add(*names(2))
    post = Post(crowd.clock)
    window = {"send_window": "09:00-17:00", "timezone": "Europe/Oslo"}
    assert crowd.send(post, NOW - timedelta(hours=1), **window) == ()  # 8 o'clock there
    assert post.sent == []
    crowd.send(post, NOW, **window)
    assert post.sent == names(2)


def test_a_pass_ends_with_the_hours(crowd):
    crowd.add(*names(10))
    post = Post(crowd.clock)
    crowd.send(post, NOW, send_window="06:00-08:05", rate="1")
    assert post.moments == [0, 60, 120, 180, 240]
    assert crowd.balance.pending == 5


def test_a_warm_up_has_its_most_each_day(crowd):
    crowd.add(*names(8))
    post = Post(crowd.clock)
    warm_up = {"warm_up_since": TODAY.isoformat(), "warm_up_first": "2"}
    for hours, sent in ((0, 2), (1, 2), (24, 2 + 3), (25, 2 + 3)):
        assert crowd.send(post, NOW + timedelta(hours=hours), **warm_up) == ()
        assert len(post.sent) == sent


# ---- pauses and giving up --------------------------------------------------------------------


def refused(text, status):
    return Outcome(OutcomeKind.REFUSED, text, 550, status)


def test_a_provider_that_will_not_have_our_mail_is_paused_and_the_others_go_on(crowd):
    crowd.add(*names(5, "strict.test"))
    crowd.add(*names(3, "kind.test"))
    no = refused("5.7.1 your IP address is blocked", "5.7.1")
    taken = Outcome(OutcomeKind.ACCEPTED, "OK", 250)
    post = Post(crowd.clock, lambda m: no if m.envelope.rcpt_to.endswith("strict.test") else taken)
    [trouble] = crowd.send(post)
    assert post.sent == [*names(3, "strict.test"), *names(3, "kind.test")]
    assert "strict.test is paused" in trouble
    assert "5.7.1 your IP address is blocked" in trouble
    assert "2 waiting" in trouble
    assert (crowd.balance.deferred, crowd.balance.pending, crowd.balance.accepted) == (3, 2, 3)
    assert crowd.send(post)[0] == trouble
    crowd.ledger.provider_queues.resume("strict.test", NOW)
    post._says = lambda _: taken
    crowd.send(post)
    assert crowd.balance.accepted == 5
    assert crowd.send(post, NOW + timedelta(hours=1)) == ()
    assert crowd.balance.accepted == 8


def test_while_everything_is_paused_nobody_is_even_connected_to(crowd):
    crowd.add(*names(3))
    crowd.ledger.provider_queues.pause(ALL, "6 of 100 bounced", NOW)
    with nobody_listens() as port:
        [trouble] = crowd.send(transport=f"smtp://{HOST}:{port}")
    assert trouble.startswith("sending is paused: 6 of 100 bounced; 3 waiting")


def test_a_relay_that_refuses_everybody_does_not_burn_through_the_list(crowd):
    for number in range(60):
        crowd.add(f"reader@domain{number}.test")
    post = Post(crowd.clock, lambda _: refused("5.7.1 relaying denied", "5.7.1"))
    troubles = crowd.send(post)
    why = f"the last {MOST_REFUSED} messages were refused: 550 5.7.1 relaying denied"
    assert any(line.startswith(f"sending is paused: {why}") for line in troubles)
    assert len(post.sent) == MOST_REFUSED
    assert crowd.balance.pending == 60 - MOST_REFUSED


def test_so_many_dead_addresses_pause_everything(crowd):
    crowd.add(*names(30))
    number = iter(range(100))
    taken = Outcome(OutcomeKind.ACCEPTED, "OK", 250)
    dead = refused("5.1.1 nobody", "5.1.1")
    post = Post(crowd.clock, lambda _: dead if next(number) % 5 == 4 else taken)
    [trouble] = crowd.send(post)
    assert trouble.startswith("sending is paused: 3 addresses were dead")
    assert crowd.balance.refused == 3
    assert crowd.balance.pending == 15


def test_greylisting_is_waited_out_and_uses_nobody_up(crowd, smtp_server):
    crowd.add(*names(6))
    for _ in range(6):
        smtp_server.will_say(Point.RCPT, "450 4.2.0 Greylisted, come back later")
    settings = {"transport": smtp_server.url()}
    assert crowd.send(**settings) == ()
    assert crowd.balance.deferred == 6
    crowd.send(now=NOW + timedelta(minutes=11), **settings)
    assert crowd.balance.accepted == 6
