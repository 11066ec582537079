"""The catalogues have every sentence that a mail can say, and no other."""

import pytest
from babel.messages.catalog import Catalog

from digest.compose.catalogues import main, merged, messages, read, report
from digest.compose.language import catalogues


@pytest.fixture(scope="module")
def said():
    return messages()


def key(message):
    return message.id if isinstance(message.id, str) else tuple(message.id)


def sentences(catalogue):
    return {key(message): message for message in catalogue if message.id}


def test_sentences_of_templates_and_of_code_are_found(said):
    found = sentences(said)
    assert "Would you like to get %(brand)s?" in found
    assert "Like what you liked" in found
    assert ("%(count)s upvote", "%(count)s upvotes") in found
    assert ("%(count)s for you: %(names)s",) * 2 in found
    assert "Not for me" in found


@pytest.fixture(params=catalogues(), ids=lambda file: file.stem)
def shipped(request):
    return request.param


def test_a_shipped_catalogue_is_complete_and_without_faults(shipped, said):
    assert list(report(read(shipped), said)) == []


def test_a_shipped_catalogue_is_as_the_command_writes_it(shipped, said):
    assert shipped.read_text(encoding="utf-8") == merged(read(shipped), said)


def test_a_merge_keeps_adds_and_drops(tmp_path, said):
    file = tmp_path / "pt-BR.po"
    file.write_text(
        'msgid "Not for me"\nmsgstr "Não é para mim"\n\nmsgid "Said no more"\nmsgstr "Não"\n',
        encoding="utf-8",
    )
    file.write_text(merged(read(file), said), encoding="utf-8")
    now = sentences(read(file))
    assert now.keys() == sentences(said).keys()
    assert now["Not for me"].string == "Não é para mim"
    assert now["Trending"].string == ""
    assert not any(message.fuzzy for message in now.values())
    text = file.read_text(encoding="utf-8")
    assert "Said no more" not in text
    assert '"Language: pt-BR\\n"' in text
    assert merged(read(file), said) == text


def test_a_new_language_begins_empty(tmp_path, said):
    text = merged(read(tmp_path / "pl.po"), said)
    assert "nplurals=4" in text or "nplurals=3" in text
    assert 'msgid "Not for me"\nmsgstr ""\n' in text


# ---- what the check finds ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "translated", "found"),
    [
        ("For you", "", "not translated: 'For you'"),
        ("For you", "Dla ciebie", None),
        ("To %(who)s", "Do %(kto)s", "other placeholders"),
        ("To %(who)s", "Do", "lacks who"),
        ("Hi <b>%(who)s</b>", "Hej %(who)s", "other markup"),
        ("Hi <b>you</b>", "Hej <i>ty</i>", "other markup"),
        ("Hi", "Hej ", "begins or ends with a blank"),
        (("%(num)s of %(all)s",) * 2, ("1 z %(all)s", "%(num)s z %(all)s", "%(num)s z %(all)s"), None),
        (("%(num)s of %(all)s",) * 2, ("1", "%(num)s z %(all)s", "%(num)s z %(all)s"), "lacks all"),
        (("%(num)s of %(all)s",) * 2, ("%(num)s z %(all)s",) * 2 + ("wiele",), "lacks all, num"),
        (("%(num)s",) * 2, ("%(num)s", "%(num)s"), "2 plural forms, expected 3"),
        (("%(num)s",) * 2, ("%(num)s", "", "%(num)s"), "not translated"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_translation_is_reported(source, translated, found):
    now_said, catalogue = Catalog(), Catalog("pl_PL")
    now_said.add(source)
    catalogue.add(source, translated)
    reported = list(report(catalogue, now_said))
    assert found in " ".join(reported) if found else reported == []


def test_what_is_unsure_or_said_nowhere_is_reported():
    now_said, catalogue = Catalog(), Catalog("pl")
    now_said.add("For you")
    catalogue.add("For you", "Dla", flags=["fuzzy"])
    catalogue.add("Said no more", "Nie")
    assert list(report(catalogue, now_said)) == [
        "line None: marked as unsure: 'For you'",
        "no longer said: 'Said no more'",
    ]


def test_the_command_makes_and_checks_a_catalogue(tmp_path, capsys, said):
    assert main("make", "pl", str(tmp_path / "locales")) == 0
    file = tmp_path / "locales" / "pl.po"
    assert read(file).num_plurals >= 3
    assert main("make", "pl", str(tmp_path / "locales")) == 1  # it is there already
    assert main("make", "klingon", str(tmp_path)) == 1
    assert main("dance") == 2
    capsys.readouterr()
    assert main("check", str(file)) == 1
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == f"{file}: 0 of {len(sentences(said))} translated, 0 faults"
    assert second.startswith("  not translated: ")
    file.write_text('msgid "a"\nnonsense\n')
    assert main("check", str(file)) == 1
    assert "  line 2: " in capsys.readouterr().out
