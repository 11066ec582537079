"""Mail addresses: what is taken, and in which form; and the policy, which lets them in or not."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.addresses import AddressPolicy, address_key, normalise_address
from subscribers.errors import AddressError


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  ada@example.org\n", "ada@example.org"),
        ("Ada@EXAMPLE.org", "Ada@example.org"),
        ("ada@b\u00fccher.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada+papers@example.org", "ada+papers@example.org"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("jos\u00e9@example.org", "jos\u00e9@example.org"),
        ("jose\u0301@example.org", "jos\u00e9@example.org"),
        ("\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a", "\u7528\u6237@xn--fsqu00a.xn--4rr70v"),
        ("root@mailhost", "root@mailhost"),
        ("root@localhost", "root@localhost"),
        ("ada@mail.local", "ada@mail.local"),
        ("ada@digest.test", "ada@digest.test"),
    ],
)
def test_what_goes_on_the_wire(typed, kept):
    assert normalise_address(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "ada",
        "@example.org",
        "ada@",
        "ada@@example.org",
        "ada@example..org",
        "ada@-example.org",
        ".ada@example.org",
        "a da@example.org",
        "Ada <ada@example.org>",
        "ada@example.org, bob@example.org",
        "ada@example.org\r\nBcc: bob@example.org",
        "ada\x00@example.org",
        "\u202eada@example.org",
        "a\u200bda@example.org",
        "\u0301ada@example.org",
        "ada@b\u200bc.example",
        "root@host.invalid",
        "ada@[192.0.2.1]",
        '"a b"@example.org',
        "ada@" + "a." * 200 + "org",
    ],
)
def test_what_cannot_be_used_is_refused_saying_so(typed):
    with pytest.raises(AddressError, match=r"is not an email address: .+"):
        normalise_address(typed)


@given(st.text(max_size=80) | st.emails() | st.from_regex(r"[^@\s]{1,20}@[a-z]{1,9}\.[a-z]{2,5}"))
def test_any_text_is_an_address_or_an_address_error(typed):
    try:
        address = normalise_address(typed)
    except AddressError:
        return
    assert address.rpartition("@")[2].isascii()
    assert address.isprintable()
    assert unicodedata.is_normalized("NFC", address)
    assert normalise_address(address) == address


# ---- the same mailbox --------------------------------------------------------------------------

# Letters of which each has one other case, and where case is all that the key ignores.
LETTERS = st.characters(categories=["Ll"]).filter(
    lambda letter: letter.upper().lower() == letter and len(letter.upper()) == 1
)


def test_letter_case_does_not_make_another_mailbox():
    assert address_key("Ada@example.org") == address_key("aDA@example.org")


def test_a_plus_makes_another_mailbox():
    assert address_key("ada+papers@example.org") != address_key("ada@example.org")


def test_an_accent_makes_another_mailbox():
    assert address_key("jos\u00e9@example.org") != address_key("jose@example.org")


def test_letters_of_several_code_points_make_no_other_mailbox():
    assert address_key("JOSE\u0301@example.org") == address_key("jos\u00e9@example.org")


@given(st.text(LETTERS, min_size=1, max_size=20))
def test_no_spelling_of_an_address_makes_another_mailbox(local):
    try:
        address = normalise_address(f"{local}@example.org")
    except AddressError:
        return
    for other in (local.upper(), local.title(), unicodedata.normalize("NFD", local.upper())):
        assert address_key(normalise_address(f"{other}@EXAMPLE.org")) == address_key(address)


@given(st.text(max_size=40))
def test_a_key_is_its_own_key(text):
    key = address_key(unicodedata.normalize("NFC", text))
    assert address_key(key) == key
    assert unicodedata.is_normalized("NFC", key)


@given(st.emails())
def test_a_key_fits_where_an_address_does(address):
    assert len(address_key(address)) == len(address)


# ---- the policy --------------------------------------------------------------------------------


class Relay:
    """Tells whether it takes SMTPUTF8, and counts how often it was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return self.answer


REFUSED = frozenset({"mailbox-for-a-day.example", "xn--bcher-kva.example", "test"})


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Ada@EXAMPLE.org", "Ada@example.org"),
        ("ada@b\u00fccher.org", "ada@xn--bcher-kva.org"),
    ],
)
def test_an_address_in_ascii_comes_in_without_the_relay_being_asked(typed, kept, takes):
    relay = Relay(takes)
    assert AddressPolicy(relay).admit(typed) == kept
    assert relay.asked == 0


def test_an_address_beyond_ascii_comes_in_where_the_relay_takes_it():
    relay = Relay(True)
    policy = AddressPolicy(relay)
    assert policy.admit("Jose\u0301@EXAMPLE.org") == "Jos\u00e9@example.org"
    assert relay.asked == 1


def test_an_address_beyond_ascii_is_refused_where_the_relay_does_not_take_it():
    relay = Relay(False)
    with pytest.raises(AddressError) as refused:
        AddressPolicy(relay).admit("jos\u00e9@b\u00fccher.org")
    assert str(refused.value) == (
        "jos\u00e9@xn--bcher-kva.org cannot be reached from here: its part before the @ has letters "
        "other than a to z, which our mail server does not take"
    )
    assert relay.asked == 1


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("ada@mailbox-for-a-day.example", "mailbox-for-a-day.example"),
        ("ada@MAILBOX-for-a-Day.EXAMPLE", "mailbox-for-a-day.example"),
        ("ada@a.b.mailbox-for-a-day.example", "a.b.mailbox-for-a-day.example"),
        ("ada@b\u00fccher.example", "xn--bcher-kva.example"),
        ("ada@B\u00dcCHER.example", "xn--bcher-kva.example"),
        ("ada@x.xn--bcher-kva.example", "x.xn--bcher-kva.example"),
        ("ada@digest.test", "digest.test"),
        ("jos\u00e9@b\u00fccher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_refused_domain_stands_for_its_subdomains(typed, domain):
    relay = Relay(True)
    with pytest.raises(AddressError) as refused:
        AddressPolicy(relay, REFUSED).admit(typed)
    assert str(refused.value) == f"addresses at {domain} are not accepted here"
    assert relay.asked == 0


@pytest.mark.parametrize(
    "address",
    [
        "ada@example",
        "ada@a-mailbox-for-a-day.example",
        "ada@mailbox-for-a-day.example.org",
        "ada@day.example",
        "mailbox-for-a-day.example@example.org",
        "ada@testing",
    ],
)
def test_only_the_refused_domains_are_refused(address):
    assert AddressPolicy(Relay(False), REFUSED).admit(address) == address


@pytest.mark.parametrize("takes", [True, False])
def test_what_is_no_address_is_refused_as_such(takes):
    with pytest.raises(AddressError, match="is not an email address"):
        AddressPolicy(Relay(takes), REFUSED).admit("ada")


@given(st.text(max_size=80) | st.emails(), st.booleans())
def test_the_gate_raises_nothing_but_address_errors(typed, takes):
    try:
        address = AddressPolicy(lambda: takes, REFUSED).admit(typed)
    except AddressError:
        return
    assert address == normalise_address(typed)
    assert takes or address.isascii()
