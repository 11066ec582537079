"""The catalogues have every sentence that a mail can say, and no other."""

import pytest

from digest.compose.catalogues import merged, messages, read
from digest.compose.language import catalogues, faults

SAID = messages()


def key(message):
    return message.id if isinstance(message.id, str) else tuple(message.id)


def sentences(catalogue):
    return {key(message): message for message in catalogue if message.id}


def test_sentences_of_templates_and_of_code_are_found():
    found = sentences(SAID)
    assert "Would you like to get %(brand)s?" in found
    assert "Like what you liked" in found
    assert ("%(count)s upvote", "%(count)s upvotes") in found
    assert ("%(title)s and %(count)s more",) * 2 in found


@pytest.fixture(params=catalogues(), ids=lambda file: file.stem)
def shipped(request):
    return request.param


def test_a_shipped_catalogue_is_complete(shipped):
    catalogue = read(shipped)
    assert sentences(catalogue).keys() == sentences(SAID).keys()
    assert catalogue.obsolete == {}
    for message in sentences(catalogue).values():
        forms = [message.string] if isinstance(message.string, str) else message.string
        assert all(forms), f"{message.id} is not translated"
        assert not message.fuzzy, f"{message.id} is not sure"
        assert faults(message) == []


def test_placeholders_are_those_of_the_english_sentence(shipped):
    for message in sentences(read(shipped)).values():
        forms = [message.string] if isinstance(message.string, str) else message.string
        wanted = message.id if isinstance(message.id, str) else message.id[-1]
        for form in forms:
            assert placeholders(form) == placeholders(wanted), message.id


def placeholders(text):
    return {part.split(")")[0] for part in text.split("%(")[1:]}


def test_a_shipped_catalogue_is_as_the_command_writes_it(shipped):
    assert shipped.read_text(encoding="utf-8") == merged(read(shipped), SAID)


def test_a_merge_keeps_adds_and_drops(tmp_path):
    file = tmp_path / "pt-BR.po"
    file.write_text(
        'msgid "For you"\nmsgstr "Para você"\n\nmsgid "Said no more"\nmsgstr "Não"\n',
        encoding="utf-8",
    )
    file.write_text(merged(read(file), SAID), encoding="utf-8")
    now = sentences(read(file))
    assert now.keys() == sentences(SAID).keys()
    assert now["For you"].string == "Para você"
    assert now["Trending"].string == ""
    assert not any(message.fuzzy for message in now.values())
    text = file.read_text(encoding="utf-8")
    assert "Said no more" not in text
    assert '"Language: pt-BR\\n"' in text
    assert merged(read(file), SAID) == text


def test_a_new_language_begins_empty(tmp_path):
    text = merged(read(tmp_path / "pl.po"), SAID)
    assert "nplurals=4" in text or "nplurals=3" in text
    assert 'msgid "For you"\nmsgstr ""\n' in text
