"""The finished octets of a mail, read by a reader of our own (tests.raw_message)."""

import re
from dataclasses import replace
from datetime import timedelta

import lxml.html
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.compose.composer import Composer
from digest.compose.content import Content
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.compose.message import build_message
from digest.model.digests import Digest, Pick, Section
from digest.model.text import clean
from digest.settings.values import LONGEST_PUBLIC_URL
from subscribers.addresses import normalise_address
from subscribers.errors import AddressError
from subscribers.tokens import Purpose
from tests.raw_message import decoded, read
from tests.support import NOW, TODAY, examples, make_candidate, make_settings

SENDER = from_identity(make_settings())
PERSON = "0123456789abcdef0123456789abcdef"
COMPOSER = Composer(Templates(), SENDER)

HEADERS = [
    "From", "To", "Date", "Message-ID", "Subject", "Reply-To", "List-Id", "List-Unsubscribe",
    "List-Unsubscribe-Post", "List-Help", "List-Archive", "Feedback-ID", "CFBL-Address",
    "Auto-Submitted", "MIME-Version", "Content-Type",
]  # fmt: skip
FOR_PROGRAMS = [
    "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Help",
    "List-Archive", "Feedback-ID", "CFBL-Address",
]  # fmt: skip

# Senders that strain the headers in one way each.
SENDERS = {
    "usual": SENDER,
    "long base URL": replace(SENDER, base_url="https://x.example/" + "y" * (LONGEST_PUBLIC_URL - 18)),
    "long host": replace(SENDER, base_url="https://" + ".".join(["a" * 60] * 4) + ".org"),
    "commas in the base URL": replace(SENDER, base_url="https://x.example/a,b,c" + ",d" * 50),
    "long addresses": replace(
        SENDER,
        unsubscribe_address="u" * 64 + "@" + ".".join(["b" * 60] * 3) + ".org",
        complaints_address="c" * 64 + "@" + ".".join(["b" * 60] * 3) + ".org",
    ),
    "accents in the name": replace(SENDER, name="Rémy’s Überblick"),
    "long name": replace(SENDER, name="論文 " * 60),
}  # fmt: skip


def build(subject="Title and 4 more", identity=SENDER, **changes):
    values = {"to": "ada@example.org", "public_id": PERSON, "what": "2026-02-20", "now": NOW}
    content = Content(subject, "Hello.\n", "<!doctype html>\n<p>Hello.</p>\n")
    return build_message(content, identity, **{**values, **changes})


def compose(*titles, **values):
    picks = tuple(
        Pick(Section.TRENDING, make_candidate(number, title=title))
        for number, title in enumerate(titles, 1)
    )
    digest = Digest(TODAY, (), picks, len(picks))
    return COMPOSER.compose(digest, to="ada@example.org", public_id=PERSON, now=NOW, **values)


# ---- headers -----------------------------------------------------------------------------------


def test_the_headers_are_complete_and_each_there_once():
    assert [name for name, _ in read(build().content).headers] == HEADERS


def test_what_each_header_says():
    token = SENDER.tokens.make(Purpose.UNSUBSCRIBE, PERSON)
    mail = read(build().content)
    said = {name: mail.one(name) for name in HEADERS}
    assert re.fullmatch(r"<[0-9a-f]{32}@digest\.example\.org>", said.pop("Message-ID"))
    assert said.pop("Content-Type").startswith("multipart/alternative; boundary=")
    assert said == {
        "From": "Paper Digest <digest@example.org>",
        "To": "ada@example.org",
        "Date": "Fri, 20 Feb 2026 08:00:00 +0000",
        "Subject": "Title and 4 more",
        "Reply-To": "digest@example.org",
        "List-Id": "Paper Digest <daily.digest.example.org>",
        "List-Unsubscribe": (
            f"<https://digest.example.org/unsubscribe/{token}>, "
            f"<mailto:unsubscribe@example.org?subject={token}>"
        ),
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Help": "<https://digest.example.org/>",
        "List-Archive": "<https://digest.example.org/archive>",
        "Feedback-ID": "2026-02-20:daily:example.org",
        "CFBL-Address": "complaints@example.org; report=arf",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
    }


def test_the_operators_addresses_are_used():
    identity = from_identity(
        make_settings(
            reply_to="team@example.org",
            bounce_address="bounces@example.org",
            unsubscribe_address="leave@example.org",
            complaints_address="abuse@example.org",
        )
    )
    message = build(identity=identity)
    mail = read(message.content)
    assert mail.one("Reply-To") == "team@example.org"
    assert "<mailto:leave@example.org?" in mail.one("List-Unsubscribe")
    assert mail.one("CFBL-Address") == "abuse@example.org; report=arf"
    assert message.envelope.mail_from == "bounces@example.org"
    assert b"bounces@" not in message.content


def test_the_envelope_is_the_header():
    message = build(to="grace@example.org")
    assert message.envelope.rcpt_to == read(message.content).one("To") == "grace@example.org"
    assert message.message_id == read(message.content).one("Message-ID")


@pytest.mark.parametrize("identity", SENDERS.values(), ids=SENDERS)
def test_headers_for_programs_are_never_encoded(identity):
    mail = read(build(identity=identity).content)
    assert [name for name, _ in mail.headers] == HEADERS
    for name in FOR_PROGRAMS:
        assert "=?" not in mail.one(name)


@pytest.mark.parametrize("identity", SENDERS.values(), ids=SENDERS)
@pytest.mark.parametrize("public_id", [PERSON, "x" * 150])
def test_both_ways_out_carry_the_same_token_whole(identity, public_id):
    header = read(build(identity=identity, public_id=public_id).content).one("List-Unsubscribe")
    found = re.fullmatch(r"<(https://[^<>\s]+)>, <(mailto:[^<>\s]+)>", header)
    assert found
    web, mailto = found.groups()
    token = web.removeprefix(f"{identity.base_url}/unsubscribe/")
    assert identity.tokens.read(Purpose.UNSUBSCRIBE, token) == public_id
    assert mailto == f"mailto:{identity.unsubscribe_address}?subject={token}"


@pytest.mark.parametrize("identity", SENDERS.values(), ids=SENDERS)
@pytest.mark.parametrize(
    "subject", ["short", "word " * 100, "x" * 5000, "ü" * 5000], ids=["short", "long", "x", "ü"]
)
def test_lines_end_with_crlf_and_are_short_enough(identity, subject):
    content = build(subject, identity, public_id="x" * 150).content
    assert content.endswith(b"\r\n")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    ("address", "sender_id"),
    [
        ("digest@example.org", "example.org"),
        ("digest@papers.cs.university.example", "versity.example"),
        ("d@x.io", "x.io-"),
    ],
)
def test_the_feedback_id_names_the_installation(address, sender_id):
    said = read(build(identity=from_identity(make_settings(from_=address))).content)
    assert said.one("Feedback-ID") == f"2026-02-20:daily:{sender_id}"
    assert 5 <= len(sender_id) <= 15


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Group of birds", "Group of birds <daily.digest.example.org>"),
        ("Birds, daily", '"Birds, daily" <daily.digest.example.org>'),
        ('The "Birds"', '"The \\"Birds\\"" <daily.digest.example.org>'),
        ("Vögel", "<daily.digest.example.org>"),
        ("Birds =?utf-8?q?x?=", "<daily.digest.example.org>"),
        ("birds " * 15, "<daily.digest.example.org>"),
    ],
)
def test_the_list_has_the_installations_name_if_programs_can_read_it(name, said):
    identity = from_identity(make_settings(from_name=name))
    assert read(build(identity=identity).content).one("List-Id") == said


@pytest.mark.parametrize(
    "name",
    [
        "Rémy’s Überblick", "論文ダイジェスト " * 8, "Digest, daily", 'The "Digest"', "Ü" * 100,
        "x" * 100, "a" * 70 + " Ü", 'Jürgen, "der" Große', "=?utf-8?q?a=0D=0ABcc:_x@y.z?=", "Ü  b",
    ],
)  # fmt: skip
def test_the_senders_name_survives(name):
    message = build(identity=replace(SENDER, name=name.strip()))
    assert re.match(rb"From: \S", message.content), "the first line is not empty"
    header = read(message.content).one("From")
    shown = decoded(header).removesuffix(" <digest@example.org>")
    assert re.sub(r'^"(.*)"$', r"\1", shown).replace('\\"', '"') == name.strip()


@pytest.mark.parametrize(
    "subject",
    [
        "A title of the usual length that is cut at seventy characters… and 14 more",
        "A title of the usual length, ten per cent longer than what templates make of it, and 14 more",
        "Über Möbius: ∇·E = ρ/ε₀ and 4 more",
        "日本語の題名 " * 12 + "and 4 more",
        "👩‍👩‍👧‍👦 families " * 8,
        "word " * 300,
        "x" * 2000,
        "two  blanks are two",
        "a_b ?= c =?",
        "=?utf-8?q?not_encoded?=",
        "=?utf-8?q?a=0D=0ABcc:_x@y.z?=",
        "=?utf-8?b?YQ0KQmNjOiB4QHkueg==?= and 4 more",
        "",
    ],
)  # fmt: skip
def test_the_subject_survives(subject):
    mail = read(build(subject.rstrip()).content)
    assert [name for name, _ in mail.headers] == HEADERS
    assert decoded(mail.one("Subject")) == subject.rstrip()


def test_a_plain_subject_stands_as_it_is():
    assert (
        b"\r\nSubject: Attention is all you need and 4 more\r\n"
        in build("Attention is all you need and 4 more").content
    )


# ---- the same each time ------------------------------------------------------------------------


def test_the_same_values_make_the_same_octets():
    assert build() == build()
    assert compose("One", "Two") == compose("One", "Two")


def test_the_message_id_is_the_same_on_every_retry():
    later = NOW + timedelta(hours=5)
    assert build(now=later).message_id == build().message_id
    assert build("Another subject").message_id == build().message_id


@pytest.mark.parametrize(
    "changes",
    [
        {"public_id": "b" * 32},
        {"what": "2026-02-21"},
        {"identity": replace(SENDER, secret="another secret")},
    ],
)
def test_the_message_id_is_another_ones(changes):
    assert build(**changes).message_id != build().message_id


def test_the_message_id_gives_nobody_away():
    message = build()
    assert PERSON not in message.message_id
    assert "ada" not in message.message_id


def test_a_marked_mail_is_no_delivery():
    marked = compose("One", subject_mark="[test]")
    assert decoded(read(marked.content).one("Subject")).startswith("[test] One")
    assert marked.message_id != compose("One").message_id


# ---- the body ----------------------------------------------------------------------------------


def test_plain_text_goes_first():
    kinds = [part.one("Content-Type") for part in read(build().content).parts]
    assert kinds == ['text/plain; charset="utf-8"', 'text/html; charset="utf-8"']


def test_both_parts_arrive_whole():
    text, html = "Ünïcode ∇ 日本 = \t.\n.\n" + "x" * 3000 + "\n", "<p>" + "é=" * 40_000 + "</p>\n"
    content = build_message(
        Content("s", text, html), SENDER, to="a@b.org", public_id=PERSON, what="e", now=NOW
    ).content
    plain, rich = read(content).parts
    assert plain.text == text
    assert rich.text == html
    assert content.isascii()


def test_what_every_mail_holds():
    plain, rich = (part.text for part in read(compose("One", "Two").content).parts)
    ways = [SENDER.link(purpose, PERSON) for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES)]
    links = lxml.html.fromstring(rich).xpath("//a/@href")
    for way in ways:
        assert way in plain
        assert way in links
    assert SENDER.postal_address in plain
    assert SENDER.postal_address in lxml.html.fromstring(rich).text_content()
    assert "You get this because ada@example.org subscribed" in " ".join(plain.split())


def test_the_html_is_one_that_mail_readers_take():
    html = read(compose("One", "Two").content).parts[1].text
    page = lxml.html.document_fromstring(html)
    assert html.lower().startswith("<!doctype html>")
    assert page.get("lang")
    assert page.findtext("head/title").strip()
    assert not page.xpath("//script | //form | //iframe | //object | //link")
    assert not page.xpath("//@*[starts-with(name(), 'on')]")
    assert all(table.get("role") == "presentation" for table in page.iter("table"))
    assert all(image.get("alt") is not None for image in page.iter("img"))
    parts = {f"#{name}" for name in page.xpath("//a/@name")}
    assert all(link.startswith("https://") or link in parts for link in page.xpath("//a/@href"))
    assert not page.xpath("//@src | //@background")
    assert "prefers-color-scheme: dark" in html


def test_the_way_out_stands_at_the_end_of_both_parts():
    plain, rich = (part.text for part in read(compose("The first title").content).parts)
    out = SENDER.link(Purpose.UNSUBSCRIBE, PERSON)
    assert plain.index(out) > plain.index("The first title")
    assert rich.index(out) > rich.index("<h3")


# ---- hostile titles ----------------------------------------------------------------------------

TITLES = st.text(max_size=700) | st.text(alphabet="=?utf-8qb_0DA\r\n:<>&'\"{}%#. ]-", max_size=200)


@given(TITLES)
@example("=?utf-8?q?a=0D=0ABcc:_x@y.z?=")
@example("a\r\nBcc: x@y.z\r\n\r\n<script>")
@example("</p></mj-text><mj-raw><script>alert(1)</script></mj-raw>")
@example("{{ 7*7 }} {% include 'x' %} <!-- ]]> -->")
@example("\u2028\u2029\x85\x1c\x00\u202e\ufeff")
@example("&lt;b&gt; &amp;amp; &#x0;")
@settings(max_examples=examples(60))
def test_no_title_can_do_more_than_be_read(hostile):
    title = clean(hostile, 500) or "untitled"
    mail = read(compose(title, "Another").content)
    assert [name for name, _ in mail.headers] == HEADERS
    assert decoded(mail.one("Subject")).startswith("2 trending: ")
    plain, rich = mail.parts
    shown = title if len(title) <= 300 else title[:100]
    assert _squeezed(shown) in _squeezed(plain.text)
    page = lxml.html.document_fromstring(rich.text)
    first, second = page.xpath("//h3/a")
    assert _squeezed(first.text_content()).startswith(_squeezed(shown))
    assert second.text_content() == "Another"
    assert not page.xpath("//script | //h3/a/* | //h3/*[not(self::a or self::small)]")
    assert len(page.xpath("//a")) == len(
        lxml.html.document_fromstring(read(compose("x", "Another").content).parts[1].text).xpath(
            "//a"
        )
    )


def _squeezed(text):
    return "".join(text.split())


@given(st.text(alphabet="<>&\"'`", min_size=1, max_size=50))
@settings(max_examples=examples(30))
def test_what_html_minds_is_escaped_there_and_only_there(title):
    plain, rich = (part.text for part in read(compose(title).content).parts)
    assert title in plain
    [shown] = lxml.html.document_fromstring(rich).xpath("//h3/a")
    assert shown.text_content() == title
    assert not re.search(r"&(?!#?\w+;)", rich)


# ---- addresses beyond ASCII --------------------------------------------------------------------

JOSE = "jos\u00e9@xn--bcher-kva.example"


def headers_of(message):
    return message.content.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("identity", SENDERS.values(), ids=SENDERS)
def test_an_address_beyond_ascii_stands_as_it_is(identity):
    message = build(to=JOSE, identity=identity)
    mail = read(message.content, "utf-8")
    assert [name for name, _ in mail.headers] == HEADERS
    assert mail.one("To") == JOSE == message.envelope.rcpt_to
    assert decoded(mail.one("From")).endswith(" <digest@example.org>")
    assert message.envelope.is_international
    for name in FOR_PROGRAMS:
        assert mail.one(name).isascii()
        assert "=?" not in mail.one(name)


def test_only_the_addresses_of_such_a_message_are_beyond_ascii():
    message = build("Über Möbius", to=JOSE)
    lines = headers_of(message).split(b"\r\n")
    assert [line for line in lines if not line.isascii()] == [f"To: {JOSE}".encode()]
    assert decoded(read(message.content, "utf-8").one("Subject")) == "Über Möbius"
    body = message.content.removeprefix(headers_of(message))
    assert body == build("Über Möbius").content.removeprefix(headers_of(build("Über Möbius")))


def test_every_other_message_is_ascii():
    identity = SENDERS["accents in the name"]
    message = build("Über Möbius", to="jose@xn--bcher-kva.example", identity=identity)
    assert message.content.isascii()
    assert not message.envelope.is_international


def test_an_address_beyond_ascii_gets_a_whole_digest():
    digest = Digest(TODAY, (), (Pick(Section.TRENDING, make_candidate(1, title="∇ One")),), 1)
    message = COMPOSER.compose(digest, to=JOSE, public_id=PERSON, now=NOW)
    plain, rich = read(message.content, "utf-8").parts
    assert "∇ One" in plain.text
    assert "∇ One" in rich.text


# What looks like an encoded word is decoded by the standard library, wherever it stands.
ODD_ADDRESSES = [
    "=?utf-8?q?a=0D=0ABcc=3A_x=40y.z?=@example.org",
    "=?utf-8?b?YQ0KQmNjOiB4QHkueg==?=@example.org",
    "=?utf-8?q?=3Cx=40evil.example=3E?=@example.org",
    "\u00e9=?utf-8?q?a=0D=0ABcc=3A_x?=@example.org",
    "a=?=?b@example.org",
    "o'brien!#$%&*+-/^_`{|}~@example.org",
    "x" * 64 + "@" + ".".join(["b" * 60] * 3) + ".org",
    "\u00e9" * 100 + "@" + "b" * 40 + ".org",
    "\U0001f600.\u7528\u6237@example.org",
]


@pytest.mark.parametrize("typed", ODD_ADDRESSES)
def test_an_odd_address_stands_as_it_is(typed):
    address = normalise_address(typed)
    mail = read(build(to=address).content, "utf-8")
    assert [name for name, _ in mail.headers] == HEADERS
    assert mail.one("To") == address == typed


@given(st.text(min_size=1, max_size=60) | st.text("=?utf-8qb_0DA.+\u00e9", min_size=1, max_size=60))
def test_no_address_can_do_more_than_be_written_to(local):
    try:
        address = normalise_address(f"{local}@example.org")
    except AddressError:
        return
    message = build(to=address)
    mail = read(message.content, "utf-8")
    assert [name for name, _ in mail.headers] == HEADERS
    assert mail.one("To") == address
    assert message.content.isascii() is address.isascii()
    assert max(map(len, message.content.split(b"\r\n"))) <= 998
