"""Some weeks in which votes come at any time and deliveries end in any way: nothing comes twice."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select, update

from digest.ledger.delivery_rows import REACHED_FROM
from digest.ledger.tables import deliveries
from digest.model.deliveries import DeliveryState
from digest.model.packed_picks import unpack
from tests.integration.birds import FRIDAY
from tests.integration.plan.test_rising import PAPERS, Voters, title_of

DAY = timedelta(days=1)
DAYS = 24
READERS = {
    "daily": {},
    "topical": {"min_papers": 1},
    "weekly": {"cadence": "weekly"},
    "monthly": {"cadence": "monthly"},
    "chosen": {"cadence": "tue+wed+sat"},
    "few": {"max_papers": 2},
    "paused": {"paused_until": "2026-02-25"},
}
# How a delivery may end that its reader may have got, and how one that they surely have not.
GOT = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN, DeliveryState.DEFERRED)
NOT_GOT = (DeliveryState.REFUSED, DeliveryState.SKIPPED, DeliveryState.SUPPRESSED)


@pytest.mark.parametrize("seed", [1, 2])
def test_nobody_is_shown_a_paper_twice_and_no_email_is_longer_than_wanted(
    ledger, registry, tmp_path, seed
):
    assert {*GOT, *NOT_GOT} <= REACHED_FROM.keys()
    chance = Random(seed)
    house = Voters(ledger, registry, tmp_path)
    for name, wishes in READERS.items():
        house.add(name, *(["ducks"] if name == "topical" else []), **wishes)
    for n in range(DAYS):
        now = FRIDAY + n * DAY
        house.source.rests = chance.random() < 0.2
        for _ in range(6):
            day = (now - chance.randrange(16) * DAY).date()
            title = title_of(day, chance.randrange(PAPERS))
            house.source.votes[title] = house.source.votes.get(title, 20) + chance.randrange(300)
        house.pipeline.tick(now, everybody=True)
        with ledger.engine.begin() as connection:
            planned = connection.execute(
                select(deliveries.c.id).where(deliveries.c.state == DeliveryState.ACCEPTED)
            ).scalars()
            for delivery_id in [*planned][-len(READERS) :]:
                state = chance.choice(GOT if chance.random() < 0.7 else NOT_GOT)
                connection.execute(
                    update(deliveries)
                    .where(deliveries.c.id == delivery_id)
                    .values(state=state, next_attempt_at=now + 99 * DAY)
                )
    with ledger.engine.connect() as connection:
        every = connection.execute(select(deliveries).where(deliveries.c.picks.is_not(None))).all()
    got = [row for row in every if row.state in GOT]
    shown = Counter((row.subscriber_id, its.paper_id) for row in got for its in unpack(row.picks))
    assert max(shown.values()) == 1
    lengths = {row.id: len(unpack(row.picks)) for row in every}
    assert max(lengths.values()) <= house.settings.max_for_you + house.settings.max_trending
    few = registry.file_of("few@example.org").subscriber.id
    assert max(lengths[row.id] for row in got if row.subscriber_id == few) <= 2
    assert any(its.section == "rising" for row in got for its in unpack(row.picks))
