"""arXiv's feeds and its look-up service."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.collect import xml_repair
from digest.collect.answer_reader import Reading
from digest.collect.arxiv import SLICE, Arxiv
from digest.collect.arxiv_reader import read_feed
from digest.collect.http import Http, Throttle
from digest.collect.snapshots import Snapshots
from digest.errors import SourceError
from digest.model.papers import Facts, Harvest
from tests.support import NOW, TODAY, SleepingClock, gather

FIXTURES = Path(__file__).parents[2] / "fixtures" / "arxiv"
FEED = "https://rss.example/rss"
API = "https://api.example"
SEEN = NOW + timedelta(days=1)  # so that no stated day is met by chance


def read(body: bytes | str, day: date | None = None) -> Harvest:
    content = body.encode() if isinstance(body, str) else body
    reading = Reading(file="here", seen_at=SEEN, day=day, fallback_day=SEEN.date())
    return read_feed(content, reading)


def load(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def item(title: str = "Ducks", guid: str = "oai:arXiv.org:2602.00001v1", more: str = "") -> str:
    return f"<item><title>{title}</title><guid>{guid}</guid>{more}</item>"


def _announced(how: str) -> str:
    return f'<announce_type xmlns="http://arxiv.org/schemas/atom">{how}</announce_type>'


def rss(*items: str, head: str = "") -> str:
    spaces = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return f"{head}<rss {spaces}><channel>{''.join(items)}</channel></rss>"


def found(*ids: str) -> str:
    entries = (
        f"<entry><id>http://arxiv.org/abs/{number}v1</id><title>Paper {number}</title></entry>"
        for number in ids
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{"".join(entries)}</feed>'


# ---- feeds --------------------------------------------------------------------------------------


def test_an_item_of_the_rss_feed():
    first = read(load("rss.xml")).sightings[0]
    assert first.source == "arxiv"
    assert first.seen_at == SEEN
    assert first.listed_on == TODAY
    assert first.facts == Facts(
        title="Ducks New & Fresh",
        arxiv_id="2602.00001",
        abstract="A gain of x^2 over geese.",
        authors=(
            "Ada Duck (Pond Lab, Lake Town)",
            "Grace Göose",
            "Quack Collaboration (1, 2)",
        ),
        author_count=3,
        categories=("cs.DK", "cs.AI"),
        page_url="https://arxiv.org/abs/2602.00001",
    )


def test_an_entry_of_the_atom_feed():
    first = read(load("atom.xml")).sightings[0]
    assert first.listed_on == TODAY
    assert first.facts == Facts(
        title="Ducks New",
        arxiv_id="2602.00001",
        abstract="We watch ducks.",
        authors=("Ada Duck", "Grace Goose"),
        author_count=2,
        categories=("cs.DK",),
        page_url="https://arxiv.org/abs/2602.00001",
    )


@pytest.mark.parametrize("feed", ["rss.xml", "atom.xml"])
@pytest.mark.parametrize("day", [None, date(2026, 2, 25)])
def test_new_and_cross_lists_are_listed_and_replacements_are_not(feed, day):
    listed = {
        sighting.facts.arxiv_id: sighting.listed_on
        for sighting in read(load(feed), day).sightings[:4]
    }
    assert listed == {
        "2602.00001": day or TODAY,
        "2602.00002": day or TODAY,
        "2512.00003": None,
        "2512.00004": None,
    }


def test_unreadable_items_are_told_one_by_one():
    harvest = read(load("rss.xml"))
    assert len(harvest.sightings) == 5
    assert [(each.where, each.why) for each in harvest.rejected] == [
        ("entry 5", "no arXiv id in 'oai:arXiv.org:nothing'"),
        ("entry 6", "2602.00009 has no title"),
    ]


def test_an_item_without_guid_and_date_is_known_by_its_link():
    coot = read(load("rss.xml")).sightings[4]
    assert coot.facts.arxiv_id == "2602.00005"
    assert coot.listed_on == SEEN.date()


@pytest.mark.parametrize(
    ("creator", "names"),
    [
        ("Ada Duck", ("Ada Duck",)),
        ("Ada Duck,Grace Goose , Tea Al", ("Ada Duck", "Grace Goose", "Tea Al")),
        ("A (Pond Lab, Lake), B", ("A (Pond Lab, Lake)", "B")),
        ("A (1 and 2), B ((1) Pond, (2) Lake)", ("A (1 and 2)", "B ((1) Pond", "(2) Lake)")),
        ("A (unclosed, B", ("A (unclosed", "B")),
        ("A), B", ("A)", "B")),
        (",, A,,", ("A",)),
        ("", ()),
    ],
)
def test_names_are_parted_by_commas_outside_parentheses(creator, names):
    (sighting,) = read(rss(item(more=f"<dc:creator>{creator}</dc:creator>"))).sightings
    assert sighting.facts.authors == names
    assert sighting.facts.author_count == len(names)


@pytest.mark.parametrize("piece", ["Ada, ", "(", "(a, ", ")"])
def test_endless_creators_end(piece):
    creator = piece * (100_000 // len(piece))
    assert read(rss(item(more=f"<dc:creator>{creator}</dc:creator>"))).sightings


@pytest.mark.parametrize(
    "announced", ["", "some day", "Fri, 99999999999999999999 Feb 2026 00:00:00 +99999999999999"]
)
def test_an_unreadable_date_is_today(announced):
    more = (
        f"<pubDate>{announced}</pubDate><announce_type "
        'xmlns="http://arxiv.org/schemas/atom">new</announce_type>'
    )
    assert read(rss(item(more=more))).sightings[0].listed_on == SEEN.date()


# ---- answers of the API -------------------------------------------------------------------------


def test_answers_of_the_api():
    new, old = read(load("api.xml")).sightings
    assert new.listed_on is None
    assert new.facts == Facts(
        title="Ducks, Looked Up",
        arxiv_id="2602.00001",
        abstract="We watch ducks.",
        authors=("Åsa Ørn", "José Pato"),
        author_count=2,
        published_on=date(2026, 2, 18),
        categories=("cs.DK", "quant-ph"),
        page_url="https://arxiv.org/abs/2602.00001",
    )
    assert old.facts.arxiv_id == "quant-ph/0201082"
    assert old.facts.page_url == "https://arxiv.org/abs/quant-ph/0201082"


def test_a_look_up_for_a_day_is_listed_on_it():
    assert {sighting.listed_on for sighting in read(load("api.xml"), TODAY).sightings} == {TODAY}


@pytest.mark.parametrize("body", [load("api_empty.xml"), rss().encode(), b"", b" \n"])
def test_nothing_found_is_an_empty_harvest(body):
    assert read(body) == Harvest()


def test_an_error_entry_is_a_rejection_in_the_words_of_arxiv():
    harvest = read(load("api_error.xml"))
    assert harvest.sightings == ()
    assert [each.why for each in harvest.rejected] == ["arXiv says: incorrect id format for abc"]


# ---- broken and hostile XML ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<rss><channel>", "not XML"),
        ("no XML at all", "not XML"),
        ("<html><body/></html>", "neither RSS nor Atom, but <html>"),
        ('<feed xmlns="http://example.org/"/>', "neither RSS nor Atom"),
    ],
)
def test_what_is_no_feed_is_an_error_naming_the_file(body, why):
    with pytest.raises(SourceError, match=why) as caught:
        read(body)
    assert str(caught.value).startswith("here: ")


def test_an_xml_bomb_does_not_go_off():
    with pytest.raises(SourceError, match="not XML"):
        read(load("bomb.xml"))


def test_entities_are_not_expanded(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("expanded")
    head = f'<!DOCTYPE rss [<!ENTITY a "expanded"><!ENTITY f SYSTEM "{secret.as_uri()}">]>'
    more = "<description>Seen &f; here</description>"
    harvest = read(rss(item("Ducks &a; x"), item("Geese", more=more), item("&f;"), head=head))
    assert "expanded" not in repr(harvest)
    assert [sighting.facts.title for sighting in harvest.sightings] == ["Ducks", "Geese"]
    assert len(harvest.rejected) == 1


# ---- feeds that are not well formed: each entry costs itself only ------------------------------


@pytest.mark.parametrize(
    ("broken", "read_as"),
    [
        (b"Ducks at AT&T", "Ducks at AT&T"),
        (b"Ducks&nbsp;and geese", "Ducks and geese"),
        (b"Ducks\x08 dive", "Ducks dive"),
        (b"Ducks&#7; dive", "Ducks dive"),
        (b"Ducks of K\xf6ln", "Ducks of Köln"),
        (b"Ducks of K\xf6ln and \xc3\x85rhus", "Ducks of Köln and Århus"),
        (b"R&D &amp; &#8211; &lt;think&gt;", "R&D & – <think>"),
        (b"<![CDATA[Ducks & geese]]> & swans", "Ducks & geese & swans"),
    ],
)
@pytest.mark.parametrize("feed", ["rss", "atom"])
def test_a_bad_character_costs_no_entry(feed, broken, read_as):
    if feed == "rss":
        body = rss(item("One"), item("BROKEN"), item("Three")).encode()
    else:
        body = found("2602.00001", "2602.00002", "2602.00003").encode()
        body = body.replace(b"Paper 2602.00002", b"BROKEN")
    harvest = read(body.replace(b"BROKEN", broken))
    assert harvest.rejected == ()
    assert len(harvest.sightings) == 3
    assert harvest.sightings[1].facts.title == read_as


@pytest.mark.parametrize(
    "cut", ["<title>Swans</ti", "<title>Swans</title><gu", "<title>Swans</title></ite", ""]
)
def test_of_a_feed_that_ends_too_early_the_whole_entries_are_kept(cut):
    whole = rss(item("Ducks"), item("Geese")).removesuffix("</channel></rss>")
    harvest = read(f"{whole}<item>{cut}")
    assert [sighting.facts.title for sighting in harvest.sightings] == ["Ducks", "Geese"]
    (rejection,) = harvest.rejected
    assert (rejection.where, rejection.why[:8]) == ("entry 3", "not XML:")


def test_tags_that_do_not_match_cost_their_entry_only():
    harvest = read(rss(item("One"), item("<b>Two"), item("Three</channel>"), item("Four")))
    assert [sighting.facts.title for sighting in harvest.sightings] == ["One", "Four"]
    assert [rejection.where for rejection in harvest.rejected] == ["entry 2", "entry 3"]


def test_a_repaired_entry_has_all_its_facts():
    whole = load("rss.xml")
    harvest = read(whole.replace(b"Ducks New &amp; Fresh", b"Ducks New & Fresh"))
    assert harvest == read(whole)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.binary(max_size=8), st.integers(0, 40))
def test_whatever_damages_a_feed_the_rest_is_read_or_it_is_refused(place, damage, lost):
    whole, harvest, refused = load("rss.xml"), Harvest(), ""
    place %= len(whole)
    try:
        harvest = read(whole[:place] + damage + whole[place + lost :])
    except SourceError as error:
        refused = str(error)
    assert not refused or refused.startswith("here: ")
    if place > whole.index(b"<item>"):  # damage to the head may cost all entries
        assert len(harvest.sightings) + len(harvest.rejected) >= 5


def test_no_feed_has_entries_without_end(monkeypatch):
    monkeypatch.setattr(xml_repair, "MOST_ENTRIES", 3)
    assert len(read(rss(*[item("Ducks & geese")] * 3)).sightings) == 3
    with pytest.raises(SourceError, match="not XML"):
        read(rss(*[item("Ducks & geese")] * 4))


def test_a_broken_feed_with_a_document_type_is_refused():
    with pytest.raises(SourceError, match="not XML"):
        read(rss(item("Ducks & geese"), head='<!DOCTYPE rss [<!ENTITY a "b">]>'))


# ---- asking -------------------------------------------------------------------------------------


def asking(
    tmp_path: Path,
    answer: Callable[[httpx.Request], httpx.Response],
    clock: SleepingClock | None = None,
) -> Arxiv:
    clock = clock or SleepingClock()
    transport = httpx.MockTransport(answer)
    return Arxiv(
        Http(Snapshots(tmp_path), timeout=1, attempts=1, transport=transport, sleep=clock.sleep),
        feed_url=FEED,
        api_url=API,
        categories="cs.AI+cs.CL",
        throttle=Throttle(3, clock=clock, sleep=clock.sleep),
    )


class Service:
    """The look-up service: refuses a whole answer for one bad id, leaves out what it lacks."""

    def __init__(self, *lacks: str) -> None:
        self._lacks = lacks
        self.asked: list[list[str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url).startswith(f"{API}/api/query?id_list=")
        ids = request.url.params["id_list"].split(",")
        assert request.url.params["max_results"] == str(len(ids))
        self.asked.append(ids)
        bad = next((number for number in ids if number.startswith("bad")), None)
        if bad is None:
            has = [number.partition("v")[0] for number in ids if number not in self._lacks]
            return httpx.Response(200, text=found(*has))
        body = load("api_error.xml").decode().replace("abc", bad)
        return httpx.Response(400, text=body)


def test_the_feed_is_asked_for_its_categories(tmp_path):
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, content=load("rss.xml"))

    harvest = gather(asking(tmp_path, answer), [TODAY], NOW)
    assert asked == [f"{FEED}/cs.AI+cs.CL"]
    assert len(harvest.sightings) == 5
    assert {each.file for each in harvest.rejected} == {f"{FEED}/cs.AI+cs.CL"}


def test_an_empty_feed_is_fine(tmp_path):
    source = asking(tmp_path, lambda _: httpx.Response(200, text=rss()))
    assert gather(source, [TODAY], NOW) == Harvest()


@pytest.mark.parametrize(("status", "why"), [(404, "HTTP 404"), (200, "not XML")])
def test_another_answer_is_an_error_naming_the_address(tmp_path, status, why):
    source = asking(tmp_path, lambda _: httpx.Response(status, text="gone"))
    with pytest.raises(SourceError, match=why) as caught:
        gather(source, [TODAY], NOW)
    assert str(caught.value).startswith(FEED)


def test_a_look_up_goes_in_slices_three_seconds_apart(tmp_path):
    service, clock = Service(), SleepingClock()
    ids = [f"2602.{number:05d}" for number in range(SLICE * 2 + 1)]
    harvest = asking(tmp_path, service, clock).look_up(ids, NOW, TODAY)
    assert [len(each) for each in service.asked] == [SLICE, SLICE, 1]
    assert clock.slept == [3, 3]
    assert [sighting.facts.arxiv_id for sighting in harvest.sightings] == ids
    assert {sighting.listed_on for sighting in harvest.sightings} == {TODAY}
    assert harvest.rejected == ()


def test_a_bad_id_is_left_out_and_told(tmp_path):
    service = Service()
    ids = ["2602.00001", "bad1", "2602.00002", "bad2"]
    harvest = asking(tmp_path, service).look_up(ids, NOW)
    assert [sighting.facts.arxiv_id for sighting in harvest.sightings] == [
        "2602.00001",
        "2602.00002",
    ]
    assert [(each.where, each.why) for each in harvest.rejected] == [
        ("bad1", "arXiv says: incorrect id format for bad1"),
        ("bad2", "arXiv says: incorrect id format for bad2"),
    ]
    assert [len(each) for each in service.asked] == [4, 3, 2]
    assert ids == ["2602.00001", "bad1", "2602.00002", "bad2"]  # the caller's list is its own


def test_only_bad_ids_end_without_an_empty_question(tmp_path):
    service = Service()
    harvest = asking(tmp_path, service).look_up(["bad1"], NOW)
    assert len(harvest.rejected) == 1
    assert service.asked == [["bad1"]]


def test_an_id_that_arxiv_does_not_have_is_told(tmp_path):
    source = asking(tmp_path, Service("2602.00002"))
    harvest = source.look_up(["2602.00001v2", "2602.00002"], NOW)
    assert [(each.where, each.why) for each in harvest.rejected] == [
        ("2602.00002", "arXiv has no such paper")
    ]


def test_looking_up_nothing_asks_nothing(tmp_path):
    service = Service()
    assert asking(tmp_path, service).look_up([], NOW) == Harvest()
    assert service.asked == []


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (400, load("api_error.xml"), "incorrect id format for abc"),
        (403, found().encode(), "HTTP 403"),
        (403, b"<html/>", "neither RSS nor Atom"),
    ],
)
def test_a_refusal_that_names_none_of_the_ids_is_an_error(tmp_path, status, body, why):
    source = asking(tmp_path, lambda _: httpx.Response(status, content=body))
    with pytest.raises(SourceError, match=why) as caught:
        source.look_up(["2602.00001"], NOW)
    assert str(caught.value).startswith(f"{API}/api/query?id_list=2602.00001")


@pytest.mark.parametrize(
    ("more", "description", "revision"),
    [
        ("", "We count ducks.", ""),
        (_announced("replace"), "We count ducks.", "replaced"),
        (_announced("replace-cross"), "We count ducks.", "replaced"),
        (_announced("replace"), "This paper has been withdrawn by the authors.", "withdrawn"),
        (_announced("new"), "Withdrawn: an error in Theorem 2.", "withdrawn"),
        ("", "We ask why a paper has been withdrawn.", ""),
    ],
)
def test_what_was_done_with_a_paper_since(more, description, revision):
    [sighting] = read(rss(item(more=f"{more}<description>{description}</description>"))).sightings
    assert sighting.facts.revision == revision
