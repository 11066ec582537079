"""`digest init` as somebody uses it in an empty folder."""

import json
import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from digest.cli.init import relay_url
from tests.acceptance.conftest import Api, Person
from tests.integration.dns_zone import Zone
from tests.integration.smtp_server import HOST, Authority, SmtpServer


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> Zone:
    """No test asks the real DNS."""
    zone = Zone({})
    monkeypatch.setattr("digest.doctor.names.system_resolver", lambda: zone)
    return zone


@pytest.fixture(autouse=True)
def _without_sendmail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests from handing mail to the sendmail of this machine."""
    monkeypatch.setattr("digest.cli.init.SENDMAIL_IN", "")


def values(person: Person) -> dict[str, str | None]:
    return dotenv_values(person.folder / ".env", interpolate=False)


def test_a_trial_takes_enter_six_times_and_the_doctor_is_content(
    newcomer: Person, api: Api
) -> None:
    newcomer.settings["DIGEST_HUGGINGFACE_URL"] = api.url
    done = newcomer.run("init", given="\n" * 6, at_a_terminal=True)
    assert done.returncode == 0, done.stderr
    assert "no source gave any" in done.stdout
    assert len(newcomer.mailbox()) == 1
    assert stat.S_IMODE((newcomer.folder / ".env").stat().st_mode) == 0o600
    found = newcomer.digest_json("doctor", "--offline")
    advice = [one["what"] for one in found if one["level"] == "advice"]
    assert [what[:15] for what in advice] == ["This is a trial"]
    assert {one["area"] for one in found if one["level"] != "good"} == {"settings", "sources"}
    assert newcomer.digest("demo"), "other commands run in this folder"


def test_it_asks_again_until_an_answer_can_be_read(newcomer: Person) -> None:
    typed = "http://example.org\n\nnobody\ndigest@example.org\n\n\n\n\n"
    done = newcomer.run("init", "--offline", given=typed, at_a_terminal=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "DIGEST_BASE_URL is 'http://example.org': expected https://" in done.stderr
    assert "DIGEST_FROM is 'nobody'" in done.stderr
    assert values(newcomer)["DIGEST_FROM"] == "digest@example.org"


def test_a_second_time_changes_what_is_given_and_keeps_the_rest(newcomer: Person) -> None:
    newcomer.digest("init", "--yes", "--offline", "--from", "one@example.org")
    file = newcomer.folder / ".env"
    file.write_text("# mine\n" + file.read_text() + "DIGEST_LANGUAGE=de\n")
    before = values(newcomer)
    newcomer.digest("init", "--yes", "--offline", "--postal-address", "Oslo, it's 1 Street")
    assert values(newcomer) == {**before, "DIGEST_POSTAL_ADDRESS": "Oslo, it's 1 Street"}
    assert file.read_text().startswith("# mine\n")


def test_a_relay_that_refuses_the_login_writes_nothing(
    newcomer: Person, start_smtp, authority: Authority, good_certificate
) -> None:
    server: SmtpServer = start_smtp("smtps", context=good_certificate, login=("me", "secret"))
    newcomer.settings["DIGEST_SMTP_CA_FILE"] = str(authority.ca_file)
    done = newcomer.run("init", "--yes", "--transport", server.url("me", "wrong"))
    assert done.returncode == 1
    assert "DIGEST_TRANSPORT does not work, so nothing was written" in done.stderr
    assert "wrong" not in done.stdout + done.stderr
    assert list(newcomer.folder.iterdir()) == []


def test_a_relay_that_works_gets_the_test(newcomer: Person, smtp_server: SmtpServer) -> None:
    done = newcomer.run(
        "init", "--yes", "--json", "--transport", smtp_server.url(),
        "--operator", "me@example.org", "--topic", "agents",
    )  # fmt: skip
    assert json.loads(done.stdout)["test"]["kind"] == "accepted", done.stderr
    (received,) = smtp_server.received
    assert received.rcpt_to == ("me@example.org",)
    assert b"[test]" in received.content


def test_the_dns_of_ones_own_domain_is_looked_at_before_anything_is_written(
    newcomer: Person, resolver: Zone
) -> None:
    newcomer.run("init", "--yes", "--base-url", "https://digest.example.org")
    assert values(newcomer)["DIGEST_FROM"] == "digest@example.org"
    assert "example.org" in {name for name, _ in resolver.asked}


def test_what_the_environment_sets_is_not_asked(newcomer: Person) -> None:
    newcomer.settings["DIGEST_FROM"] = "set@example.org"
    newcomer.digest("init", "--yes", "--offline")
    assert "DIGEST_FROM" not in values(newcomer)
    assert "set in the environment" in newcomer.fails("init", "--yes", "--from", "a@example.org")


@pytest.mark.parametrize(
    ("answers", "url"),
    [
        (
            ("relay.example.org", 587, "me", "a/b@c"),
            "smtp+starttls://me:a%2Fb%40c@relay.example.org:587",
        ),
        (("relay.example.org", 465, "", ""), "smtps://relay.example.org:465"),
        ((HOST, 25, "", ""), f"smtp://{HOST}:25"),
        (("::1", 2525, "me", "x"), "smtp+starttls://me:x@[::1]:2525"),
    ],
)
def test_a_relay_in_pieces(answers: tuple[str, int, str, str], url: str) -> None:
    assert relay_url(*answers) == url


def test_a_machine_that_sends_mail_by_itself_is_the_relay_unless_another_is_named(
    newcomer: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sendmail = tmp_path / "sendmail"
    sendmail.write_text("#!/bin/sh\ncat > /dev/null\n")
    sendmail.chmod(0o755)
    monkeypatch.setattr("digest.cli.init.SENDMAIL_IN", str(tmp_path))
    newcomer.digest("init", "--yes", "--offline")
    assert values(newcomer)["DIGEST_TRANSPORT"] == f"sendmail:{sendmail}"
