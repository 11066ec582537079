"""`digest deliveries …`: what became of an edition, and what to do where nobody knows."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

import typer

from digest.app.app import App, utc_now
from digest.cli.terminal import Json, balance_line, group, print_result, read_day, warn
from digest.ledger.provider_queues import ALL, EVERYBODY, name_of

deliveries = group("See what became of the mails of an edition.")

Day = Annotated[
    date | None,
    typer.Option("--date", parser=read_day, metavar="YYYY-MM-DD", help="The edition's day."),
]


@deliveries.command()
def uncertain(
    resend: Annotated[
        bool, typer.Option("--resend", help="Have them sent again by the next run.")
    ] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Give them up.")] = False,
    day: Day = None,
    as_json: Json = False,
) -> None:
    """List the mails whose outcome nobody knows, or settle them: all, or those of an edition."""
    if resend and drop:
        raise typer.BadParameter("--resend or --drop, not both")
    uncertain_resolver = App().uncertain_resolver
    if resend:
        resent = uncertain_resolver.resend(day, utc_now())
        line = f"{resent.resent} will be sent again by the next run."
        print_result(resent, [line], as_json=as_json)
        if resent.too_old and not as_json:
            why = "its edition is older than DIGEST_STALE_AFTER_HOURS"
            warn(f"digest: {resent.too_old} of them it will give up: {why}")
    elif drop:
        dropped = uncertain_resolver.drop(day, utc_now())
        print_result({"dropped": dropped}, [f"{dropped} given up."], as_json=as_json)
    else:
        doubts = uncertain_resolver.uncertain(day)
        lines = [
            f"{doubt.edition}  {doubt.address or '(removed)'}  {_utc(doubt.since)}  "
            f"{doubt.last_words}"
            for doubt in doubts
        ]
        print_result(doubts, lines or ["Nothing is uncertain."], as_json=as_json)


@deliveries.command()
def balance(day: Day = None, as_json: Json = False) -> None:
    """Print the balance of an edition, by default of the last, as it is now."""
    uncertain_resolver = App().uncertain_resolver
    found, gone = uncertain_resolver.balance(day), uncertain_resolver.gone(day)
    lines = [balance_line(found)]
    if gone:
        lines.append(f"Who {gone} of them were is no longer kept (DIGEST_KEEP_DELIVERIES_DAYS).")
    print_result({**asdict(found), "no_longer_kept": gone}, lines, as_json=as_json)


@deliveries.command()
def paused(as_json: Json = False) -> None:
    """List where no mail goes until you say so, and why: to some providers, or to anybody."""
    pauses = App().ledger.provider_queues.paused()
    lines = [f"{name_of(pause.provider)}  {_utc(pause.since)}  {pause.why}" for pause in pauses]
    after = "When the cause is mended: digest deliveries resume" if pauses else "Nothing is paused."
    print_result(pauses, [*lines, after], as_json=as_json)


@deliveries.command()
def resume(
    provider: Annotated[
        str | None,
        typer.Argument(metavar="[PROVIDER]", help="As `paused` names it; not given: all."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Let mail go again where it was paused. What waits is sent by the next run."""
    queue = ALL if provider == EVERYBODY else provider
    resumed = App().ledger.provider_queues.resume(queue, utc_now())
    names = ", ".join(map(name_of, resumed))
    line = f"Mail goes again: {names}." if resumed else "Nothing was paused."
    print_result({"resumed": resumed}, [line], as_json=as_json)
    if provider and not resumed:
        raise typer.Exit(1)


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
