"""What connections ask of the ledger together: one transaction, and everybody gets their answer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from digest.deliver.group_commit import GroupCommit
from digest.ledger.claims import Answers, Group, Mark, Record
from digest.ledger.leases import Lease, Leased
from digest.ledger.provider_queues import Exceptions, Limits, Turn
from digest.model.deliveries import Delivery
from digest.model.messages import Outcome, OutcomeKind
from tests.support import NOW

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "OK", 250)


def delivery(number: int) -> Delivery:
    return Delivery(number, 1, number, 0)


class Ledger:
    """Stands in for a worker's claims; a mark stands if the delivery's number is even."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.fails = False

    def commit(self, group: Group, _: object) -> Answers:
        if self.fails:
            raise ZeroDivisionError
        self.groups.append(group)
        return Answers(
            [Turn.NOW for _ in group.turns],
            [mark.delivery.id % 2 == 0 for mark in group.marks],
            [Leased((delivery(lease.most),)) for lease in group.leases],
            Exceptions(),
        )


def run(ledger: Ledger, connections: int, work: Callable[[GroupCommit], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        commit = GroupCommit(ledger, lambda _: Limits(), lambda: NOW, connections)  # type: ignore[arg-type]
        commit.hear = lambda _: None
        running = asyncio.create_task(commit.run())
        try:
            return await work(commit)
        finally:
            commit.close()
            with suppress(ZeroDivisionError):
                await running

    return asyncio.run(main())


def test_what_many_ask_for_at_once_is_one_transaction():
    ledger = Ledger()

    async def ask(commit: GroupCommit) -> list[bool]:
        marks = [commit.mark(Mark(delivery(number), "")) for number in range(8)]
        return await asyncio.gather(*marks)

    assert run(ledger, 8, ask) == [True, False] * 4
    assert len(ledger.groups[0].marks) == 8


def test_each_kind_of_answer_comes_to_whom_it_belongs():
    async def ask(commit: GroupCommit) -> list[object]:
        return await asyncio.gather(
            commit.lease(Lease(7)),
            commit.mark(Mark(delivery(3), "")),
            commit.turn("gmail.com"),
            commit.record(Record(delivery(1), ACCEPTED)),
            commit.mark(Mark(delivery(4), "")),
        )

    answers = run(Ledger(), 8, ask)
    assert answers == [Leased((delivery(7),)), False, Turn.NOW, None, True]


def test_what_is_to_follow_an_outcome_comes_after_its_transaction():
    ledger, order = Ledger(), []

    async def ask(commit: GroupCommit) -> None:
        then = lambda: order.append(len(ledger.groups))  # noqa: E731
        await commit.record(Record(delivery(1), ACCEPTED), then)
        order.append("answered")

    run(ledger, 1, ask)
    assert order == [1, "answered"]


def test_an_outcome_that_nobody_waits_for_is_recorded_before_the_end():
    ledger = Ledger()

    async def ask(commit: GroupCommit) -> None:
        commit.record(Record(delivery(1), ACCEPTED))

    run(ledger, 8, ask)
    assert [record.delivery.id for group in ledger.groups for record in group.records] == [1]


def test_a_transaction_that_fails_fails_for_all_and_so_does_what_is_asked_afterwards():
    ledger = Ledger()
    ledger.fails = True

    async def ask(commit: GroupCommit) -> list[BaseException]:
        first = asyncio.gather(
            commit.mark(Mark(delivery(1), "")), commit.turn("x"), return_exceptions=True
        )
        return [*await first, *await asyncio.gather(commit.lease(Lease(1)), return_exceptions=True)]

    failures = run(ledger, 2, ask)
    assert [type(failure) for failure in failures] == [ZeroDivisionError] * 3


def test_a_connection_that_is_gone_keeps_nobody_from_their_answers():
    async def ask(commit: GroupCommit) -> bool:
        gone = commit.mark(Mark(delivery(2), ""))
        kept = commit.mark(Mark(delivery(4), ""))
        gone.cancel()
        return await kept

    assert run(Ledger(), 2, ask) is True


@pytest.mark.parametrize("connections", [1, 4])
def test_one_after_the_other_each_is_answered(connections):
    async def ask(commit: GroupCommit) -> list[bool]:
        return [await commit.mark(Mark(delivery(number), "")) for number in range(6)]

    assert run(Ledger(), connections, ask) == [True, False] * 3
