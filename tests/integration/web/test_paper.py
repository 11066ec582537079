"""The page of a paper, its citations, and the pages of authors and organisations."""

import json
from datetime import date, timedelta
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from digest.collect.merge import keys_of, merge
from digest.model.papers import Revision
from digest.web.list_view import PAPERS_ON_PAGE
from subscribers.topics import TopicFilter
from tests.integration.browser import Browser, assert_safe, page_of
from tests.integration.site import make_web
from tests.support import NOW, TODAY, make_sighting

HOSTILE = "</script><script>alert(1)</script> {{ 7*7 }} & \\end{x}"
IN_FULL = {
    "title": "Looms: engines that weave",
    "organisation": "Analytical Engines",
    "authors": ("Ada Lovelace", "Charles Babbage"),
    "author_count": 9,
    "published_on": date(2026, 2, 17),
    "keywords": ("weaving", "looms"),
    "categories": ("cs.RO",),
    "doi": "10.1234/ab.c",
    "code_url": "https://github.com/x/y",
    "project_url": "https://looms.example",
    "tldr": "It weaves.",
    "citations": 3,
}


@pytest.fixture
def browser(ledger, registry):
    return Browser(make_web(ledger, registry))


def absorb(ledger, *sightings):
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))


def see(browser, path, status=200):
    answer = browser.get(path)
    assert answer.status_code == status, path
    assert_safe(answer)
    return page_of(answer)


def hrefs(page, place="//main"):
    return page.xpath(f"{place}//a/@href")


def test_a_paper_is_shown_whole(ledger, browser):
    absorb(ledger, make_sighting(1, upvotes=4, **IN_FULL), make_sighting(2, upvotes=9))
    page = see(browser, "/paper/arxiv:2602.00001")
    text = " ".join(page.text_content().split())
    assert page.findtext(".//h1") == IN_FULL["title"]
    assert "We study thing 1. It is found to be so. More is said here." in text
    for said in (
        "published on 17 Feb 2026", "listed on 20 Feb 2026", "3 citations", "arXiv:2602.00001", "DOI:10.1234/ab.c",
        "cs.RO", "It weaves.", "No. 2 of 2 by votes", "and 7 more", "4 votes",
    ):  # fmt: skip
        assert said in text, said
    assert {
        f"/{TODAY}", "/author/Ada%20Lovelace", "/author/Charles%20Babbage", "/organisation/Analytical%20Engines",
        "https://arxiv.org/pdf/2602.00001", "https://arxiv.org/abs/2602.00001", "https://doi.org/10.1234/ab.c",
        "https://huggingface.co/papers/2602.00001", "https://github.com/x/y", "https://looms.example",
        *(f"/paper/arxiv:2602.00001/cite.{end}" for end in ("bib", "ris", "json")),
    } <= {*hrefs(page)}  # fmt: skip
    [data] = page.xpath("//script/text()")
    assert json.loads(data)["@type"] == "ScholarlyArticle"
    assert json.loads(data)["author"][1] == {"@type": "Person", "name": "Charles Babbage"}


def test_what_can_be_followed_is_filled_into_the_form_and_changes_nothing(ledger, browser):
    absorb(ledger, make_sighting(1, **IN_FULL))
    page = see(browser, "/paper/arxiv:2602.00001")
    asked = [link for link in hrefs(page, "//aside") if link.startswith("/subscribe")]
    topics = [parse_qs(urlsplit(link).query)["topic"][0] for link in asked]
    assert topics == [
        "weaving", 'org:"Analytical Engines"', 'author:"Ada Lovelace"', "weaving looms",
    ]  # fmt: skip
    for topic in topics:
        assert TopicFilter.parse(topic).text == topic


@pytest.mark.parametrize(
    ("facts", "key"),
    [
        ({"arxiv_id": "math/0309136"}, "arxiv:math/0309136"),
        ({"arxiv_id": "", "doi": "10.1234/(a)b<c>;d?e#f&g%20h/i"}, "doi:10.1234/(a)b<c>;d?e#f&g%20h/i"),
        ({"arxiv_id": "", "title": "Only a title"}, None),
    ],
    ids=["old-style", "doi", "title"],
)  # fmt: skip
def test_every_kind_of_id_has_a_page(ledger, browser, facts, key):
    absorb(ledger, make_sighting(1, **facts))
    [link] = [
        href for href in hrefs(see(browser, f"/{TODAY}"), "//h3 | //article") if "/paper/" in href
    ][:1]
    assert key is None or link == f"/paper/{quote(key, safe=':/')}"
    page = see(browser, link)
    for cite in [href for href in hrefs(page) if "/cite." in href]:
        answer = browser.get(cite)
        assert answer.status_code == 200
        assert_safe(answer)


@pytest.mark.parametrize(
    "path",
    [
        "/paper/", "/paper/x", "/paper/arxiv:9999.99999", "/paper/arxiv:2602.00001/", "/paper/arxiv:2602.00001/cite.exe",
        "/paper/arxiv:2602.00001/cite.", "/paper/%00", "/paper/%0a", "/paper/..%2f..%2fetc%2fpasswd", f"/paper/{'x' * 3000}",
        "/paper/'%20OR%201=1%20--", "/paper/%F0%9F%92%A9", "/paper/%ff%fe", "/author/", "/author/Nobody", "/author/%00", "/author/%20",
        "/author/!!!", f"/author/{'x' * 3000}", "/author/Ada%20Lovelace?page=2", "/author/Ada%20Lovelace?page=0",
        "/organisation/Ada%20Lovelace", "/organisation/%25", "/organisation/_", f"/{TODAY}/papers.exe",
        "/2026-02/papers.bib", "/2026-02-19/papers.bib", "/2026-02-30/papers.bib",
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_page_all_the_same(ledger, browser, path):
    absorb(ledger, make_sighting(1))
    see(browser, path, 404)


def test_a_paper_that_was_only_looked_up_has_no_page(ledger, browser):
    absorb(ledger, make_sighting(1, listed_on=None))
    see(browser, "/paper/arxiv:2602.00001", 404)


def test_hostile_words_stay_words(ledger, browser):
    absorb(ledger, make_sighting(1, title=HOSTILE, abstract=HOSTILE, organisation=HOSTILE, authors=(HOSTILE,),
                                 keywords=(HOSTILE, '" OR x'), summary=HOSTILE))  # fmt: skip
    page = see(browser, "/paper/arxiv:2602.00001")
    assert page.findtext(".//h1") == HOSTILE
    [data] = page.xpath("//script")
    assert json.loads(data.text)["headline"] == HOSTILE
    for link in hrefs(page):
        if link.startswith("/") and not link.startswith(("/subscribe", "/feed")):
            assert browser.get(link).status_code == 200, link
    for name in ("author", "organisation"):
        assert see(browser, f"/{name}/{quote(HOSTILE, safe='')}").findtext(".//h1") == HOSTILE


@pytest.mark.parametrize(
    ("revision", "words"), [(Revision.WITHDRAWN, "withdrawn"), (Revision.REPLACED, "newer version")]
)
def test_what_became_of_a_paper_is_said(ledger, browser, revision, words):
    absorb(ledger, make_sighting(1, revision=revision))
    said = see(browser, "/paper/arxiv:2602.00001").xpath("//p[@class='note']")[0].text_content()
    assert words in said


def test_votes_make_a_plot_from_three_observations_on(ledger, browser):
    for hour, upvotes in ((0, 3), (5, 9), (30, 21)):
        page = None if hour == 0 else see(browser, "/paper/arxiv:2602.00001")
        assert page is None or not page.xpath("//svg")
        absorb(ledger, make_sighting(1, upvotes=upvotes, seen_at=NOW + timedelta(hours=hour)))
    page = see(browser, "/paper/arxiv:2602.00001")
    [plot] = page.xpath("//svg")
    assert plot.get("aria-label") == "Votes: 3 on 20 Feb 2026, 21 on 21 Feb 2026"
    rows = [row.text_content() for row in page.xpath("//table[@class='counts']/tbody/tr")]
    assert rows == ["20 Feb 2026, 08:003", "20 Feb 2026, 13:009", "21 Feb 2026, 14:0021"]


def test_related_papers_are_the_most_alike(ledger, browser):
    birds = "We track migrating birds with robots that watch their flocks and nests."
    bread = "Sourdough bread is baked in an oven at a high temperature for an hour."
    absorb(
        ledger,
        make_sighting(1, title="Robots that watch birds", abstract=birds, keywords=("birds",)),
        make_sighting(2, title="Flocks of birds and robots", abstract=birds, keywords=("Birds",), upvotes=8),
        make_sighting(3, title="Baking bread", abstract=bread, keywords=("bread",)),
    )  # fmt: skip
    page = see(browser, "/paper/arxiv:2602.00001")
    related = page.xpath("//ul[@class='related']")[0]
    assert hrefs(related, ".") == ["/paper/arxiv:2602.00002"]
    assert "also on Birds" in related.text_content()
    assert "8 votes" in related.text_content()


# ---- citations ---------------------------------------------------------------------------------


def test_citations_are_files_with_a_plain_name(ledger, browser):
    absorb(ledger, make_sighting(1, **IN_FULL), make_sighting(2, title=HOSTILE, upvotes=9))
    answer = browser.get("/paper/arxiv:2602.00001/cite.bib")
    assert answer.headers["content-type"] == "application/x-bibtex; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="lovelace2026looms.bib"'
    assert answer.text.startswith("@misc{lovelace2026looms,")
    everything = browser.get(f"/{TODAY}/papers.bib")
    assert everything.headers["content-disposition"] == f'attachment; filename="papers-{TODAY}.bib"'
    assert everything.text.count("@misc{") == 2
    assert len(browser.get(f"/{TODAY}/papers.json").json()) == 2
    assert browser.get(f"/{TODAY}/papers.ris").text.count("TY  - ") == 2


# ---- authors and organisations -----------------------------------------------------------------


def test_all_spellings_lead_to_one_page_that_names_itself(ledger, browser):
    absorb(
        ledger,
        make_sighting(1, authors=("Émilie du Châtelet",), organisation="AI/ML Lab"),
        make_sighting(2, authors=("Emilie Du Chatelet", "Ada Lovelace")),
        make_sighting(3, authors=("Émilie du Châtelet",)),
    )
    for spelt in ("Émilie du Châtelet", "EMILIE DU CHATELET", "emilie  du chatelet"):
        page = see(browser, f"/author/{quote(spelt)}")
        assert page.findtext(".//h1") == "Émilie du Châtelet"
        assert page.xpath("//link[@rel='canonical']/@href") == [
            "https://digest.example.org/author/%C3%89milie%20du%20Ch%C3%A2telet"
        ]
        assert "3 papers" in page.text_content()
    absorb(ledger, make_sighting(4, authors=("Aaron First", "Zoe Last")))
    assert see(browser, "/author/zoe%20last").findtext(".//h1") == "Zoe Last"
    for path in ("/organisation/AI%2FML%20Lab", "/organisation/AI/ML%20Lab"):
        page = see(browser, path)
        assert [link for link in hrefs(page, "//aside") if "/subscribe" in link] == [
            "/subscribe?topic=org%3A%22AI%2FML+Lab%22"
        ]


def test_many_papers_of_a_name_have_several_pages(ledger, browser):
    absorb(
        ledger, *(make_sighting(number, upvotes=number) for number in range(1, PAPERS_ON_PAGE + 2))
    )
    first = see(browser, "/author/ada%20lovelace")
    [following] = first.xpath("//nav[@aria-label='Pages']/a/@href")
    assert following == "/author/Ada%20Lovelace?page=2"
    assert len(see(browser, following).xpath("//li[@class='paper']")) == 1
    assert see(browser, following).xpath("//meta[@name='robots']/@content") == ["noindex"]
    most = see(browser, "/author/Ada%20Lovelace?sort=votes").xpath("//h3/a/text()")[0]
    assert most == f"A study of things, part {PAPERS_ON_PAGE + 1}"
