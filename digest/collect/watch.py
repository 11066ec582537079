"""Watch the sources: find those whose list of the day is missing, or has too few papers."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from digest.collect import arxiv_schedule
from digest.collect.volume import Listed, doubt, weeks_before
from digest.ledger.ledger import Ledger
from digest.model.papers import Doubt
from digest.settings.settings import Settings


def find_doubts(ledger: Ledger, settings: Settings) -> list[Doubt]:
    """Return what is doubtful about the last successful collection of each source."""
    return [
        Doubt(name, "; ".join(found))
        for name in settings.source_names
        if (found := list(_doubts_about(ledger, settings, name)))
    ]


def _doubts_about(ledger: Ledger, settings: Settings, name: str) -> Iterator[str]:
    collected = ledger.history.last_success(name)
    if collected is None:
        return
    by_schedule = name == arxiv_schedule.NAME
    day = _day_to_judge(collected.at, by_schedule=by_schedule)
    first, last = ledger.papers.listing_span(name, since=weeks_before(day)[-1])
    if first is None or last is None:
        return
    weeks = [
        week
        for week in weeks_before(day)
        if week >= first and (not by_schedule or arxiv_schedule.has_list(week))
    ]

    def listed(category: str = "") -> Listed:
        counts = ledger.papers.listing_counts(name, [day, last, *weeks], category)
        return Listed(
            day,
            counts.get(day, 0),
            before=tuple(counts.get(week, 0) for week in weeks),
            latest=last,
            latest_count=counts.get(last, 0),
            has_answered=collected.sightings > 0,
        )

    if of_all := doubt(listed(), is_due=by_schedule):
        yield of_all
    elif by_schedule:
        for category in settings.arxiv_categories.split("+"):
            if of_one := doubt(listed(category), is_due=False, what=f"papers in {category}"):
                yield of_one


def _day_to_judge(collected_at: datetime, *, by_schedule: bool) -> date:
    """Return the latest day whose list had to be whole when it was collected.

    The others add to their list all day long, so that it is the day before.
    """
    if by_schedule:
        return arxiv_schedule.latest_list(collected_at)
    return collected_at.astimezone(UTC).date() - timedelta(days=1)
