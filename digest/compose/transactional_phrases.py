"""Ready phrases of messages about a subscription, or to the operator. Pure."""

from collections.abc import Sequence

from digest.compose.language import Language
from digest.model.deliveries import Balance
from digest.model.text import printable_line
from subscribers.preferences import WEEKDAYS, Preferences

LONGEST_WHY = 120  # in a subject


def how_often(preferences: Preferences, language: Language) -> str:
    """Say when mail comes, within a sentence: every day, on Monday and Thursday."""
    days = _days(preferences, language)
    if preferences.note_when_nothing:
        return language.gettext("%(how_often)s, also when there is nothing", how_often=days)
    return days


def _days(preferences: Preferences, language: Language) -> str:
    match preferences.cadence:
        case "daily":
            return language.gettext("every day")
        case "weekdays":
            return language.gettext("from Monday to Friday")
        case "weekly":
            return language.gettext("once a week, on Monday")
        case "monthly":
            return language.gettext("once a month, on the 1st")
        case _:
            chosen = [number for number, day in enumerate(WEEKDAYS) if day in preferences.days]
            days = language.listed([language.weekday(number) for number in chosen])
            return language.gettext("on %(days)s", days=days)


def alert_words(
    language: Language, troubles: Sequence[str], *, broken_off: bool, balance: Balance | None
) -> str:
    """Say in a line what matters first about trouble: how many digests did not go out, and why."""
    why = printable_line(next(iter(troubles), ""), LONGEST_WHY)
    if broken_off:
        return language.gettext("The run was broken off: %(why)s", why=why)
    accepted, wanted = (balance.accepted, balance.wanted) if balance else (0, 0)
    if accepted >= wanted:
        return language.gettext("Needs attention: %(why)s", why=why)
    if accepted == 0:
        return language.gettext("No digest went out today: %(why)s", why=why)
    return language.gettext(
        "%(accepted)s of %(wanted)s digests went out: %(why)s",
        accepted=language.number(accepted),
        wanted=language.number(wanted),
        why=why,
    )
