"""`digest bench`: what a list costs on this machine, measured."""

import signal
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from digest.bench.bench import Figures, Rival, Setup, measure
from digest.bench.day import MOST_PAPERS, MOST_TOPICS
from digest.bench.engines import EngineFigures, compare_engines
from digest.cli.terminal import Json, balance_line, out, print_json, warn
from digest.collect.sample_edition import SAMPLE_PAPERS

_MB = 1_000_000
_MOST_WORKERS = 16


def _read_workers(typed: str) -> tuple[int, ...]:
    numbers = typed.split(",")
    if not all(number.isascii() and number.isdigit() for number in numbers) or not all(
        1 <= int(number) <= _MOST_WORKERS for number in numbers
    ):
        raise typer.BadParameter(f"{typed!r} is not a list like 1,2,4 (at most {_MOST_WORKERS})")
    return tuple(dict.fromkeys(map(int, numbers)))


def bench(
    subscribers: Annotated[
        int, typer.Option(metavar="N", min=1, help="People on the list.")
    ] = 5000,
    topics: Annotated[
        int, typer.Option(metavar="N", min=1, max=MOST_TOPICS, help="Topics that they share.")
    ] = 500,
    papers: Annotated[
        int, typer.Option(metavar="N", min=1, max=MOST_PAPERS, help="Papers of the day.")
    ] = SAMPLE_PAPERS,
    processes: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="As DIGEST_SEND_PROCESSES.")
    ] = 2,
    connections: Annotated[
        int, typer.Option(metavar="N", min=1, max=500, help="As DIGEST_SEND_CONNECTIONS.")
    ] = 32,
    dkim: Annotated[bool, typer.Option("--dkim", help="Sign each message (RSA, 2048).")] = False,
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="In a new schema of this PostgreSQL; default: SQLite."),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare with other ways to send, in turns.")
    ] = False,
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="N,…",
            help="Compare so many workers of DIGEST_ENGINE=cluster with as many processes of one.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure what a list costs on this machine: import, plan, compose and send.

    All is made in a temporary folder, and sent to a server on this machine that keeps nothing. No
    settings are used. Exit status 1: the balance does not add up, or not everything was sent.

    $ digest bench --subscribers 20000
    $ digest bench --compare --dkim
    $ digest bench --workers 1,2,4 --database postgresql+psycopg://127.0.0.1/mydb
    """
    setup = Setup(subscribers, topics, papers, processes, connections, dkim, database)
    before = signal.signal(signal.SIGTERM, _end)  # so that everything is removed
    try:
        if workers is not None:
            many = _read_workers(workers)
            figures: Figures | EngineFigures = compare_engines(setup, many, warn)
        else:
            figures = measure(setup, compare=compare, tell=warn)
    finally:
        signal.signal(signal.SIGTERM, before)
    if as_json:
        print_json(figures)
    elif isinstance(figures, EngineFigures):
        _print_engines(figures)
    else:
        _print(figures)
    for trouble in figures.trouble:
        warn(f"digest: {trouble}")
    if figures.trouble:
        raise typer.Exit(1)


def _end(*_: object) -> None:
    raise SystemExit(128 + signal.SIGTERM)


def _print(figures: Figures) -> None:
    console = Console(highlight=False)
    console.print(_stages(figures))
    setup = figures.setup
    out.print(
        f"{figures.messages_per_second:,.0f} messages/s, {figures.processor_ms:.2f} ms of a "
        f"processor for each, planned and sent; the first after {figures.seconds_to_first:.1f} s. "
        f"A message has {figures.message_octets:,} octets."
    )
    out.print(
        f"{setup.database}, {setup.processes} processes, {setup.connections} connections, "
        f"sink: {figures.sink}, {figures.processors} processors, which the sink shares"
    )
    out.print(balance_line(figures.balance))
    if figures.rivals:
        console.print(_rivals(figures.rivals))
    for rival in figures.rivals:
        if rival.skipped:
            out.print(f"Skipped: {rival.name}: {rival.skipped}.")


def _print_engines(figures: EngineFigures) -> None:
    setup = figures.setup
    table = Table(title="The engines (medians)", title_justify="left")
    for name in ("Engine", "Processes", "Messages/s", "ms each", "Start, s", "Rate", "ms"):
        table.add_column(name, justify="left" if name == "Engine" else "right")
    for engine in figures.engines:
        sent = engine.sent
        table.add_row(
            engine.name,
            str(engine.processes),
            f"{sent.messages_per_second:,.0f}",
            f"{sent.processor_ms:.2f}",
            f"{sent.start_seconds:.1f}",
            f"{engine.ratio:.2f} ×",
            f"{engine.processor_ratio:.2f} ×",
        )
    Console(highlight=False).print(table)
    out.print(
        f"{figures.engines[0].sent.messages:,} messages to {setup.subscribers:,} subscribers, "
        f"{setup.connections} connections in all, {figures.processors} processors, "
        "which sink and database share"
    )


def _stages(figures: Figures) -> Table:
    table = Table(title=f"{figures.setup.subscribers:,} subscribers", title_justify="left")
    for name in ("Stage", "Seconds", "Processor, s", "Memory, MB", "Stored, MB"):
        table.add_column(name, justify="left" if name == "Stage" else "right")
    for stage in figures.stages:
        table.add_row(
            stage.name,
            f"{stage.seconds:.2f}",
            f"{stage.processor_seconds:.2f}",
            f"{stage.peak_octets / _MB:.0f}" if stage.peak_octets else "not known",
            f"{stage.stored_octets / _MB:.1f}",
        )
    return table


def _rivals(rivals: tuple[Rival, ...]) -> Table:
    table = Table(title="Compared with other ways (medians)", title_justify="left")
    for name in ("Way", "Messages/s", "ms each", "Octets", "Our rate", "Its ms"):
        table.add_column(name, justify="left" if name == "Way" else "right")
    for rival in rivals:
        if not rival.skipped:
            table.add_row(
                rival.name,
                f"{rival.messages_per_second:,.0f}",
                f"{rival.processor_ms:.2f}",
                f"{rival.message_octets:,}",
                f"{rival.ratio:.2f} ×",
                f"{rival.processor_ratio:.2f} ×",
            )
    return table
