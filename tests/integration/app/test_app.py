"""The composition root: letters that cannot be sent."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from digest.app.app import App
from digest.compose.transactional_mail import TransactionalMail
from tests.integration.smtp_server import HOST, Point, SmtpServer, nobody_listens
from tests.support import NOW, SENDING


def app_with(folder: Path, **settings: str) -> App:
    return App(environment={}, dotenv=None, home=str(folder), **{**SENDING, **settings})


def confirm(app: App) -> list[str]:
    """What the log says of sending one confirmation."""
    asked = app.registry.ask("ada@example.org", (), source="test", now=NOW)
    assert asked
    with capture_logs() as logs:
        TransactionalMail(app.transactional_composer, app.post, lambda: NOW).confirm(asked)
    assert "ada@example.org" not in str(logs), "no address in the log"
    return [log["why"] for log in logs]


def test_a_confirmation_is_sent(tmp_path: Path, smtp_server: SmtpServer) -> None:
    assert confirm(app_with(tmp_path, transport=smtp_server.url())) == []
    [received] = smtp_server.received
    assert received.rcpt_to == ("ada@example.org",)


def test_a_relay_that_is_down_is_told_and_nothing_is_raised(tmp_path: Path) -> None:
    with nobody_listens() as port:
        [why] = confirm(app_with(tmp_path, transport=f"smtp://{HOST}:{port}"))
    assert "refused" in why


def test_a_refused_confirmation_is_told(tmp_path: Path, smtp_server: SmtpServer) -> None:
    smtp_server.will_say(Point.RCPT, "550 5.1.1 nobody here")
    assert confirm(app_with(tmp_path, transport=smtp_server.url())) == ["5.1.1 nobody here"]


@pytest.mark.parametrize("broken", ["{{ mail.no_such_thing }}", "{% if %}"])
def test_a_broken_template_is_told_and_nothing_is_raised(tmp_path: Path, broken: str) -> None:
    own = tmp_path / "own" / "mail" / "confirm"
    own.mkdir(parents=True)
    (own / "body.txt.j2").write_text(broken)
    [why] = confirm(app_with(tmp_path, templates=str(tmp_path / "own")))
    assert "mail/confirm/body.txt.j2, line 1" in why
