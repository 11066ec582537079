"""Signed mail on its way: through servers and folders, as receivers take it off the wire."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import pytest
import time_machine
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from digest.app.app import App
from digest.cli import test_send as trying
from digest.compose.composer import Composer
from digest.compose.content import Content
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.compose.message import build_message
from digest.deliver.transactional_mail import TransactionalMail
from digest.deliver.transport.dkim import Signer, SigningKey
from digest.deliver.transport.folder import FolderTransport
from digest.deliver.transport.smtp import SmtpTransport
from digest.deliver.transport.transport import SigningTransport, make_transport
from digest.errors import SettingError
from digest.ledger.ledger import Ledger
from digest.model.messages import Message, OutcomeKind
from digest.model.papers import Harvest
from subscribers.store.registry import Registry
from tests.acceptance.conftest import Person
from tests.dkim_receiver import ed25519_key, published, rsa_key, signatures, tags, verdicts
from tests.integration.pipelines import make_pipeline
from tests.integration.senders import make_delivery_worker
from tests.integration.smtp_server import Point, SmtpServer
from tests.support import NOW, SENDING, TODAY, make_settings, make_sighting

BOTH = Signer("example.org", (rsa_key(), ed25519_key()))
DNS = published(BOTH)
SENDER = from_identity(make_settings())
GOOD = [True, True]


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """The settings for two keys, in files."""
    settings = {}
    for field, key in (("dkim", rsa_key()), ("dkim_ed25519", ed25519_key())):
        path = tmp_path / f"{field}.pem"
        path.write_bytes(_pem(key))
        path.chmod(0o600)
        settings |= {f"{field}_selector": key.selector, f"{field}_key": str(path)}
    return settings


def _pem(key: SigningKey) -> bytes:
    return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def make_message(to: str = "ada@example.org", text: str = "Hello.\n") -> Message:
    content = Content("Über 3 things", text, "<p>Grüße</p>\n")
    return build_message(content, SENDER, to=to, public_id="a" * 32, what="x", now=NOW)


# ---- through a server ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(make_message(), id="plain"),
        pytest.param(make_message(text=".\n..\n.dots at line starts\n\n\n\n"), id="dots"),
        pytest.param(make_message(to="jos\u00e9@example.org"), id="beyond ASCII"),
        pytest.param(make_message(text="one two  three \t\n" * 9000), id="200 KB"),
    ],
)
def test_what_a_server_receives_is_good(start_smtp: Callable[..., SmtpServer], keys, message):
    server = start_smtp(smtputf8=True)
    with make_transport(make_settings(transport=server.url(), **keys), lambda: NOW) as transport:
        assert transport.send(message).kind is OutcomeKind.ACCEPTED
    [received] = server.received
    assert received.rcpt_to == (message.envelope.rcpt_to,)
    assert received.content.endswith(message.content)
    assert verdicts(received.content, DNS, NOW) == GOOD


def test_without_keys_nothing_is_signed(smtp_server: SmtpServer):
    with make_transport(make_settings(transport=smtp_server.url())) as transport:
        assert isinstance(transport, SmtpTransport)
        transport.send(make_message())
    assert smtp_server.received[0].content == make_message().content


def test_each_attempt_has_one_signature_of_its_own_time(smtp_server: SmtpServer, keys):
    moments = iter([NOW, NOW + timedelta(hours=1)])
    settings = make_settings(transport=smtp_server.url(), **keys)
    smtp_server.will_say(Point.DOT, "451 4.3.0 Later")
    message = make_message()
    with make_transport(settings, lambda: next(moments)) as transport:
        assert transport.send(message).kind is OutcomeKind.DEFERRED
        assert transport.send(message).kind is OutcomeKind.ACCEPTED
    for received, moment in zip(smtp_server.received, (NOW, NOW + timedelta(hours=1)), strict=True):
        assert [tags(value)["t"] for value in signatures(received.content)] == [
            _seconds(moment)
        ] * 2
        assert verdicts(received.content, DNS, moment) == GOOD


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))


@pytest.mark.parametrize("offers", [True, False])
def test_whether_the_relay_takes_other_letters_is_the_relays_word(
    start_smtp: Callable[..., SmtpServer], keys, offers
):
    server = start_smtp(smtputf8=offers)
    with make_transport(make_settings(transport=server.url(), **keys)) as transport:
        assert transport.takes_smtputf8 is offers


def test_another_transport_is_entered_and_left_with_it():
    class Watched(FolderTransport):
        steps = ()

        def __enter__(self) -> Self:
            self.steps += ("entered",)
            return self

        def __exit__(self, *error: object) -> None:
            self.steps += ("left", error[0])

    watched = Watched(Path("nowhere"))
    transport = SigningTransport(watched, BOTH, lambda: NOW)
    assert transport.__enter__() is transport
    assert watched.steps == ("entered",)
    transport.__exit__(KeyError, KeyError(), None)
    assert watched.steps == ("entered", "left", KeyError)


def test_into_a_folder(tmp_path: Path, keys):
    outbox = tmp_path / "outbox"
    with make_transport(make_settings(transport=outbox.as_uri(), **keys)) as transport:
        outcome = transport.send(make_message())
    assert Path(outcome.text) == FolderTransport(outbox).path_of(make_message())
    assert verdicts(Path(outcome.text).read_bytes(), DNS) == GOOD


def test_a_key_that_cannot_be_used_is_told_before_anything_is_sent(smtp_server: SmtpServer):
    settings = make_settings(
        transport=smtp_server.url(), dkim_selector="2026a", dkim_key="/no/such/key.pem"
    )
    with pytest.raises(SettingError, match=r"^DIGEST_DKIM_KEY: /no/such/key\.pem cannot"):
        make_transport(settings)
    assert smtp_server.connections == 0


# ---- every way out -------------------------------------------------------------------------------


class OnePaper:
    name = "huggingface"

    def collect(self, days: object, now: datetime) -> Iterator[Harvest]:
        yield Harvest((make_sighting(1, listed_on=TODAY, seen_at=now),))


def test_a_days_run_signs_each_digest_and_those_tried_again(
    ledger: Ledger, registry: Registry, tmp_path: Path, smtp_server: SmtpServer, keys
):
    for name in ("ada", "bob", "eve"):
        registry.add(f"{name}@example.org", (), source="test", now=NOW)
    settings = make_settings(home=str(tmp_path), transport=smtp_server.url(), **keys)
    composer = Composer(Templates(), from_identity(settings))

    def run(now: datetime) -> int:
        transport = make_transport(settings, lambda: now)
        sending = make_delivery_worker(settings, ledger, registry, composer, transport)
        pipeline = make_pipeline(settings, ledger, registry, lambda: [OnePaper()], sending.send)
        return pipeline.tick(now, everybody=True).balance.accepted

    smtp_server.will_say(Point.RCPT, "451 4.3.0 Later")
    later = NOW + timedelta(hours=1)
    assert (run(NOW), run(later)) == (2, 3)
    assert len({received.rcpt_to for received in smtp_server.received}) == 3
    for received in smtp_server.received:
        assert b"\r\nList-Unsubscribe: " in received.content
        assert verdicts(received.content, DNS, later) == GOOD


def test_the_application_signs_transactional_mail_and_tests(
    tmp_path: Path, smtp_server: SmtpServer, keys
):
    app = App({}, None, home=str(tmp_path), transport=smtp_server.url(), **SENDING, **keys)
    app.collector.keep(Harvest((make_sighting(1),)))
    person = app.registry.add("ada@example.org", (), source="test", now=NOW)
    with time_machine.travel(NOW, tick=False):
        mail = TransactionalMail(app.transactional_composer, app.post, lambda: NOW)
        mail.confirm(person)
        mail.welcome(person)
        outcome = app.post(trying.test_message(app, "me@example.org", (), None, None))
    assert (outcome.kind, outcome.text) == (OutcomeKind.ACCEPTED, "2.0.0 OK")
    assert len(smtp_server.received) == 3
    for received in smtp_server.received:
        assert verdicts(received.content, DNS, NOW) == GOOD


# ---- another receiver ----------------------------------------------------------------------------


@pytest.fixture
def opendkim(tmp_path: Path) -> Callable[[bytes], str]:
    """What OpenDKIM says of a mail, given the records in a file in place of the DNS."""
    program = shutil.which("opendkim") or shutil.which("/usr/sbin/opendkim")
    if program is None:
        pytest.skip("OpenDKIM is not installed (Debian's package opendkim)")
    records = tmp_path / "records"
    records.write_text("".join(f"{name} {value}\n" for name, value in DNS.items()))
    conf = tmp_path / "opendkim.conf"
    conf.write_text(f"Mode v\nSyslog no\nTestPublicKeys {records}\n")
    mail = tmp_path / "mail.eml"

    def verify(content: bytes) -> str:
        mail.write_bytes(content)
        command = [program, "-vv", "-x", str(conf), "-t", str(mail)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout + done.stderr

    return verify


@pytest.mark.parametrize("to", ["ada@example.org", "jos\u00e9@example.org"])
def test_opendkim_finds_both_good_as_sent_and_both_broken_when_changed(opendkim, to):
    now = datetime.now(tz=NOW.tzinfo)
    sent = BOTH.sign(make_message(to), now).content
    assert _results(opendkim(sent)) == ["pass", "pass"]
    evil = b"List-Unsubscribe: <https://evil.example/>\r\n"
    assert _results(opendkim(evil + sent)) == ["fail", "fail"]
    assert _results(opendkim(sent.replace(b"Gr=", b"gr="))) == ["fail", "fail"]


def _results(said: str) -> list[str]:
    return re.findall(r"\bdkim=(\w+)", said)


# ---- the commands --------------------------------------------------------------------------------


@pytest.fixture
def operator(tmp_path: Path) -> Person:
    return Person(tmp_path, {"DIGEST_FROM": "digest@example.org"})


def _dns(said: str) -> dict[str, str]:
    """The records that a command has printed, by name."""
    return dict(re.findall(r"^(\S+\._domainkey\.\S+)\n(v=DKIM1; .+)$", said, re.MULTILINE))


def test_a_new_key_signs_with_what_was_said_of_it(operator: Person, tmp_path: Path):
    first = operator.digest("dkim", "generate", "2026a")
    second = operator.digest("dkim", "generate", "2026e", "--ed25519", "--out", "e.pem")
    settings = dict(re.findall(r"^(DIGEST_\w+)=(.+)$", first + second, re.MULTILINE))
    assert settings == {
        "DIGEST_DKIM_SELECTOR": "2026a",
        "DIGEST_DKIM_KEY": str(tmp_path / "dkim-2026a.pem"),
        "DIGEST_DKIM_ED25519_SELECTOR": "2026e",
        "DIGEST_DKIM_ED25519_KEY": str(tmp_path / "e.pem"),
    }
    dns = _dns(first) | _dns(second)
    assert set(dns) == {"2026a._domainkey.example.org", "2026e._domainkey.example.org"}
    fixed = {name.removeprefix("DIGEST_").lower(): value for name, value in settings.items()}
    outbox = tmp_path / "outbox"
    with make_transport(make_settings(transport=outbox.as_uri(), **fixed)) as transport:
        outcome = transport.send(make_message())
    assert verdicts(Path(outcome.text).read_bytes(), dns) == GOOD
    operator.settings |= settings
    assert _dns(operator.digest("dkim", "record")) == dns


def test_a_record_is_printed_for_a_zone_file_as_well(operator: Person):
    said = operator.digest("dkim", "generate", "2026a")
    [(name, value)] = _dns(said).items()
    [strings] = re.findall(rf"^{re.escape(name)}\. IN TXT \( (.+) \)$", said, re.MULTILINE)
    assert strings.replace('" "', "").strip('"') == value
    assert strings.count('" "') == 1


def test_no_private_key_is_printed(operator: Person, tmp_path: Path):
    said = operator.digest("dkim", "generate", "2026a")
    secret = (tmp_path / "dkim-2026a.pem").read_text().splitlines()[2]
    assert "PRIVATE" not in said
    assert secret not in said


def test_a_key_is_never_written_over(operator: Person, tmp_path: Path):
    operator.digest("dkim", "generate", "2026a")
    before = (tmp_path / "dkim-2026a.pem").read_bytes()
    said = operator.fails("dkim", "generate", "2026a")
    assert "dkim-2026a.pem is there already: nothing was written" in said
    assert (tmp_path / "dkim-2026a.pem").read_bytes() == before


def test_without_a_domain_no_key_is_made(operator: Person, tmp_path: Path):
    del operator.settings["DIGEST_FROM"]
    assert "DIGEST_FROM is not set" in operator.fails("dkim", "generate", "2026a")
    assert list(tmp_path.glob("*.pem")) == []


def test_a_name_that_the_dns_cannot_have_is_refused(operator: Person, tmp_path: Path):
    done = operator.run("dkim", "generate", "../2026a")
    assert done.returncode == 2
    assert "'../2026a': expected at most 63 letters" in done.stderr
    assert list(tmp_path.glob("**/*.pem")) == []


def test_no_record_without_a_key(operator: Person):
    assert "DIGEST_DKIM_KEY is not set" in operator.fails("dkim", "record")
