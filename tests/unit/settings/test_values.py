"""How the text of a setting becomes a value, where test_settings.py does not say it all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.settings.values import (
    address,
    domains,
    existing_file,
    existing_folder,
    yes_or_no,
    zone,
)


def file_of(folder, content):
    path = folder / "domains.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


# ---- domains -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", set()),
        ("\n\n \n", set()),
        ("# nothing but\n  # comments", set()),
        ("one.example", {"one.example"}),
        ("one.example\ntwo.example\n", {"one.example", "two.example"}),
        ("one.example\r\ntwo.example\r\n", {"one.example", "two.example"}),
        ("# a list\none.example\n\n#two.example\n", {"one.example"}),
        ("  one.example\t\n", {"one.example"}),
        (".one.example\ntwo.example.\n", {"one.example", "two.example"}),
        ("One.EXAMPLE\none.example\n", {"one.example"}),
        ("b\u00fccher.example\n", {"xn--bcher-kva.example"}),
        ("B\u00dcCHER.example\nxn--bcher-kva.example", {"xn--bcher-kva.example"}),
        ("test\nlocalhost\n", {"test", "localhost"}),
    ],
)
def test_domains_are_a_line_each_in_a_labels(tmp_path, content, found):
    assert domains(file_of(tmp_path, content)) == found


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("one.example\ntwo example\n", "line 2 is no domain: 'two example'"),
        ("ada@one.example", "line 1 is no domain: 'ada@one.example'"),
        ("*.example", "line 1 is no domain: '*.example'"),
        ("\n\none..example", "line 3 is no domain: 'one..example'"),
        ("one.example # why", "line 1 is no domain: 'one.example # why'"),
        ("a,b", "line 1 is no domain: 'a,b'"),
        ("x" * 1000, f"line 1 is no domain: '{'x' * 60}'"),
        ("a\x00b", r"line 1 is no domain: 'a\x00b'"),
    ],
)
def test_a_line_that_is_no_domain_is_named(tmp_path, content, why):
    with pytest.raises(ValueError) as refused:
        domains(file_of(tmp_path, content))
    assert str(refused.value) == why


def test_a_file_that_is_no_text_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match=r"^cannot be read: .*utf-8"):
        domains(file_of(tmp_path, b"caf\xe9.example\n"))


@pytest.mark.parametrize("file", ["missing.txt", "."])
def test_a_file_of_domains_has_to_be_there(tmp_path, monkeypatch, file):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="expected an existing file"):
        domains(file)


# ---- yes or no ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [("yes", True), ("no", False), ("Yes", True), ("NO", False), (" yes\n", True)],
)
def test_yes_is_true_and_no_is_false(text, value):
    assert yes_or_no(text) is value


@given(st.text().filter(lambda text: text.strip().casefold() not in {"yes", "no"}))
def test_anything_else_is_neither(text):
    with pytest.raises(ValueError, match="expected yes or no"):
        yes_or_no(text)


# ---- addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("digest@example.org", "digest@example.org"),
        (" Digest@EXAMPLE.org ", "Digest@example.org"),
        ("digest@b\u00fccher.example", "digest@xn--bcher-kva.example"),
    ],
)
def test_an_address_has_its_normal_form(text, value):
    assert address(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("digest", "is not an email address"),
        ("r\u00e9my@example.org", "^expected an address of plain ASCII letters$"),
        ("\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a", "^expected an address of plain ASCII letters$"),
    ],
)
def test_an_address_that_programs_could_not_read_is_refused(text, why):
    with pytest.raises(ValueError, match=why):
        address(text)


@given(st.text(max_size=60) | st.emails())
def test_any_text_is_an_ascii_address_or_a_value_error(text):
    try:
        read = address(text)
    except ValueError:
        return
    assert read.isascii()
    assert read.isprintable()


@pytest.mark.parametrize("read", [existing_file, existing_folder])
def test_a_name_that_no_file_can_have_is_told(read):
    with pytest.raises(ValueError, match="expected an existing"):
        read("x" * 5000)


def test_a_zone_that_is_none_is_told():
    with pytest.raises(ValueError, match="expected an IANA time zone"):
        zone("." * 2000)
