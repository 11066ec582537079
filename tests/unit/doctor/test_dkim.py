"""The record that is published, beside the key that signs."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.transport.dkim_key import dns_record
from digest.doctor.diagnosis import Level
from digest.doctor.dkim import judge_key, judge_unsigned
from digest.doctor.tags import read_tags
from tests.dkim_receiver import ed25519_key, rsa_key

RSA, ED25519 = rsa_key(), ed25519_key()
NAME = "2026a._domainkey.ours.test"
GOOD = dns_record(RSA, "ours.test").value


def judged(*texts, key=RSA):
    return judge_key(key, NAME, texts)


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_what_we_print_is_what_we_want(key) -> None:
    assert judged(dns_record(key, "ours.test").value, key=key).level is Level.GOOD


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("v=DKIM1; ", ""),
        GOOD.replace("k=rsa; ", ""),
        GOOD[:200] + " \n " + GOOD[200:] + ";",
        f"{GOOD}; s=email; h=sha1:sha256; t=s; n=a note",
    ],
)
def test_what_else_is_as_good(text: str) -> None:
    assert judged(text).level is Level.GOOD


def test_the_older_form_of_an_rsa_key_is_known() -> None:
    public = RSA.private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    assert judged(f"v=DKIM1; p={b64encode(public).decode()}").level is Level.GOOD


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "no record"),
        ([GOOD, GOOD], "2 records"),
        (["nothing of that kind"], "cannot be read"),
        (["v=DKIM1; k=rsa; p="], "revokes"),
        (["v=DKIM1; k=rsa"], "no key"),
        (["v=DKIM1; k=rsa; p=AAAA"], "another key"),
        (["v=DKIM1; k=rsa; p=not base64!"], "another key"),
        ([dns_record(ED25519, "ours.test").value], "another kind"),
        ([GOOD.replace("DKIM1", "DKIM2")], "v=DKIM1"),
        ([GOOD.replace("v=DKIM1; ", "") + "; v=DKIM1"], "v=DKIM1"),
        ([f"{GOOD}; h=sha1"], "SHA-256"),
        ([f"{GOOD}; s=tlsrpt"], "not for mail"),
    ],
)
def test_problems(texts, words: str) -> None:
    found = judged(*texts)
    assert found.level is Level.PROBLEM
    assert words in found.what
    assert found.what_to_do


def test_a_test_is_not_for_ever() -> None:
    assert judged(f"{GOOD}; t=s:y").level is Level.ADVICE


def test_who_signs_elsewhere_is_not_known() -> None:
    assert judge_unsigned().level is Level.UNKNOWN


NAMES = st.text("abcXYZ_09", min_size=1, max_size=6).map("t".__add__)
VALUES = st.text(st.characters(codec="ascii", exclude_characters=";"), max_size=20).map(str.strip)


@given(st.dictionaries(NAMES, VALUES))
def test_tags_are_read_as_they_were_written(tags: dict[str, str]) -> None:
    assert read_tags("; ".join(f"{name}={value}" for name, value in tags.items())) == tags


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert judged(text).level is Level.PROBLEM
