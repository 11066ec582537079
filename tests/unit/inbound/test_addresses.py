"""Addresses as reports write them."""

import pytest

from digest.inbound.addresses import addresses_in, typed_address


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<ada@example.org>: 550", ["ada@example.org"]),
        ("ada@example.org.", ["ada@example.org"]),
        ("'ada@example.org'", ["ada@example.org"]),
        ("mailto:ada@example.org", ["ada@example.org"]),
        (
            "* ada+papers@mail.example.org, ADA+papers@mail.example.org",
            ["ada+papers@mail.example.org"],
        ),
        ("o'brien@example.org", ["o'brien@example.org"]),
        ('"ada lovelace"@example.org', []),
        ('"ada"@example.org', ['"ada"@example.org']),
        ("dörte@bücher.example", ["dörte@bücher.example"]),
        ("b@example.org a@example.org", ["b@example.org", "a@example.org"]),
        ("ada...@example.org", []),
        ("@example.org, ada@, ada@localhost, ada@192.0.2.1", []),
        ("x" * 300 + "@example.org", []),
    ],
)
def test_addresses_in_a_text(text, found):
    assert addresses_in(text) == found


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("rfc822; ada@example.org", "ada@example.org"),
        ("RFC822;<ada@example.org>", "ada@example.org"),
        ("ada@example.org", "ada@example.org"),
        ("x-local; |/usr/bin/reader", ""),
        ("rfc822; @example.org", ""),
        ("", ""),
    ],
)
def test_the_address_in_a_typed_field(value, address):
    assert typed_address(value) == address
