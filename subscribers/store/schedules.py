"""Whose day begins when: everybody's clock, without anything else about them.

It is asked each minute, so it reads no whole records; and people with the same clock are together,
so that it is looked at once.
"""

from datetime import datetime

from sqlalchemy import Engine, select

from subscribers.model import Consent, MailSchedule
from subscribers.preferences import Preferences
from subscribers.store.tables import subscribers

_CLOCK = ("timezone", "at", "cadence")  # of the preferences


class MailSchedules:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[MailSchedule]:
        """Of everybody who has confirmed."""
        record = subscribers.c.preferences
        query = select(
            subscribers.c.id,
            subscribers.c.since,
            *(record[name].as_string().label(name) for name in _CLOCK),
        ).where(subscribers.c.consent == Consent.CONFIRMED)
        found: dict[tuple[str | None, ...], dict[int, datetime]] = {}
        with self._engine.connect() as connection:
            for number, since, *said in connection.execute(query):
                found.setdefault(tuple(said), {})[number] = since
        return [MailSchedule(_wishes(said), people) for said, people in found.items()]


def _wishes(said: tuple[str | None, ...]) -> Preferences:
    record = {name: text for name, text in zip(_CLOCK, said, strict=True) if text is not None}
    return Preferences.from_stored(record)
