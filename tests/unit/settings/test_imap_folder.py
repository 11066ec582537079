"""A folder on an IMAP server, by its URL. What is refused is in test_settings.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.settings.imap_folder import ImapFolder, Security, imap_folder


def test_a_folder_is_read_from_its_url():
    assert imap_folder("imaps://ada%40example.org:p%C3%A4ss%2F@Mail.example.org/Our%20mail/In") == (
        ImapFolder(Security.TLS, "mail.example.org", 993, "ada@example.org", "päss/", "Our mail/In")
    )


@pytest.mark.parametrize(
    ("url", "security", "port", "name"),
    [
        ("imaps://u:p@h", Security.TLS, 993, "INBOX"),
        ("imaps://u:p@h:1993/", Security.TLS, 1993, "INBOX"),
        ("imap+starttls://u:p@h/a", Security.STARTTLS, 143, "a"),
        ("imap://u:p@localhost/a", Security.NONE, 143, "a"),
        ("imap://u:p@127.0.0.1:1143/a", Security.NONE, 1143, "a"),
        ("imap://u:p@[::1]/a", Security.NONE, 143, "a"),
    ],
)
def test_what_is_left_out_is_as_usual(url, security, port, name):
    found = imap_folder(url)
    assert (found.security, found.port, found.name) == (security, port, name)


def test_told_it_shows_neither_user_nor_password():
    found = imap_folder("imaps://ada:sesame@mail.example.org/In")
    assert str(found) == "imaps://mail.example.org:993/In"
    assert "sesame" not in repr(found)


@given(st.text(alphabet=st.sampled_from("imap+starls:/@?#[]%25ab1.é\n")))
def test_any_text_is_a_folder_or_is_refused_without_being_told(text):
    said = ""
    try:
        imap_folder(f"imaps://{text}")
    except ValueError as error:
        said = str(error)
    assert said == "" or said.startswith("expected imaps://USER:PASSWORD@HOST/FOLDER")
