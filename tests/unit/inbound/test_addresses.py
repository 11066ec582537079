"""Addresses as reports write them."""

import pytest

from digest.inbound.addresses import addresses_in, original_address, typed_address


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


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("收件人邮件地址（ada@example.org）", "ada@example.org"),
        ("＜ada@example.org＞", "ada@example.org"),
        ("宛先ada@example.orgが見つかりません", "ada@example.org"),
        ("收件人：ada@example.org，不存在", "ada@example.org"),
        ("アダ@example.org", "アダ@example.org"),
    ],
)
def test_east_asian_letters_and_brackets_are_not_part_of_an_address(text, address):
    assert addresses_in(text) == [address]


def test_what_ascii_cannot_write_is_decoded():
    assert typed_address(r"utf-8; ad\x{E4}@example.org") == "adä@example.org"
    assert typed_address(r"utf-8; ada\x{110000}@example.org") == ""
    assert original_address("rfc822; ada+2Bnews@example.org") == "ada+news@example.org"
    assert typed_address("rfc822; ada+2Bnews@example.org") == "ada+2Bnews@example.org"
