"""Papers that mean harm, from a source's answer to a finished mail; and the largest mail there is."""

from functools import cache
from itertools import repeat

import lxml.html
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.collect.answer_reader import Reading
from digest.collect.huggingface import read_entries
from digest.compose.composer import REFUSE_AT, Composer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.errors import MessageTooLarge
from digest.model.digests import Candidate, Edition
from digest.model.text import LONGEST_NAME, LONGEST_TITLE, LONGEST_URL, clean
from digest.rank.ranker import Ranker
from digest.rank.readers import Limits, Reader
from subscribers.preferences import Strictness
from subscribers.topics import LONGEST_TOPIC, MOST_TOPICS, TopicFilter
from tests.raw_message import decoded, read
from tests.support import (
    NOW,
    TODAY,
    examples,
    make_candidate,
    make_corpus,
    make_edition,
    make_settings,
)

SENDER = from_identity(make_settings())
COMPOSER = Composer(Templates(), SENDER)

HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "an image that runs": "<img src=x onerror=alert(1)>",
    "a comment": "<!-- --> <![if mso]> <!--[if mso]>",
    "the end of CDATA": "A ]]> B",
    "an ampersand": "Q&A & more &amp; &lt;b&gt; &#60;",
    "quotes": "\"double\" 'single' `back`",
    "NUL": "before\x00after",
    "a header": "Title\r\nBcc: x@y.z",
    "a header as an encoded word": "=?utf-8?q?Title=0D=0ABcc:_x@y.z?=",
    "a body": "Title\r\n\r\n--=_boundary\r\nContent-Type: text/html\r\n\r\n<b>",
    "marks from right to left": "\u202etfel ot thgir\u202c \u200f\u2066x\u2069",
    "5,000 characters": "endless " * 625,
    "5,000 characters in one word": "x" * 5000,
    "MJML": "</mj-text><mj-raw><b>raw</b></mj-raw><mj-text>",
    "more MJML": "</p></mj-text></mj-column></mj-section></mj-body></mjml>",
    "an include": '<mj-include path="/etc/passwd" />',
    "Jinja": "{{ 7*7 }} {% include '/etc/passwd' %} {# gone #}",
    "premailer": "<style>* { display: none }</style><link rel=stylesheet href=//evil.example>",
    "dots of SMTP": ".\r\n.\r\nQUIT",
    "letters that combine": "Z" + "\u0335\u0301" * 200 + "algo",
    "blanks of other kinds": "a\u00a0b\u2028c\u2029d\u3000e",
}
LINKS = {
    "script": "javascript:alert(1)",
    "script in disguise": " jAvAsCrIpT\t:alert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "quotes": 'https://evil.example/" onmouseover="alert(1)',
    "blanks": "https://evil.example/a b",
    "line ends": "https://evil.example/\r\nBcc: x@y.z",
    "mail": "mailto:x@y.z",
    "no host": "https:///path",
    "endless": "https://evil.example/" + "x" * LONGEST_URL,
}


def entry(number, title, **paper):
    """One entry of an answer of the API."""
    return {
        "title": title,
        "numComments": 1,
        "paper": {
            "id": f"2602.{number:05d}",
            "title": title,
            "summary": f"It is about robots. {title}",
            "authors": [{"name": title}, {"name": "Ada Lovelace"}],
            "organization": {"fullname": title},
            "upvotes": 100 - number,
            "ai_keywords": [title],
            **paper,
        },
    }


def candidates_of(entries):
    harvest = read_entries(entries, Reading("answer.json", NOW, TODAY))
    assert harvest.rejected == ()
    return tuple(
        Candidate(number, f"test:{number}", seen.facts, seen.signals, TODAY)
        for number, seen in enumerate(harvest.sightings, 1)
    )


def mail_of(candidates, *topics, for_you=15, trending=15):
    limits = Limits(for_you=for_you, trending=trending, strictness=Strictness.BROAD)
    ranker = Ranker(Edition(1, TODAY, candidates), make_corpus(), limits)
    digest = ranker.digest(Reader(tuple(TopicFilter.parse(topic) for topic in topics)))
    assert digest is not None
    message = COMPOSER.compose(digest, to="ada@example.org", public_id="a" * 32, now=NOW)
    return digest, read(message.content)


def squeezed(text):
    return "".join(text.split())


def page_of(mail):
    return lxml.html.document_fromstring(mail.parts[1].text)


@cache
def usual_mail():
    usual = [entry(number, f"Robots {number}: a usual title") for number in range(1, 30)]
    return mail_of(candidates_of(usual), "robots")[1]


def assert_harmless(mail):
    """Nothing is live that templates did not write, and there are no headers but the usual."""
    usual = usual_mail()
    assert [name for name, _ in mail.headers] == [name for name, _ in usual.headers]
    assert len(mail.parts) == 2
    page = page_of(mail)
    of_us = {element.tag for element in page_of(usual).iter() if isinstance(element.tag, str)}
    assert {element.tag for element in page.iter() if isinstance(element.tag, str)} <= of_us
    assert not page.xpath("//@*[starts-with(name(), 'on')]")
    parts = {f"#{name}" for name in page.xpath("//a/@name")}
    assert all(
        link.startswith("https://") or link in parts for link in page.xpath("//@href | //@src")
    )
    assert len(page.xpath("//style")) == len(page_of(usual).xpath("//style"))


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_shown_and_does_nothing(title):
    candidates = candidates_of([entry(1, title), entry(2, "A usual title")])
    digest, mail = mail_of(candidates, "robots")
    assert len(digest.picks) == 2
    assert_harmless(mail)
    shown = clean(title, 300)
    plain = mail.parts[0].text
    titles = [heading.text_content() for heading in page_of(mail).xpath("//h3/a")]
    assert set(titles) == {shown, "A usual title"}
    assert squeezed(shown) in squeezed(plain)
    if "{{" in title:
        assert "{{ 7*7 }}" in plain
        assert "49" not in titles[0]


ANYTHING = st.lists(
    st.text(max_size=30)
    | st.sampled_from([*HOSTILE.values(), "<", "&", "{{", "%}", "]]>", "\r\n"]),
    min_size=1,
    max_size=4,
).map("".join)


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ANYTHING.filter(lambda text: clean(text, 300)), min_size=1, max_size=4))
def test_whatever_papers_are_called_none_is_lost_and_nothing_gets_out(titles):
    candidates = candidates_of([entry(number, title) for number, title in enumerate(titles, 1)])
    digest, mail = mail_of(candidates)
    assert len(digest.picks) == len(titles)
    assert_harmless(mail)
    shown = [heading.text_content() for heading in page_of(mail).xpath("//h3/a")]
    plain = squeezed(mail.parts[0].text)
    assert len(shown) == len(titles)
    for title in map(clean, titles, repeat(300)):
        # A row has the beginning of its title, which may be that of another one as well.
        its = [text for text in shown if title.startswith(text.removesuffix("…"))]
        shown.remove(max(its, key=len))
        assert squeezed(title) in plain


def test_all_of_them_in_one_mail():
    digest, mail = mail_of(
        candidates_of([entry(n, title) for n, title in enumerate(HOSTILE.values(), 1)]),
        "robots",
        for_you=len(HOSTILE),
        trending=len(HOSTILE),
    )
    assert len(HOSTILE) - 3 < len(digest.picks) == len(page_of(mail).xpath("//h3"))
    assert_harmless(mail)
    assert len(mail.parts[1].text.encode()) < REFUSE_AT


def test_a_hostile_topic_is_shown_and_does_nothing():
    title = "<script> x </script> {{ 7*7 }} </mj-text>"
    topic = f'code:no OR title:"{title}"'
    _, mail = mail_of(candidates_of([entry(1, "A usual title")]), topic)
    assert_harmless(mail)
    assert f"C{topic[1:]}" in page_of(mail).text_content()
    assert topic.upper() in " ".join(mail.parts[0].text.split())


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
@pytest.mark.parametrize("field", ["githubRepo", "projectPage"])
def test_a_hostile_link_is_no_link(field, link):
    (candidate,) = candidates_of([entry(1, "A usual title", **{field: link})])
    assert (candidate.facts.code_url, candidate.facts.project_url) == ("", "")
    _, mail = mail_of((candidate,), "robots")
    assert_harmless(mail)
    assert "evil.example" not in mail.parts[0].text
    assert "alert(1)" not in mail.parts[0].text


@pytest.mark.parametrize("identifier", ['"><script>', "../../evil", "x\r\ny", "a b&c=d#e"])
def test_a_hostile_id_stays_inside_its_link(identifier):
    _, mail = mail_of(candidates_of([entry(1, "A usual title", id=identifier)]), "robots")
    assert_harmless(mail)
    links = page_of(mail).xpath("//a/@href")
    assert any(link.startswith("https://huggingface.co/papers/") for link in links)


def test_a_plain_link_is_kept_and_made_secure():
    _, mail = mail_of(candidates_of([entry(1, "T", githubRepo="http://code.example/a?b=1&c=2")]))
    assert "https://code.example/a?b=1&c=2" in page_of(mail).xpath("//a/@href")


def test_the_subject_shows_a_hostile_title_as_it_is():
    title = HOSTILE["a header as an encoded word"]
    _, mail = mail_of(candidates_of([entry(1, title)]))
    assert decoded(mail.one("Subject")) == title


# ---- the largest mail --------------------------------------------------------------------------


def largest(count, letter, link):
    """Papers with the longest texts that pass the door."""
    word = letter * 9 + " "
    entries = [
        entry(
            number,
            f"{number} " + word * LONGEST_TITLE,
            summary="robots " + word * 100,
            ai_summary="robots " + word * LONGEST_TITLE,
            authors=[{"name": word * LONGEST_NAME}] * 5,
            organization={"fullname": word * LONGEST_NAME},
            githubRepo=link,
            projectPage=link,
            githubStars=123_456,
        )
        for number in range(1, count + 1)
    ]
    return candidates_of(entries)


def longest_topics(letter):
    """All papers have code; the other half of the filter is for its length."""
    return [
        f'code:yes OR title:"{n} '.ljust(LONGEST_TOPIC - 1, letter) + '"'
        for n in range(MOST_TOPICS)
    ]


USUAL_LINK = "https://github.com/some-organisation/some-repository"
LONGEST_LINK = "https://example.org/".ljust(LONGEST_URL, "x")


def test_the_longest_texts_fit_the_default_limits():
    defaults = make_settings()
    limits = {"for_you": defaults.max_for_you, "trending": defaults.max_trending}
    candidates = largest(sum(limits.values()), "x", USUAL_LINK)
    digest, mail = mail_of(candidates, *longest_topics("x"), **limits)
    assert len(digest.picks) == 15
    assert len(mail.parts[1].text.encode()) < REFUSE_AT


@pytest.mark.parametrize(
    ("letter", "link"), [("x", LONGEST_LINK), ("<", USUAL_LINK), ("日", USUAL_LINK)]
)
def test_the_longest_texts_and_links_of_any_kind_fit_the_default_limits(letter, link):
    candidates = largest(15, letter, link)
    _, mail = mail_of(candidates, *longest_topics(letter), for_you=10, trending=5)
    assert len(mail.parts[1].text.encode()) < REFUSE_AT


def test_the_last_papers_of_a_mail_that_would_be_cut_off_are_left_out():
    papers = largest(90, "日", USUAL_LINK)
    digest, mail = mail_of(papers, *longest_topics("日"), for_you=45, trending=45)
    html = mail.parts[1].text
    assert len(html.encode()) < REFUSE_AT
    shown = html.count("<h3")
    assert 10 < shown < len(digest.picks) == 90
    assert mail.parts[0].text.count("/paper/") >= shown


def test_a_template_that_leaves_no_room_for_a_paper_is_refused(tmp_path):
    own = tmp_path / "mail" / "partials"
    own.mkdir(parents=True)
    (own / "card.mjml.j2").write_text(f"<!-- {'x' * REFUSE_AT} -->\n")
    composer = Composer(Templates(tmp_path), from_identity(make_settings()))
    digest = Ranker(make_edition(make_candidate()), make_corpus(), Limits(10, 5)).digest(Reader())
    with pytest.raises(MessageTooLarge, match=r"^\d{6} bytes of HTML"):
        composer.render(digest, "a")
