"""What is done by itself, and what the operator hears of it."""

import mailbox
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from digest.app.app import App
from digest.errors import Busy, LedgerError, SettingError, SourceError, Stopped, TransportError
from digest.ledger.last_runs import Job
from digest.maintenance.retention import Tidied
from digest.model.deliveries import Balance
from digest.model.messages import Outcome, OutcomeKind
from digest.pipeline import Run
from digest.service.jobs import Jobs
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import plan
from tests.integration.smtp_server import HOST, nobody_listens
from tests.raw_message import read
from tests.support import NOW, SENDING, TODAY, make_sighting

OPERATOR = "operator@example.org"
ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "ok", 250)


class Path:
    """A pipeline of which only one thing is known: what became of the edition."""

    def __init__(self, run):
        self._run = run

    is_delivering = False

    def tick(self, now):
        if isinstance(self._run, Exception):
            raise self._run
        return self._run

    def deliver(self, now):
        return self._run.trouble


def made(*trouble):
    return Run(Balance(TODAY), trouble)


def duties_with(home, run, **settings):
    app = App(
        environment={}, dotenv=None, clock=lambda: NOW, **{**SENDING, "home": str(home), **settings}
    )
    app.pipeline = Path(run)
    return Jobs(app)


@pytest.fixture
def edition(tmp_path):
    """Has the edition made; gives the mails that it led to, and the log. ``post`` may fail."""

    def edition(run, *, operator=OPERATOR, post=None, raises=None, **settings):
        duties = duties_with(tmp_path, run, operator=operator, **settings)
        mails = []

        def take(message):
            mails.append(message)
            return ACCEPTED

        duties._app.post = post or take
        with capture_logs() as logs, pytest.raises(raises) if raises else nullcontext():
            duties.tick()
        return mails, logs

    return edition


def text_of(mail):
    return " ".join(read(mail.content).parts[0].text.split())


def test_a_run_that_went_well_is_only_logged(edition):
    mails, logs = edition(made())
    assert mails == []
    assert [log["event"] for log in logs] == ["the edition is made"]


def test_the_operator_is_told_of_trouble(edition, tmp_path):
    mails, logs = edition(made("smtp://relay: refused", "huggingface: HTTP 503"))
    assert logs[-1]["event"] == "the edition is made"
    [mail] = mails
    assert mail.envelope.rcpt_to == OPERATOR
    assert "smtp://relay: refused - huggingface: HTTP 503" in text_of(mail)
    assert str(tmp_path.name) in text_of(mail)
    assert "Needs attention: smtp://relay: refused" in text_of(mail)


def test_where_there_is_nothing_to_do_nothing_is_told(edition):
    assert edition(None) == ([], [])


def test_a_day_without_an_edition_is_told(edition):
    [mail], [told] = edition(Run(None, ("huggingface: HTTP 503", "no edition: too few papers")))
    assert "huggingface: HTTP 503 - no edition: too few papers" in text_of(mail)
    assert told["event"] == "no edition is made"


def test_trouble_that_lasts_is_told_once(tmp_path):
    mails = []
    duties = duties_with(tmp_path, made("the relay is down"), operator=OPERATOR)
    duties._app.post = lambda mail: mails.append(mail) or ACCEPTED
    for run in (made("a"), made("a"), None, made("a"), made("a", "b"), made(), made("a")):
        duties._app.pipeline = Path(run)
        duties.tick()
    assert len(mails) == 3


def test_the_operator_is_told_once_of_somebody_whom_planning_forgot(tmp_path):
    mails = []
    duties = duties_with(tmp_path, made(), operator=OPERATOR)
    duties._app.post = lambda mail: mails.append(mail) or ACCEPTED
    forgotten = ("the balance does not add up: 10 are due, and 5 have a delivery",)
    for trouble in ((), forgotten, forgotten):
        duties._app.pipeline.plan = lambda now, trouble=trouble: trouble
        duties.plan()
    [mail] = mails
    assert "10 are due, and 5 have a delivery" in text_of(mail)


def test_the_operator_is_told_once_where_nothing_can_be_sent_for_an_hour(tmp_path):
    mails, told_at = [], []
    duties = duties_with(tmp_path, made(), operator=OPERATOR)
    duties._app.post = lambda mail: mails.append(mail) or ACCEPTED
    down, up = made("the relay is down"), made()
    # In minutes: down for 50, and then for hours.
    runs = {minute: up if minute == 50 else down for minute in range(0, 300, 10)}
    for minute, run in runs.items():
        duties._app.pipeline = Path(run)
        duties._app.clock = lambda minute=minute: NOW + timedelta(minutes=minute)
        duties.send()
        told_at += [minute] * (len(mails) - len(told_at))
    assert told_at == [120]
    assert "the relay is down" in text_of(mails[0])


def test_three_workers_that_see_the_same_tell_it_once_a_day(tmp_path):
    """Each is a process with a home of its own, on one ledger."""
    mails = []
    database = f"sqlite:///{tmp_path / 'digest.sqlite3'}"
    workers = [
        duties_with(tmp_path / f"home-{n}", made("a"), operator=OPERATOR, database_url=database)
        for n in range(3)
    ]
    for minutes in range(0, 24 * 60 + 20, 20):
        for worker in workers:
            worker._app.post = lambda mail: mails.append(text_of(mail)) or ACCEPTED
            worker._app.clock = lambda minutes=minutes: NOW + timedelta(minutes=minutes)
            worker.tick()
            worker._app.pipeline.plan = lambda now: ("b is forgotten",)
            worker.plan()
            worker.send()
    told = [next(word for word in ("b is forgotten", " a ") if word in mail) for mail in mails]
    # Of the edition's trouble each day's; that of sending is the same, and is told after an hour.
    assert told == [" a ", "b is forgotten", " a ", " a "]


def test_while_the_database_is_away_each_worker_tells_it_once(tmp_path):
    mails = []
    duties = duties_with(tmp_path, LedgerError("gone"), operator=OPERATOR)
    duties._app.post = lambda mail: mails.append(mail) or ACCEPTED
    duties._app.ledger.alerts.is_news = lambda *_: (_ for _ in ()).throw(LedgerError("gone"))
    for _ in range(3):
        with pytest.raises(LedgerError):
            duties.tick()
    assert len(mails) == 1


@pytest.mark.parametrize("error", [Busy("another run is under way"), Stopped("we are to stop")])
def test_that_it_is_for_later_is_no_trouble(edition, error):
    mails, logs = edition(error, raises=type(error))
    assert (mails, logs) == ([], [])


def test_the_operator_is_told_of_a_database_that_failed(edition):
    gone = OperationalError("SELECT 1", {}, Exception("server closed the connection\nand more"))
    [mail], _ = edition(gone, raises=LedgerError)
    assert "the database failed: server closed the connection" in text_of(mail)


@pytest.mark.parametrize("error", [LedgerError("the ledger has moved"), SourceError("no such source")])  # fmt: skip
def test_the_operator_is_told_of_a_run_that_was_broken_off(edition, error):
    mails, _ = edition(error, raises=type(error))
    [mail] = mails
    assert str(error) in text_of(mail)
    assert "was broken off" in text_of(mail)


def test_without_an_operator_nobody_is_told(edition):
    mails, logs = edition(made("trouble"), operator="")
    assert mails == []
    assert logs[-1]["trouble"] == ("trouble",)
    assert edition(LedgerError("locked"), operator="", raises=LedgerError)[0] == []


def no_relay(message):
    raise TransportError("smtp://relay.example:25: connection refused")


def test_an_alert_that_fails_hides_no_trouble(edition):
    _, logs = edition(made("trouble"), post=no_relay)
    assert [log["event"] for log in logs] == [
        "the operator was not told",
        "the edition is made",
    ]
    assert logs[1]["trouble"] == ("trouble",)
    _, [told] = edition(LedgerError("locked"), post=no_relay, raises=LedgerError)
    assert told["why"] == "smtp://relay.example:25: connection refused"


def test_a_letter_that_cannot_be_made_hides_no_trouble(edition, tmp_path):
    own = tmp_path / "own" / "mail" / "operator-alert"
    own.mkdir(parents=True)
    (own / "body.txt.j2").write_text("{% if %}")
    _, [told] = edition(LedgerError("locked"), raises=LedgerError, templates=str(tmp_path / "own"))
    assert "mail/operator-alert/body.txt.j2, line 1" in told["why"]


def test_an_operator_is_told_in_the_language_of_the_mails(edition):
    [mail], _ = edition(made("trouble"), language="de")
    assert "Handlungsbedarf: trouble" in text_of(mail)


# ---- what was put off ------------------------------------------------------------------------


def app_with_mail(folder, **settings):
    """An application with one mail that waits to be sent."""
    settings = {**SENDING, "home": str(folder), "mx_lookups": "no", **settings}
    app = App(environment={}, dotenv=None, clock=lambda: NOW, **settings)
    absorb(app.ledger, make_sighting(1))
    edition = app.ledger.editions.freeze(TODAY, TODAY, NOW)
    ada = app.registry.add("ada@example.org", (), source="test", now=NOW)
    plan(app.ledger, edition, ada.id, "example.org")
    return app


def test_what_waits_is_sent_without_a_run(tmp_path, smtp_server):
    app = app_with_mail(tmp_path, transport=smtp_server.url())
    duties = Jobs(app)
    for _ in range(2):
        duties.send()
    assert [each.rcpt_to for each in smtp_server.received] == [("ada@example.org",)]
    edition = app.ledger.editions.on(TODAY)
    assert edition
    assert app.ledger.editions.balance(edition).accepted == 1


def test_what_lasts_is_told_once(tmp_path):
    with nobody_listens() as port, capture_logs() as logs:
        app = app_with_mail(tmp_path, transport=f"smtp://{HOST}:{port}")
        duties = Jobs(app)
        for _ in range(3):
            duties.send()
    told = [log for log in logs if log["event"] == "not all could be sent"]
    assert ["refused" in str(each["why"]) for each in told] == [True]


def test_one_process_sends_once_at_a_time(tmp_path, smtp_server):
    app = app_with_mail(tmp_path, transport=smtp_server.url())
    duties = Jobs(app)
    with app.pipeline._delivering:
        duties.send()
    assert smtp_server.received == []


def test_planning_goes_on_while_mails_are_sent(tmp_path):
    app = app_with_mail(tmp_path)
    duties = Jobs(app)
    app.clock = lambda: NOW + timedelta(hours=1)
    with app.pipeline._delivering:
        duties.plan()
    assert app.ledger.last_runs.last(Job.PLANNED) == NOW + timedelta(hours=1)


def test_an_edition_is_made_while_mails_are_sent(tmp_path):
    app = app_with_mail(tmp_path)
    duties = Jobs(app)
    app.clock = lambda: NOW + timedelta(days=1)
    app.sources = list
    with app.pipeline._delivering:
        duties.tick()
    edition = app.ledger.editions.on(TODAY + timedelta(days=1))
    assert edition
    assert app.ledger.editions.balance(edition).due == 1


# ---- mail that comes back, and what is old ---------------------------------------------------


def test_reading_the_inbox_is_written_down(tmp_path):
    box = mailbox.Maildir(tmp_path / "box")
    box.add(b"Subject: hello\n\nnothing")
    app = app_with_mail(tmp_path, inbox=str(tmp_path / "box"))
    assert Jobs(app).read_inbox().total() == 1
    assert app.ledger.last_runs.last(Job.INBOX) == NOW


def test_without_a_mailbox_it_is_said_what_to_set(tmp_path):
    with pytest.raises(SettingError, match="DIGEST_INBOX is not set"):
        Jobs(app_with_mail(tmp_path)).read_inbox()


def test_it_is_tidied_up_each_night_once(tmp_path):
    app = app_with_mail(tmp_path, timezone="Europe/Oslo")
    duties = Jobs(app)
    tidied = []
    app.tidy = lambda now: tidied.append(now) or Tidied()
    start = datetime(2026, 2, 20, 1, 0, tzinfo=UTC)  # two o'clock there
    for hours in (0, 1, 1.5, 12, 24, 25, 26, 80):
        app.clock = lambda hours=hours: start + timedelta(hours=hours)
        duties.tidy()
    assert [(each - start).total_seconds() / 3600 for each in tidied] == [0, 1, 25, 80]


@pytest.fixture
def pings():
    """A dead-man's service on this machine: its address, and the paths that were called."""
    called = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            called.append((self.path, self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/check", called
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("run", "path", "raises"),
    [
        (made(), "/check", None),
        (made("a@example.org: relay down"), "/check/fail", None),
        (None, None, None),
        (LedgerError("gone"), "/check/fail", LedgerError),
    ],
)
def test_a_service_hears_of_each_edition_and_of_nothing_else(edition, pings, run, path, raises):
    url, called = pings
    edition(run, operator="", ping_url=url, raises=raises)
    assert called == ([(path, "0")] if path else [])


def test_a_service_that_does_not_answer_stops_nothing(edition):
    with nobody_listens() as port:
        pass
    _, logs = edition(made(), ping_url=f"http://{HOST}:{port}/secret")
    (told,) = [line for line in logs if line["log_level"] == "warning"]
    assert "secret" not in str(told)
