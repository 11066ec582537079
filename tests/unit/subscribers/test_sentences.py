"""Sentences of the code, said in the language of a reader."""

import ast
from datetime import date
from pathlib import Path

import pytest

import digest.web
import subscribers
from digest.compose.language import ENGLISH, language
from subscribers import errors
from subscribers.errors import TopicError
from subscribers.sentences import Sentence, said
from subscribers.topics import TopicFilter

GERMAN = language("de")
ERRORS = {name for name in dir(errors) if name.endswith("Error")} | {"Sentence", "WrongFieldError"}


def test_an_error_from_deep_inside_is_said_in_the_readers_language():
    with pytest.raises(TopicError) as raised:
        TopicFilter.parse('robots "world')
    assert str(raised.value) == ('column 8: expected a closing quotation mark, in: robots "world')
    assert raised.value.said(GERMAN) == (
        'Spalte 8: hier fehlt ein schließendes Anführungszeichen, in: robots "world'
    )


def test_numbers_and_days_are_written_as_in_the_language():
    sentence = Sentence("%(many)s until %(day)s", many=12_345, day=date(2026, 2, 20))
    assert sentence.said(ENGLISH) == "12,345 until 20 Feb 2026"
    assert sentence.said(GERMAN) == "12.345 until 20.02.2026"


def test_a_text_that_is_no_sentence_is_said_as_it_is():
    assert said("100 %(x)s", GERMAN) == "100 %(x)s"


@pytest.mark.parametrize("package", [subscribers, digest.web], ids=["subscribers", "web"])
def test_every_error_begins_with_a_message_that_can_be_translated(package):
    """An f-string, or a sum of texts, would be in no catalogue."""
    for file in Path(package.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            name = getattr(node, "func", None)
            if isinstance(node, ast.Call) and getattr(name, "id", "") in ERRORS:
                message = node.args[0]
                is_literal = isinstance(message, ast.Constant)
                is_one = isinstance(message, ast.Attribute) and message.attr == "message"
                assert is_literal or is_one, f"{file.name}:{node.lineno}"
