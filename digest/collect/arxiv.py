"""arXiv: the feed of the day; the API for days that were missed, and for look-ups by id.

Feeds: https://info.arxiv.org/help/rss.html, ``/rss/cs.AI+cs.CL`` and ``/atom/cs.AI+cs.CL``.
API: https://info.arxiv.org/help/api/user-manual.html, at most one request in three seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from digest.collect.answer_reader import Reading
from digest.collect.arxiv_reader import count_of, read_feed
from digest.collect.arxiv_schedule import EASTERN, NAME, missed, submitted
from digest.collect.http import Http, Throttle
from digest.collect.snapshots import Answer
from digest.errors import SourceError
from digest.model.identity import arxiv_id
from digest.model.papers import Harvest, Rejection
from digest.settings.settings import Settings

SLICE = 100  # ids in one look-up
MOST_LISTS = 7  # of missed days in one collection, so that it ends in time
PAGE = 200  # papers of a missed day in one answer
MOST_PAGES = 10

_MINUTE = timedelta(minutes=1)


class Arxiv:
    """The Source."""

    name = NAME
    lists_once = True

    def __init__(
        self, http: Http, *, feed_url: str, api_url: str, categories: str, throttle: Throttle
    ) -> None:
        self._http = http
        self._feed_url = f"{feed_url}/{categories}"
        self._api_url = f"{api_url}/api/query"
        self._query = " OR ".join(map(_term, categories.split("+")))
        self._throttle = throttle

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        """Yield the lists of earlier days, by the API, and then what the feed announces now.

        Each entry of the feed states its own day. At weekends and on holidays it has none.
        """
        yield from self._catch_up(missed(days, now), now)
        today = now.astimezone(EASTERN).date()
        if any(day >= today for day in days):
            answer = self._ask(self._feed_url)
            yield read_feed(answer.body, Reading(answer.url, now, fallback_day=now.date()))

    def _catch_up(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        """Yield the list of each day; after a failure the rest waits for the next collection."""
        left = list(days)
        why = f"no more than {MOST_LISTS} earlier days are asked for at once"
        try:
            for day in days[:MOST_LISTS]:
                yield self._list_of(day, now)
                left.remove(day)
        except SourceError as error:
            why = str(error)
        yield Harvest(rejected=tuple(Rejection.of_day(NAME, day, why) for day in left))

    def _list_of(self, day: date, now: datetime) -> Harvest:
        """Return all papers that were new on a day, without those that were cross-listed.

        The API does not know when a paper was announced, but when it was submitted; one that was
        held back for moderation is missing. Raises SourceError if the list is not complete.
        """
        first, last = submitted(day)
        span = f"[{first:%Y%m%d%H%M} TO {last - _MINUTE:%Y%m%d%H%M}]"  # both ends count
        asked = {
            "search_query": f"({self._query}) AND submittedDate:{span}",
            "sortBy": "submittedDate",
            "sortOrder": "ascending",
            "max_results": str(PAGE),
        }
        harvest = Harvest()
        for start in range(0, MOST_PAGES * PAGE, PAGE):
            answer = self._ask(self._api_url, {**asked, "start": str(start)})
            page = read_feed(answer.body, Reading(answer.url, now, day=day))
            harvest += page
            count = count_of(answer.body)
            if start + PAGE >= count:
                return harvest
            if page == Harvest():  # as it is at times while the API is busy
                raise SourceError(f"{answer.url}: no papers, though there are {count} in all")
        raise SourceError(f"{self._api_url}: more than {MOST_PAGES * PAGE} papers on {day}")

    def _ask(self, url: str, params: Mapping[str, str] | None = None) -> Answer:
        answer = self._http.get(url, params, throttle=self._throttle)
        if answer.status != 200:
            raise SourceError(f"{answer.url}: HTTP {answer.status}")
        return answer

    def look_up(self, ids: Sequence[str], now: datetime, day: date | None = None) -> Harvest:
        """Look up papers by id, with or without version; listed on ``day`` if one is given.

        If arXiv refuses a whole slice of ids for a bad one, the slice is asked for again without
        it, and the id is rejected with arXiv's words.
        """
        harvest = Harvest()
        for start in range(0, len(ids), SLICE):
            wanted = list(ids[start : start + SLICE])
            harvest += self._look_up_slice(wanted, now, day)
        found = {sighting.facts.arxiv_id for sighting in harvest.sightings}
        told = {rejection.where for rejection in harvest.rejected}
        missing = [id_ for id_ in ids if arxiv_id(id_) not in found and id_ not in told]
        reading = Reading(file=self._api_url, seen_at=now)
        why = "arXiv has no such paper"
        return harvest + Harvest(rejected=tuple(reading.reject(id_, why) for id_ in missing))

    def _look_up_slice(self, ids: list[str], now: datetime, day: date | None) -> Harvest:
        refused = Harvest()
        # Each time round takes one id away, so this ends.
        while ids:
            answer = self._http.get(
                self._api_url,
                {"id_list": ",".join(ids), "start": "0", "max_results": str(len(ids))},
                throttle=self._throttle,
            )
            reading = Reading(file=answer.url, seen_at=now, day=day)
            harvest = read_feed(answer.body, reading)
            if answer.status == 200:
                return harvest + refused
            words = harvest.rejected[0].why if harvest.rejected else f"HTTP {answer.status}"
            bad = next((id_ for id_ in ids if words.endswith(f" {id_}")), None)
            if bad is None:
                raise SourceError(f"{answer.url}: {words}")
            ids.remove(bad)
            refused += Harvest(rejected=(reading.reject(bad, words),))
        return refused


def source(settings: Settings, http: Http) -> Arxiv:
    """Return the source; this is its entry point."""
    return Arxiv(
        http,
        feed_url=f"{settings.arxiv_feed_url}/{settings.arxiv_feed}",
        api_url=settings.arxiv_api_url,
        categories=settings.arxiv_categories,
        throttle=Throttle(settings.arxiv_interval),
    )


def _term(category: str) -> str:
    """Return the query for a category; an archive such as ``cs`` means all of its categories."""
    return f"cat:{category}" if "." in category else f"cat:{category} OR cat:{category}.*"
