"""The form for preferences, ready for its template (pages/partials/preferences-form.html.j2)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from subscribers.preferences import CADENCES, MOST_PAPERS, WEEKDAYS, Strictness
from subscribers.preferences_form import CHOSEN_DAYS, PreferencesForm
from subscribers.topics import split_topics

_NUMBERS = [str(number) for number in range(1, MOST_PAPERS + 1)]
# Where people live; the rest of the zone database is for machines and for history.
_REGIONS = frozenset(
    "Africa America Antarctica Arctic Asia Atlantic Australia Europe Indian Pacific".split()
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several things to choose from; ``id`` is that of its field on the page.

    ``label`` is what it says by itself. The template words all other choices.
    """

    id: str
    value: str
    chosen: bool
    label: str = ""


@dataclass(frozen=True, slots=True)
class FormView:
    """The form as somebody filled it in, with the choices of each field.

    ``topics`` are those that are ticked, then those that are suggested. A choice of papers or of
    strictness that is empty is the operator's own.
    """

    typed: PreferencesForm
    topics: list[Choice]
    exclusions: list[Choice]
    cadences: list[Choice]
    days: list[Choice]
    zones: dict[str, list[Choice]]
    most_papers: list[Choice]
    least_papers: list[Choice]
    strictness: list[Choice]
    languages: list[Choice]
    papers: str = ""


def form_view(
    form: PreferencesForm,
    suggestions: Sequence[str],
    languages: Mapping[str, str],
    language: str,
    papers: str = "",
) -> FormView:
    """Return the view of a form. A suggestion that is typed or ticked already is left out.

    ``languages`` are the names of those to choose from, by tag; ``language`` is the tag of the one
    that the form has now, if not word for word. ``papers`` is what was typed as papers to start
    from.
    """
    known = {topic.strip().casefold() for topic in [*form.topic, *split_topics(form.topics)]}
    offered = [text for text in dict.fromkeys(suggestions) if text.casefold() not in known]
    return FormView(
        papers=papers,
        typed=form,
        topics=_boxes("topic", form.topic, offered),
        exclusions=_boxes("exclusion", form.exclusion, ()),
        cadences=_choices("cadence", [*CADENCES, CHOSEN_DAYS], form.cadence),
        days=[Choice(f"day-{day}", day, day in form.days) for day in WEEKDAYS],
        zones=_zones(form.timezone),
        most_papers=_choices("most", _NUMBERS, form.max_papers),
        least_papers=_choices("least", _NUMBERS, form.min_papers),
        strictness=_choices("strictness", ["", *Strictness], form.strictness),
        languages=[
            Choice(
                f"locale-{code}",
                form.locale if code == language and form.locale else code,
                code == language,
                name,
            )
            for code, name in languages.items()
        ],
    )


def _boxes(name: str, ticked: Sequence[str], offered: Sequence[str]) -> list[Choice]:
    return [
        Choice(f"{name}-{number}", text, number < len(ticked), text)
        for number, text in enumerate([*ticked, *offered])
    ]


def _choices(name: str, values: Sequence[str], chosen: str) -> list[Choice]:
    return [Choice(f"{name}-{value}", value, value == chosen) for value in values]


def _zones(chosen: str) -> dict[str, list[Choice]]:
    zones: dict[str, list[Choice]] = defaultdict(list)
    for name in sorted({"UTC", *_inhabited(), *filter(None, [chosen])}):
        region, _, place = name.partition("/")
        label = place.replace("_", " ") or name
        zones[region if place else ""].append(Choice("", name, name == chosen, label))
    return dict(sorted(zones.items()))


@cache
def _inhabited() -> frozenset[str]:
    return frozenset(name for name in available_timezones() if name.partition("/")[0] in _REGIONS)
