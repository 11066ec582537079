"""`digest deliveries …`: what became of an edition, and what to do where nobody knows."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer
from rich.text import Text

from digest.app.app import App, utc_now
from digest.cli.terminal import Json, balance_line, err, out, print_json, read_day
from digest.ledger.provider_queues import ALL, EVERYBODY, name_of
from digest.maintenance.resolve_uncertain import Resent, UncertainResolver

deliveries = typer.Typer(help="See what became of the mails of an edition.", no_args_is_help=True)

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
        _print_resent(uncertain_resolver.resend(day, utc_now()), as_json=as_json)
    elif drop:
        dropped = uncertain_resolver.drop(day, utc_now())
        if as_json:
            print_json({"dropped": dropped})
        else:
            out.print(f"{dropped} given up.")
    else:
        _list_uncertain(uncertain_resolver, day, as_json=as_json)


@deliveries.command()
def balance(day: Day = None, as_json: Json = False) -> None:
    """Print the balance of an edition, by default of the last, as it is now."""
    uncertain_resolver = App().uncertain_resolver
    found, gone = uncertain_resolver.balance(day), uncertain_resolver.gone(day)
    if as_json:
        print_json({**asdict(found), "no_longer_kept": gone})
        return
    out.print(Text(balance_line(found)))
    if gone:
        out.print(f"Who {gone} of them were is no longer kept (DIGEST_KEEP_DELIVERIES_DAYS).")


@deliveries.command()
def paused(as_json: Json = False) -> None:
    """List where no mail goes until you say so, and why: to some providers, or to anybody."""
    pauses = App().ledger.provider_queues.paused()
    if as_json:
        print_json(pauses)
        return
    for pause in pauses:
        since = f"{pause.since:%Y-%m-%d %H:%M} UTC"
        out.print(Text(f"{name_of(pause.provider)}  {since}  {pause.why}"))
    if pauses:
        out.print("When the cause is mended: digest deliveries resume")
    else:
        out.print("Nothing is paused.")


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
    if as_json:
        print_json({"resumed": resumed})
    elif resumed:
        out.print(Text(f"Mail goes again: {', '.join(map(name_of, resumed))}."))
    else:
        out.print("Nothing was paused.")
    if provider and not resumed:
        raise typer.Exit(1)


def _list_uncertain(
    uncertain_resolver: UncertainResolver, day: date | None, *, as_json: bool
) -> None:
    doubts = uncertain_resolver.uncertain(day)
    if as_json:
        print_json(doubts)
        return
    for doubt in doubts:
        address = doubt.address or "(removed)"
        since = f"{doubt.since:%Y-%m-%d %H:%M} UTC"
        out.print(Text(f"{doubt.edition}  {address}  {since}  {doubt.last_words}"))
    if not doubts:
        out.print("Nothing is uncertain.")


def _print_resent(done: Resent, *, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    out.print(f"{done.resent} will be sent again by the next run.")
    if done.too_old:
        why = "its edition is older than DIGEST_STALE_AFTER_HOURS"
        err.print(f"digest: {done.too_old} of them it will give up: {why}", soft_wrap=True)
