"""The language of the mails: whose sentences are said, how they are filled, and what is a fault."""

import os
from datetime import UTC, date, datetime

import pytest
from babel import Locale
from babel.dates import format_date, format_datetime, get_day_names
from babel.lists import format_list
from babel.numbers import format_decimal

from digest.compose.environment import Templates
from digest.compose.language import ENGLISH, SHIPPED, catalogues, codes, language
from digest.errors import SettingError, TemplateError
from digest.studio.samples import samples
from tests.support import TODAY

GERMAN = language("de")


@pytest.fixture
def own(tmp_path):
    """The operator's folder; ``own(code, text)`` writes a catalogue into it."""

    def write(code, text):
        (tmp_path / "locales").mkdir(exist_ok=True)
        (tmp_path / "locales" / f"{code}.po").write_text(text, encoding="utf-8")
        return tmp_path

    return write


# ---- forms of words ------------------------------------------------------------------------------

# The English forms are ours, and stand here to the letter. Those of another language are Babel's,
# and change with its releases, so it is asked.


def test_a_day_is_written_as_the_language_has_it():
    day = date(2026, 2, 1)
    assert ENGLISH.long_date(day) == "Sunday, 1 February 2026"
    assert GERMAN.long_date(day) == format_date(day, "full", locale="de") != ENGLISH.long_date(day)


def test_a_moment_has_its_zone():
    moment = datetime(2026, 2, 20, 8, 0, tzinfo=UTC)
    assert ENGLISH.moment(moment) == "20 February 2026, 08:00:00 UTC"
    german = format_datetime(moment, "long", tzinfo=UTC, locale="de")
    assert GERMAN.moment(moment) == german != ENGLISH.moment(moment)


def test_weekdays_begin_with_monday():
    assert [ENGLISH.weekday(number) for number in (0, 6)] == ["Monday", "Sunday"]
    german = get_day_names("wide", locale="de")
    assert [GERMAN.weekday(number) for number in (0, 6)] == [german[0], german[6]]


def test_numbers_have_their_thousands_parted():
    assert [ENGLISH.number(number) for number in (999, 1000, 1_234_567)] == [
        "999",
        "1,000",
        "1,234,567",
    ]
    assert GERMAN.number(1_234_567) == format_decimal(1_234_567, locale="de") != "1,234,567"


@pytest.mark.parametrize(
    ("number", "short"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1K"),
        (1049, "1K"),
        (1051, "1.1K"),
        (12_345, "12.3K"),
        (999_949, "999.9K"),
        (999_950, "1M"),
        (2_000_000, "2M"),
        (999_949_999, "999.9M"),
        (999_950_000, "1B"),
        (12_345_678_901, "12.3B"),
    ],
)
def test_short_numbers_in_english(number, short):
    assert ENGLISH.short_number(number) == short


@pytest.mark.parametrize("code", ["de", "es", "fr", "ja", "pt-BR"])
def test_where_a_language_has_no_short_form_a_number_has_its_thousands_parted(own, code):
    said = language(code, own(code, ""))
    for number in (999, 12_345, 2_000_000):
        short = said.short_number(number)
        assert short == said.number(number) or not short.isdecimal(), (number, short)


@pytest.mark.parametrize(
    ("items", "english"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d"], "a, b, c and d"),
        (["{0}", "%s"], "{0} and %s"),
    ],
)
def test_lists_are_in_words(items, english):
    assert ENGLISH.listed(items) == english
    assert GERMAN.listed(items) == (format_list(items, locale="de") if items else "")


@pytest.mark.parametrize("code", sorted(set(codes()) - {"ar"}))  # which says "and" each time
def test_between_names_stands_what_the_language_has_there(code):
    between = Locale.parse(code, sep="-").list_patterns["standard"]["middle"]
    assert language(code).comma == between.replace("{0}", "").replace("{1}", "")


@pytest.mark.parametrize(
    ("code", "direction"), [("en", "ltr"), ("de", "ltr"), ("ar", "rtl"), ("he", "rtl")]
)
def test_the_direction_is_the_scripts(own, code, direction):
    assert language(code, own(code, "")).direction == direction


# ---- messages ------------------------------------------------------------------------------------


def test_messages_are_said_in_the_language_and_filled():
    assert ENGLISH.gettext("Your topics: %(topics)s", topics="100% <b>") == "Your topics: 100% <b>"
    assert GERMAN.gettext("Your topics: %(topics)s", topics="ants") == "Ihre Themen: ants"


def test_what_has_no_translation_is_english():
    assert GERMAN.gettext("Said by %(who)s alone", who="nobody") == "Said by nobody alone"


@pytest.mark.parametrize(
    ("count", "english", "german"),
    [
        (0, "0 upvotes", "0 Stimmen"),
        (1, "1 upvote", "1 Stimme"),
        (2000, "2,000 upvotes", f"{GERMAN.number(2000)} Stimmen"),
    ],
)
def test_plurals(count, english, german):
    forms = ("%(count)s upvote", "%(count)s upvotes", count)
    assert (ENGLISH.ngettext(*forms), GERMAN.ngettext(*forms)) == (english, german)


def test_a_language_may_have_more_forms_of_the_plural(own):
    polish = """
msgid ""
msgstr "Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n>=2 && n<=4 ? 1 : 2);\\n"
msgid "%(count)s upvote"
msgid_plural "%(count)s upvotes"
msgstr[0] "%(count)s głos"
msgstr[1] "%(count)s głosy"
msgstr[2] "%(count)s głosów"
"""
    said = language("pl", own("pl", polish))
    forms = [said.ngettext("%(count)s upvote", "%(count)s upvotes", n) for n in (1, 3, 7)]
    assert forms == ["1 głos", "3 głosy", "7 głosów"]


def test_templates_say_it_and_escape_the_values(tmp_path):
    source = '{{ _("Your topics: %(topics)s", topics=v) }}'
    (tmp_path / "a.mjml.j2").write_text(source)
    (tmp_path / "a.txt.j2").write_text(source)
    templates = Templates(tmp_path, GERMAN)
    assert templates.render("a.mjml.j2", v="<b> & %s") == "Ihre Themen: &lt;b&gt; &amp; %s"
    assert templates.render("a.txt.j2", v="<b> & %s") == "Ihre Themen: <b> & %s"


def test_a_message_may_run_over_lines_of_a_template(tmp_path):
    source = "{% trans topics=v %}\n  Your topics:\n  {{ topics }}\n{% endtrans %}"
    (tmp_path / "a.txt.j2").write_text(source)
    assert Templates(tmp_path, GERMAN).render("a.txt.j2", v="x") == "Ihre Themen: x"


def test_a_placeholder_without_a_value_is_told(tmp_path):
    (tmp_path / "a.txt.j2").write_text('one\n{{ _("Your topics: %(topics)s") }}')
    with pytest.raises(TemplateError, match=r"^a\.txt\.j2, line 2: "):
        Templates(tmp_path, GERMAN).render("a.txt.j2")


# ---- which there are -----------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["xx", "fr-CH", "DE", "../de", "en-XA", ""])
def test_an_unknown_language_is_told_with_those_there_are(code):
    known = " or ".join(codes())
    with pytest.raises(SettingError, match=rf"^DIGEST_LANGUAGE is '.*': expected {known}$"):
        language(code)


def test_a_catalogue_with_a_name_that_is_no_language_is_told(own):
    with pytest.raises(TemplateError, match=r"^locales/klingon\.po: "):
        language("klingon", own("klingon", ""))


def test_what_is_shipped():
    assert codes() == ("ar", "de", "en", "es", "fr", "ja", "zh-Hans")
    assert all(file.parent == SHIPPED for file in catalogues())


def test_the_operator_may_add_a_language(own):
    folder = own("pt-BR", 'msgid "For you"\nmsgstr "Para você"\n')
    portuguese = language("pt-BR", folder)
    assert portuguese.gettext("For you") == "Para você"
    assert portuguese.gettext("Trending") == "Trending"
    assert portuguese.long_date(TODAY) == format_date(TODAY, "full", locale="pt_BR")
    assert set(codes(folder)) == {*codes(), "pt-BR"}


def test_the_operators_words_win_over_the_shipped_ones(own):
    own("de", 'msgid "Rising"\nmsgstr "Steigt"\n')
    folder = own("en", 'msgid "Rising"\nmsgstr "Up"\n')
    for code, rising, trending in (("de", "Steigt", "Viel beachtet"), ("en", "Up", "Trending")):
        said = language(code, folder)
        assert (said.gettext("Rising"), said.gettext("Trending")) == (rising, trending)
    assert GERMAN.gettext("Rising") == language("de").gettext("Rising") == "Im Aufwind"


def test_an_edited_catalogue_is_read_anew(own):
    folder = own("en", 'msgid "For you"\nmsgstr "Yours"\n')
    assert language("en", folder).gettext("For you") == "Yours"
    own("en", 'msgid "For you"\nmsgstr "Mine"\n')
    os.utime(folder / "locales" / "en.po", ns=(1, 1))
    assert language("en", folder).gettext("For you") == "Mine"


def test_what_is_marked_as_unsure_is_not_said(own):
    folder = own("en", '#, fuzzy\nmsgid "For you"\nmsgstr "Four, you?"\n')
    assert language("en", folder).gettext("For you") == "For you"


# ---- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('msgid "a"\nmsgstr "b"\nnonsense\n', ", line 3: "),
        ('msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=n of m;\\n"\n\nmsgid "a"\nmsgstr "b"\n', ": "),
        ('msgid "Your topics: %(topics)s"\nmsgstr "Mine: %(topic)s"\n', ", line 1: .*placeholders"),
        ('msgid "Your topics: %(topics)s"\nmsgstr "Mine: %(topics)"\n', ", line 1: .*placeholders"),
        ('msgid "For you"\nmsgstr "For 100%"\n', ", line 1: .*placeholders"),
        ('msgid "For you"\nmsgstr "For %s"\n', ", line 1: .*placeholders"),
        ('\nmsgid "a"\nmsgid_plural "b"\nmsgstr[0] "a"\nmsgstr[1] "%(n)s"\n', ", line 2: .*placeholders"),
    ],
)  # fmt: skip
def test_a_broken_catalogue_is_told(own, text, where):
    with pytest.raises(TemplateError, match=rf"^locales/en\.po{where}"):
        language("en", own("en", text))


def test_a_catalogue_that_is_no_utf8_is_told(own):
    folder = own("en", "")
    (folder / "locales" / "en.po").write_bytes(b'msgid "a"\nmsgstr "caf\xe9"\n')
    with pytest.raises(TemplateError, match=r"^locales/en\.po: "):
        language("en", folder)


def test_another_languages_fault_is_not_ones_own(own):
    folder = own("fr", "nonsense\n")
    assert language("de", folder).gettext("Rising") == "Im Aufwind"
    assert samples([folder]) == {}
