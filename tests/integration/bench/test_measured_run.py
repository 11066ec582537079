"""The run that is measured, in this process: its stages, and a balance that is made wrong."""

import pickle
import smtplib
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from digest.app.app import App
from digest.bench import bench, sink
from digest.bench.by_smtplib import Load
from digest.bench.day import write_papers, write_people
from digest.bench.measured_run import Job, in_own_process, run_measured
from digest.bench.rivals import NotInstalled, nodemailer, smtp_source
from digest.bench.sink import running_sink
from digest.errors import ServiceError
from digest.ledger.tables import deliveries
from tests.support import PLAIN_TEMPLATES, SENDING


@pytest.fixture
def own_sink(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink, "of_postfix", lambda _: None)


def job_in(folder: Path, transport: str, **settings: str) -> Job:
    people, papers = folder / "people.jsonl", folder / "papers.json"
    write_people(people, 20, 10)
    write_papers(papers, 5)
    settings = {
        **SENDING,
        "home": str(folder / "home"),
        "transport": transport,
        "templates": str(PLAIN_TEMPLATES),
        "mx_lookups": "no",
        "send_connections": "2",
        **settings,
    }
    return Job(settings, people, papers, folder / "samples")


@pytest.mark.usefixtures("own_sink")
def test_a_run_goes_through_all_stages_and_the_sink_takes_what_is_recorded(tmp_path: Path) -> None:
    with running_sink(tmp_path) as server:
        run = run_measured(job_in(tmp_path, server.url))
    assert [stage.name for stage in run.stages] == ["import", "collect", "plan", "send"]
    assert all(stage.seconds > 0 and stage.processor_seconds > 0 for stage in run.stages)
    assert run.balance.due == 20
    assert run.rows["deliveries"] == 20
    ours = bench.Ours(run, server.taken)
    assert ours.trouble == ()
    assert server.taken.messages == run.balance.accepted > 5
    samples = pickle.loads((tmp_path / "samples").read_bytes())
    assert server.taken.octets >= len(samples) * 1000
    assert 0 < ours.seconds_to_first < 60


@pytest.mark.usefixtures("own_sink")
def test_a_lost_delivery_is_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver = App.deliver

    def lose_one(app: App, *given: object) -> object:
        with app.engine.begin() as connection:
            skipped = select(func.min(deliveries.c.id)).where(deliveries.c.state == "skipped")
            connection.execute(
                delete(deliveries).where(deliveries.c.id == skipped.scalar_subquery())
            )
        return deliver(app, *given)

    monkeypatch.setattr(App, "deliver", lose_one)
    with running_sink(tmp_path) as server:
        run = run_measured(job_in(tmp_path, server.url))
    assert run.trouble == (
        "the balance of 2025-12-05 does not add up: 20 are due, and 19 have a delivery",
    )
    assert set(run.trouble) < set(bench.Ours(run, server.taken).trouble)


def test_the_sink_counts_messages_and_octets_however_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own, also where Postfix's is installed."""
    monkeypatch.setattr("digest.bench.sink._POSTFIX", "")
    with (
        running_sink(tmp_path) as server,
        smtplib.SMTP("127.0.0.1", server.port, timeout=9) as client,
    ):
        client.sendmail("a@example.org", "b@example.org", b"Subject: x\r\n\r\n.\r\n" * 9000)
        client.ehlo()
        for octets in b"MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n", b".\r\nMAIL FROM:<a>\r\n":
            client.send(octets)
        answers = [client.getreply()[0] for _ in range(5)]
    assert answers == [250, 250, 354, 250, 250]
    assert server.taken.messages == 2
    assert server.taken.first_at


def broken_off(_: object) -> None:
    raise SystemExit(3)


def test_a_process_that_dies_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"died \(3\)"):
        in_own_process(tmp_path / "log", broken_off, None)


def test_a_rival_that_is_not_installed_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Load({}, 25, (), 1, 1, 1)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("digest.bench.rivals.of_postfix", lambda _: None)
    with pytest.raises(NotInstalled, match="it comes with Postfix"):
        smtp_source(load, tmp_path)
    with pytest.raises(NotInstalled, match="node is not installed"):
        nodemailer(load, tmp_path)
