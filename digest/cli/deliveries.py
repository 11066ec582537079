"""`digest deliveries …`: the outcomes of an edition, and what only the operator can decide."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer

from digest.app.app import App
from digest.app.base import utc_now
from digest.cli.terminal import (
    Json,
    balance_line,
    day_option,
    fail,
    group,
    misused,
    print_result,
    utc,
    warn,
)
from digest.ledger.provider_queues import ALL, EVERYBODY, Pause, name_of
from digest.maintenance.resolve_uncertain import Resent

deliveries = group("Show an edition's outcomes; resolve uncertain ones; resume paused sending.")

OneDay = Annotated[date | None, day_option("Only the edition of this day. Default: all.")]


@deliveries.command()
def uncertain(
    resend: Annotated[
        bool, typer.Option("--resend", help="Send them again with the next run.")
    ] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Give them up.")] = False,
    day: OneDay = None,
    as_json: Json = False,
) -> None:
    """List deliveries with an unknown outcome, or resolve them.

    The connection broke before the relay had answered, so the email may have arrived.

    $ digest deliveries uncertain
    $ digest deliveries uncertain --drop --date 2025-12-05
    """
    if resend and drop:
        misused("give --resend or --drop, not both")
    resolver = App().uncertain_resolver
    if resend:
        _print_resent(resolver.resend(day, utc_now()), "sent again", as_json=as_json)
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


def _print_resent(resent: Resent, how: str, *, as_json: bool) -> None:
    print_result(resent, [f"{resent.resent} will be {how} by the next run."], as_json=as_json)
    if resent.too_old and not as_json:
        why = "its edition is older than DIGEST_STALE_AFTER_HOURS"
        warn(f"digest: {resent.too_old} of them it will give up: {why}")


@deliveries.command()
def retry(day: OneDay = None, as_json: Json = False) -> None:
    """Have the next run send what was put off or refused.

    While sending is paused, the run tries a single email first.

    $ digest deliveries retry --date 2025-12-05
    """
    _print_resent(App().uncertain_resolver.retry(day, utc_now()), "tried", as_json=as_json)


@deliveries.command()
def balance(
    day: Annotated[date | None, day_option("The edition's day. Default: the latest.")] = None,
    as_json: Json = False,
) -> None:
    """Print the balance of an edition, as it is now.

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
    """List the providers that sending is paused to, and why.

    $ digest deliveries paused
    """
    app, now = App(), utc_now()
    pauses = app.ledger.provider_queues.paused()
    waiting = app.ledger.deliveries.waiting_by_provider(now)
    waiting[ALL] = sum(waiting.values())
    values = [{**asdict(pause), "waiting": waiting.get(pause.provider, 0)} for pause in pauses]
    lines = [_pause_line(pause, waiting.get(pause.provider, 0)) for pause in pauses]
    after = "When the cause is fixed: digest deliveries resume" if pauses else "Nothing is paused."
    print_result(values, [*lines, after], as_json=as_json)


def _pause_line(pause: Pause, waiting: int) -> str:
    line = f"{name_of(pause.provider)}  {utc(pause.since)}  {waiting} waiting  {pause.why}"
    if pause.probe_at is None:
        return line
    return f"{line}  {pause.probes} probes sent, the next {utc(pause.probe_at)}"


@deliveries.command()
def resume(
    provider: Annotated[
        str | None, typer.Argument(metavar="PROVIDER", help="As `paused` names it. Default: all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Resume sending where it is paused. The next run sends what waits.

    $ digest deliveries resume gmail.com
    """
    queue = ALL if provider == EVERYBODY else provider
    resumed = App().ledger.provider_queues.resume(queue, utc_now())
    if provider and not resumed:
        fail(f"sending to {provider} was not paused; digest deliveries paused lists what is")
    names = ", ".join(map(name_of, resumed))
    line = f"Resumed: {names}." if resumed else "Nothing was paused."
    print_result({"resumed": resumed}, [line], as_json=as_json)
