"""How parts stand in a message: the smallest form that arrives as it is, and that clients count."""

import base64
import quopri
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.compose.transfer_encoding import has_dots, html_part, quoted_printable

LINE = '<p class="text">Some words of a usual paper, and some more of them.</p>\n'


def decoded(part):
    """The text of a part, references to letters beyond ASCII as the letters."""
    decode = {"7bit": bytes, "quoted-printable": quopri.decodestring, "base64": base64.b64decode}
    text = decode[part.encoding](part.octets).decode().replace("\r\n", "\n")
    return re.sub(r"&#([0-9]{3,});", lambda found: chr(int(found[1])), text)


@pytest.mark.parametrize(
    ("html", "encoding"),
    [
        (LINE * 10, "7bit"),
        (LINE * 10 + "<p>Über · “quotes” ★</p>\n", "7bit"),
        (LINE * 10 + "x" * 998 + "\n", "7bit"),
        (LINE * 10 + "x" * 999 + "\n", "quoted-printable"),
        (LINE * 10 + "From here on a mailbox file sees another message\n", "quoted-printable"),
        ("<p>" + "論文の題名" * 30 + "</p>\n" + LINE, "base64"),
        (LINE * 1300, "quoted-printable"),
        ("", "7bit"),
    ],
)
def test_the_encoding_is_chosen_by_what_a_part_holds(html, encoding):
    part = html_part(html)
    assert part.encoding == encoding
    assert decoded(part) == html


@given(
    st.text(alphabet=st.sampled_from("ab <é論\n\u2028\U0001f600"), max_size=300), st.integers(1, 50)
)
def test_every_text_arrives_whole(text, times):
    html = text * times
    part = html_part(html)
    assert decoded(part) == html
    assert part.octets.isascii()
    assert max(map(len, part.octets.split(b"\r\n"))) <= 998
    assert b"\n" not in part.octets.replace(b"\r\n", b"")


def test_the_size_is_what_clients_count():
    assert html_part("é" * 10 + LINE * 10).size == 60 + (len(LINE) + 1) * 10
    chinese = "<p>" + "論" * 5000 + "</p>\n"
    assert html_part(chinese).size == len(chinese.encode()) + 1


PIECES = st.lists(st.text(alphabet=st.sampled_from("ab .=\n\ré"), max_size=8), max_size=40)


@given(PIECES)
def test_a_text_in_pieces_is_encoded_as_the_whole(pieces):
    assert quoted_printable(pieces) == quoted_printable(["".join(pieces)])
    long = [piece * 40 for piece in pieces]
    assert quoted_printable(long) == quoted_printable(["".join(long)])


@given(
    st.lists(
        st.sampled_from([".", "a", "=", "\n", "é", "a" * 70, "https://x.org/2601."]), max_size=40
    )
)
def test_quoted_printable_keeps_its_lines_short_and_dots_from_where_they_would_be_doubled(pieces):
    encoded = quoted_printable(pieces)
    assert quopri.decodestring(encoded).replace(b"\r\n", b"\n").decode() == "".join(pieces)
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith(b".") or len(line) > 74  # "=2E" takes two more


@given(st.lists(st.sampled_from([".", "\n", "a", "From ", "\n.", "b\n"]), max_size=12))
def test_lines_that_begin_in_a_special_way_are_found_across_pieces(pieces):
    whole, part = "".join(pieces), html_part(pieces)
    assert part == html_part([whole])
    assert part.has_dots == has_dots(part.octets)
    assert part.encoding != "7bit" or "\nFrom " not in whole
