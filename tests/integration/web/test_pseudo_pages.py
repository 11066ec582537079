"""Everything that pages and feeds say goes through the catalogues: in a language that nobody
speaks, no English is left but what is not ours.
"""

from datetime import timedelta
from html import unescape
from http import HTTPStatus

import lxml.html
import pytest

from digest.compose.environment import Templates, built_in_templates
from digest.compose.phrases import SOURCES
from digest.compose.pseudo import ACCENTED, studio_language
from subscribers.follows import Follow
from subscribers.model import Verdict
from subscribers.preferences_form import PreferencesForm
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from subscribers.web.form_view import form_view
from tests.integration.browser import path_of
from tests.integration.house import House
from tests.integration.site import SENDER
from tests.integration.web.test_pages import edition  # noqa: F401  a fixture
from tests.support import NOW, TODAY, make_facts
from tests.unit.compose.test_pseudo import words

SAID = studio_language(ACCENTED)
# What is the same in all languages: names of formats, and what is typed into a search.
SAME = (
    "PDF Atom JSON BibTeX RIS CSL-JSON DOI DOIs arXiv Zotero Google Scholar JavaScript CSV EndNote",
    (
        "diffusion models for video chain of thought agents survey robots AND manipulation robot OR "
        "embodied author Yann LeCun org Google DeepMind title cat cs CL reasoning code yes upvotes "
        "Jane Doe Some Lab organisation world models UTC Europe Oslo you example org"
    ),
    "http https tag IP DNS",
)
PAGES = (
    *("/", "/subscribe", "/link", "/search", "/feeds", "/privacy", "/archive", "/sample"),
    *("/2026-02-20", "/2026-W08", "/2026-02", "/2026-02-20?sort=newest", "/2026-02-01"),
    *("/paper/arxiv:2602.00001", "/author/Ada%20Lovelace", "/organisation/Analytical%20Engines"),
    *(
        "/search?q=things",
        "/search?q=%22",
        "/search?q=x&page=9",
        "/search?q=x&from=y",
        "/feeds?topic=%22",
    ),
    *("/feeds?topic=things", "/feed.atom", "/feed.atom?sort=trending", "/feed.atom?topic=things"),
    *("/nothing", "/confirm/x", "/feed.atom?sort=x", "/preview"),
)
WRONG = (  # what somebody may do wrong in a form, field by field
    {"address": "nobody"},
    {"address": "a b@example.org"},
    {"topics": 'robots "world'},
    {"topics": "^99"},
    {"cadence": "chosen", "days": ""},
    {"timezone": "Mars"},
)


@pytest.fixture
def house(ledger, registry, edition):  # noqa: F811
    return House(ledger, registry, templates=Templates(language=SAID), says_goodbye=True)


@pytest.fixture
def ada(house):
    """A reader who has done all that one can do."""
    registry = house.registry
    ada = registry.add("ada@example.org", parse_topics(["studdy of things"]), source="x", now=NOW)
    registry.set_follow(ada.public_id, Follow.of("author", "Ada Lovelace"), wanted=True)
    for number in range(1, 3):
        registry.ratings.rate(ada.id, f"arxiv:2602.0000{number}", Verdict.LIKE, NOW)
    settings = path_of(Purpose.PREFERENCES, ada.public_id)
    house.post(f"{settings}/papers", {"papers": "2602.00003"})
    house.post(f"{settings}/feed")
    house.post(f"{settings}/pause", {"days": "7"})
    return ada


def known_words(language=SAID):
    """The words of papers, readers and the sender; of dates and lists, which Babel has."""
    zones = form_view(PreferencesForm(), (), {}, "").zones
    facts = [make_facts(number) for number in range(1, 4)]
    days = [TODAY + timedelta(days=number) for number in range(-40, 40)]
    data = [
        *SAME, *SOURCES.values(), SENDER.name, SENDER.postal_address, SENDER.reply_to,
        *(region for region in zones), *(place.label for places in zones.values() for place in places),
        *(" ".join((paper.title, paper.abstract, *paper.authors)) for paper in facts),
        "Analytical Engines script alert A title and no more study of things",
        "ada eve bob nobody example org nonsense robots studdy nothing like it agents world Mars",
        *(language.long_date(day) + " " + language.short_date(day) for day in days),
        *(language.medium_date(day) + " " + language.day_and_month(day) for day in days),
        *map(language.weekday, range(7)), *(language.weekday(day, short=True) for day in range(7)),
        language.listed(["1", "2"]), language.moment(NOW),
        *Templates(language=language).languages.own_names.values(),
    ]  # fmt: skip
    found = words(" ".join(data).replace("_", " "))
    return found | {word.capitalize() for word in found} | {word.lower() for word in found}


@pytest.fixture(scope="module")
def known():
    return known_words()


def seen_on(text):
    """All that somebody sees or hears of a page, or a feed reader shows."""
    page = lxml.html.document_fromstring(text.encode())
    for hidden in page.xpath("//style | //script | //code | //pre"):
        hidden.drop_tree()
    said = (
        "//@alt | //@aria-label | //@title | //@placeholder | //meta[@name='description']/@content"
    )
    shared = "//meta[starts-with(@property, 'og:') and not(contains('og:url og:type og:image', @property))]/@content"
    return " ".join([*page.itertext(), *page.xpath(said), *page.xpath(shared)])


def asked(ada):
    """What is asked for: the pages for everybody, and those of a reader's whole life."""
    settings, leaving, opinions, follow = (
        path_of(purpose, ada.public_id)
        for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE, Purpose.RATING, Purpose.FOLLOW)
    )
    joining = {"address": "eve@example.org", "topics": "robots"}
    yield from (("GET", path, None) for path in PAGES)
    yield from (("POST", "/subscribe", joining | wrong) for wrong in WRONG)
    yield "POST", "/subscribe", joining | {"papers": "2602.00001\nnonsense"}
    yield from (("POST", "/preview", {"topics": topics}) for topics in ("studdy", "robots", "-"))
    yield from (("POST", "/link", {"address": address}) for address in ("a@example.org", "nobody"))
    yield "GET", settings, None
    yield "POST", f"{settings}/resume", {}
    yield from (("POST", settings, {"topics": "robots"} | wrong) for wrong in (*WRONG, {}))
    for after, fields in (
        ("try", {"topics": "robots"}),
        ("papers", {"papers": "2602.00001\nnonsense"}),
        ("papers", {"papers": ""}),
        ("follows", {"kind": "author", "name": "42"}),
        ("rating", {"paper": "arxiv:2602.00001", "verdict": ""}),
        ("pause", {"until": "1999-01-01"}),
        ("address", {"address": "ada@example.org"}),
        ("address", {"address": "bob@example.org"}),
    ):
        yield "POST", f"{settings}/{after}", fields
    yield from (
        ("POST", f"{opinions}/arxiv:2602.00001", {"verdict": v}) for v in ("like", "mute", "")
    )
    yield from (("POST", f"{follow}/author/Ada%20Lovelace", {"follow": on}) for on in ("yes", ""))
    yield from ((method, leaving, None) for method in ("GET", "POST", "GET"))
    yield from ((method, f"{settings}/delete", None) for method in ("GET", "POST"))


def unmarked(house, known, requests):
    """The words of pages that no catalogue can reach, by what was asked for."""
    left_over = {}
    for method, path, fields in requests:
        answer = house.browser.ask(method, path, data=fields)
        assert answer.status_code != HTTPStatus.INTERNAL_SERVER_ERROR, path
        is_page = "html" in answer.headers["content-type"]
        text = answer.text if is_page else unescape(answer.text)  # a feed has its pages in it
        if rest := words(seen_on(text)) - known:
            left_over[method, path[:30], path[-20:], str(fields)] = rest
    return left_over


def test_no_page_has_a_string_outside_the_catalogues(house, ada, known):
    for number in range(4):
        house.post("/subscribe", {"address": "eve@example.org"})
        if not number:
            confirm = house.link()
    assert (
        unmarked(house, known, [*asked(ada), ("GET", confirm, None), ("POST", confirm, None)]) == {}
    )


@pytest.mark.parametrize(
    ("template", "before", "path"),
    [
        ("pages/base.html.j2", '{{ _("Privacy") }}', "/"),
        ("pages/search.html.j2", "{{ error | said }}", "/search?q=%22"),
        ("pages/partials/feed-paper.html.j2", "{{ abstract }}", "/feed.atom"),
        ("pages/base.html.j2", 'aria-label="{{ _("Main") }}"', "/archive"),
    ],
)
def test_a_planted_string_is_found(
    house, known, ledger, registry, tmp_path, template, before, path
):
    source = (built_in_templates() / template).read_text("utf-8")
    assert before in source
    planted = 'aria-label="Ahoy"' if before.startswith("aria") else "Ahoy"
    (tmp_path / template).parent.mkdir(parents=True)
    (tmp_path / template).write_text(source.replace(before, planted))
    planted = House(ledger, registry, templates=Templates(tmp_path, SAID))
    assert [*unmarked(planted, known, [("GET", path, None)]).values()] == [{"Ahoy"}]
