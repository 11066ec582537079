"""From papers that a reader names to papers like them, on both databases."""

import pytest

from digest.collect.collector import Collector
from digest.collect.merge import keys_of, merge
from digest.collect.own_papers import OwnPapersLookUp, read_own_papers
from digest.errors import SourceError
from digest.model.digests import Reason
from digest.model.papers import Facts, Harvest, Sighting
from subscribers.model import Verdict
from subscribers.own_papers import MOST_OWN_PAPERS, OwnPaper
from subscribers.preferences import Preferences
from tests.integration.birds import DUCKS, SATURDAY, House
from tests.support import NOW, TODAY, make_facts, make_sighting

pytestmark = pytest.mark.both_databases
ADA = "ada@example.org"
FLIGHT = "@misc{a, title={Ducks over a Lake in Flight}, abstract={Ducks fly and dive in flight.}}"


@pytest.fixture
def house(ledger, registry, tmp_path):
    return House(ledger, registry, tmp_path)


def give(house, name, given):
    """Give papers as somebody; return what was said of them."""
    person = house.registry.file_of(f"{name}@example.org").subscriber
    read = read_own_papers(house.ledger.papers, given, NOW)
    house.registry.own_papers.add(person.public_id, read.papers)
    return read


def own(house, name="ada"):
    return [
        (paper.paper, paper.title) for paper in house.registry.file_of(f"{name}@example.org").papers
    ]


class Arxiv:
    """An arXiv that knows some papers, and counts what it is asked."""

    def __init__(self, *known, fails=False):
        self.known = {facts.arxiv_id: facts for facts in known}
        self.fails = fails
        self.asked = []

    def look_up(self, ids, now):
        self.asked += ids
        if self.fails:
            raise SourceError("HTTP 503")
        found = [self.known[number] for number in ids if number in self.known]
        return Harvest(tuple(Sighting("arxiv", now, None, facts) for facts in found))


def collect(house, arxiv, now=NOW):
    run = OwnPapersLookUp(house.registry.own_papers, house.ledger.papers, arxiv.look_up).run
    Collector(house.ledger, list, lambda moment: moment.date(), own_papers=run).collect([], now)


# ---- what is given -----------------------------------------------------------------------------


def test_a_paper_is_known_by_its_id_its_doi_or_its_title(house):
    long_title = "A Long Report on the Ducks of a River"
    sightings = [
        make_sighting(1, title="Robots"),
        make_sighting(2, arxiv_id="", doi="10.1234/x", title="Swans"),
        make_sighting(3, title=long_title),
    ]
    house.ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))
    read = read_own_papers(
        house.ledger.papers,
        f"@misc{{a, title={{x}}, eprint={{2602.00001v2}}}}\n@misc{{b, title={{y}}, doi={{10.1234/X}}}}\n"
        f"@misc{{c, title={{{long_title.upper()}}}}}\n@misc{{d, title={{Unknown}}}}\n"
        f"@misc{{e, title={{{long_title}}}, eprint={{2501.00009}}}}",
        NOW,
    )
    assert [(paper.paper, paper.title) for paper in read.papers[:3]] == [
        ("arxiv:2602.00001", "x"), ("doi:10.1234/x", "y"), ("arxiv:2602.00003", long_title.upper()),
    ]  # fmt: skip
    assert read.papers[4].paper == "arxiv:2501.00009", "another paper of the same title"
    assert (len(read.known), read.by_title, read.to_look_up) == (3, 2, 0)


def test_an_id_alone_is_to_be_looked_up_and_a_doi_alone_is_left_out(house):
    read = read_own_papers(house.ledger.papers, "2501.00009\n10.1234/nowhere", NOW)
    assert read.papers == (OwnPaper("arxiv:2501.00009", "", "", NOW),)
    assert (len(read.known), read.by_title, read.to_look_up) == (0, 0, 1)
    assert tuple(map(str, read.left_out)) == (
        "10.1234/nowhere: a DOI alone, of a paper that is not known here",
    )


def test_papers_are_added_once_and_only_so_many(house):
    house.add("ada")
    give(house, "ada", "2501.00001 2501.00002")
    give(house, "ada", "2501.00002 2501.00003")
    assert [paper for paper, _ in own(house)] == [f"arxiv:2501.0000{n}" for n in (1, 2, 3)]
    person = house.registry.file_of(ADA).subscriber
    many = [OwnPaper(f"arxiv:2502.{n:05}", "", "", NOW) for n in range(MOST_OWN_PAPERS)]
    assert house.registry.own_papers.add(person.public_id, many) == 3
    assert len(own(house)) == MOST_OWN_PAPERS


def test_an_id_that_is_given_again_loses_no_title(house):
    house.add("ada")
    give(house, "ada", "@misc{a, title={Ducks}, eprint={2501.00001}}")
    give(house, "ada", "2501.00001")
    assert own(house) == [("arxiv:2501.00001", "Ducks")]


def test_papers_go_one_by_one_or_with_the_person(house, engine):
    house.add("ada")
    house.add("bob")
    for name in ("ada", "bob"):
        give(house, name, "2501.00001 2501.00002")
    ada = house.registry.file_of(ADA).subscriber
    house.registry.own_papers.remove(ada.id, "arxiv:2501.00001")
    assert [paper for paper, _ in own(house)] == ["arxiv:2501.00002"]
    house.registry.own_papers.remove(ada.id)
    assert own(house) == []
    assert len(own(house, "bob")) == 2
    bob = house.registry.file_of("bob@example.org").subscriber
    house.registry.remove("bob@example.org")
    assert house.registry.own_papers.of(bob.id) == []


# ---- looked up -----------------------------------------------------------------------------------


def test_an_id_is_looked_up_once_at_the_next_collection(house):
    house.add("ada")
    house.add("bob")
    give(house, "ada", "2501.00001 2501.00002")
    give(house, "bob", "2501.00001")
    arxiv = Arxiv(Facts("Ducks", arxiv_id="2501.00001", abstract="On ducks."))
    collect(house, arxiv)
    assert arxiv.asked == ["2501.00001", "2501.00002"]
    assert own(house) == [("arxiv:2501.00001", "Ducks"), ("arxiv:2501.00002", "")]
    assert own(house, "bob") == [("arxiv:2501.00001", "Ducks")]
    give(house, "ada", "2501.00001 2501.00003")
    collect(house, arxiv)
    assert arxiv.asked[2:] == ["2501.00003"], "nothing is asked for again"


def test_where_arxiv_does_not_answer_it_is_asked_again(house):
    house.add("ada")
    give(house, "ada", "2501.00001")
    collect(house, Arxiv(fails=True))
    arxiv = Arxiv(make_facts(title="Ducks", arxiv_id="2501.00001"))
    collect(house, arxiv)
    assert own(house) == [("arxiv:2501.00001", "Ducks")]


def test_what_the_ledger_has_is_not_asked_for(house):
    house.add("ada")
    give(house, "ada", f"2602.{10 * TODAY.toordinal() % 90_000:05}")
    house.run()
    arxiv = Arxiv()
    collect(house, arxiv)
    assert arxiv.asked == []
    assert own(house)[0][1] == DUCKS[0]


# ---- papers like these ---------------------------------------------------------------------------


def test_one_paper_is_enough_and_its_title_is_the_reason(house):
    house.add("ada", max_papers=2)
    house.add("bob")
    give(house, "ada", FLIGHT)
    house.run()
    found = house.picks("ada", TODAY)
    assert found[0].candidate.facts.title in DUCKS
    assert found[0].match.reason == Reason("", liked="Ducks over a Lake in Flight")
    assert all(pick.match is None for pick in house.picks("bob", TODAY))


def test_nobody_is_told_of_what_somebody_else_has_given(house):
    """A wrong title for an id is the giver's own."""
    for name in ("ada", "eve"):
        house.add(name)
    give(house, "ada", "2501.00001")
    give(house, "eve", "@misc{a, title={Buy ducks at rest in flight}, eprint={2501.00001}}")
    collect(house, Arxiv(Facts("Ducks at Rest", arxiv_id="2501.00001", abstract="Ducks.")))
    give(house, "eve", "@misc{a, title={Buy ducks at rest in flight}, eprint={2501.00001}}")
    house.run(SATURDAY)
    told = {
        name: {pick.match.reason.liked for pick in house.picks(name, SATURDAY.date()) if pick.match}
        for name in ("ada", "eve")
    }
    assert told == {"ada": {"Ducks at Rest"}, "eve": {"Buy ducks at rest in flight"}}


def test_what_was_muted_or_excluded_is_not_there_for_being_like_ones_own(house):
    house.add("ada")
    give(house, "ada", FLIGHT)
    ada = house.registry.file_of(ADA).subscriber
    unwanted = Preferences.from_json({"exclusions": ["flight"]})
    house.registry.set_preferences(ada.public_id, (), unwanted)
    house.run()
    house.think("ada", DUCKS[0], Verdict.MUTE)
    assert DUCKS[1] not in [pick.candidate.facts.title for pick in house.picks("ada", TODAY)]


def test_why_tells_of_them(house):
    house.add("ada", follows=["author:Jane Doe"])
    give(house, "ada", FLIGHT)
    why = house.explain(house.registry.file_of(ADA), TODAY, NOW)
    assert why.own == 1
    house.run()
    why = house.explain(house.registry.file_of(ADA), TODAY, NOW)
    assert [fit.topic for fit in why.topics] == ["own papers (1)"]
