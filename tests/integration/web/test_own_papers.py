"""Papers to start from: on the form to join, and on one's preferences page, without a script."""

import pytest

from digest.collect.merge import keys_of, merge
from subscribers.model import SuppressionReason
from subscribers.own_papers import MOST_OWN_PAPERS, OwnPaper
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from tests.integration.browser import page_of, path_of
from tests.integration.house import House
from tests.integration.people import look
from tests.support import NOW, make_sighting

ADA = "ada@example.org"
BIB = (
    "@misc{a, title={Ducks that {D}ive}, eprint={2501.00001}, abstract={We film ducks.}}\n"
    "@article{b, title={Geese}}\n@misc{c title={no comma}}\n"
)


@pytest.fixture
def house(ledger, registry):
    sightings = [make_sighting(1, title="Robots")]
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))
    return House(ledger, registry)


@pytest.fixture
def ada(registry):
    return registry.add(ADA, parse_topics(["robots"]), source="test", now=NOW)


def own_path(person):
    return f"{path_of(Purpose.PREFERENCES, person.public_id)}/papers"


def own(registry, address=ADA):
    return {paper.paper: paper.title for paper in registry.file_of(address).papers}


def told(answer):
    """What a page says was read, its blanks folded."""
    [note] = page_of(answer).xpath("//div[@role='status']")
    return " ".join(note.text_content().split())


def listed(answer):
    return [
        " ".join(item.text_content().split())
        for item in page_of(answer).xpath("//*[@id='own-papers']//ul[@class='undoable']/li")
    ]


def test_a_text_and_a_file_are_read_and_each_paper_can_be_removed(house, registry, ada):
    answer = house.ask(
        "POST",
        own_path(ada),
        data={"papers": "https://arxiv.org/abs/2602.00001v2\n2501.00009"},
        files={"papers": ("own.bib", BIB.encode("utf-16"))},
    )
    assert answer.status_code == 200
    assert told(answer) == (
        "4 papers were read. 1 is known here. 2 have their titles from you. "
        "1 will be looked up when papers are collected next. "
        "Left out: line 3: a bracket, comma or quotation mark is missing"
    )
    geese = next(paper for paper, title in own(registry).items() if title == "Geese")
    assert own(registry) == {
        "arxiv:2602.00001": "Robots", "arxiv:2501.00009": "", geese: "Geese",
        "arxiv:2501.00001": "Ducks that Dive",
    }  # fmt: skip
    assert sorted(listed(answer)) == [
        "Ducks that Dive Remove", "Geese Remove", "Robots Remove",
        "arxiv:2501.00009 not known yet Remove",
    ]  # fmt: skip
    house.post(own_path(ada), {"remove": geese})
    assert "Geese" not in own(registry).values()
    answer = house.post(own_path(ada), {"remove": "all"})
    assert own(registry) == {}
    assert listed(answer) == []


def test_buttons_remove_what_they_say(house, registry, ada):
    house.post(own_path(ada), {"papers": BIB})
    page = page_of(house.get(path_of(Purpose.PREFERENCES, ada.public_id)))
    item = page.xpath("//*[@id='own-papers']//li[contains(., 'Ducks')]")[0]
    [form], [button] = item.xpath("form"), item.xpath(".//button")
    house.post(form.get("action"), {button.get("name"): button.get("value")})
    assert list(own(registry).values()) == ["Geese"]


@pytest.mark.parametrize("sent", [{}, {"papers": ""}, {"papers": " \n"}, {"other": "2501.00001"}])
def test_where_there_are_no_papers_the_page_says_so(house, engine, ada, sent):
    before = look(engine)
    answer = house.post(own_path(ada), sent)
    assert answer.status_code == 422
    [alert] = page_of(answer).xpath("//*[@role='alert']")
    assert "there are no papers in this" in alert.text_content()
    assert look(engine) == before


def test_what_cannot_be_read_is_told_with_its_line_and_escaped(house, ada):
    answer = house.post(own_path(ada), {"papers": "<script>alert(1)</script>\n2501.00001"})
    assert "line 1: no arXiv id, link or DOI in “<script>alert(1)</script>”" in told(answer)
    assert "<script>alert" not in answer.text


def test_there_are_only_so_many_and_the_page_says_so(house, registry, ada):
    many = [OwnPaper(f"arxiv:2502.{n:05}", "", "", NOW) for n in range(MOST_OWN_PAPERS - 1)]
    registry.own_papers.add(ada.public_id, many)
    answer = house.post(own_path(ada), {"papers": "2501.00001 2501.00002 2501.00003"})
    assert "2 papers, because you have as many as are kept" in told(answer)
    assert len(own(registry)) == MOST_OWN_PAPERS


def test_a_long_paste_is_read_and_what_is_too_large_is_refused(house, registry, ada):
    abstract = "duck " * 20_000
    house.post(own_path(ada), {"papers": f"@misc{{a, title={{Ducks}}, abstract={{{abstract}}}}}"})
    assert list(own(registry).values()) == ["Ducks"]
    for files in ({"papers": ("a.bib", b" " * 3_000_000)}, {"x": ("a.bib", b" " * 3_000_000)}):
        assert house.ask("POST", own_path(ada), files=files).status_code == 413


def test_octets_of_any_kind_break_nothing(house, ada):
    for octets in (
        b"\0" * 100,
        bytes(range(256)) * 10,
        b"\xff\xfe\x00\xd8",
        b"@misc{\0, title={\xff}}",
    ):
        answer = house.ask("POST", own_path(ada), files={"papers": ("x", octets)})
        assert answer.status_code in {200, 422}


# ---- joining -------------------------------------------------------------------------------------


def test_who_joins_with_papers_has_them_from_the_first_moment(house, registry):
    answer = house.ask(
        "POST",
        "/subscribe",
        data={"address": ADA, "topics": "", "papers": "2602.00001 2501.00009"},
        files={"papers": ("own.bib", BIB)},
    )
    assert told(answer).startswith("4 papers were read. 1 is known here.")
    assert len(own(registry)) == 4
    house.post(house.link())
    assert len(own(registry)) == 4


def test_who_asks_again_has_what_they_gave_last(house, registry):
    house.subscribe(ADA, papers="2501.00001")
    house.subscribe(ADA, papers="2501.00002")
    assert list(own(registry)) == ["arxiv:2501.00002"]


def test_a_stranger_cannot_give_papers_to_a_reader(house, engine, ada):
    before = look(engine)
    answer = house.subscribe(ADA, papers="2501.00001")
    assert told(answer).startswith("1 paper was read."), "as for anybody"
    after = look(engine)
    assert [row for row in after if row[0] == "own_papers"] == []
    assert [row for row in before if row[0] == "own_papers"] == []


def test_nor_to_a_reader_whose_address_bounces(house, registry, ada):
    """Such a reader is asked to confirm, which changes nothing else."""
    registry.suppressions.add(ADA, SuppressionReason.SOFT_BOUNCES, now=NOW)
    house.subscribe(ADA, papers="2501.00001")
    assert house.mailed == [ADA]
    assert own(registry) == {}


def test_what_was_typed_stands_in_the_form_after_an_error(house):
    answer = house.subscribe("no address", papers="2501.00001 <b>")
    [field] = page_of(answer).xpath("//textarea[@name='papers']")
    assert field.text == "2501.00001 <b>"
    assert page_of(answer).xpath("//details[@open]//textarea[@name='papers']")


def test_without_papers_nothing_is_said_of_them(house):
    assert not page_of(house.subscribe(ADA)).xpath("//div[@role='status']")
