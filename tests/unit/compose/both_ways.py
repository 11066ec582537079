"""Emails filled into built templates, and the same emails made the plain way, to be compared."""

import random
import re
import shutil
from collections.abc import Mapping
from functools import cache
from itertools import count
from pathlib import Path

import lxml.html

from digest.collect.file import read_file
from digest.collect.sample_edition import SAMPLE_EDITION
from digest.compose.composer import Composer
from digest.compose.content import fill, fill_plainly, mail_of
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.compose.language import language
from digest.model.digests import Candidate, Digest, Edition, Match, Pick, Reason, Section
from subscribers.topics import TopicFilter
from tests.support import NOW, TODAY, make_settings

CARD = "mail/partials/card.mjml.j2"
BODY = "mail/digest/body.mjml.j2"
STYLE = "mail/partials/style.mjml.j2"
EARLIER = Path("tests/fixtures/earlier_templates")
TOPICS = (
    "robots",
    "agents & tools",
    "video <generation>",
    "世界モデル",
    "“quotes”",
    "O'Brien's \"x\"",
    "{{ 7*7 }} %s %(topic)s",
    "jtag1z \ufdd8 \ufdda:0\ufddb \u2028",
)
WORDS = ("sim2real", "café", "a<b", "R&D", "100%", "%s")


@cache
def candidates():
    sightings = read_file(SAMPLE_EDITION, None, NOW).sightings
    return tuple(
        Candidate(number, f"arxiv:{seen.facts.arxiv_id}", seen.facts, seen.signals, TODAY)
        for number, seen in enumerate(sightings, 1)
    )


def make_edition(papers=None, missing=()):
    return Edition(1, TODAY, candidates() if papers is None else papers, missing)


def note(why, *topics, missing=()):
    """Make a note that there is nothing, to a reader with these topics."""
    return Digest(TODAY, tuple(map(TopicFilter, topics)), (), len(candidates()), missing, why)


def some_digest(chance: random.Random, most=10):
    """Make a digest that a reader with a few topics might get, or one without."""
    papers = chance.sample(candidates(), chance.randint(1, most))
    for_you = chance.randint(0, len(papers))
    topics = tuple(map(TopicFilter, chance.sample(TOPICS, chance.randint(1, 4))))
    picks = [Pick(Section.FOR_YOU, paper, some_match(chance, topics)) for paper in papers[:for_you]]
    picks += [Pick(Section.TRENDING, paper) for paper in papers[for_you:]]
    has_topics = for_you or chance.random() < 0.5
    return Digest(TODAY, topics if has_topics else (), tuple(picks), len(candidates()))


def some_match(chance, topics):
    if chance.random() < 0.2:
        return Match(0.7, Reason("", liked="A liked paper & more"))
    words = chance.sample(WORDS, chance.randint(0, 3))
    return Match(0.9, Reason(chance.choice(topics).text, tuple(words)))


class BothWays:
    """One set of templates, filled in both ways."""

    def __init__(self, own: Path | None = None, code="en", cache=None, **fixed: str):
        identity = from_identity(make_settings(**fixed))
        self.templates = Templates(own, language(code, own), cache)
        self.composer = Composer(self.templates, identity)
        self.readers = count()

    def view(self, digest):
        """Return what the templates see for a reader who has not had anything yet."""
        reader = f"{next(self.readers):032x}"
        return self.composer.view(digest, self.composer.links(digest, reader))

    def why_not(self, digest):
        """Return why the digest's email cannot be built."""
        return fill(self.templates, mail_of(digest), self.view(digest)).not_built

    def compare(self, digest):
        """The content, which must be the same but for how the HTML is written."""
        name, view = mail_of(digest), self.view(digest)
        filled, plain = (make(self.templates, name, view) for make in (fill, fill_plainly))
        assert (filled.subject, filled.text) == (plain.subject, plain.text)
        assert body_of(filled.html) == body_of(plain.html)
        assert rules_of(filled.html) >= rules_of(plain.html)
        return filled

    def compare_some(self, count=4, seed=1, most=5):
        chance = random.Random(seed)
        digests = [some_digest(chance, most) for _ in range(count)]
        for digest in (*digests, digests[-1]):  # the last has two readers
            self.compare(digest)


def own_templates(folder: Path, changed: Mapping[str, str | tuple[str, str]]) -> Path:
    """An operator's folder: the templates that an earlier version shipped, some of them changed.

    A change is a whole template, or what is replaced in one.
    """
    shutil.copytree(EARLIER, folder, dirs_exist_ok=True)
    for name, change in changed.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change if isinstance(change, str) else replaced(name, *change))
    return folder


def replaced(name, what, by):
    """A template of the earlier version with a change."""
    source = (EARLIER / name).read_text(encoding="utf-8")
    assert what in source, f"{what!r} is not in {name} any more"
    return source.replace(what, by)


# ---- what is looked at -----------------------------------------------------------------------


def body_of(html):
    """All that readers see of a document, and what Outlook is told, in order."""
    page = lxml.html.document_fromstring(html)
    found = [page.findtext("head/title"), page.get("lang"), page.get("dir")]
    for step in page.body.iter():
        if isinstance(step.tag, str):
            attributes = {name: spelled(name, value) for name, value in step.items()}
            found.append((step.tag, sorted(attributes.items())))
        elif said := re.findall(r"<[^<>]+>", step.text or ""):
            found += [("Outlook", re.sub(r"\s+", " ", tag)) for tag in said]
        for text in ((step.text if isinstance(step.tag, str) else ""), step.tail):
            if text and text.strip():
                found.append(" ".join(text.split()))
    return found


def spelled(name, value):
    """An attribute in one of the ways it can be written in."""
    if name == "style":
        value = re.sub(r"#(\w)\1(\w)\2(\w)\3\b", r"#\1\2\3", value.lower())
        return sorted(re.sub(r"\s+", "", part) for part in value.split(";") if part.strip())
    return " ".join(value.split())


def rules_of(html):
    """The rules of a document's styles."""
    styles = " ".join(re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL))
    return {"".join(rule.split()) for rule in re.findall(r"[^{}]+\{[^{}]*\}", styles)}
