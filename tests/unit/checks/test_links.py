"""Where links lead, and the ways out that must be there."""

from dataclasses import replace

import pytest

from digest.checks import links
from digest.checks.finding import Level
from digest.checks.rules import Rules
from tests.unit.checks.making import (
    ADDRESS,
    CLEAN,
    LEAVE,
    TEXT,
    document,
    line_of,
    rendered,
    with_more,
)

HOSTS = replace(CLEAN, allowed_hosts=frozenset({"digest.example", "papers.example"}))
BAD = {
    "http://a.example/?b&c": "http://a.example/?b&c is not https",
    "javascript:alert(1)": "javascript:alert(1) is not https",
    "data:text/html,a": "data:text/html,a is not https",
    "//a.example": "//a.example is not https",
    "page.html": "page.html is not https",
    "https:///a": "https:///a is not https",
    "https://[a": "https://[a is not an address",
    "#": "# is not https",
    "": "a link leads nowhere: its address is empty",
}


@pytest.mark.parametrize("address", BAD)
def test_links_are_https(address):
    written = address.replace("&", "&amp;")
    mjml = document(f'<mj-text>\n<a href="{written}">a</a></mj-text>')
    (found,) = links.bad_links(rendered(mjml), CLEAN)
    assert (found.what, found.level) == (BAD[address], Level.ERROR)
    if address not in {"", "#"}:
        assert found.line == line_of(mjml, written)


@pytest.mark.parametrize(
    "address", ["https://a.example", " https://a.example ", "HTTPS://a.example", "mailto:a@b", "#a"]
)
def test_or_lead_to_a_mailbox_or_within_the_mail(address):
    mjml = document(f'<mj-text><a href="{address}">a</a></mj-text>')
    assert list(links.bad_links(rendered(mjml), CLEAN)) == []


@pytest.mark.parametrize(
    "html",
    [
        '<img src="http://a.example">',
        '<table background="http://a.example"></table>',
        "<p style=\"background: red url( 'http://a.example' ) no-repeat\">a</p>",
        "<style>p { background-image: URL(http://a.example) }</style>",
    ],
)
def test_pictures_and_backgrounds_are_looked_at(html):
    found = links.bad_links(rendered(html=html), CLEAN)
    assert [each.what for each in found] == ["http://a.example is not https"]


@pytest.mark.parametrize(
    ("address", "is_fine"),
    [
        ("https://digest.example/a", True),
        ("https://www.DIGEST.example:8443/a", True),
        ("https://mydigest.example/a", False),
        ("https://digest.example.org/a", False),
        ("https://digest.example@a.example/", False),
    ],
)
def test_other_hosts_are_told_of_if_some_are_allowed(address, is_fine):
    mail = rendered(html=f'<a href="{address}">a</a>', text=f"a: {address}.")
    says = f"{address} has a host that is not allowed"
    expected = [] if is_fine else [(Level.WARNING, says)]
    assert [
        (bad_link.level, bad_link.what) for bad_link in links.bad_links(mail, HOSTS)
    ] == expected
    assert list(links.bad_links(mail, CLEAN)) == []


def test_the_text_is_looked_at_for_what_the_html_has_not():
    text = "a (http://a.example/b). http://c.example, https://d.example"
    mail = rendered(html='<a href="http://c.example">c</a>', text=text)
    (found,) = links.bad_links_in_text(mail, CLEAN)
    assert found.what == "in the text, http://a.example/b is not https"
    assert (found.level, found.template) == (Level.WARNING, "mail/test/body.txt.j2")


def test_there_are_ways_out():
    assert list(links.no_way_out(rendered())) == []


@pytest.mark.parametrize("end", ["", "/", "x"])
def test_a_mail_without_ways_out_is_told_of(end):
    html = f'<a href="{LEAVE}x">a</a> {ADDRESS[:-1]}'
    text = TEXT.replace(LEAVE, f"{LEAVE}y{end}").replace(ADDRESS, ADDRESS[1:])
    found = list(links.no_way_out(rendered(html=html, text=text)))
    assert {finding.level for finding in found} == {Level.ERROR}
    assert sorted(finding.what for finding in found) == [
        "the postal address is missing in the HTML",
        "the postal address is missing in the text",
        "the unsubscribe link is missing in the HTML",
        "the unsubscribe link is missing in the text",
    ]


def test_a_postal_address_may_be_folded():
    folded = ADDRESS.replace(" ", "\n ")
    mail = rendered(html=f'<a href="{LEAVE}">a</a> {folded}', text=f"{LEAVE}.\n{folded}")
    assert list(links.no_way_out(mail)) == []


def test_a_mail_that_needs_no_way_out():
    mail = rendered(html="<p>a</p>", text="a", unsubscribe="", postal_address="")
    assert list(links.no_way_out(mail)) == []


def test_an_empty_link_has_its_line():
    mjml = document('<mj-text>a\n<a href="">b</a></mj-text>')
    (found,) = links.bad_links(rendered(mjml), Rules())
    assert found.line == line_of(mjml, 'href=""')


def test_a_link_without_text_is_told_of():
    html = '<a href="https://a.example/1"> </a><a href="https://a.example/2"><img alt="b"></a>'
    (found,) = links.without_text(rendered(html=with_more(html)))
    assert found.what == "the link https://a.example/1 has no text"
    assert found.template
