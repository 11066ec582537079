"""`digest doctor` as somebody uses it before the first mail."""

import json

import pytest

from tests.acceptance.conftest import Person
from tests.integration.dns_zone import Zone, texts
from tests.integration.smtp_server import HOST, Authority, SmtpServer

WELL_SET = {
    "DIGEST_SECRET": "0123456789abcdef" * 2,
    "DIGEST_BOUNCE_ADDRESS": "bounces@example.org",
    "DIGEST_INBOX": "/var/mail/digest",
    "DIGEST_OPERATOR": "operator@example.org",
}
PUBLISHED = {
    ("example.org", "TXT"): texts("v=spf1 mx -all"),
    ("_dmarc.example.org", "TXT"): texts("v=DMARC1; p=reject; rua=mailto:dmarc@example.org"),
    ("example.org", "MX"): ["10 mx.example.org."],
    ("mx.example.org", "A"): ["192.0.2.1"],
}


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> Zone:
    """No test asks the real DNS, nor a source."""
    zone = Zone(PUBLISHED)
    monkeypatch.setattr("digest.collect.source.find_sources", lambda *_: [])
    monkeypatch.setattr("digest.doctor.names.system_resolver", lambda: zone)
    return zone


def test_a_newcomer_is_told_what_to_set(newcomer: Person) -> None:
    done = newcomer.run("doctor", "--offline")
    assert done.returncode == 1
    for name in ("DIGEST_FROM", "DIGEST_BASE_URL", "DIGEST_SECRET", "DIGEST_POSTAL_ADDRESS"):
        assert f"problem settings: {name} is not set" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("4 problem")
    assert done.stderr == ""
    assert list(newcomer.folder.iterdir()) == [], "it has made nothing"


def test_each_finding_is_one_line_and_the_worst_are_last(operator: Person) -> None:
    lines = operator.run("doctor", "--offline").stdout.splitlines()[:-1]
    order = ["good", "unknown", "advice", "problem"]
    levels = [order.index(line.split()[0]) for line in lines]
    assert levels == sorted(levels)


def test_offline_it_says_what_it_did_not_check(operator: Person, resolver: Zone) -> None:
    operator.settings.update(WELL_SET)
    operator.settings["DIGEST_TRANSPORT"] = "smtp+starttls://relay.example.org"
    said = operator.digest("doctor", "--offline")
    assert "unknown relay: It was not examined." in said
    assert "unknown DNS: SPF, DKIM, DMARC, MX and PTR were not checked." in said
    assert "unknown sources: They were not asked." in said
    assert resolver.asked == []


def test_where_the_dns_does_not_answer_it_says_so(
    operator: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.doctor.names.system_resolver", lambda: None)
    assert "unknown DNS: The DNS does not answer" in operator.digest("doctor")


def test_a_relay_and_a_domain_that_are_ready(
    operator: Person, start_smtp, authority: Authority, good_certificate
) -> None:
    server: SmtpServer = start_smtp(
        "smtps", context=good_certificate, login=("me", "secret"), pipelining=True, smtputf8=True
    )
    operator.settings.update(WELL_SET)
    operator.settings["DIGEST_TRANSPORT"] = server.url("me", "secret")
    operator.settings["DIGEST_SMTP_CA_FILE"] = str(authority.ca_file)
    operator.digest("db", "upgrade")

    found = operator.digest_json("doctor")

    levels = {(each["area"], each["level"]) for each in found}
    assert {("settings", "good"), ("database", "good"), ("relay", "good")} <= levels
    assert {("SPF", "good"), ("DMARC", "good"), ("MX", "good"), ("templates", "good")} <= levels
    assert not [each for each in found if each["level"] == "problem"]
    assert all(each["what_to_do"] for each in found if each["level"] != "good")
    assert server.received == []
    assert server.begun == 0


def test_a_problem_is_exit_status_1_in_json_too(operator: Person, stranger: Authority) -> None:
    with SmtpServer("smtps", context=stranger.context_for(HOST)) as server:
        operator.settings["DIGEST_TRANSPORT"] = server.url()
        done = operator.run("doctor", "--json")
    assert done.returncode == 1
    (found,) = [load for load in json.loads(done.stdout) if load["level"] == "problem"]
    assert found["area"] == "relay"
    assert "certificate is not valid" in found["what"]


def test_a_setting_that_cannot_be_read_is_a_finding(operator: Person) -> None:
    operator.settings["DIGEST_RUN_AT"] = "noon"
    done = operator.run("doctor")
    assert done.returncode == 1
    assert "problem settings: DIGEST_RUN_AT" in done.stdout


def test_templates_that_are_broken_are_a_finding(operator: Person) -> None:
    folder = operator.folder / "mine" / "mail" / "digest"
    folder.mkdir(parents=True)
    (folder / "subject.txt.j2").write_text("{{ nobody.knows }}")
    operator.settings["DIGEST_TEMPLATES"] = str(operator.folder / "mine")
    done = operator.run("doctor", "--offline")
    assert done.returncode == 1
    assert "problem templates: Checking them finds" in done.stdout


def test_secrets_are_not_shown(operator: Person) -> None:
    operator.settings["DIGEST_TRANSPORT"] = f"smtps://me:opensesame@{HOST}:1"
    done = operator.run("doctor")
    assert done.returncode == 1
    assert "opensesame" not in done.stdout + done.stderr
