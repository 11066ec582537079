"""Mail addresses: what is taken, and in which form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers.addresses import address_key, normalise_address
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
        "r\u00e9my@example.org",
        "root@host.invalid",
        "ada@[192.0.2.1]",
        '"a b"@example.org',
        "ada@" + "a." * 200 + "org",
    ],
)
def test_what_cannot_be_used_is_refused_saying_so(typed):
    with pytest.raises(AddressError, match=r"is not a mail address: .+"):
        normalise_address(typed)


def test_letter_case_does_not_make_another_mailbox():
    assert address_key("Ada@example.org") == address_key("aDA@example.org")


def test_a_plus_makes_another_mailbox():
    assert address_key("ada+papers@example.org") != address_key("ada@example.org")


@given(st.text(max_size=80) | st.emails())
@settings(deadline=None)
def test_any_text_is_an_ascii_address_or_an_address_error(typed):
    try:
        address = normalise_address(typed)
    except AddressError:
        return
    assert address.isascii()
    assert address.isprintable()
    assert normalise_address(address) == address
