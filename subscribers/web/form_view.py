"""The form for preferences, ready for its template (pages/partials/preferences-form.html.j2)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from subscribers.preferences import DAY_NAMES, MOST_PAPERS, WEEKDAYS, Strictness
from subscribers.preferences_form import CHOSEN_DAYS, PreferencesForm

_CADENCES = (
    ("daily", "Every day"),
    ("weekdays", "Monday to Friday"),
    ("weekly", "Once a week, on Monday"),
    (CHOSEN_DAYS, "On days I choose"),
)
_STRICTNESS = (
    ("", "Default"),
    (Strictness.STRICT, "Strict: only close matches"),
    (Strictness.NORMAL, "Normal"),
    (Strictness.BROAD, "Broad: loose matches as well"),
)
# Where people live; the rest of the zone database is for machines and for history.
_REGIONS = frozenset(
    "Africa America Antarctica Arctic Asia Atlantic Australia Europe Indian Pacific".split()
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several things to choose from; ``id`` is that of its field on the page."""

    id: str
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class FormView:
    """The form as somebody filled it in, with the choices of each field."""

    typed: PreferencesForm
    suggestions: list[Choice]
    cadences: list[Choice]
    days: list[Choice]
    zones: dict[str, list[Choice]]
    most_papers: list[Choice]
    least_papers: list[Choice]
    strictness: list[Choice]


def form_view(form: PreferencesForm, suggestions: Sequence[str]) -> FormView:
    """Return the view of a form. A suggestion that is typed already is left out."""
    typed = {line.strip().casefold() for line in form.topics.splitlines()}
    offered = dict.fromkeys([*sorted(form.suggested), *suggestions])
    return FormView(
        typed=form,
        suggestions=[
            Choice(f"suggested-{number}", text, text, text in form.suggested)
            for number, text in enumerate(offered)
            if text.casefold() not in typed
        ],
        cadences=[
            Choice(f"cadence-{value}", value, label, value == form.cadence)
            for value, label in _CADENCES
        ],
        days=[
            Choice(f"day-{day}", day, label, day in form.days)
            for day, label in zip(WEEKDAYS, DAY_NAMES, strict=True)
        ],
        zones=_zones(form.timezone),
        most_papers=_numbers(form.max_papers, "{}", "{}"),
        least_papers=_numbers(form.min_papers, "nothing matches", "fewer than {} papers match"),
        strictness=[
            Choice("", value, label, value == form.strictness) for value, label in _STRICTNESS
        ],
    )


def _numbers(chosen: str, one: str, several: str) -> list[Choice]:
    """Return the numbers of papers to choose from; ``one`` is the label of the first."""
    return [
        Choice(
            "", str(number), (one if number == 1 else several).format(number), str(number) == chosen
        )
        for number in range(1, MOST_PAPERS + 1)
    ]


def _zones(chosen: str) -> dict[str, list[Choice]]:
    zones: dict[str, list[Choice]] = defaultdict(list)
    for name in sorted({"UTC", *_inhabited(), *filter(None, [chosen])}):
        region, _, place = name.partition("/")
        label = place.replace("_", " ") or name
        zones[region if place else "Other"].append(Choice("", name, label, name == chosen))
    return dict(sorted(zones.items()))


@cache
def _inhabited() -> frozenset[str]:
    return frozenset(name for name in available_timezones() if name.partition("/")[0] in _REGIONS)
