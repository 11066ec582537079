"""Make the figures of docs/scale.md: `python -m tests.bench.scale FOLDER [POSTGRESQL_URL]`.

Runs `digest bench` in five ways, some quarter of an hour on a quiet machine, and keeps each result
in the folder as JSON; a result that is there already is used. Then it writes the tables of the page
anew. Without the URL those with PostgreSQL are left out.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
SMALL, LARGE = 5_000, 200_000
# The column of each run in the table, and its options; {url} is of PostgreSQL.
RUNS = {
    "SQLite": f"--subscribers {SMALL} --compare",
    "PostgreSQL": f"--subscribers {SMALL} --compare --database {{url}}",
    "SQLite, DKIM": f"--subscribers {SMALL} --compare --dkim",
    "SQLite, long": f"--subscribers {LARGE}",
    "PostgreSQL, long": f"--subscribers {LARGE} --database {{url}}",
}
Figures = dict[str, Any]
MARKS = re.compile(r"(?s)(<!-- figures -->\n).*(<!-- end of figures -->)")


def stage(figures: Figures, name: str) -> Figures:
    return next(stage for stage in figures["stages"] if stage["name"] == name)


def each(figures: Figures, name: str) -> float:
    """Milliseconds of a processor for each subscriber, or message, in a stage."""
    many = figures["messages" if name == "send" else "setup"]
    many = many if name == "send" else many["subscribers"]
    return 1000 * stage(figures, name)["processor_seconds"] / many


def stored(figures: Figures, *stages: str) -> float:
    """Octets that the database grows for each subscriber."""
    grown = sum(stage(figures, name)["stored_octets"] for name in stages)
    return grown / figures["setup"]["subscribers"]


def row_count(figures: Figures, *tables: str) -> float:
    rows = sum(figures["rows"].get(table, 0) for table in tables)
    return rows / figures["setup"]["subscribers"]


def memory(figures: Figures, name: str) -> str:
    return f"{stage(figures, name)['peak_octets'] / 1e6:.0f}"


# What is told of each run.
LINES: dict[str, Callable[[Figures], str]] = {
    "subscribers": lambda f: f"{f['setup']['subscribers']:,}",
    "messages a second": lambda f: f"**{f['messages_per_second']:,.0f}**",
    "seconds to the first message": lambda f: f"{f['seconds_to_first']:.1f}",
    "ms of a processor a message, planned and sent": lambda f: f"**{f['processor_ms']:.2f}**",
    "of it to compose and send": lambda f: f"{each(f, 'send'):.2f}",
    "ms of a processor a subscriber, to plan": lambda f: f"{each(f, 'plan'):.3f}",
    "likewise, to import": lambda f: f"{each(f, 'import'):.3f}",
    "MB of memory, to plan": lambda f: memory(f, "plan"),
    "MB of memory, the largest process that sends": lambda f: memory(f, "send"),
    "octets of a message": lambda f: f"{f['message_octets']:,}",
    "octets stored for a subscriber": lambda f: f"{stored(f, 'import'):,.0f}",
    "octets stored for a delivery": lambda f: f"{stored(f, 'plan', 'send'):,.0f}",
    "rows for a delivery": lambda f: (
        f"{row_count(f, 'deliveries', 'delivery_papers', 'attempts'):.1f}"
    ),
}


def runs_table(runs: dict[str, Figures]) -> list[str]:
    head = f"| | {' | '.join(runs)} |"
    rows = [
        f"| {what} | {' | '.join(say(figures) for figures in runs.values())} |"
        for what, say in LINES.items()
    ]
    return [head, "|---" * (len(runs) + 1) + "|", *rows]


def rivals_table(runs: dict[str, Figures]) -> list[str]:
    compared = {name: figures for name, figures in runs.items() if figures["rivals"]}
    names = [rival["name"] for rival in next(iter(compared.values()))["rivals"]]
    rows = []
    for name in names:
        cells = []
        for figures in compared.values():
            rival = next(rival for rival in figures["rivals"] if rival["name"] == name)
            ratio, rate, cost = (
                rival[key] for key in ("ratio", "messages_per_second", "processor_ms")
            )
            told = f"**{ratio:.2f}** ({rate:,.0f}/s, {cost:.2f} ms)"
            cells.append("not installed" if rival["skipped"] else told)
        rows.append(f"| {name} | {' | '.join(cells)} |")
    head = f"| our rate to that of | {' | '.join(compared)} |"
    return [head, "|---" * (len(compared) + 1) + "|", *rows]


def needs_table(figures: Figures, longest: Figures) -> list[str]:
    """Tell what lists need by the costs of one of them; memory by how it grew from one to the other."""
    flat, long = (stage(one, "plan")["peak_octets"] for one in (figures, longest))
    more = longest["setup"]["subscribers"] - figures["setup"]["subscribers"]
    growth = max(0.0, (long - flat) / more) if more else 0.0
    rows = []
    for many in (100_000, 1_000_000, 10_000_000, 100_000_000):
        hours = many * longest["processor_ms"] / 3.6e6
        people = many * stored(longest, "import")
        day = many * stored(longest, "plan", "send")
        sent = many * longest["message_octets"]
        memory_of_plan = flat + growth * many
        rows.append(
            f"| {many:,} | {hours:,.2f} | {memory_of_plan / 1e9:,.1f} "
            f"| {people / 1e9:,.1f} | {day / 1e9:,.1f} | {60 * day / 1e9:,.0f} "
            f"| {sent / 1e9:,.0f} | {8 * sent / 3600 / 1e9:,.2f} |"
        )
    head = (
        "| subscribers | processors that send to all in an hour | GB of memory to plan "
        "| GB stored: people | an edition | sixty days of them | GB to the relay "
        "| Gbit/s in that hour |"
    )
    return [head, "|---" * 8 + "|", *rows]


def page_with(text: str, runs: dict[str, Figures]) -> str:
    """Return the page with other figures."""
    one = next(iter(runs.values()))
    setup = one["setup"]
    longest = max(
        runs.values(),
        key=lambda f: (f["setup"]["subscribers"], f["setup"]["database"] == "postgresql"),
    )
    shorter = next(
        f for f in runs.values() if f["setup"]["database"] == longest["setup"]["database"]
    )
    machine = (
        f"{one['processors']} processors, which the sink ({one['sink']}) shares; "
        f"{setup['processes']} processes and {setup['connections']} connections, {setup['topics']} topics, "
        f"{setup['papers']} papers."
    )
    by = f"{longest['setup']['subscribers']:,} subscribers on {longest['setup']['database']}"
    parts = [
        machine,
        "",
        *runs_table(runs),
        "",
        "In turns, with messages of the same size; in brackets what the other reached:",
        "",
        *rivals_table(runs),
        "",
        f"By the costs of the run with {by}:",
        "",
        *needs_table(shorter, longest),
    ]
    found, many = MARKS.subn(lambda m: m[1] + "\n".join([*parts, m[2]]), text)
    assert many == 1, "the page has lost its marks"
    return found


def main(folder: Path, url: str | None) -> None:
    folder.mkdir(exist_ok=True)
    runs = {}
    for name, options in RUNS.items():
        file = folder / f"{name.replace(', ', '-').lower()}.json"
        if "{url}" in options and not url and not file.exists():
            continue
        if not file.exists():
            command = [
                sys.executable,
                "-m",
                "digest",
                "bench",
                "--json",
                *options.format(url=url).split(),
            ]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            file.write_bytes(done.stdout)
        runs[name] = json.loads(file.read_text())
    PAGE.write_text(page_with(PAGE.read_text("utf-8"), runs), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
