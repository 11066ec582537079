"""Everything that an email says goes through the catalogues: in a language that nobody speaks, no
English is left but what is not ours.
"""

import json
import re
from dataclasses import replace
from datetime import datetime

import lxml.html
import pytest

from digest.compose.composer import Composer
from digest.compose.content import fill
from digest.compose.environment import Templates, built_in_templates
from digest.compose.from_identity import from_identity
from digest.compose.phrases import SOURCES
from digest.compose.pseudo import ACCENTED, MIRRORED, studio_language
from digest.model.digests import SkipReason
from digest.studio.samples import digest_of, samples, view_of
from tests.support import make_settings

SENDER = from_identity(make_settings())
SAMPLES = samples([built_in_templates()])
SAID = studio_language(ACCENTED)
SAME_EVERYWHERE = {"PDF", *SOURCES.values(), "Semantic Scholar", "digest run --once"}
LONG = 16  # letters of a word
WORD = re.compile(r"(?<![^\W_])[A-Za-z]{2,}(?![^\W_])")  # in plain letters: it was not accented
LINK = re.compile(r"[a-z]+://\S+")


def words(text):
    return set(WORD.findall(LINK.sub(" ", text)))


def not_ours(sample):
    """The words of papers, readers and the sender; of dates, which Babel has."""
    data = [json.dumps(sample.values, ensure_ascii=False), *SAME_EVERYWHERE]
    data += [SENDER.name, SENDER.postal_address, SENDER.reply_to, SENDER.host]
    if sample.is_of_edition:
        digest = digest_of(sample)
        days = [digest.day, *(pick.candidate.since or digest.day for pick in digest.picks)]
        days += [pick.candidate.facts.published_on or digest.day for pick in digest.picks]
        data += [
            SAID.long_date(day) + SAID.short_date(day) + SAID.day_and_month(day) for day in days
        ]
    data += [*map(SAID.weekday, range(7)), SAID.listed(["1", "2"])]
    if since := sample.values.get("since"):
        data.append(SAID.moment(datetime.fromisoformat(since)))
    found = words(" ".join(data).replace("\\n", " "))
    return found | {word.upper() for word in found} | {word.capitalize() for word in found}


def unmarked(sample, folder=None):
    """The words of an email that no catalogue can reach."""
    templates = Templates(folder, SAID)
    mail = fill(templates, sample.mail, view_of(sample, Composer(templates, SENDER)))
    page = lxml.html.document_fromstring(mail.html)
    for hidden in page.xpath("//style"):
        hidden.drop_tree()
    seen = [*page.itertext(), *page.xpath("//@alt | //@aria-label | //@title")]
    known = not_ours(sample)
    left_over = words(" ".join((mail.subject, mail.text, *seen))) - known
    # A title that is cut off ends with a part of a word, and a line within a very long one.
    beginnings = " ".join(["", *known])
    return {word for word in left_over if len(word) < LONG and f" {word}" not in beginnings}


@pytest.mark.parametrize("name", SAMPLES)
def test_no_email_has_a_string_outside_the_catalogues(name):
    assert unmarked(SAMPLES[name]) == set()


@pytest.mark.parametrize(
    ("template", "before", "planted", "found"),
    [
        ("mail/digest/body.txt.j2", "{{ mail.date_line }}", "Ahoy there", {"Ahoy"}),
        ("mail/partials/card.mjml.j2", '{{ _("Read") }}</a>', "Ahoy</a>", {"Ahoy"}),
        ("mail/digest/subject.txt.j2", "{{ mail.subject }}", "Ahoy", {"Ahoy"}),
        ("mail/partials/votes.mjml.j2", "{{ card.votes_in_words }}", "Ahoy", {"Ahoy"}),
    ],
)  # fmt: skip
def test_a_planted_string_is_found(tmp_path, template, before, planted, found):
    source = (built_in_templates() / template).read_text("utf-8")
    assert before in source
    (tmp_path / template).parent.mkdir(parents=True)
    (tmp_path / template).write_text(source.replace(before, planted))
    assert unmarked(SAMPLES["full"], tmp_path) == found


def test_a_message_is_longer_and_keeps_what_programs_read():
    said = SAID.gettext("<b>%(count)s</b> papers &amp; more: 100%%", count=3)
    assert re.fullmatch(r"⟦<b>3</b> þáþéŕš &amp; ɱóŕé: 100% \w.*⟧", said)
    assert len(said) > 1.3 * len("3 papers & more: 100%")


def test_one_of_the_two_runs_from_right_to_left():
    mirrored = studio_language(MIRRORED)
    assert (SAID.direction, mirrored.direction) == ("ltr", "rtl")
    assert mirrored.ngettext("%(count)s day", "%(count)s days", 2).startswith(
        "⟦2 \N{RIGHT-TO-LEFT OVERRIDE}đáýš\N{POP DIRECTIONAL FORMATTING}"
    )


# ---- a reader's own language ---------------------------------------------------------------------

ENGLISH_HOUSE = Composer(Templates(), SENDER)


def of_reader(locale, sample="full", **changes):
    digest = replace(digest_of(SAMPLES[sample]), locale=locale, **changes)
    return ENGLISH_HOUSE.render(digest, "0" * 32, "ada@example.org")


@pytest.mark.parametrize("sample", ["full", "rich", "nothing-matched", "no-papers"])
def test_a_reader_gets_all_of_an_email_in_their_language(sample):
    english, german = of_reader(None, sample), of_reader("de-AT", sample)
    assert 'lang="de"' in german.html
    assert german.subject != english.subject or sample != "full"
    # What English sentences the email has, no word-for-word one is left of.
    catalogue = ENGLISH_HOUSE.templates.for_reader("de").language.translations
    for message, translated in catalogue._catalog.items():
        if isinstance(message, str) and " " in message and "%" not in message != translated:
            assert message not in german.text, message


def test_links_that_name_nobody_open_pages_in_the_readers_language():
    english, german = of_reader(None), of_reader("de-AT")
    assert "lang=" not in english.text
    pages = r"https://digest\.example\.org/(?:paper|archive|2026)\S*|https://digest\.example\.org/(?=\s)"
    links = re.findall(pages, german.text)
    assert len(links) > 10
    assert {link.partition("?")[2] for link in links} == {"lang=de"}
    assert "https://digest.example.org/?lang=de" in german.text


def test_a_note_says_why_in_the_readers_language():
    note = of_reader("de", "nothing-matched", why_nothing=SkipReason.NOTHING_MATCHED)
    assert "Heute nichts für Sie" in note.text
