"""Keys of DKIM: what is read, refused and told, and what is to stand in the DNS."""

import os
import stat
from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)
from structlog.testing import capture_logs

from digest.deliver.transport import dkim_key
from digest.deliver.transport.dkim_key import DnsRecord, dns_record, generate, signer_of
from digest.errors import SettingError
from tests.dkim_receiver import ed25519_key, rsa_key
from tests.support import make_settings

SELECTOR, KEY = "DIGEST_DKIM_SELECTOR", "DIGEST_DKIM_KEY"
ED_SELECTOR, ED_KEY = "DIGEST_DKIM_ED25519_SELECTOR", "DIGEST_DKIM_ED25519_KEY"

# Two primes of 384 bits: the library makes no key as short as that, but it reads one.
P = 38818608728286528872154009675520595750312854723338035429545792087991809697112595961005627196960330320854425814077443
Q = 30247196452441990544851835684079108869555908916469691234035096386883649010463252527350517812415766387852913159360153


def pem(private, form=PrivateFormat.PKCS8, secret=None):
    locked = BestAvailableEncryption(secret) if secret else NoEncryption()
    return private.private_bytes(Encoding.PEM, form, locked)


def short_key():
    d = rsa.rsa_recover_private_exponent(65537, P, Q)
    parts = rsa.rsa_crt_dmp1(d, P), rsa.rsa_crt_dmq1(d, Q), rsa.rsa_crt_iqmp(P, Q)
    return rsa.RSAPrivateNumbers(P, Q, d, *parts, rsa.RSAPublicNumbers(65537, P * Q)).private_key()


@pytest.fixture
def file(tmp_path):
    """Puts a key into a file of its own; its path."""

    def write(content, name="key.pem", mode=0o600):
        path = tmp_path / name
        path.write_bytes(content)
        path.chmod(mode)
        return path

    return write


def signer(path, *, ed25519=None, selector="2026a", ed25519_selector="2026e", **changes):
    settings = {"dkim_selector": selector, "dkim_key": str(path)}
    if ed25519:
        settings |= {"dkim_ed25519_selector": ed25519_selector, "dkim_ed25519_key": str(ed25519)}
    return signer_of(make_settings(**settings, **changes))


def refusal(*paths, **named):
    with pytest.raises(SettingError) as caught:
        signer(*paths, **named)
    [line] = str(caught.value).splitlines()
    return line


# ---- what is set ---------------------------------------------------------------------------------


def test_nobody_signs_unless_told_to():
    assert signer_of(make_settings()) is None


def test_one_key_and_two(file):
    first, second = file(pem(rsa_key().private)), file(pem(ed25519_key().private), "ed.pem")
    made = signer(first)
    assert made.domain == "example.org"
    assert [(key.selector, key.kind) for key in made.keys] == [("2026a", "rsa")]
    made = signer(first, ed25519=second)
    assert [(key.selector, key.kind) for key in made.keys] == [("2026a", "rsa"), ("2026e", "ed25519")]  # fmt: skip
    assert made.keys[0].private.private_numbers() == rsa_key().private.private_numbers()


def test_the_domain_is_that_of_from_in_its_ascii_form(file):
    path = file(pem(rsa_key().private))
    assert signer(path, from_="digest@B\u00fccher.example").domain == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("field", "value", "missing", "given"),
    [
        ("dkim_selector", "2026a", KEY, SELECTOR),
        ("dkim_key", "a.pem", SELECTOR, KEY),
        ("dkim_ed25519_selector", "2026e", ED_KEY, ED_SELECTOR),
        ("dkim_ed25519_key", "a.pem", ED_SELECTOR, ED_KEY),
    ],
)
def test_one_without_the_other_names_both(field, value, missing, given):
    with pytest.raises(SettingError) as caught:
        signer_of(make_settings(**{field: value}))
    assert str(caught.value) == f"{missing} is not set, and {given} needs it"


def test_ed25519_alone_is_refused():
    with pytest.raises(SettingError, match=f"^{KEY} is not set, and {ED_KEY} needs it"):
        signer_of(make_settings(dkim_ed25519_selector="2026e", dkim_ed25519_key="a.pem"))


def test_two_keys_under_one_name_are_refused():
    said = refusal("a.pem", ed25519="b.pem", selector="a", ed25519_selector="A")
    assert said.startswith(f"{SELECTOR} and {ED_SELECTOR} are the same")


def test_without_a_domain_nobody_signs(file):
    path = file(pem(rsa_key().private))
    assert refusal(path, from_="").startswith("DIGEST_FROM is not set")


# ---- files ---------------------------------------------------------------------------------------


def test_the_older_form_of_rsa_keys_is_read(file):
    path = file(pem(rsa_key().private, PrivateFormat.TraditionalOpenSSL))
    assert signer(path).keys[0].kind == "rsa"


def test_a_file_that_cannot_be_read_is_named(tmp_path, file):
    missing = tmp_path / "missing.pem"
    assert refusal(missing) == f"{KEY}: {missing} cannot be read: No such file or directory"
    assert refusal(tmp_path) == f"{KEY}: {tmp_path} cannot be read: Is a directory"
    good = file(pem(rsa_key().private))
    assert refusal(good, ed25519=missing).startswith(f"{ED_KEY}: {missing} cannot be read")


PUBLIC = rsa_key().private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "there is no private key in PATH (PEM)"),
        (b"\xff\x00 no text", "there is no private key in PATH (PEM)"),
        (PUBLIC, "there is no private key in PATH (PEM)"),
        (pem(rsa_key().private)[:-80], "there is no private key in PATH (PEM)"),
        (pem(rsa_key().private, secret=b"hush"), "the key in PATH wants a password"),
        (pem(ed25519_key().private), "the key in PATH is no RSA key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "the key in PATH is no RSA key"),
        (
            pem(short_key()),
            "the key in PATH has 768 bits; receivers take 1024 to 4096, and 2048 are good",
        ),
    ],
)
def test_what_is_no_key_to_sign_with_is_told(file, content, said):
    path = file(content)
    assert refusal(path) == f"{KEY}: {said}".replace("PATH", str(path))


def test_a_key_that_is_too_long_is_refused(file, monkeypatch):
    monkeypatch.setattr(dkim_key, "MOST_BITS", 2047)  # to make one of 4097 takes seconds
    assert "has 2048 bits; receivers take 1024 to 2047" in refusal(file(pem(rsa_key().private)))


def test_an_rsa_key_is_no_second_key(file):
    path = file(pem(rsa_key().private))
    assert refusal(path, ed25519=path) == f"{ED_KEY}: the key in {path} is no Ed25519 key"


def test_a_short_key_is_told_once_and_signs(file):
    path = file(pem(rsa.generate_private_key(65537, 1024)))
    with capture_logs() as logs:
        assert signer(path) is signer(path)
    assert logs == [
        {"event": "a short DKIM key", "log_level": "warning", "file": str(path), "bits": 1024, "better": 2048}
    ]  # fmt: skip


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o644, 0o604, 0o660, 0o666])
def test_a_key_that_others_can_get_at_is_told(file, mode):
    path = file(pem(rsa_key().private), mode=mode)
    with capture_logs() as logs:
        signer(path)
    told = [(line["event"], line["file"], line["mode"]) for line in logs]
    is_private = mode in {0o400, 0o600, 0o640}
    assert told == (
        [] if is_private else [("a DKIM key is open to others", str(path), f"{mode:04o}")]
    )


# ---- new keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ed25519", [False, True])
def test_a_new_key_is_its_owners_alone_and_what_was_said(tmp_path, ed25519):
    path = tmp_path / "new.pem"
    before = os.umask(0)
    try:
        made = generate(path, ed25519=ed25519)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert pem(load_pem_private_key(path.read_bytes(), None)) == pem(made)
    assert getattr(made, "key_size", None) == (None if ed25519 else 2048)


def test_a_file_is_never_written_over(file, tmp_path):
    path = file(b"precious")
    with pytest.raises(SettingError, match="is there already: nothing was written"):
        generate(path, ed25519=True)
    assert path.read_bytes() == b"precious"
    dangling = tmp_path / "link.pem"
    dangling.symlink_to(tmp_path / "nowhere.pem")
    with pytest.raises(SettingError, match="is there already"):
        generate(dangling, ed25519=True)
    assert not (tmp_path / "nowhere.pem").exists()


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SettingError, match=r"no/key\.pem cannot be written: No such file"):
        generate(tmp_path / "no" / "key.pem", ed25519=True)


# ---- DNS -----------------------------------------------------------------------------------------


def test_the_record_of_an_rsa_key():
    record = dns_record(rsa_key(), "example.org")
    assert record.name == "2026a._domainkey.example.org"
    start, _, key = record.value.partition("p=")
    assert start == "v=DKIM1; k=rsa; "
    public = load_der_public_key(b64decode(key, validate=True))
    assert public.public_numbers() == rsa_key().private.public_key().public_numbers()


def test_the_record_of_an_ed25519_key():
    record = dns_record(ed25519_key(), "example.org")
    assert record.name == "2026e._domainkey.example.org"
    start, _, key = record.value.partition("p=")
    assert start == "v=DKIM1; k=ed25519; "
    assert b64decode(key, validate=True) == ed25519_key().private.public_key().public_bytes_raw()


@pytest.mark.parametrize(("length", "strings"), [(1, 1), (255, 1), (256, 2), (510, 2), (511, 3)])
def test_a_zone_file_has_strings_that_fit(length, strings):
    record = DnsRecord("a._domainkey.example.org", "x" * length)
    start, *quoted, end = record.zone_line.split('"')
    assert (start, end) == ("a._domainkey.example.org. IN TXT ( ", " )")
    assert quoted[1::2] == [" "] * (strings - 1)
    assert max(map(len, quoted[::2])) <= 255
    assert "".join(quoted[::2]) == record.value
