"""Mails as they are meant to look: expected/*.txt to the letter, expected/*.html by what readers see.

They are the samples that operators look at templates with, in English, in German and, from right to
left, in Arabic. After a wanted change of the templates, write them anew, look at them, and commit them:

    DIGEST_TEST_UPDATE_GOLDEN=1 pytest tests/golden

What is not ours is not expected, because it changes with releases of others. Dates, numbers and
lists of languages other than English are written plainly here, where mails have Babel's forms. Of
the HTML, what is read is compared: texts, links, pictures, and how each looks. Its whole tree, which
is mostly the markup of mrml and premailer, is compared only with the versions it was made with,
those of .ci/constraints.txt.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import lxml.html
import pytest

from digest.compose.composer import Composer
from digest.compose.content import fill
from digest.compose.environment import Templates, built_in_templates
from digest.compose.from_identity import from_identity
from digest.compose.language import ENGLISH, Language, language
from digest.studio.samples import samples, view_of
from tests.support import make_settings
from tests.versions import MAKERS_OF_HTML, made_with

EXPECTED = Path(__file__).parent / "expected"
UPDATE = bool(os.environ.get("DIGEST_TEST_UPDATE_GOLDEN"))


class Plain(Language):
    """A language with its own sentences, and with dates, numbers and lists in plain forms."""

    def long_date(self, day):
        return day.isoformat()

    def moment(self, moment):
        return moment.isoformat(" ")

    def weekday(self, number, *, short=False):
        return f"D{number + 1}" if short else f"Day {number + 1}"

    def number(self, number):
        return str(number)

    short_number = number

    def listed(self, items):
        return ", ".join(map(self.isolated, items))


def spoken(code):
    """The language with a code, in forms that are ours."""
    said = language(code)
    return said if code == ENGLISH.code else Plain(said.code, said.translations)


SENDER = from_identity(make_settings())
SAMPLES = samples([built_in_templates()])
TEMPLATES = {code: Templates(None, spoken(code)) for code in (ENGLISH.code, "de", "ar")}
NAMES = [f"{sample}.{code}" for sample in SAMPLES for code in TEMPLATES]


@pytest.fixture(params=NAMES)
def mail(request):
    """A name, and what the sample in that language is filled in as."""
    name, code = request.param.split(".")
    sample, templates = SAMPLES[name], TEMPLATES[code]
    view = view_of(sample, Composer(templates, SENDER))
    return request.param, fill(templates, sample.mail, view)


def expected(name, made):
    """The committed file, written anew first if that is asked for."""
    path = EXPECTED / name
    if UPDATE:
        path.write_text(made, encoding="utf-8")
    assert path.is_file(), f"no {path}: {__doc__}"
    return path.read_text(encoding="utf-8")


def test_the_text_is_as_expected(mail):
    name, content = mail
    made = f"Subject: {content.subject}\n\n{content.text}"
    assert made == expected(f"{name}.txt", made)


def test_what_is_read_in_the_html_is_as_expected(mail):
    name, content = mail
    assert what_is_read(content.html) == what_is_read(expected(f"{name}.html", content.html))


@made_with(*MAKERS_OF_HTML)
def test_the_tree_of_the_html_is_as_expected(mail):
    name, content = mail
    assert outline(content.html) == outline(expected(f"{name}.html", content.html))


def test_nothing_else_is_expected():
    files = {file.name for file in EXPECTED.iterdir()}
    assert files == {f"{name}.{kind}" for name in NAMES for kind in ("html", "txt")}


def test_every_mail_has_a_sample():
    folders = {folder.parent.name for folder in built_in_templates().glob("mail/*/subject.txt.j2")}
    assert {sample.mail for sample in SAMPLES.values()} == folders


# ---- the whole tree ------------------------------------------------------------------------------


def outline(html: str) -> list[str]:
    """A document's tree, a line for each thing in it; blanks and the order of attributes aside."""
    return list(_lines(lxml.html.document_fromstring(html), 0))


def _lines(element: lxml.html.HtmlElement, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(element.tag, str):
        attributes = "".join(f' {key}="{value}"' for key, value in sorted(element.items()))
        yield f"{indent}<{element.tag}{attributes}>"
    else:
        yield f"{indent}<!-- -->"
    yield from _text(element.text, indent + "  ")
    for child in element:
        yield from _lines(child, depth + 1)
        yield from _text(child.tail, indent + "  ")


def _text(text: str | None, indent: str) -> Iterator[str]:
    if text and text.strip():
        yield indent + " ".join(text.split())


def test_the_outline_sees_what_matters():
    one = '<p class="a" id="b">x <b>y</b>  z</p>'
    assert outline(one) == outline('<p id="b"  class="a">\nx <b>y</b> z</p>')
    for other in (
        '<p class="c" id="b">x <b>y</b> z</p>',
        '<p class="a" id="b">x <i>y</i> z</p>',
        '<p class="a" id="b">x <b>y</b> w</p>',
        '<p class="a" id="b">x <b>y</b> z</p><!-- more -->',
    ):
        assert outline(one) != outline(other)


# ---- what is read --------------------------------------------------------------------------------

# As browsers show what no style is given for; the rest of a look is handed on from the parent.
_STYLED_TAGS = {
    "a": "text-decoration:underline",
    "b": "font-weight:bold",
    "strong": "font-weight:bold",
}
_LOOKS = (
    "color", "background-color", "font-family", "font-size", "font-weight", "text-align",
    "text-decoration",
)  # fmt: skip
_WORDS = {"bold": "700", "normal": "400", "white": "#ffffff", "black": "#000000"}
# The tags that templates write themselves, but for those of tables, which are mrml's as well.
_OUR_TAGS = {"a", "b", "h1", "h2", "h3", "i", "li", "p", "small", "span", "strong", "ul"}
# Attributes that say something to readers, or to programs that read mails aloud.
_SAYING = ("lang", "dir", "href", "src", "alt", "width", "height")


def what_is_read(html: str) -> list[str]:
    """Texts and pictures of a document in their order, each with its place, its look and its link.

    How they are laid out, by tables or otherwise, and how styles are spelled, is left aside.
    """
    document = lxml.html.document_fromstring(html)
    schemes = [
        meta.get("content") for meta in document.iter("meta") if "scheme" in meta.get("name", "")
    ]
    title = document.findtext("head/title")
    return [
        f"{title!r} in {document.get('lang')}, for schemes {schemes}",
        *_read(document.body, {}, "", ""),
    ]


def _read(
    element: lxml.html.HtmlElement, look: dict[str, str], place: str, says: str
) -> Iterator[str]:
    if not isinstance(element.tag, str):
        return  # a comment, with tables for Outlook alone
    look = _look(element, look)
    if element.tag in _OUR_TAGS:
        place = f"{place}/{element.tag}"
        if css_class := element.get("class"):
            place += f".{css_class}"
    for name in _SAYING[:3]:
        if element.get(name):
            says = re.sub(rf" {name}=\S+", "", says) + f" {name}={element.get(name)}"
    says = says.replace(" dir=ltr", "")  # which goes without saying, and older mrml leaves it out
    shown = "hidden" if look.get("display") == "none" else _in_words(look)
    if element.tag == "img":
        own = {name: element.get(name) for name in _SAYING[3:]}
        yield f"picture {own} in {place}{says}"
    yield from (f"{text!r} in {place}{says}, {shown}" for text in _text(element.text, ""))
    for child in element:
        yield from _read(child, look, place, says)
        yield from (f"{text!r} in {place}{says}, {shown}" for text in _text(child.tail, ""))


def _look(element: lxml.html.HtmlElement, parents: dict[str, str]) -> dict[str, str]:
    """How the text in an element looks: its own style, and what is handed on to it."""
    look = dict(parents)
    if background := element.get("bgcolor"):
        look["background-color"] = _spelled(background)
    styles = f"{_STYLED_TAGS.get(element.tag, '')};{element.get('style', '')}"
    for name, value in re.findall(r"([\w-]+)\s*:\s*([^;]+)", styles):
        if name == "background" and _spelled(value).startswith("#"):
            look["background-color"] = _spelled(value)
        elif name in _LOOKS or (name == "display" and look.get("display") != "none"):
            look[name] = _spelled(value)
    return look


def _spelled(value: str) -> str:
    """A value of CSS in one of the ways it can be written in."""
    value = re.sub(r"[\"']|!important", "", value).strip().lower()
    value = re.sub(r"\s*,\s*", ", ", value)
    value = re.sub(r"^#(\w)(\w)(\w)$", r"#\1\1\2\2\3\3", value)
    return _WORDS.get(value, value)


def _in_words(look: dict[str, str]) -> str:
    return "; ".join(f"{name}: {look[name]}" for name in _LOOKS if name in look)


SEEN = """<html lang="en"><head><title>t</title></head><body style="background-color:#fff"><div>
<table bgcolor="#123456"><tr><td style="font-size:0"><div style="color: red; font-size:15px"><p
class="a">x <a href="https://x.example">y</a></p><img alt="z" src="z.png"></div></td></tr></table>
</div></body></html>"""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<table ", "<table align=center "),
        ("#fff", "#FFFFFF"),
        ("#fff", "white"),
        ("color: red; font-size:15px", "font-size: 15px;color:red;line-height:1"),
        ('bgcolor="#123456"', 'style="background:#123456"'),
        ("</div></body>", "<!--[if mso]><table></table><![endif]--></div></body>"),
        ("<body", "<body class=body"),
    ],
)
def test_the_markup_of_others_is_not_looked_at(one, other):
    assert one in SEEN
    assert what_is_read(SEEN.replace(one, other)) == what_is_read(SEEN)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x ", "w "),
        (">y<", ">w<"),
        ("x.example", "w.example"),
        ('"z"', '"w"'),
        ("z.png", "w.png"),
        ("#123456", "#123457"),
        ("red", "blue"),
        ("15px", "16px"),
        ("<p", "<p style='font-weight: bold'"),
        ("<p", "<p dir=rtl"),
        ("<p", "<h1>new</h1><p"),
        ("<div>", "<div style='display:none'>"),
        ('class="a"', 'class="b"'),
        ("a href", "a style='text-decoration: none' href"),
        ("<title>t", "<title>w"),
        ('lang="en"', 'lang="de"'),
        ("p>", "h2>"),
    ],
)
def test_what_readers_see_is_looked_at(one, other):
    assert one in SEEN
    assert what_is_read(SEEN.replace(one, other, 1)) != what_is_read(SEEN)
