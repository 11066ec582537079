"""Signatures, as receivers see them: good as sent, and broken by whatever matters."""

import re
from datetime import timedelta

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import example, given
from hypothesis import strategies as st

from digest.compose.composer import Composer
from digest.compose.content import Content
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.compose.message import build_message
from digest.compose.transactional_composer import TransactionalComposer
from digest.deliver.transport.dkim import Signer, relaxed_body, relaxed_header
from digest.model.digests import Digest, Pick, Section
from digest.model.messages import Envelope, Message
from subscribers.model import AddressChange, Consent, Subscriber
from subscribers.preferences import Preferences
from tests.dkim_receiver import ed25519_key, published, rsa_key, signatures, tags, verdicts
from tests.raw_message import read
from tests.support import NOW, TODAY, make_candidate, make_settings

RSA = Signer("example.org", (rsa_key(),))
BOTH = Signer("example.org", (rsa_key(), ed25519_key()))
DNS = published(BOTH)
SENDER = from_identity(make_settings())


def make_message(to="ada@example.org", text="Hello.\n", **changes):
    content = Content("Title and 4 more", text, "<!doctype html>\n<p>Hello.</p>\n")
    values = {"to": to, "public_id": "a" * 32, "what": "2026-02-20", "now": NOW, **changes}
    return build_message(content, SENDER, **values)


def raw(content):
    return Message(Envelope("bounces@example.org", "ada@example.org"), "<1@example.org>", content)


SENT = BOTH.sign(make_message(), NOW).content
HEAD, BODY = SENT[: SENT.index(b"\r\n\r\n")], SENT[SENT.index(b"\r\n\r\n") :]
OWN_HEADERS = [name for name, _ in read(make_message().content).headers]


def judge(content):
    return verdicts(content, DNS, NOW)


GOOD, BROKEN = [True, True], [False, False]


# What nobody on the way may add, change or take away.
COVERED = [
    "From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To",
    "References", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Help", "List-Archive",
    "List-Subscribe", "List-Post", "List-Owner", "Feedback-ID", "CFBL-Address", "CFBL-Feedback-ID",
    "Auto-Submitted",
]  # fmt: skip


# ---- the form that is hashed ---------------------------------------------------------------------


def test_the_example_of_the_rfc():  # section 3.4.5
    assert relaxed_header("A", b" X") == b"a:X"
    assert relaxed_header("B", b" Y\t\r\n\tZ  ") == b"b:Y Z"
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"


@pytest.mark.parametrize("empty", [b"", b"\r\n", b"\r\n\r\n\r\n", b" \t \r\n\t\r\n", b" "])
def test_a_body_of_blanks_is_no_body(empty):
    assert relaxed_body(empty) == b""


PIECES = st.sampled_from([b" ", b"\t", b"  ", b"\r\n", b"\r\n ", b"a", b"=20", b".", b"\xc3\xbc"])
TEXT = st.lists(PIECES, max_size=40).map(b"".join)


@given(TEXT)
def test_a_body_is_what_dkimpy_makes_of_it(body):
    ended = body if body.endswith(b"\r\n") else body + b"\r\n"  # as it will be sent
    assert relaxed_body(body) == Relaxed.canonicalize_body(ended)


@given(TEXT.map(lambda text: re.sub(rb"\r\n(?! )", b"", text)))
def test_a_header_is_what_dkimpy_makes_of_it(value):
    name, canonical = Relaxed.canonicalize_headers([(b"List-Id", value)])[0]
    assert relaxed_header("List-Id", value) + b"\r\n" == name + b":" + canonical


# ---- what stands in a signature ------------------------------------------------------------------


def test_the_signatures_stand_before_what_was_there():
    message = make_message()
    signed = BOTH.sign(message, NOW)
    assert (signed.envelope, signed.message_id) == (message.envelope, message.message_id)
    found = signatures(signed.content)
    assert [tags(signature)["a"] for signature in found] == ["rsa-sha256", "ed25519-sha256"]
    assert signed.content == b"".join(found) + message.content


def test_the_tags_of_a_signature():
    said = tags(signatures(RSA.sign(make_message(), NOW).content)[0])
    assert {name: said[name] for name in ("v", "c", "d", "s")} == {
        "v": "1", "c": "relaxed/relaxed", "d": "example.org", "s": "2026a"
    }  # fmt: skip
    assert list(said) == ["v", "a", "c", "d", "s", "t", "h", "bh", "b"], "no l=, and no x= unasked"
    assert said["t"] == str(int(NOW.timestamp()))


def test_each_header_is_listed_once_more_than_it_is_there():
    twice = make_message().content.replace(
        b"Auto-Submitted:", b"auto-submitted: no\r\nAuto-Submitted:"
    )
    listed = tags(signatures(RSA.sign(raw(b"List-Odd: x\r\n" + twice), NOW).content)[0])["h"]
    counts = {name: listed.split(":").count(name) for name in listed.split(":")}
    there = {**dict.fromkeys(OWN_HEADERS, 1), "Auto-Submitted": 2, "list-odd": 1}
    assert counts == {name: there.get(name, 0) + 1 for name in (*COVERED, "list-odd")}
    assert set(OWN_HEADERS) <= counts.keys(), "every header of ours is covered"


@pytest.mark.parametrize("domain", ["example.org", "a" * 60 + "." + "b" * 60 + ".example.org"])
def test_the_lines_are_short(domain):
    signer = Signer(domain, BOTH.keys, timedelta(days=7))
    for signature in signatures(signer.sign(make_message(), NOW).content):
        for line in signature.removesuffix(b"\r\n").split(b"\r\n"):
            assert len(line) <= 76 or line == b" d=" + domain.encode() + b";"


def test_the_same_values_make_the_same_octets_and_another_time_makes_others():
    message = make_message()
    assert BOTH.sign(message, NOW) == BOTH.sign(message, NOW)
    assert BOTH.sign(message, NOW + timedelta(seconds=1)) != BOTH.sign(message, NOW)


def test_a_signature_can_end():
    signer = Signer("example.org", RSA.keys, timedelta(days=7))
    content = signer.sign(make_message(), NOW).content
    assert tags(signatures(content)[0])["x"] == str(int((NOW + timedelta(days=7)).timestamp()))
    assert verdicts(content, DNS, NOW + timedelta(days=6)) == [True]
    assert verdicts(content, DNS, NOW + timedelta(days=8)) == [False]


# ---- what receivers say --------------------------------------------------------------------------

PERSON = Subscriber(7, "a" * 32, "ada@example.org", (), Preferences(), Consent.PENDING, NOW)
MOVE = AddressChange("b" * 32, PERSON, "new@example.org")
LETTERS = TransactionalComposer(Templates(), SENDER)
DIGEST = Digest(TODAY, (), (Pick(Section.TRENDING, make_candidate(1, title="Über α → β")),), 1)
MAILS = {
    "digest": lambda: Composer(Templates(), SENDER).compose(
        DIGEST, to="ada@example.org", public_id="a" * 32, now=NOW
    ),
    "test": lambda: Composer(Templates(), SENDER).compose(
        DIGEST, to="ada@example.org", public_id="test", now=NOW, subject_mark="[test]"
    ),
    "confirmation": lambda: LETTERS.confirmation(PERSON, NOW),
    "welcome": lambda: LETTERS.welcome(PERSON, NOW),
    "goodbye": lambda: LETTERS.goodbye(PERSON, NOW + timedelta(hours=3), NOW),
    "address confirmation": lambda: LETTERS.address_confirmation(MOVE, NOW),
    "address notice": lambda: LETTERS.address_notice(MOVE, NOW),
    "alert": lambda: LETTERS.alert(
        "operator@example.org", ["it broke"], broken_off=True, where="here", now=NOW
    ),
    "beyond ASCII": lambda: make_message(to="jos\u00e9@xn--bcher-kva.example", text="Grüße\n"),
}


@pytest.mark.parametrize("kind", MAILS)
def test_every_kind_of_mail_is_good_with_one_key_and_with_two(kind):
    message = MAILS[kind]()
    assert judge(RSA.sign(message, NOW).content) == [True]
    assert judge(BOTH.sign(message, NOW).content) == GOOD


NAMES = st.sampled_from(["From", "To", "Subject", "List-Id", "List-Odd", "X-Odd", "subject"])
VALUES = st.lists(st.sampled_from(["a", " ", "\t", "ü", ":", ";", "\r\n b", "x" * 99]), max_size=9)


@given(st.lists(st.tuples(NAMES, VALUES.map("".join)), max_size=8), TEXT)
@example([], b"")
@example([], b"end ")
def test_any_message_is_good_as_signed(headers, body):
    head = "".join(f"{name}:x{value}\r\n" for name, value in [("From", "a@b.c"), *headers])
    content = BOTH.sign(raw(head.encode() + b"\r\n" + body), NOW).content
    # The transport adds a last line end that is missing.
    assert judge(content if content.endswith(b"\r\n") else content + b"\r\n") == GOOD


def test_what_servers_may_do_on_the_way_breaks_nothing():
    refolded = HEAD.replace(b": ", b":  ").replace(b"\r\nSubject:", b"\r\nSUBJECT:")
    added = b"Return-Path: <x@example.org>\r\nReceived: from a\r\n by b\r\nX-Spam: no\r\n"
    blanks = BODY.replace(b"</p>\r\n", b"</p> \t\r\n") + b"\r\n\r\n"
    assert blanks != BODY + b"\r\n\r\n"
    assert judge(added + refolded + blanks) == GOOD


@pytest.mark.parametrize("name", OWN_HEADERS)
def test_a_header_changed_or_taken_away_breaks_both(name):
    found = re.search(rf"\r\n{name}: (?:.|\r\n )+?(?=\r\n\S|\Z)".encode(), HEAD)
    assert found
    assert judge(SENT) == GOOD
    assert judge(HEAD.replace(found[0], found[0] + b"x") + BODY) == BROKEN
    assert judge(HEAD.replace(found[0], b"") + BODY) == BROKEN


@pytest.mark.parametrize("letter", [False, True], ids=["mail of the list", "letter"])
@pytest.mark.parametrize("name", COVERED)
def test_a_header_more_breaks_both_wherever_it_is_put(name, letter):
    sent = BOTH.sign(make_message(campaign="welcome" if letter else ""), NOW).content
    evil = f"{name}: <https://evil.example/>\r\n".encode()
    assert judge(sent) == GOOD
    assert judge(evil + sent) == BROKEN
    assert judge(evil.lower() + sent) == BROKEN
    assert judge(sent.replace(b"\r\n\r\n", b"\r\n" + evil + b"\r\n", 1)) == BROKEN


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Hello.", b"Hallo."),
        (b"Hello.", b"Hel lo."),
        (b"</p>\r\n", b"</p>\r\n<p>More.</p>\r\n"),
        (b"<p>", b"\r\n<p>"),
    ],
)
def test_a_body_changed_breaks_both(before, after):
    assert before in BODY
    assert judge(HEAD + BODY.replace(before, after)) == BROKEN


def test_a_body_with_more_behind_it_breaks_both():
    assert judge(SENT + b"x\r\n") == BROKEN


@pytest.mark.parametrize("tag", ["t=", "s=", "d=", "h=", "bh=", "b="])
def test_a_signature_changed_is_broken_and_the_other_is_not(tag):
    first = signatures(SENT)[0]
    at = re.search(rf"\s{tag}\s*".encode(), first).end()
    changed = b"7" if first[at : at + 1] != b"7" else b"8"
    mail = SENT.replace(first, first[:at] + changed + first[at + 1 :])
    assert judge(mail) == [False, True]


def test_another_key_in_the_dns_breaks_its_own_signature_only():
    [(name, _), (_, other)] = published(Signer("example.org", (rsa_key(), rsa_key("else")))).items()
    assert verdicts(SENT, {**DNS, name: other}, NOW) == [False, True]


def test_a_key_taken_out_of_the_dns_breaks_its_own_signature_only():
    left = {name: value for name, value in DNS.items() if not name.startswith("2026a.")}
    assert verdicts(SENT, left, NOW) == [False, True]
