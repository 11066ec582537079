"""Origins: which are read, which are one and the same, and which site a form came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import ElsewhereError
from subscribers.origins import Origins, origin_of, parse_origin

OWN, LAB, LOCAL = "https://digest.example.org", "https://example.org", "http://127.0.0.1:8080"
XN = "https://xn--bcher-kva.example:8443"
ORIGINS = Origins(OWN, frozenset({LAB, LOCAL, XN}))
CROSS = [("sec-fetch-site", "cross-site")]

# Each is somebody else's, or nobody's.
FOREIGN = [
    "https://evil.test",
    "https://example.org.evil.test",
    "https://evil-example.org",
    "https://sub.example.org",
    "https://example.org.",
    "https://example.org:8443",
    "https://example.org@evil.test",
    "https://evil.test/https://example.org",
    "https://example.org/",
    "https://example.org\\.evil.test",
    "https://example.org https://evil.test",
    "https://example.org, https://example.org",
    "https://example.org#",
    "https://example.org:",
    "https://example.org:443443",
    "https://exa\u006dple.org\u0000",
    "https://\u0435xample.org",
    "https://b\u00fccher.example:8443",
    "https://xn--bcher-kva.example",
    "http://example.org",
    "http://example.org:443",
    "https://127.0.0.1:8080",
    "http://127.0.0.1",
    "http://127.0.0.1:80800",
    "http://localhost:8080",
    "http://digest.example.org",
    "//example.org",
    "example.org",
    "file://",
    "null",
    "NULL",
    "",
    "*",
    " ",
    "https://" + "x" * 100_000,
]


def sender(*headers):
    return ORIGINS.sender(lambda name: [text for named, text in headers if named == name])


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("https://example.org", LAB),
        ("HTTPS://Example.ORG", LAB),
        ("https://example.org:443", LAB),
        ("http://example.org:80", "http://example.org"),
        ("http://example.org:443", "http://example.org:443"),
        ("https://a-b.c1.example:8443", "https://a-b.c1.example:8443"),
        ("http://127.0.0.1:8080", LOCAL),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://xn--bcher-kva.example:8443", XN),
    ],
)
def test_an_origin_is_read_as_browsers_write_it(typed, read):
    assert parse_origin(typed) == origin_of(f"{typed}/a/page?b#c") == read


@pytest.mark.parametrize(
    "typed",
    [
        "", "null", "*", "https://*.example.org", "example.org", "//example.org", "ftp://example.org",
        "https://", "https://example.org/", "https://example.org/blog", "https://example.org?a",
        "https://example.org#a", "https://ada@example.org", "https://ada:pw@example.org",
        "https://example.org:0", "https://example.org:65536", "https://example.org:", "https://-a.b",
        "https://a..b", "https://.a", "https://a.", "https://b\u00fccher.example", "https://\u212aa.example",
        "https://exa mple.org", "https://example.org\n", "https://a_b.example", "https://[::1",
        "https://example.org:\u0664", "https://" + "a" * 254, "https://" + "a." * 50_000 + "a",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused(typed):
    with pytest.raises(ValueError, match="expected origins like"):
        parse_origin(typed)


@given(st.text())
def test_no_text_is_more_than_refused(text):
    try:
        assert parse_origin(text) == parse_origin(parse_origin(text))
    except ValueError as error:
        assert "expected origins like" in str(error)  # noqa: PT017  it is one of two ends
    origin_of(text)


# ---- who sent a form ------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["same-origin", "none"])
@pytest.mark.parametrize("origin", [[], [("origin", "null")], [("origin", OWN)]])
def test_a_browser_that_says_so_is_on_our_own_pages(site, origin):
    assert sender(("sec-fetch-site", site), *origin) == ""


@pytest.mark.parametrize("header", ["origin", "referer"])
def test_an_older_browser_tells_by_the_origin(header):
    page = "/subscribe?topic=robots" if header == "referer" else ""
    assert sender((header, OWN + page)) == ""
    assert sender((header, LAB + page)) == LAB


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("origin", "found"),
    [
        ("https://example.org", LAB),
        ("HTTPS://EXAMPLE.ORG", LAB),
        ("https://example.org:443", LAB),
        (LOCAL, LOCAL),
        (XN.upper(), XN),
    ],
)
def test_an_allowed_site_is_let_in(site, origin, found):
    assert sender(("sec-fetch-site", site), ("origin", origin)) == found


def test_what_is_no_browser_has_no_origin():
    assert sender() == ""


@pytest.mark.parametrize("fetched", [[], CROSS, [("sec-fetch-site", "same-site")]])
@pytest.mark.parametrize("origin", FOREIGN)
def test_any_other_origin_is_refused(fetched, origin):
    with pytest.raises(ElsewhereError):
        sender(*fetched, ("origin", origin))


@pytest.mark.parametrize(
    "page",
    ["https://evil.test/?https://example.org", "https://example.org.evil.test/", "about:blank",
     "https://example.org@evil.test/", "https://evil.test/https://example.org/", "nonsense", ""],
)  # fmt: skip
def test_a_referer_from_elsewhere_is_refused(page):
    with pytest.raises(ElsewhereError):
        sender(("referer", page))


@pytest.mark.parametrize(
    "headers",
    [
        CROSS,
        [("origin", LAB), ("origin", LAB)],
        [("origin", LAB), ("origin", "https://evil.test")],
        [("origin", "null"), ("origin", OWN)],
        [("referer", f"{LAB}/"), ("referer", f"{LAB}/")],
        # The Referer does not speak for an Origin that says nothing.
        [("origin", "null"), ("referer", f"{LAB}/")],
        [("origin", ""), ("referer", f"{OWN}/")],
        [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-origin, none"), ("origin", "https://evil.test")],
        [("sec-fetch-site", "SAME-ORIGIN"), ("origin", "null")],
    ],
)
def test_what_is_missing_or_there_twice_lets_nobody_in(headers):
    with pytest.raises(ElsewhereError):
        sender(*headers)


def test_without_pages_no_origin_is_our_own():
    with pytest.raises(ElsewhereError):
        Origins("").sender({"origin": [""], "referer": [], "sec-fetch-site": []}.__getitem__)
