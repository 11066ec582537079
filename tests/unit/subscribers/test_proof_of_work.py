"""A proof of work: what solves a challenge, and what does not."""

import json
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import ProofError
from subscribers.proof_of_work import GOOD_FOR, ProofOfWork
from subscribers.tokens import Tokens
from tests.support import NOW

PROOF = ProofOfWork(Tokens(["a secret"]).keyed)


def solve(challenge):
    """The number that a browser finds."""
    for number in range(challenge["maxnumber"] + 1):
        if sha256(f"{challenge['salt']}{number}".encode()).hexdigest() == challenge["challenge"]:
            return number
    raise AssertionError("no number")


def packed(solution):
    return b64encode(json.dumps(solution).encode()).decode()


def solution(**changes):
    challenge = PROOF.challenge(NOW)
    return {**challenge, "number": solve(challenge), **changes}


def test_a_solution_is_good_for_a_while():
    sent = packed(solution())
    assert PROOF.check(sent, NOW) == PROOF.check(sent, NOW + GOOD_FOR - timedelta(seconds=1))
    with pytest.raises(ProofError):
        PROOF.check(sent, NOW + GOOD_FOR)


def test_each_challenge_is_another():
    assert PROOF.challenge(NOW)["challenge"] != PROOF.challenge(NOW)["challenge"]


def forged():
    whole = solution()
    end = whole["salt"].rpartition("=")[2]
    yield "another number", {**whole, "number": whole["number"] + 1}
    yield "a later end", {**whole, "salt": whole["salt"].replace(end, "99999999999&")}
    digit = str(whole["number"])[0]
    moved = {"salt": whole["salt"] + digit, "number": int(str(whole["number"])[1:] or 0)}
    yield "a digit moved from the number to the end", {**whole, **moved}
    yield "another signature", {**whole, "signature": "f" * 64}
    yield "no signature", {**whole, "signature": None}
    other = ProofOfWork(Tokens(["another secret"]).keyed).challenge(NOW)
    yield "another site", {**other, "number": solve(other)}
    own = "0" * 24 + "?expires=99999999999&"
    digest = sha256(f"{own}7".encode()).hexdigest()
    yield "a challenge of one's own", {**whole, "salt": own, "number": 7, "challenge": digest}
    yield "a number as text", {**whole, "number": str(whole["number"])}
    yield "no salt", {**whole, "salt": None}
    yield "a list", list(whole)
    yield "letters that cannot be encoded", {**whole, "signature": "\ud800"}


@pytest.mark.parametrize(("why", "sent"), list(forged()), ids=[why for why, _ in forged()])
def test_what_is_forged_is_refused(why, sent):
    with pytest.raises(ProofError):
        PROOF.check(packed(sent), NOW)


@given(st.text(max_size=50) | st.recursive(
    st.none() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["salt", "number", "signature"]), inner),
).map(packed))  # fmt: skip
def test_whatever_else_is_sent_is_refused(sent):
    with pytest.raises(ProofError):
        PROOF.check(sent, NOW)


@pytest.mark.parametrize(
    "sent", ["", "-", "e30=", "bnVsbA==", "W10=", b64encode(b"[" * 700).decode(), "é"]
)
def test_what_is_no_solution_is_refused(sent):
    with pytest.raises(ProofError):
        PROOF.check(sent, NOW)
