"""Mails as they are meant to look: expected/*.txt to the letter, expected/*.html by its tree.

They are the samples that operators look at templates with, in every language there is. After a
wanted change of the templates, write them anew, look at them, and commit them:

    DIGEST_TEST_UPDATE_GOLDEN=1 pytest tests/golden
"""

import os
from collections.abc import Iterator
from pathlib import Path

import lxml.html
import pytest

from digest.compose.composer import Composer
from digest.compose.content import fill
from digest.compose.environment import Templates, built_in_templates
from digest.compose.from_identity import from_identity
from digest.compose.language import ENGLISH, catalogues, language
from digest.compose.samples import samples, view_of
from tests.support import make_settings

EXPECTED = Path(__file__).parent / "expected"
UPDATE = bool(os.environ.get("DIGEST_TEST_UPDATE_GOLDEN"))

SENDER = from_identity(make_settings())
SAMPLES = samples([built_in_templates()])
TEMPLATES = {
    code: Templates(None, language(code))
    for code in [ENGLISH.code, *(file.stem for file in catalogues())]
}
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


def test_the_html_is_as_expected(mail):
    name, content = mail
    assert outline(content.html) == outline(expected(f"{name}.html", content.html))


def test_nothing_else_is_expected():
    files = {file.name for file in EXPECTED.iterdir()}
    assert files == {f"{name}.{kind}" for name in NAMES for kind in ("html", "txt")}


def test_every_mail_has_a_sample():
    folders = {folder.parent.name for folder in built_in_templates().glob("mail/*/subject.txt.j2")}
    assert {sample.mail for sample in SAMPLES.values()} == folders


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
