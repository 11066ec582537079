"""The words of the glossary are those that people read."""

import re

import pytest

from tests.glossary import PAGE, TABLE, WHERE, Text, all_texts, document, faults_in, messages, page
from tests.glossary import template as read_template


def test_the_page_is_made_from_the_table():
    assert PAGE.read_text("utf-8") == page(), "python -m tests.glossary"


def test_the_table_is_complete():
    for word in TABLE["word"]:
        assert set(word) == {"say", "means"}
    for avoid in TABLE["avoid"]:
        assert (
            {"not", "say", "pattern"}
            <= set(avoid)
            <= {"not", "say", "pattern", "where", "except_in"}
        )
        assert set(avoid.get("where", WHERE)) <= set(WHERE)
        assert re.compile(avoid["pattern"])


def test_no_text_uses_a_word_to_avoid():
    found = [fault for text in all_texts() for fault in faults_in(text)]
    said = [f"{fault.place}: {fault.found!r} ({fault.better}): …{fault.around}…" for fault in found]
    assert not said, "\n".join(said)


def test_every_place_has_texts():
    seen = {text.where for text in all_texts() if len(text.text.split()) > 3}
    assert seen == set(WHERE)


WRONG = [
    "This wants you:",
    "Who wants to leave has left; dead addresses get nothing any more.",
    "See to the templates of the mails.",
    "Put the ledger in a file in the place of the one in use.",
    "It let us in, and asks for no login.",
    "Whoever has one of these may use the HTTP API as you.",
    "As usual here",
    "Whatever may fit",
    "Nothing until this day (empty: no pause)",
    "Neither touches the books of real deliveries.",
    "Saved. Whoever may see it is told.",
    "Care for the database.",
    "Saved. The next digest follows these wishes.",
    "Send a mail to yourself.",
    "The duties of the scheduler",
    "They mend the template.",
    "A lane for each provider",
]
RIGHT = [
    "The bounce was turned into a block.",
    "Mail comes back to the mail server; every mail provider has its rules.",
    "She mails you a link.",
    "A letter with an accent is kept as it is.",
    "Who may read this?",
    "Ask whoever runs the relay, or a mail service.",
    "They get nothing until the block is lifted.",
    "It keeps a copy of the file beside it.",
    "All is well, and no mail comes back.",
    "Settled editions are not counted again.",
    "Say who is due.",
    "The picture is beside the title.",
    "Papers on the proof of a theorem, and background music",
    "I wish to unsubscribe.",
    "She turned the page, gap by gap.",
    "He wants to read about robots, and you want the news.",
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_planted_fault_is_found(wrong):
    assert list(faults_in(Text("help", "digest", wrong)))


@pytest.mark.parametrize("right", RIGHT)
def test_ordinary_words_are_left_alone(right):
    assert [fault.found for where in WHERE for fault in faults_in(Text(where, "x", right))] == []


def found_in(texts):
    return [fault.found.lower() for text in texts for fault in faults_in(text)]


def test_faults_are_found_in_every_kind_of_text():
    code = 'def f():\n    """The ledger."""\n    raise E(f"the {x} ledger" " is old")\n'
    assert found_in(messages(code, "a.py")) == ["ledger"]
    jinja = (
        "{# the ledger #}{% set a = 'the ledger' %}<p class='ledger' title=\"Your wishes\">"
        '{{ _("any more") }} mend <b>it</b></p><style>.ledger { color: red }</style>'
    )
    found = found_in(read_template(jinja, "pages", "a"))
    assert sorted(found) == ["any more", "ledger", "mend", "your wishes"]
    prose = "# A\n\nThe `ledger` and\n\n```\nmend\n```\n\n| a worry | b |\n\n[x](ledger.md)\nwhat became\nof it\n"
    assert sorted(found_in(document(prose, "docs/a.md"))) == ["what became of", "worry"]
