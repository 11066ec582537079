"""`digest summaries …`: the language model that sums papers up."""

from typing import Annotated

import typer

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.terminal import Json, fail, group, print_result
from digest.model.summaries import WORDS, Verdict
from digest.model.text import printable_line
from digest.summaries.answers import judge
from digest.summaries.prompts import source_of

MOST_LINES = 40  # of an answer, which may be anything
LONGEST_LINE = 1000

summaries = group("Try the language model that sums papers up.")


@summaries.callback()
def _group() -> None:
    """Be a group, though there is one command."""


@summaries.command(name="try")
def try_out(
    paper: Annotated[
        str, typer.Argument(metavar="ID", help="A collected paper: arxiv:2602.01234.")
    ],
    language: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Language of the sentence. Default: DIGEST_LANGUAGE."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask the model about a paper, and check its answer.

    The request, the answer, what it took and what the checks say are printed.
    Nothing is stored, and the bounds of the day are not looked at. Templates with your own wording
    are DIGEST_TEMPLATES/prompts.

    $ digest summaries try arxiv:2602.01234
    $ digest summaries try arxiv:2602.01234 --language de
    """
    app = App()
    if app.chat is None:
        fail("no language model is set: DIGEST_SUMMARIES_URL")
    found = app.ledger.browsing.find([paper])
    if not found:
        fail(f"there is no paper {paper}")
    source = source_of(found[0].facts)
    code = app.language_of(language)
    prompt = app.prompts.of_paper(source, code)
    began = utc_now()
    reply = app.chat.ask(prompt, app.chat.new_http())
    seconds = (utc_now() - began).total_seconds()
    verdict, said = judge(reply, source, code, prompt)
    prices = app.settings.summaries_prices
    cost = f", cost {reply.tokens.cost(prices):.6f}" if prices else ""
    result = {
        "instructions": prompt.instructions,
        "text": prompt.text,
        "answer": reply.text,
        "sentence": said.text,
        "title": said.title,
        "verdict": verdict,
        "tokens": reply.tokens,
        "cost": reply.tokens.cost(prices) if prices else None,
        "seconds": seconds,
    }
    took = f"{reply.tokens.sent} tokens sent, {reply.tokens.answered} answered{cost}"
    lines = ["Instructions:", prompt.instructions, "", "Text:", prompt.text, ""]
    lines += [f"Answer of {app.chat.model} in {seconds:.1f} s: {took}"]
    answer = (reply.text or reply.detail).splitlines()[:MOST_LINES]
    lines += [printable_line(line, LONGEST_LINE) for line in answer]
    lines += ["", f"Sentence: {said.text}", f"Title: {said.title}", f"Checks: {WORDS[verdict]}"]
    print_result(result, lines, as_json=as_json)
    if verdict is not Verdict.USED:
        raise typer.Exit(1)
