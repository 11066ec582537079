"""Measure what a list costs on this machine: the whole path to a sink, and what else there is.

Everything is made in a folder, and if wanted a schema in PostgreSQL, which are removed afterwards.
"""

import os
import pickle
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from digest.bench.by_smtplib import Load, Took
from digest.bench.day import write_papers, write_people
from digest.bench.measured_run import Job, MeasuredRun, Stage, in_own_process, run_measured
from digest.bench.rivals import RIVALS, NotInstalled
from digest.bench.scratch_folder import scratch_folder
from digest.bench.sink import Sink, of_postfix, running_sink
from digest.bench.sink_server import Taken
from digest.deliver.transport.dkim_key import generate
from digest.ledger.scratch_schema import scratch_schema
from digest.model.deliveries import Balance

TURNS = 3  # of each, when rivals take turns with us
_SETTINGS = {
    "from_": "digest@example.org",
    "base_url": "https://digest.example.org",
    "postal_address": "Paper Digest, 1 Example Street, 0150 Oslo, Norway",
    "mx_lookups": "no",
}
_WARM_UP = 20  # subscribers
# What is in the log of each run: a worker is ready, and there is no source.
_EXPECTED = ('"level": "info"', "Stop with Ctrl-C.", '"source": "nobody"')


@dataclass(frozen=True, slots=True)
class Setup:
    """Say what is to be measured; ``database`` is the URL of one in PostgreSQL, None is SQLite."""

    subscribers: int
    topics: int
    papers: int
    processes: int
    connections: int
    dkim: bool = False
    database: str | None = None
    languages: tuple[str, ...] = ("en",)  # of the subscribers, in turns

    @property
    def shown(self) -> "Setup":
        """Return it with the kind of database instead of its URL, which may hold a password."""
        kind = self.database and self.database.partition("://")[0].partition("+")[0]
        return replace(self, database=kind or "sqlite")


@dataclass(frozen=True, slots=True)
class Ours:
    """One run of ours: what was measured, and how fast it sent."""

    run: MeasuredRun
    taken: Taken

    @property
    def seconds_to_first(self) -> float:
        """Return the seconds from the beginning of the tick to the first message at the sink."""
        return (self.taken.first_at or self.run.began_at) - self.run.began_at

    @property
    def messages_per_second(self) -> float:
        return self.run.balance.accepted / self.stage("send").seconds

    @property
    def processor_ms(self) -> float:
        """Return the processor's time for a message, in planning and sending."""
        used = self.stage("plan").processor_seconds + self.stage("send").processor_seconds
        return 1000 * used / max(1, self.run.balance.accepted)

    @property
    def trouble(self) -> tuple[str, ...]:
        """Return what is wrong with the run, in lines."""
        balance, found = self.run.balance, list(self.run.trouble)
        if self.taken.messages != balance.accepted:
            found.append(
                f"the sink took {self.taken.messages} messages, "
                f"and {balance.accepted} are recorded as accepted"
            )
        if left := balance.due - balance.accepted - balance.suppressed - balance.skipped:
            found.append(f"{left} messages were not sent")
        return tuple(found)

    def stage(self, name: str) -> Stage:
        return next(stage for stage in self.run.stages if stage.name == name)


@dataclass(frozen=True, slots=True)
class Rival:
    """Tell how another way of sending did: medians; or why it was skipped.

    ``ratio`` is how many times as many messages we send in a second, ``processor_ratio`` how many
    times as much processor it needs for one.
    """

    name: str
    skipped: str = ""
    messages: int = 0
    message_octets: int = 0
    messages_per_second: float = 0.0
    processor_ms: float = 0.0
    ratio: float = 0.0
    processor_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """The result, medians of all runs. ``processor_ms`` is that of a message, planned and sent."""

    setup: Setup
    sink: str
    processors: int
    stages: tuple[Stage, ...]
    messages: int
    message_octets: int
    seconds_to_first: float
    messages_per_second: float
    processor_ms: float
    peak_octets: int
    rows: dict[str, int]
    balance: Balance
    trouble: tuple[str, ...]
    rivals: tuple[Rival, ...] = ()


def measure(
    setup: Setup, *, compare: bool = False, tell: Callable[[str], None] = lambda _: None
) -> Figures:
    """Measure, and tell what is being done. Raises DigestError."""
    with scratch_folder() as folder:
        bench = Bench(setup, folder, tell)
        tell("making the list and building the templates …")
        bench.prepare()
        runs, took = [], dict[str, list[Took]]()
        skipped = dict[str, str]()
        turns = TURNS if compare else 1
        for turn in range(1, turns + 1):
            tell(f"run {turn} of {turns}: the whole path …")
            runs.append(bench.run(f"run-{turn}"))
            for name in RIVALS if compare else ():
                if name not in skipped:
                    tell(f"run {turn} of {turns}: {name} …")
                    try:
                        took.setdefault(name, []).append(bench.rival(name))
                    except NotInstalled as why:
                        skipped[name] = str(why)
        rivals = [_rival(name, runs, took[name]) for name in took if took[name]]
        rivals += [Rival(name, why) for name, why in skipped.items()]
        return _figures(setup, runs, tuple(rivals))


@dataclass(frozen=True, slots=True)
class Place:
    """Holds what a run needs: its job, the sink that takes its messages, a file for its log."""

    job: Job
    sink: Sink
    log: Path


class Bench:
    """A folder in which runs are made."""

    def __init__(self, setup: Setup, folder: Path, tell: Callable[[str], None]) -> None:
        self._setup = setup
        self._tell = tell
        self._folder = folder
        self._secret = secrets.token_hex(32)
        self._people, self._papers = folder / "people.jsonl", folder / "papers.json"
        self._samples = folder / "samples"

    def prepare(self) -> None:
        """Make the files, and caches as they are where mail has been sent before."""
        setup = self._setup
        (self._folder / "cache").mkdir()
        if setup.dkim:
            generate(self._folder / "key.pem", ed25519=False)
        write_papers(self._papers, setup.papers)
        write_people(self._people, _WARM_UP, setup.topics, setup.languages)
        self.run("warm-up", sqlite=True)
        write_people(self._people, setup.subscribers, setup.topics, setup.languages)

    def run(self, name: str, *, sqlite: bool = False) -> Ours:
        """Take the list through the whole path, in a new database and a new process."""
        with self.place(name, sqlite=sqlite) as place:
            run = in_own_process(place.log, run_measured, place.job)
        return Ours(run, place.sink.taken)

    @contextmanager
    def place(self, name: str, *, sqlite: bool = False) -> Iterator[Place]:
        """Make a new database and a sink; what the sink took is known at the end."""
        home = self._folder / name
        home.mkdir()
        (home / "cache").symlink_to(self._folder / "cache")
        database = None if sqlite else self._setup.database
        with running_sink(home) as sink, _database(database, home) as url:
            settings = {**self._settings(home, url), "transport": sink.url}
            job = Job(settings, self._people, self._papers, self._samples)
            with self._logged(home / "log") as log:
                yield Place(job, sink, log)

    def rival(self, name: str) -> Took:
        """Have a rival send messages like those of the last run."""
        samples = pickle.loads(self._samples.read_bytes())  # noqa: S301  our own
        home = self._folder / "rival"
        home.mkdir(exist_ok=True)
        setup, settings = self._setup, self._settings(home, f"sqlite:///{home}/none.sqlite3")
        with running_sink(home) as sink:
            load = Load(
                settings,
                sink.port,
                tuple(samples),
                setup.subscribers if samples else 0,
                setup.connections,
                setup.processes,
            )
            return RIVALS[name](load, home)

    @contextmanager
    def _logged(self, log: Path) -> Iterator[Path]:
        """Tell afterwards what was logged in a file, but for what was to be expected."""
        try:
            yield log
        finally:
            for line in log.read_text("utf-8").splitlines() if log.exists() else ():
                if not any(words in line for words in _EXPECTED):
                    self._tell(line)
            log.unlink(missing_ok=True)

    def _settings(self, home: Path, database: str) -> dict[str, str]:
        setup = self._setup
        signed = {"dkim_selector": "bench", "dkim_key": str(self._folder / "key.pem")}
        return {
            **_SETTINGS,
            "secret": self._secret,
            **(signed if setup.dkim else {}),
            "home": str(home),
            "database_url": database,
            "send_processes": str(setup.processes),
            "send_connections": str(setup.connections),
        }


@contextmanager
def _database(url: str | None, home: Path) -> Iterator[str]:
    """Yield the URL of a new database: a file, or a schema in that of a URL."""
    if url is None:
        yield f"sqlite:///{home}/digest.sqlite3"
        return
    with scratch_schema(url) as schema:
        yield schema


# ---- figures ---------------------------------------------------------------------------------


def _figures(setup: Setup, runs: list[Ours], rivals: tuple[Rival, ...]) -> Figures:
    one = runs[0].run
    stages = tuple(_median_stage([ours.stage(stage.name) for ours in runs]) for stage in one.stages)
    return Figures(
        setup=setup.shown,
        sink="smtp-sink" if of_postfix("smtp-sink") else "our own",
        processors=os.cpu_count() or 1,
        stages=stages,
        messages=one.balance.accepted,
        message_octets=one.message_octets,
        seconds_to_first=median(ours.seconds_to_first for ours in runs),
        messages_per_second=median(ours.messages_per_second for ours in runs),
        processor_ms=median(ours.processor_ms for ours in runs),
        peak_octets=max(stage.peak_octets for stage in stages),
        rows=one.rows,
        balance=one.balance,
        trouble=tuple(dict.fromkeys(line for ours in runs for line in ours.trouble)),
        rivals=rivals,
    )


def _median_stage(stages: list[Stage]) -> Stage:
    return Stage(
        stages[0].name,
        median(stage.seconds for stage in stages),
        median(stage.processor_seconds for stage in stages),
        int(median(stage.stored_octets for stage in stages)),
        max(stage.peak_octets for stage in stages),
    )


def _rival(name: str, runs: list[Ours], took: list[Took]) -> Rival:
    """Compare turn by turn: what disturbs the machine for a while disturbs both."""
    rates = [one.messages / one.seconds for one in took]
    costs = [1000 * one.processor_seconds / one.messages for one in took]
    turns = list(zip(runs, rates, costs, strict=True))
    return Rival(
        name,
        messages=took[0].messages,
        message_octets=took[0].octets,
        messages_per_second=median(rates),
        processor_ms=median(costs),
        ratio=median(ours.messages_per_second / rate for ours, rate, _ in turns),
        processor_ratio=median(cost / ours.processor_ms for ours, _, cost in turns),
    )
