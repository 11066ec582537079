"""Every kind of link by every kind of request: what each changes, and that nothing else does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from digest.collect.merge import keys_of, merge
from digest.web.limiter import AT_ONCE
from subscribers.model import SuppressionReason, Verdict
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose, Tokens
from subscribers.topics import parse_topics
from tests.integration.at_once import WRITES, at_once
from tests.integration.browser import CLIENT, FORM
from tests.integration.house import House
from tests.integration.people import changes, look
from tests.integration.site import SENDER
from tests.support import NOW, make_sighting

LATER = NOW + timedelta(hours=1)
PAPER = "arxiv:2602.00001"
PREFERENCES = Preferences().to_json()
FOLLOWING = {**PREFERENCES, "follows": ["author:Jane Doe"]}
TOPICS = parse_topics(["robots"])


# ---- how somebody comes to have a link; each gives the id that the link is for -----------------


def asked(registry, address):
    return registry.ask(address, TOPICS, source="test", now=NOW).public_id


def reading(registry, address):
    return registry.add(address, TOPICS, source="test", now=NOW).public_id


def gone(registry, address):
    public_id = reading(registry, address)
    registry.withdraw(public_id, source="test", now=NOW)
    return public_id


def moving(registry, address):
    person = registry.add(address, TOPICS, source="test", now=NOW)
    new = address.replace("example.org", "new.example")
    return registry.address_changes.ask(person, new, NOW).public_id


# ---- the links ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Link:
    """``fields`` are what its button sends, ``changed`` what that changes for ada.

    ``ends`` is whether the link is good for a time only; ``without_fields`` is the status of the
    answer to a POST that has none, which is then no button's.
    ``writes`` is the statement that those who press it at the same moment have to meet at.
    """

    purpose: Purpose
    person: Callable
    changed: list[str]
    fields: dict[str, str] = field(default_factory=dict)
    ends: bool = False
    rest: str = ""
    without_fields: int | None = None
    writes: tuple[str, ...] = WRITES


LINKS = {
    "confirm": Link(
        Purpose.CONFIRM,
        asked,
        [
            f"+ consents ada: confirmed, now, link in the confirmation mail, {CLIENT}",
            "subscribers ada: consent pending -> confirmed",
        ],
        ends=True,
    ),
    "preferences": Link(
        Purpose.PREFERENCES,
        reading,
        ["subscribers ada: topics ['robots'] -> ['ants']"],
        {"topics": "ants"},
        without_fields=422,
    ),
    "unsubscribe": Link(
        Purpose.UNSUBSCRIBE,
        reading,
        [
            f"+ consents ada: withdrawn, now, link in a mail, {CLIENT}",
            "subscribers ada: consent confirmed -> withdrawn",
        ],
        {"List-Unsubscribe": "One-Click"},
    ),
    "address": Link(
        Purpose.ADDRESS,
        moving,
        [
            f"+ consents ada: moved, now, link in the mail to the new address, {CLIENT}",
            "subscribers ada: address ada@example.org -> ada@new.example",
            "subscribers ada: address_key ada@example.org -> ada@new.example",
        ],
        ends=True,
    ),
    "opinion": Link(
        Purpose.RATING,
        reading,
        [f"+ opinions ada: {PAPER}, like, now"],
        {"verdict": "like"},
        rest=f"/{PAPER}",
        without_fields=200,
        writes=("INSERT INTO opinions",),
    ),
    "follow": Link(
        Purpose.FOLLOW,
        reading,
        [f"subscribers ada: preferences {PREFERENCES} -> {FOLLOWING}"],
        {"follow": "yes"},
        rest="/author/Jane%20Doe",
        without_fields=200,
    ),
    "undo": Link(
        Purpose.UNDO,
        gone,
        [
            f"+ consents ada: undone, now, page after leaving, {CLIENT}",
            "subscribers ada: consent withdrawn -> confirmed",
        ],
        ends=True,
    ),
}

# What a request may bring: the same fields in both forms, or nothing at all.
BODIES = {
    "urlencoded": lambda fields: {"data": fields, "headers": {"Content-Type": FORM}},
    "multipart": lambda fields: {"files": {"x": (None, ""), **{k: (None, v) for k, v in fields.items()}}},
    "empty": lambda _: {"content": b"", "headers": {"Content-Type": FORM}},
}  # fmt: skip


class Town(House):
    """Ada and grace each have a link of the same kind; around them live people of every other."""

    def __init__(self, engine, ledger, registry, link):
        super().__init__(ledger, registry, keeps_clients=True)
        sightings = [make_sighting(1), make_sighting(2)]
        ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))
        self.engine = engine
        self.link = link
        self.ids = {name: link.person(registry, f"{name}@example.org") for name in ("ada", "grace")}
        for name, person in (("pia", asked), ("carl", moving), ("wendy", gone), ("ruth", reading)):
            person(registry, f"{name}@example.org")
        registry.ratings.rate(registry.everybody()[-1].id, PAPER, Verdict.MUTE, NOW)
        registry.suppressions.add("wendy@example.org", SuppressionReason.COMPLAINT, now=NOW)
        registry.is_within_limits({"address pia@example.org": 3}, NOW)
        self._seen = look(engine)

    def news(self):
        """What has changed since this was asked last."""
        before, self._seen = self._seen, look(self.engine)
        return changes(before, self._seen)

    def path(self, token):
        return f"/{self.link.purpose}/{token}{self.link.rest}"

    def path_of(self, name):
        return self.path(self.token(self.link.purpose, self.ids[name], ends=self.link.ends))

    def token(self, purpose, public_id, *, ends, end=LATER, tokens=SENDER.tokens):
        return (
            tokens.make_until(purpose, public_id, end) if ends else tokens.make(purpose, public_id)
        )

    def act(self, name="ada", body="urlencoded"):
        return self.ask("POST", self.path_of(name), **BODIES[body](self.link.fields))


@pytest.fixture(params=LINKS)
def town(request, engine, ledger, registry):
    return Town(engine, ledger, registry, LINKS[request.param])


# ---- looking -----------------------------------------------------------------------------------


def test_looking_changes_nothing(town):
    for method in ("GET", "HEAD", "GET", "HEAD"):
        assert town.ask(method, town.path_of("ada")).status_code == 200
        assert town.news() == [], method


def test_head_is_get_without_its_body(town):
    get, head = (town.ask(method, town.path_of("ada")) for method in ("GET", "HEAD"))
    assert (head.status_code, head.headers) == (get.status_code, get.headers)
    assert (bool(get.content), head.content) == (True, b"")


def test_no_other_method_does_anything(town):
    for method in ("OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
        for body in BODIES.values():
            answer = town.ask(method, town.path_of("ada"), **body(town.link.fields))
            assert answer.status_code == 405, method
            assert town.news() == [], method


def test_a_link_without_its_token_is_no_page(town):
    for method in ("GET", "HEAD", "POST"):
        answer = town.ask(method, f"/{town.link.purpose}/", data=town.link.fields)
        assert answer.status_code in {404, 405}
    assert town.news() == []


# ---- acting ------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["urlencoded", "multipart"])
def test_a_post_does_what_it_is_meant_to_and_nothing_else(town, body):
    assert town.act(body=body).status_code == 200
    assert town.news() == town.link.changed


def test_a_post_without_fields_acts_where_none_are_needed(town):
    answer = town.act(body="empty")
    assert answer.status_code == (town.link.without_fields or 200)
    assert town.news() == ([] if town.link.without_fields else town.link.changed)


def test_a_post_twice_is_a_post_once(town):
    first = town.act()
    assert town.news() == town.link.changed
    letters = len(town.mails)
    second = town.act()
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert town.news() == []
    assert len(town.mails) == letters


@pytest.mark.parametrize("how_often", [2, 4])
def test_a_post_many_times_at_once_is_a_post_once(town, how_often):
    if town.link.purpose is Purpose.PREFERENCES:  # each has a loop here: none can wait for a place
        how_often = min(how_often, AT_ONCE)
    answers = at_once(town.engine, *[town.act] * how_often, before=town.link.writes)
    assert [answer.status_code for answer in answers] == [200] * how_often
    assert town.news() == town.link.changed
    assert len(town.mails) == (town.link.purpose is Purpose.ADDRESS)


def test_another_persons_link_is_about_that_person_only(town):
    for method in ("GET", "HEAD"):
        assert "ada@" not in town.ask(method, town.path_of("grace")).text
        assert town.news() == []
    assert "ada@" not in town.act("grace").text
    assert town.news() == [line.replace("ada", "grace") for line in town.link.changed]


# ---- tokens that are not valid -----------------------------------------------------------------


def tampered(town):
    good, other = (town.path_of(name).split("/")[2] for name in ("ada", "grace"))
    yield from (good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :] for at in (0, 9, -9))
    yield other.partition(".")[0] + good[good.index(".") :]
    yield good[:-3]
    yield good + good
    yield good.swapcase()


def made_up(town):
    ada = town.ids["ada"]
    stranger = Tokens(["somebody else's"])
    for ends in (True, False):
        yield town.token(town.link.purpose, ada, ends=ends, tokens=stranger)
    yield from (ada, "x", "%2E", "%00", "%FF%FE", "%3Cscript%3Ealert(1)%3C%5Cscript%3E", "x" * 50_000)  # fmt: skip


def expired(town):
    for end in (NOW, NOW - timedelta(seconds=1), NOW - timedelta(days=4000)):
        yield town.token(town.link.purpose, town.ids["ada"], ends=True, end=end)


def with_the_wrong_end(town):
    yield town.token(town.link.purpose, town.ids["ada"], ends=not town.link.ends)


def for_another_purpose(town):
    for purpose in set(Purpose) - {town.link.purpose}:
        for ends in (True, False):
            yield town.token(purpose, town.ids["ada"], ends=ends)


def bad_tokens(town):
    """Each with the name of its kind, and with how it is sent: the first of a kind in all forms."""
    for kind in (tampered, made_up, expired, with_the_wrong_end, for_another_purpose):
        bodies = list(BODIES.values())
        for token in kind(town):
            yield kind.__name__, token, bodies
            bodies = bodies[:1]


def test_every_bad_token_has_the_same_answer_and_changes_nothing(town):
    expected = town.ask("POST", "/unsubscribe/x")
    assert expected.status_code == 404
    assert "This link does not work" in expected.text
    for kind, token, bodies in bad_tokens(town):
        for method in ("POST", "GET", "HEAD"):
            for body in bodies:
                answer = town.ask(method, town.path(token), **body(town.link.fields))
                assert (answer.status_code, answer.headers) == (404, expected.headers), kind
                assert answer.content == (b"" if method == "HEAD" else expected.content), kind
        assert town.news() == [], kind
    assert town.mails == []
