"""Planning that is killed at some of its statements: the next run plans the rest, and counts all."""

from collections import Counter
from dataclasses import replace

from digest.model.announcements import Draft
from tests.integration.kill.world import S


def test_planning_that_is_killed_is_continued(make_world):
    world = make_world(people=12, send_window="00:00-00:01")  # plans, and sends nothing
    left: Counter[int] = Counter()
    for statement in (30, 60, 75, 90, 105, 120):  # of some 150
        world.next_day()
        killed = world.start(dies_at=str(statement))
        assert killed.ends_within(60)
        planned = of_the_day(world)
        balance = world.ledger.editions.balance(world.edition)
        assert balance.is_balanced == (not balance.is_being_planned)
        assert len(planned) in (0, 12) or balance.is_being_planned
        left[len(planned)] += 1
        assert world.run().said == "done"
        assert sorted(of_the_day(world)) == sorted(world.people)
        balance = world.ledger.editions.balance(world.edition)
        assert (balance.due, balance.pending, balance.is_balanced) == (12, 12, True)
        assert world.ledger.health.unbalanced([world.edition.day]) == []
    assert sum(left[planned] for planned in (4, 8)) >= 2, "between two ranges"


def of_the_day(world) -> list[int]:
    """The ids of those who have a delivery of the day's edition."""
    return [
        row.subscriber_id
        for row in world.rows()
        if row.edition_id == world.edition.id and row.state == S.PENDING
    ]


def test_an_announcement_is_planned_and_sent_once_whatever_is_killed(make_world):
    world = make_world(people=12)
    draft = Draft("We move", "On Sunday.")
    for statement in (70, 120, 170):  # with the digest of the day
        world.next_day()
        announcement = world.ledger.announcements.create(
            replace(draft, text=str(statement)), world.now
        )
        killed = world.start(dies_at=str(statement))
        assert killed.ends_within(60)
        balance = world.ledger.announcements.balance(announcement)
        assert balance.is_balanced == (not balance.is_being_planned)
        world.finish()
        its = [row for row in world.rows() if row.edition_id == announcement.id]
        assert sorted(row.subscriber_id for row in its) == sorted(world.people)
        balance = world.ledger.announcements.balance(announcement)
        assert balance.is_balanced
        assert balance.accepted + balance.uncertain == balance.due == 12
