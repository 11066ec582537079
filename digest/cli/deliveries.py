"""`digest deliveries …`: the outcomes of an edition, and what only the operator can decide."""

from dataclasses import asdict
from typing import Annotated

import typer

from digest.app.app import App, utc_now
from digest.cli.terminal import Day, Json, balance_line, group, misused, print_result, utc, warn
from digest.ledger.provider_queues import ALL, EVERYBODY, name_of

deliveries = group("Show an edition's outcomes; resolve uncertain ones; resume paused sending.")


@deliveries.command()
def uncertain(
    resend: Annotated[
        bool, typer.Option("--resend", help="Send them again with the next run.")
    ] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Give them up.")] = False,
    day: Day = None,
    as_json: Json = False,
) -> None:
    """List the deliveries with an unknown outcome, or resolve them: all, or one edition's.

    The connection broke before the relay had answered, so the email may have arrived.

    $ digest deliveries uncertain
    $ digest deliveries uncertain --drop --date 2025-12-05
    """
    if resend and drop:
        misused("give --resend or --drop, not both")
    resolver = App().uncertain_resolver
    if resend:
        resent = resolver.resend(day, utc_now())
        line = f"{resent.resent} will be sent again by the next run."
        print_result(resent, [line], as_json=as_json)
        if resent.too_old and not as_json:
            why = "its edition is older than DIGEST_STALE_AFTER_HOURS"
            warn(f"digest: {resent.too_old} of them it will give up: {why}")
    elif drop:
        dropped = resolver.drop(day, utc_now())
        print_result({"dropped": dropped}, [f"{dropped} given up."], as_json=as_json)
    else:
        doubts = resolver.uncertain(day)
        lines = [
            f"{doubt.edition}  {doubt.address or '(removed)'}  {utc(doubt.since)}  "
            f"{doubt.last_words}"
            for doubt in doubts
        ]
        print_result(doubts, lines or ["Nothing is uncertain."], as_json=as_json)


@deliveries.command()
def balance(day: Day = None, as_json: Json = False) -> None:
    """Print the balance of an edition, by default of the latest, as it is now.

    $ digest deliveries balance --date 2025-12-05
    """
    resolver = App().uncertain_resolver
    found, gone = resolver.balance(day), resolver.gone(day)
    lines = [balance_line(found)]
    if gone:
        lines.append(f"Who {gone} of them were is no longer kept (DIGEST_KEEP_DELIVERIES_DAYS).")
    print_result({**asdict(found), "no_longer_kept": gone}, lines, as_json=as_json)


@deliveries.command()
def paused(as_json: Json = False) -> None:
    """List where sending is paused until you resume it, and why: one provider, or everybody.

    $ digest deliveries paused
    """
    pauses = App().ledger.provider_queues.paused()
    lines = [f"{name_of(pause.provider)}  {utc(pause.since)}  {pause.why}" for pause in pauses]
    after = "When the cause is fixed: digest deliveries resume" if pauses else "Nothing is paused."
    print_result(pauses, [*lines, after], as_json=as_json)


@deliveries.command()
def resume(
    provider: Annotated[
        str | None, typer.Argument(metavar="PROVIDER", help="As `paused` names it. Default: all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Resume sending where it is paused. What waits is sent by the next run.

    $ digest deliveries resume gmail.com
    """
    queue = ALL if provider == EVERYBODY else provider
    resumed = App().ledger.provider_queues.resume(queue, utc_now())
    names = ", ".join(map(name_of, resumed))
    line = f"Resumed: {names}." if resumed else "Nothing was paused."
    print_result({"resumed": resumed}, [line], as_json=as_json)
    if provider and not resumed:
        raise typer.Exit(1)
