"""A transaction with any server at all: what may be claimed of a message, and of its connection."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.transport.replies import Reply
from digest.deliver.transport.smtp_transaction import (
    FINAL_DOT,
    After,
    Await,
    Ended,
    HandOver,
    Put,
    Timeouts,
    Transaction,
)
from digest.model.messages import Envelope, Message, OutcomeKind

CODES = [200, 221, 250, 251, 354, 355, 421, 450, 452, 500, 550, 552, 554]
MESSAGE = Message(
    Envelope("bounces@example.org", "ada@example.org"),
    "<1@example.org>",
    b"Subject: x\r\n\r\n.\r\n",
)
EXTENSIONS = st.sets(st.sampled_from(["pipelining", "smtputf8", "8bitmime"]))
# What happens at each step: a reply of this code where one is awaited, or the connection breaks.
EVENTS = st.lists(st.none() | st.sampled_from(CODES), max_size=12)


@dataclass
class Server:
    """Plays back events, and notes what was said to it."""

    events: list[int | None]
    is_willing: bool = True
    heard: list[bytes] = field(default_factory=list)
    said: list[int] = field(default_factory=list)
    was_asked: bool = False
    is_broken: bool = False

    def perform(self, transaction: Transaction) -> Ended:
        steps = transaction.steps()
        step = next(steps, None)
        try:
            while True:
                step = (
                    steps.throw(OSError("broken")) if self._breaks(step) else self._do(steps, step)
                )
        except StopIteration as stop:
            return stop.value

    def _breaks(self, step: Put | Await | None) -> bool:
        self.is_broken = self.is_broken or (bool(self.events) and self.events[0] is None)
        return self.is_broken

    def _do(self, steps, step):
        if isinstance(step, HandOver):
            self.was_asked = True
            return steps.send(self.is_willing)
        if isinstance(step, Put):
            self.heard.append(step.octets)
            return steps.send(None)
        code = self.events.pop(0) if self.events else 250
        self.said.append(code)
        return steps.send(Reply(code, b"words"))


@given(EVENTS, EXTENSIONS)
def test_only_an_answer_to_the_dot_is_an_acceptance(events, extensions):
    server = Server(events)
    ended = server.perform(Transaction(MESSAGE, Timeouts(), extensions))
    has_handed_over = FINAL_DOT in server.heard and server.heard[-1] == FINAL_DOT
    if ended.outcome.kind is OutcomeKind.ACCEPTED:
        assert server.was_asked
        assert has_handed_over
        assert server.said[-1] // 100 == 2
    if ended.outcome.kind is OutcomeKind.UNCERTAIN:
        assert has_handed_over
        assert server.is_broken or server.said[-1] // 100 == 3


@given(EVENTS, EXTENSIONS)
def test_a_message_may_go_over_another_connection_only_if_nothing_of_it_was_taken(
    events, extensions
):
    server = Server(events)
    ended = server.perform(Transaction(MESSAGE, Timeouts(), extensions))
    if ended.connection_was_over:
        assert ended.outcome.kind is OutcomeKind.DEFERRED or server.said[-1] != 354
        assert not any(b"Subject" in octets for octets in server.heard)


@given(EVENTS, EXTENSIONS)
def test_a_connection_that_broke_or_is_out_of_step_is_not_kept(events, extensions):
    server = Server(events)
    ended = server.perform(Transaction(MESSAGE, Timeouts(), extensions))
    if server.is_broken or 421 in server.said[-1:]:
        assert ended.after is not After.KEEP


@given(EVENTS, EXTENSIONS)
def test_a_message_is_handed_over_only_if_that_was_allowed(events, extensions):
    server = Server(events, is_willing=False)
    ended = server.perform(Transaction(MESSAGE, Timeouts(), extensions))
    assert (ended.outcome is None) == server.was_asked
    if server.was_asked:
        assert ended.after is After.CLOSE
        assert server.heard[-1] != FINAL_DOT


@given(st.binary(max_size=300), EXTENSIONS)
def test_the_content_ends_where_its_dot_is(content, extensions):
    server = Server([250, 250, 354, 250])
    message = Message(MESSAGE.envelope, MESSAGE.message_id, content)
    server.perform(Transaction(message, Timeouts(), extensions))
    at = max(place for place, octets in enumerate(server.heard) if octets.endswith(b"DATA\r\n"))
    sent = b"".join(server.heard[at + 1 :])
    assert sent.endswith(b"\r\n.\r\n")
    assert sent.count(b"\r\n.\r\n") == 1
    assert not sent.startswith(b".\r\n")
