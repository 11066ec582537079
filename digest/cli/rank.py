"""`digest rank`, `search`, `topic`, `why`: papers against topics, and one person's digest."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Table

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.terminal import (
    Json,
    day_option,
    fail,
    out,
    print_json,
    print_result,
    warn,
    warn_of_rejected,
)
from digest.errors import SettingError, SourceError
from digest.model.digests import Pick
from digest.model.papers import Rejection
from digest.model.search import SearchOrder, SearchQuery
from subscribers.model import PersonFile
from subscribers.preferences import Strictness
from subscribers.topics import TopicFilter

if TYPE_CHECKING:
    from digest.rank.reference_corpus import Embed

LARGEST_NUMBER = 2**31 - 1  # that a database knows

T = TypeVar("T")
Lines = Callable[[list[str], str], tuple[list[T], list[Rejection]]]


def rank_files(
    papers: Annotated[Path, typer.Option(metavar="FILE", help="Papers, as JSON lines.")],
    topics: Annotated[Path, typer.Option(metavar="FILE", help="Topics, as JSON lines.")],
    corpus: Annotated[
        Path | None,
        typer.Option(
            "--background",
            metavar="FILE",
            help="Papers of the reference corpus, as JSON lines. Default: the built-in corpus; "
            "with --semantic, the ranked papers.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Print every paper, not only those that match.")
    ] = False,
    strictness: Annotated[Strictness, typer.Option(help="How well papers must match.")] = (
        Strictness.NORMAL
    ),
    semantic: Annotated[
        bool,
        typer.Option("--semantic", help="Rank by meaning as well, with the sentence model."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Rank the papers of a file for the topics of a file. Not on a terminal, it prints JSON lines.

    $ digest rank --papers papers.jsonl --topics topics.jsonl --all
    """
    from digest.rank.corpora import SHIPPED, learn, load
    from digest.rank.rank_files import rank, read_papers, read_topics
    from digest.rank.readers import THRESHOLDS

    embed = _model() if semantic else None
    candidates, wanted = _read(read_papers, papers), _read(read_topics, topics)
    known = {candidate.key: candidate.facts for candidate in candidates}
    # The built-in papers have no texts that a model could read: the ranked ones are the next best.
    others = known if semantic else {}
    if corpus:
        others = {paper.key: paper.facts for paper in _read(read_papers, corpus)}
    measure = learn(others, embed) if others else load(SHIPPED)
    known = others | known
    threshold = THRESHOLDS[strictness]
    ranked = rank(wanted, candidates, measure, known, threshold, everything=everything, embed=embed)
    for record in ranked:
        if as_json or not out.is_terminal:
            print_json(record)
        else:
            out.print(f"{record['topic']}")
            for ranked in record["ranking"]:
                out.print(f"  {ranked['score']:.2f}  {ranked['id']}  {ranked['reason']}")


def search_papers(
    words: Annotated[list[str], typer.Argument(help="A topic filter.", metavar="WORD")],
    most: Annotated[int, typer.Option(help="Print at most this many papers.", min=1)] = 20,
    first: Annotated[
        date | None, day_option("The first day that papers were listed on.", "--from")
    ] = None,
    last: Annotated[
        date | None, day_option("The last day that papers were listed on.", "--until")
    ] = None,
    order: Annotated[
        SearchOrder, typer.Option("--sort", help="What comes first: the best match, the newest, ….")
    ] = SearchOrder.BEST,
    as_json: Json = False,
) -> None:
    """Search all collected papers, ranked as for a digest.

    $ digest search '"chain of thought" -survey'
    $ digest search robots --from 2025-01-01 --sort votes
    """
    from digest.rank.search import Search

    app = App()
    if app.ledger.papers.latest_day() is None:
        fail("nothing is collected yet: run digest collect")
    search = Search(app.ledger, app.corpora.current, app.embedder)
    topic = TopicFilter.parse(" ".join(words))
    query = SearchQuery(topic, first or date.min, last or date.max, order)
    found = search.find(query, most=most).picks
    records = [_found(pick) for pick in found]
    if as_json:
        print_json(records)
        return
    table = Table("score", "day", "title", "why", box=None)
    for record in records:
        table.add_row(f"{record['score']:.2f}", record["day"], record["title"], record["why"])
    out.print(table if found else "No paper matches.")


def try_topic(
    words: Annotated[list[str], typer.Argument(help="A topic filter.", metavar="WORD")],
    strictness: Annotated[
        Strictness | None, typer.Option(help="How well papers must match. Default: your setting.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell how many papers of the last 30 days a topic matches, and what would match better.

    It is what readers are told on the preview and on their preferences page.

    $ digest topic difusion models
    $ digest topic --strictness strict agents
    """
    from digest.monitoring.why_text import report_lines
    from subscribers.topics import TopicFilter

    app = App()
    topic = TopicFilter.parse(" ".join(words))
    reports = app.topic_reporter.report([topic], strictness)
    if not reports:
        fail("nothing is collected yet: run digest collect")
    print_result(reports[0], report_lines(reports), as_json=as_json)


def why(
    whom: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS", help="A subscriber, or the number of a delivery, as in the log."
        ),
    ],
    day: Annotated[date | None, day_option("The edition's day. Default: the latest.")] = None,
    as_json: Json = False,
) -> None:
    """Explain what a subscriber got, or did not get: due or not, what matched, was it delivered.

    For a day without an edition yet, it says what they would get.

    $ digest why ada@example.org
    $ digest why ada@example.org --date 2025-12-05
    """
    from digest.monitoring.why_text import why_lines

    app, now = App(), utc_now()
    if whom.isdecimal():
        person, its_day = _of_delivery(app, int(whom))
        day = day or its_day
    else:
        person = app.registry.file_of(whom)
    if person is None:
        fail(f"there is no subscriber {whom}")
    told = app.why(person, day, now)
    print_result(told, why_lines(told, app.settings.timezone), as_json=as_json)


def _of_delivery(app: App, number: int) -> tuple[PersonFile | None, date]:
    """Return whose delivery this is, unless they were removed, and the day of its edition."""
    delivery = app.ledger.bounces.delivery(number) if number <= LARGEST_NUMBER else None
    if delivery is None:
        fail(f"there is no delivery {number}, or it is no longer kept")
    person = app.registry.file_by_id(delivery.subscriber_id)
    return person, app.ledger.bounces.day_of(delivery)


def _found(pick: Pick) -> dict[str, Any]:
    from digest.rank.rank_files import reason_text

    match, candidate = pick.match, pick.candidate
    assert match
    return {
        "id": candidate.key,
        "score": round(match.score, 4),
        "day": candidate.listed_on.isoformat(),
        "title": candidate.facts.title,
        "why": reason_text(match.reason),
        "url": candidate.facts.page_url,
    }


def _model() -> "Embed":
    """Return what embeds texts. Raises SettingError if there is none."""
    embed = App().embedder
    if embed is None:
        raise SettingError("--semantic needs a model: digest model install")
    return embed


def _read(read: Lines[T], path: Path) -> list[T]:
    """Return what a file has; report the lines that cannot be read, and keep the rest."""
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").split("\n")
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    found, rejected = read(lines, path.name)
    warn_of_rejected(rejected)
    if not found:
        text = f"{path}: nothing was read from this file"
        fail(text) if rejected else warn(text)
    return found
