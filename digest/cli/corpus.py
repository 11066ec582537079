"""`digest corpus …`: the reference corpus, made from the operator's own sources."""

from typing import Annotated

import typer

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.collect import Source
from digest.cli.terminal import Json, fail, group, print_result, progress_bar, warn

corpus = group("Make the reference corpus from your own sources, for other fields than AI.")


@corpus.callback()
def _group() -> None:
    """Be a group, though there is one command."""


@corpus.command()
def build(
    weeks: Annotated[
        int, typer.Option(min=1, max=52, help="How many weeks to look back, at most.")
    ] = 12,
    source: Source = None,
    as_json: Json = False,
) -> None:
    """Make a reference corpus of your sources' papers of some weeks.

    Scores say how a paper compares with the reference corpus. The built-in one is of AI papers, so
    topics of another field find nothing until 500 papers are collected. The corpus that you make is
    used until then. Nothing is collected or sent.

    $ digest corpus build
    $ digest corpus build --source biorxiv --weeks 4
    """
    from digest.collect.past import past_papers
    from digest.rank.corpora import ENOUGH, learn, save

    app = App(sources=",".join(source)) if source else App()
    with progress_bar("Papers") as report:
        past = past_papers(app.sources(), utc_now(), weeks, most=4 * ENOUGH, progress=report)
    for name, why in past.failures.items():
        warn(f"{name} gave no more: {why}")
    count = len(past.papers)
    if count < ENOUGH:
        fail(f"{count} papers with an abstract are too few, {ENOUGH} are needed: try more --weeks")
    save(learn(past.papers, app.embedder), app.built_corpus, app.embedder)
    result = {"papers": count, "file": str(app.built_corpus)}
    line = f"The reference corpus has {count} papers: {app.built_corpus}."
    print_result(result, [line, "It is used until as many are collected."], as_json=as_json)
