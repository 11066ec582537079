"""Decide who gets a first digest at once: whoever confirms gets the latest edition. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from digest.model.deliveries import Had
from digest.model.timetable import Frozen
from subscribers.due_times import last_due
from subscribers.model import MailSchedule

LATEST = timedelta(days=7)  # how old the latest edition may be


def latest_edition(made: Sequence[Frozen], moment: datetime) -> Frozen | None:
    """Return which of the editions, oldest first, was the latest then; None if it was too old."""
    number = bisect_right([edition.at for edition in made], moment) - 1
    if number < 0 or moment - made[number].at > LATEST:
        return None
    return made[number]


def first_due(
    confirmed: Mapping[int, datetime], made: Sequence[Frozen], had: Iterable[Had]
) -> dict[Frozen, set[int]]:
    """Return who is due for the edition that was the latest when they confirmed, by edition.

    ``made`` are the editions with papers, ``had`` is what the people have had. Whoever has had
    this edition or a newer one, or anything since they confirmed, has had a first digest.
    """
    of_person = defaultdict(list)
    for delivery in had:
        of_person[delivery.person].append(delivery)
    due: dict[Frozen, set[int]] = {}
    for person, moment in confirmed.items():
        edition = latest_edition(made, moment)
        if edition and not any(
            delivery.day >= edition.day or delivery.planned_at >= moment
            for delivery in of_person[person]
        ):
            due.setdefault(edition, set()).add(person)
    return due


def who_is_new(
    confirmed: Mapping[int, datetime], made: Sequence[Frozen], had: Iterable[Had], edition: Frozen
) -> set[int]:
    """Return the ids of those who confirmed while an edition was the latest, and had none since.

    This computes the same as ``first_due``, in another way on purpose (see ``due.who_is_due``): it
    begins with everybody who confirmed after the edition, and takes people away.
    """
    new = {person for person, moment in confirmed.items() if moment >= edition.at}
    for later in made:
        if later.at > edition.at:
            new -= {person for person in new if confirmed[person] >= later.at}
    new -= {person for person in new if confirmed[person] > edition.at + LATEST}
    for delivery in had:
        is_new = delivery.person in new and delivery.planned_at < confirmed[delivery.person]
        if not is_new or delivery.day >= edition.day:
            new.discard(delivery.person)
    return new


def without_late_ones(
    schedules: Iterable[MailSchedule], confirmed: Mapping[int, datetime], now: datetime
) -> list[MailSchedule]:
    """Leave out the people who confirmed after their latest due time: they wait for the next."""
    found = []
    for schedule in schedules:
        moment = last_due(schedule.preferences, now)
        people = {
            number: came
            for number, came in schedule.people.items()
            if confirmed.get(number, moment) <= moment
        }
        found.append(replace(schedule, people=people))
    return found
