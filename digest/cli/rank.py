"""`digest rank`, `search` and `why`: what the ranking makes of papers, and of one subscriber."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Table

from digest.app.app import App, utc_now
from digest.cli.terminal import (
    Json,
    fail,
    out,
    print_json,
    print_result,
    read_day,
    warn_of_rejected,
)
from digest.errors import SettingError, SourceError
from digest.model.digests import Pick
from digest.model.papers import Rejection
from subscribers.model import PersonFile
from subscribers.preferences import Strictness

if TYPE_CHECKING:
    from digest.rank.reference_corpus import Embed

LARGEST_NUMBER = 2**31 - 1  # that a database knows
FARTHEST = timedelta(days=36_500)  # days around that calendars have no end in

T = TypeVar("T")
Lines = Callable[[list[str], str], tuple[list[T], list[Rejection]]]


def rank_files(
    papers: Annotated[Path, typer.Option(help="Papers, as JSON lines.")],
    topics: Annotated[Path, typer.Option(help="Topics, as JSON lines.")],
    corpus: Annotated[
        Path | None,
        typer.Option(
            "--background",
            help="Papers to measure against, as JSON lines. By default built-in ones; "
            "with --semantic those that are ranked.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every paper, not only those that match.")
    ] = False,
    strictness: Annotated[Strictness, typer.Option(help="How well papers must match.")] = (
        Strictness.NORMAL
    ),
    semantic: Annotated[
        bool,
        typer.Option(
            "--semantic", help="By meaning as well, with the model of DIGEST_SEMANTIC_MODEL."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Rank papers for topics, all from files, and print a line of JSON for each topic."""
    from digest.rank.corpora import SHIPPED, learn, load
    from digest.rank.rank_files import rank, read_papers, read_topics
    from digest.rank.ranker import THRESHOLDS

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
    words: Annotated[list[str], typer.Argument(help="A topic filter.", metavar="WORDS …")],
    most: Annotated[int, typer.Option(help="At most so many papers.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """Find papers among those collected in the last months, ranked as for a digest."""
    from digest.rank.search import search

    app = App()
    corpus = app.corpora.current()
    found = search(app.ledger, corpus, " ".join(words), most, app.embedder)
    records = [_found(pick) for pick in found]
    if as_json:
        print_json(records)
        return
    table = Table("score", "day", "title", "why", box=None)
    for record in records:
        table.add_row(f"{record['score']:.2f}", record["day"], record["title"], record["why"])
    out.print(table if found else "Nothing fits.")


def why(
    whom: Annotated[
        str,
        typer.Argument(metavar="ADDRESS", help="Of whom; or a delivery's number, as in the log."),
    ],
    day: Annotated[
        date | None,
        typer.Option("--date", parser=read_day, metavar="YYYY-MM-DD", help="Of which edition."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say why a subscriber got what they got: due or not, what matched, what became of the mail.

    By default of the latest edition; of a day to come, what they would get.
    """
    from digest.cli.why_text import why_lines

    app, now = App(), utc_now()
    if day and abs(day - now.date()) > FARTHEST:
        raise typer.BadParameter(f"{day} is too far away")
    if whom.isdecimal():
        person, its_day = _of_delivery(app, int(whom))
        day = day or its_day
    else:
        person = app.registry.file_of(whom)
    if person is None:
        fail(f"there is no subscriber {whom}")
    days = app.ledger.editions.days(1)
    latest = days[0][0] if days else app.edition_day(now)
    told = app.explain(person, day or latest, now)
    print_result(told, why_lines(told, app.settings.timezone), as_json=as_json)


def _of_delivery(app: App, number: int) -> tuple[PersonFile | None, date]:
    """Whose delivery this is, unless they were removed, and of which edition."""
    delivery = app.ledger.bounces.delivery(number) if number <= LARGEST_NUMBER else None
    if delivery is None:
        fail(f"there is no delivery {number}, or it is no longer kept")
    person = app.registry.file_by_id(delivery.subscriber_id)
    return person, app.ledger.bounces.day_of(delivery)


def _found(pick: Pick) -> dict[str, Any]:
    from digest.rank.rank_files import said

    match, candidate = pick.match, pick.candidate
    assert match
    return {
        "id": candidate.key,
        "score": round(match.score, 4),
        "day": candidate.listed_on.isoformat(),
        "title": candidate.facts.title,
        "why": said(match.reason),
        "url": candidate.facts.page_url,
    }


def _model() -> "Embed":
    """What embeds texts. Raises SettingError if there is none."""
    from digest.rank.embedding import SETTING

    embed = App().embedder
    if embed is None:
        raise SettingError(f"--semantic needs a model: {SETTING} is not set")
    return embed


def _read(read: Lines[T], path: Path) -> list[T]:
    """What a file has; lines that cannot be read are told, and the rest is kept."""
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").split("\n")
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    found, rejected = read(lines, path.name)
    warn_of_rejected(rejected)
    return found
