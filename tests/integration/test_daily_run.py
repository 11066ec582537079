"""The daily run, and what the operator hears of it."""

import pytest
from structlog.testing import capture_logs

from digest.app import App
from digest.errors import LedgerError, SourceError, TransportError
from digest.model import Balance, Collected, Outcome, OutcomeKind, Rejection
from digest.pipeline import Run
from tests.raw_message import read
from tests.support import SENDING, TODAY

OPERATOR = "operator@example.org"


class Path:
    """A pipeline that only says what became of it."""

    def __init__(self, run, collected=None):
        self._run = run
        self._collected = collected or Collected(papers=0, new=0, updated=0)

    def edition_day(self, now):
        return now.date()

    def days_for(self, day):
        return [day]

    def collect(self, days, now):
        return self._collected

    def run(self, composer, transport, now):
        if isinstance(self._run, Exception):
            raise self._run
        return self._run


def ran(*trouble):
    return Run(Balance(TODAY), trouble)


@pytest.fixture
def daily(tmp_path):
    """Makes a daily run; gives the mails that it led to, and the log. ``post`` may fail."""

    def daily(run, *, operator=OPERATOR, collected=None, post=None, raises=None, **settings):
        values = {**SENDING, "home": str(tmp_path), "operator": operator, **settings}
        app = App(environment={}, dotenv=None, **values)
        app.pipeline = Path(run, collected)
        mails = []

        def take(message):
            mails.append(message)
            return Outcome(OutcomeKind.ACCEPTED, "ok", 250)

        app.post = post or take
        with capture_logs() as logs:
            if raises:
                with pytest.raises(raises):
                    app.daily_run()
            else:
                app.daily_run()
        return mails, logs

    return daily


def text_of(mail):
    return " ".join(read(mail.content).parts[0].text.split())


def test_a_run_that_went_well_is_only_logged(daily):
    mails, logs = daily(ran())
    assert mails == []
    assert [each["event"] for each in logs] == ["the daily run is done"]


def test_the_operator_is_told_of_trouble(daily, tmp_path):
    mails, logs = daily(ran("smtp://relay: refused", "huggingface: HTTP 503"))
    assert logs[-1]["event"] == "the daily run is done"
    [mail] = mails
    assert mail.envelope.rcpt_to == OPERATOR
    assert "smtp://relay: refused - huggingface: HTTP 503" in text_of(mail)
    assert str(tmp_path.name) in text_of(mail)
    assert "went through to its end" in text_of(mail)


def test_a_source_that_failed_is_trouble_told_once(daily):
    failed = Rejection.of_source("huggingface", "HTTP 503")
    collected = Collected(papers=0, new=0, updated=0, rejected=(failed,))
    [mail], _ = daily(ran("huggingface: HTTP 503"), collected=collected)
    assert text_of(mail).count("HTTP 503") == 1
    [mail], _ = daily(ran(), collected=collected)
    assert "huggingface: HTTP 503" in text_of(mail)


def test_an_entry_that_cannot_be_read_is_no_trouble(daily):
    entry = Rejection("page", "entry 3", "no title")
    mails, _ = daily(ran(), collected=Collected(papers=1, new=1, updated=0, rejected=(entry,)))
    assert mails == []


@pytest.mark.parametrize("error", [LedgerError("another run is under way"), SourceError("no such source")])  # fmt: skip
def test_the_operator_is_told_of_a_run_that_was_broken_off(daily, error):
    mails, _ = daily(error, raises=type(error))
    [mail] = mails
    assert str(error) in text_of(mail)
    assert "was broken off" in text_of(mail)


def test_without_an_operator_nobody_is_told(daily):
    mails, logs = daily(ran("trouble"), operator="")
    assert mails == []
    assert logs[-1]["trouble"] == ("trouble",)
    assert daily(LedgerError("locked"), operator="", raises=LedgerError)[0] == []


def no_relay(message):
    raise TransportError("smtp://relay.example:25: connection refused")


def test_an_alert_that_fails_hides_no_trouble(daily):
    _, logs = daily(ran("trouble"), post=no_relay)
    assert [each["event"] for each in logs] == [
        "the operator was not told",
        "the daily run is done",
    ]
    assert logs[1]["trouble"] == ("trouble",)
    _, [told] = daily(LedgerError("locked"), post=no_relay, raises=LedgerError)
    assert told["why"] == "smtp://relay.example:25: connection refused"


def test_a_letter_that_cannot_be_made_hides_no_trouble(daily, tmp_path):
    own = tmp_path / "own" / "mail" / "operator-alert"
    own.mkdir(parents=True)
    (own / "body.txt.j2").write_text("{% if %}")
    _, [told] = daily(LedgerError("locked"), raises=LedgerError, templates=str(tmp_path / "own"))
    assert "mail/operator-alert/body.txt.j2, line 1" in told["why"]


def test_an_operator_is_told_in_the_language_of_the_mails(daily):
    [mail], _ = daily(ran("trouble"), language="de")
    assert "Der Lauf kam bis zum Ende" in text_of(mail)
