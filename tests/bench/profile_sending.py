"""Take sending apart: `python -m tests.bench.profile_sending [SUBSCRIBERS] [URL]`.

What `digest bench` sends, over eight connections of this process, on SQLite or in a schema of the
PostgreSQL of a URL. It is slower for being watched.
"""

import cProfile
import pstats
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

from digest.app.app import App
from digest.bench.day import NOW, write_papers, write_people
from digest.bench.measured_run import app_of
from digest.bench.scratch_folder import scratch_folder
from digest.bench.sink import running_sink
from digest.collect.sample_edition import SAMPLE_PAPERS
from digest.deliver import delivery_worker as sending
from digest.deliver.group_commit import GroupCommit
from digest.ledger.scratch_schema import scratch_schema
from subscribers.importing import import_people
from tests.support import SENDING

# Whose time is told: what a message goes through, in the loop and in the ledger's thread.
STEPS = {
    "compose": ("composer.py", "compose"),
    "SMTP, transaction and wire": ("smtp_wire.py", "perform"),
    "read blocks": ("delivery_worker.py", "_parcels"),
    "commit": ("claims.py", "commit"),
    "  outcomes": ("claims.py", "_record"),
    "  marks": ("claims.py", "_mark"),
    "  leases": ("claims.py", "_lease"),
}


def take_apart(app: App) -> None:
    messages = app.ledger.deliveries.waiting(NOW)
    loop, ledger, blocks = (cProfile.Profile() for _ in range(3))
    in_thread, parcels = GroupCommit._in_thread, sending.Pass._parcels
    GroupCommit._in_thread = lambda *given: ledger.runcall(in_thread, *given)
    sending.Pass._parcels = lambda *given: blocks.runcall(parcels, *given)
    try:
        loop.runcall(app.sending.send, NOW)
    finally:
        GroupCommit._in_thread, sending.Pass._parcels = in_thread, parcels
    stats = pstats.Stats(loop, ledger, blocks).stats
    print(
        f"\n{app.engine.dialect.name}, eight connections, {messages} messages: milliseconds each, while watched"
    )
    for step, (file, name) in STEPS.items():
        print(f"  {step:<28}{_total(stats, file, name, messages):8.3f}")
    print("  by module, without what it calls:")
    for module, spent in _by_module(stats).most_common(16):
        print(f"    {module:<32}{1000 * spent / messages:8.3f}")


def _total(stats: dict, file: str, name: str, messages: int) -> float:
    found = [
        numbers[3]
        for (path, _, called), numbers in stats.items()
        if Path(path).name == file and called == name
    ]
    return 1000 * sum(found) / messages


def _by_module(stats: dict) -> Counter[str]:
    """Seconds by module of ours, and by package of others."""
    spent: Counter[str] = Counter()
    for (path, _, name), (_, _, own, _, _) in stats.items():
        parts = Path(path).parts
        if "site-packages" in parts:
            where = parts[parts.index("site-packages") + 1]
        elif "digest" in parts or "subscribers" in parts:
            where = "/".join(parts[-2:])
        elif path == "~":
            where = name.replace("method ", "")[:32]
        else:
            where = f"standard {Path(path).name}"
        spent[where] += own
    return spent


def main(subscribers: int, postgresql: str | None) -> None:
    with (
        scratch_folder() as folder,
        running_sink(folder) as sink,
        scratch_schema(postgresql) if postgresql else nullcontext() as url,
    ):
        settings = {**SENDING, "home": str(folder), "transport": sink.url, "mx_lookups": "no"}
        settings["database_url"] = url or f"sqlite:///{folder}/digest.sqlite3"
        app = app_of({**settings, "send_connections": "8"})
        people, papers = folder / "people.jsonl", folder / "papers.json"
        write_people(people, subscribers, 500)
        write_papers(papers, SAMPLE_PAPERS)
        import_people(app.registry, app.address_policy, people, NOW, lambda *_: None)
        app.collector.collect_files([papers], None, NOW)
        app.pipeline.plan(NOW, app.ledger.editions.freeze(NOW.date(), NOW.date(), NOW))
        take_apart(app)
        app.engine.dispose()


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    urls = [word for word in sys.argv[1:] if "://" in word]
    main(numbers[0] if numbers else 2000, urls[0] if urls else None)
