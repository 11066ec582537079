"""What is logged, by the program and by libraries: lines of JSON without what must not be seen."""

import json
import logging
import sys
import warnings

import pytest
import structlog

from digest.monitoring.logs import configure_logs, mask_in_logs
from digest.settings.reading import read_settings
from tests.unit.settings.test_settings import SECRETS, VALUES, variable

log = structlog.get_logger()


@pytest.fixture(autouse=True)
def _masked():
    mask_in_logs((), addresses=False)
    yield
    mask_in_logs((), addresses=False)


@pytest.fixture
def begin(capsys):
    """Configures the logs; what that gives, gives what has been logged since, as values."""

    def begin():
        configure_logs()  # not before: pytest has another stream for each part of a test
        return lines

    def lines():
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    return begin


def test_a_line_has_its_values_without_addresses(begin):
    lines = begin()
    log.warning("not accepted", delivery=17, text="550 <ada@example.org>", more=["b@example.org"])
    [said] = lines()
    assert said.pop("timestamp")
    assert said == {
        "event": "not accepted",
        "level": "warning",
        "delivery": 17,
        "text": "550 <a…@example.org>",
        "more": ["b…@example.org"],
    }


def test_a_trace_tells_no_address(begin):
    lines = begin()
    try:
        raise ValueError("no such user: ada@example.org")
    except ValueError:
        log.exception("it failed")
    [said] = lines()
    assert "ValueError: no such user: a…@example.org" in said["exception"]
    assert "test_logs.py" in said["exception"]


def test_what_is_bound_stands_in_every_line(begin):
    lines = begin()
    with structlog.contextvars.bound_contextvars(delivery=17):
        log.info("one")
        logging.getLogger("library").error("two")
    log.info("three")
    assert [line.get("delivery") for line in lines()] == [17, 17, None]


def test_libraries_log_the_same_way_from_warnings_on(begin):
    lines = begin()
    logger = logging.getLogger("uvicorn.error")
    logger.info("GET /unsubscribe/…")
    logger.warning("no address in it: %s", "ada@example.org")
    try:
        raise ValueError("ada@example.org")
    except ValueError:
        logger.exception("it failed")
    warning, error = lines()
    assert (warning["level"], warning["logger"]) == ("warning", "uvicorn.error")
    assert warning["event"] == "no address in it: a…@example.org"
    assert "ValueError: a…@example.org" in error["exception"]


def test_warnings_are_logged(begin):
    lines = begin()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        configure_logs()
        warnings.warn("old: ada@example.org", UserWarning, stacklevel=1)
    [said] = lines()
    assert said["logger"] == "py.warnings"
    assert "old: a…@example.org" in said["event"]


def test_libraries_log_once_however_often_it_is_configured(begin):
    lines = begin()
    configure_logs()
    logging.getLogger("library").error("once")
    assert [line["event"] for line in lines()] == ["once"]


def test_on_a_terminal_it_is_for_people(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure_logs()
    log.warning("not accepted", text="550 <ada@example.org>")
    logging.getLogger("library").error("it failed")
    first, second = capsys.readouterr().err.splitlines()
    assert "not accepted" in first
    assert "550 <a…@example.org>" in first
    assert "it failed" in second
    assert "{" not in first + second


def test_addresses_are_shown_where_that_is_set(begin):
    lines = begin()
    mask_in_logs((), addresses=True)
    log.info("it came", to="ada@example.org")
    assert lines()[0]["to"] == "ada@example.org"


@pytest.mark.parametrize("addresses", [False, True])
@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_that_is_set_is_ever_logged(begin, name, addresses):
    lines = begin()
    of_urls = {
        "transport": "smtp://ada:horse%20horse@h",
        "inbox": "imaps://ada:horse%20horse@h/I",
        "database_url": "postgresql+psycopg://ada:horse%20horse@db/x",
    }
    password = "horse horse" + (21 * " horse" if name == "secret" else "")  # that must be long
    if name == "ping_url":  # all of it is the secret
        password = "https://hc-ping.com/horse"
    value = of_urls.get(name, password)
    _, origins = read_settings({variable(name): value})
    mask_in_logs((secret for origin in origins for secret in origin.secrets), addresses=addresses)
    log.error("it failed", why=f"it said: {password}", value=value, values=[{"x": value}])
    assert "horse" not in str(lines())


def test_a_place_is_no_secret():
    for name, value in (("inbox", VALUES["inbox"][0]), ("transport", "maildir:/srv/mail")):
        _, origins = read_settings({variable(name): value})
        assert [secret for origin in origins for secret in origin.secrets] == []
