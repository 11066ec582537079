"""Papers collected so far, by topic: for the command line and the public page."""

from datetime import date, timedelta

from digest.ledger.ledger import Ledger
from digest.model.digests import Match, Pick, Section
from digest.rank.matching import Matching, Topic
from digest.rank.ranker import THRESHOLDS
from digest.rank.reference_corpus import Embed, ReferenceCorpus
from subscribers.preferences import Strictness
from subscribers.topics import TopicFilter

REACH = timedelta(days=120)  # back from the last day that anything was collected for
MOST = 50


def search(
    ledger: Ledger,
    corpus: ReferenceCorpus,
    typed: str,
    most: int = MOST,
    embed: Embed | None = None,
) -> list[Pick]:
    """The papers of the last months that fit a filter, best first.

    They are ranked as for a reader who wants whatever may fit. Raises TopicError.
    """
    topic = TopicFilter.parse(typed)
    latest = ledger.papers.latest_day()
    papers = ledger.editions.draft(latest, _first(latest)).candidates if latest else ()
    if not papers:
        return []
    matched = Matching(corpus, papers, embed=embed).match([Topic(topic.text)])
    scores = matched.scores[0]
    found = [n for n, score in enumerate(scores) if score >= THRESHOLDS[Strictness.BROAD]]
    found.sort(key=lambda n: (-float(scores[n]), -float(matched.matching.standing[n]), n))
    return [
        Pick(Section.FOR_YOU, papers[n], Match(float(scores[n]), matched.reason(0, n)))
        for n in found[:most]
    ]


def _first(latest: date) -> date:
    return date.min if latest - date.min < REACH else latest - REACH
