"""Judge whether a source listed as many papers as it usually does on such a weekday. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

WEEKS = 8  # that show what is usual
ENOUGH = 3  # of them
LEAST_USUAL = 5  # papers: where fewer are usual, none at all is no sign of anything

_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Listed:
    """The numbers of papers that a source listed on a day and on that weekday in the weeks before.

    ``latest`` is the last day on which it listed any, and ``latest_count`` how many.
    ``has_answered`` is whether there was anything in its last answers, new or not.
    """

    day: date
    count: int
    before: tuple[int, ...]
    latest: date
    latest_count: int
    has_answered: bool


def weeks_before(day: date) -> list[date]:
    """Return the same weekday in the weeks before, the latest first."""
    return [day - number * _WEEK for number in range(1, WEEKS + 1)]


def is_poor(count: int, before: Sequence[int]) -> bool:
    """Return whether a count is far below those of the weeks before, more than they vary.

    It is if it is less than half of the median, and twice as far below it as any of them was, days
    without papers aside. On 422 recorded days of Hugging Face this is so of six: of five on which
    nothing was recorded, and of one with two papers. Half of the median alone is so of fifty.
    """
    if len(before) < ENOUGH:
        return False
    usual = median(before)
    if usual < LEAST_USUAL:
        return False
    lowest = min(filter(None, before))
    return count == 0 or (count < usual / 2 and usual - count > 2 * (usual - lowest))


def doubt(listed: Listed, *, is_due: bool, what: str = "papers") -> str:
    """Say why the list of a day looks incomplete; empty if it does not.

    With ``is_due`` there is one by the source's own schedule, so that it can be missed in the first
    weeks, too. ``what`` names the papers, of a category, say.
    """
    expected = median(listed.before) if len(listed.before) >= ENOUGH else listed.latest_count
    is_expected = is_due and expected >= LEAST_USUAL
    is_missing = is_expected and listed.count == 0 and listed.has_answered
    if not is_missing and not is_poor(listed.count, listed.before):
        return ""
    if listed.count == 0 and listed.has_answered and listed.latest < listed.day:
        return f"the list of {listed.day} is not there; it still gives that of {listed.latest}"
    usual = f"; usual are {median(listed.before):.0f}" if listed.before else ""
    return f"{listed.count or 'no'} {what} on {listed.day:%A}, {listed.day}{usual}"
