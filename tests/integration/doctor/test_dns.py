"""What the doctor makes of the DNS, by a resolver that knows what it is told."""

import pytest

from digest.deliver.transport.dkim_key import dns_record, generate, signer_of
from digest.doctor import dns
from digest.doctor.diagnosis import Level
from digest.doctor.dns import examine_dns
from digest.doctor.names import Names, SilentError
from tests.integration.dns_zone import Zone, texts
from tests.support import make_settings

GOOD = {
    ("example.org", "TXT"): texts("v=spf1 mx -all", "something else"),
    ("_dmarc.example.org", "TXT"): texts("v=DMARC1; p=reject; rua=mailto:dmarc@example.org"),
    ("example.org", "MX"): ["20 spare.example.org.", "10 mx.example.org."],
    ("mx.example.org", "A"): ["192.0.2.1"],
}


@pytest.fixture
def signing(tmp_path):
    """Settings with both keys, and the records that go with them."""
    generate(tmp_path / "rsa.pem", ed25519=False)
    generate(tmp_path / "ed.pem", ed25519=True)
    settings = make_settings(
        dkim_selector="a",
        dkim_key=str(tmp_path / "rsa.pem"),
        dkim_ed25519_selector="e",
        dkim_ed25519_key=str(tmp_path / "ed.pem"),
    )
    made = [dns_record(key, "example.org") for key in signer_of(settings).keys]
    return settings, {(each.name, "TXT"): texts(each.value) for each in made}


def told(settings, records, **zone):
    """What is not good, by area."""
    found = examine_dns(settings, Zone(records, **zone))
    return [(each.area, each.level.value) for each in found if each.level is not Level.GOOD]


def test_all_is_well(signing) -> None:
    settings, keys = signing
    found = examine_dns(settings, Zone({**GOOD, **keys}))
    assert {each.level for each in found} == {Level.GOOD}
    assert [each.area for each in found] == ["SPF", "DKIM", "DKIM", "DMARC", "DMARC", "MX"]
    assert "failure reports, answers, unsubscribe requests and complaints" in found[-1].what
    assert "mx.example.org" in found[-1].what


def test_the_same_thing_is_asked_once() -> None:
    zone = Zone(GOOD)
    examine_dns(make_settings(bounce_address="b@bounces.example.org"), zone)
    assert len(zone.asked) == len(set(zone.asked))


def test_nothing_is_published(signing) -> None:
    settings, _ = signing
    assert told(settings, {("example.org", "MX"): ["0 ."]}) == [
        ("SPF", "problem"),
        ("DKIM", "problem"),
        ("DKIM", "problem"),
        ("DMARC", "advice"),
        ("MX", "problem"),
    ]


def test_the_keys_are_mixed_up(signing) -> None:
    settings, keys = signing
    mixed = dict(zip(keys, reversed(list(keys.values())), strict=True))
    assert told(settings, {**GOOD, **mixed}) == [("DKIM", "problem"), ("DKIM", "problem")]


def test_each_domain_that_mail_comes_back_to_is_looked_at() -> None:
    settings = make_settings(bounce_address="b@bounces.example.org", reply_to="team@example.net")
    found = examine_dns(settings, Zone(GOOD))
    assert [each.what.split(",")[0].split()[0] for each in found if each.area == "MX"] == [
        "bounces.example.org",
        "example.net",
        "example.org",
    ]


def test_without_an_answer_it_is_one_finding_and_few_questions() -> None:
    zone = Zone(silent=None)
    (found,) = examine_dns(make_settings(), zone)
    assert found.level is Level.UNKNOWN
    assert "does not answer" in found.what
    assert len(zone.asked) == 2


def test_a_dns_that_denies_every_name_is_not_believed() -> None:
    (found,) = examine_dns(make_settings(), Zone())
    assert found.level is Level.UNKNOWN
    assert "does not know the names of the internet" in found.what


def test_a_dns_that_knows_the_root_is_believed() -> None:
    root = {("", "NS"): ["a.root-servers.net."]}
    assert told(make_settings(), root) == [
        ("SPF", "problem"),
        ("DKIM", "unknown"),
        ("DMARC", "advice"),
        ("MX", "problem"),
    ]


def test_without_a_resolver_it_is_the_same() -> None:
    (found,) = examine_dns(make_settings(), None)
    assert found.level is Level.UNKNOWN


def test_without_an_address_there_is_nothing_to_ask() -> None:
    zone = Zone()
    (found,) = examine_dns(make_settings(from_=""), zone)
    assert found.level is Level.UNKNOWN
    assert zone.asked == []


def test_one_name_that_is_silent_is_named() -> None:
    found = examine_dns(make_settings(), Zone(GOOD, silent=["_dmarc.example.org"]))
    (unknown,) = [each for each in found if each.area == "DMARC"]
    assert unknown.level is Level.UNKNOWN
    assert "_dmarc.example.org" in unknown.what


def test_a_key_that_cannot_be_read_is_told_elsewhere(tmp_path) -> None:
    settings = make_settings(dkim_selector="a", dkim_key=str(tmp_path / "missing.pem"))
    assert told(settings, GOOD) == []


def test_a_relay_of_this_machine_has_to_have_a_name(monkeypatch) -> None:
    monkeypatch.setattr(dns, "_is_ours", lambda address: True)
    settings = make_settings(transport="smtp://mail.example.org")
    address = {("mail.example.org", "A"): ["8.8.8.8"]}
    pointer = {("8.8.8.8.in-addr.arpa", "PTR"): ["mail.example.org."]}
    assert ("PTR", "problem") in told(settings, {**GOOD, **address})
    assert "PTR" not in dict(told(settings, {**GOOD, **address, **pointer}))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "relay.example.org", "8.8.8.8"])
def test_what_another_relay_is_called_cannot_be_seen(host: str) -> None:
    assert ("PTR", "unknown") in told(make_settings(transport=f"smtp://{host}"), GOOD)


def test_texts_in_pieces_and_names_that_are_none() -> None:
    names = Names(Zone({("long.test", "TXT"): ['"one" " and" " two"']}))
    assert names.texts("long.test") == ["one and two"]
    assert names.texts(f"{'x' * 64}.test") == []
    assert names.texts("two..dots") == []


def test_after_an_answer_silence_is_asked_again() -> None:
    zone = Zone(GOOD, silent=["a.test", "b.test", "c.test"])
    names = Names(zone)
    names.texts("example.org")
    for name in ("a.test", "b.test", "c.test"):
        with pytest.raises(SilentError):
            names.texts(name)
    assert len(zone.asked) == 4
