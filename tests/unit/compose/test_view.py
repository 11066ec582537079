"""What the templates see of a digest."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collect import arxiv, biorxiv, huggingface
from digest.compose.card import (
    LONGEST_TEXT,
    LONGEST_TITLE,
    Picture,
    Shown,
    card,
    first_sentences,
)
from digest.compose.language import ENGLISH, language
from digest.compose.phrases import SOURCES
from digest.compose.transactional_phrases import how_often
from digest.compose.view import Links, view
from digest.model.digests import Digest, Match, Pick, Reason, Section, SkipReason
from digest.model.papers import Signals
from digest.model.pictures import PaperPicture
from digest.model.summaries import Summary
from subscribers.preferences import WEEKDAYS, Preferences, parse_cadence
from subscribers.topics import TopicFilter
from tests.support import TODAY, make_candidate

GERMAN = language("de")
NBSP = "\N{NO-BREAK SPACE}"
LINKS = Links(
    "https://x/unsubscribe/t",
    "https://x/preferences/t",
    "https://x/archive",
    "https://x/archive/2026-02-20",
    "https://x/digest/t/2026-02-20",
    "https://x/opinion/t",
)


def trending(number=1, **changes):
    return Pick(Section.TRENDING, make_candidate(number, **changes))


def for_you(number=1, topic="things", words=(), liked="", followed="", score=1.0, **changes):
    match = Match(score, Reason(topic, words, liked, followed))
    return Pick(Section.FOR_YOU, make_candidate(number, **changes), match)


def counted(**counts):
    candidate = make_candidate()
    return card(
        Pick(
            Section.TRENDING,
            type(candidate)(1, candidate.key, candidate.facts, Signals(**counts), TODAY),
        )
    )


def mail(*picks, topics=(), pool_size=40, missing=(), why=None, day=TODAY, cadence="", **values):
    digest = Digest(day, tuple(map(TopicFilter, topics)), picks, pool_size, missing, why, cadence)
    return view(digest, LINKS, brand="Paper Digest", postal_address="1 Street", **values)


# ---- a card ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "count", "shown"),
    [
        ((), 0, ""),
        ((), 1, "1 author"),
        ((), 7, "7 authors"),
        ((), 1234, "1,234 authors"),
        (("Ada",), 1, "Ada"),
        (("Ada", "Bob"), 2, "Ada + 1"),
        (("Ada", "Bob", "Cy", "Dee"), 0, "Ada + 3"),
        (("Ada", "Bob"), 9, "Ada + 8"),
    ],
)
def test_authors(names, count, shown):
    assert card(trending(authors=names, author_count=count)).authors.replace(NBSP, " ") == shown


def test_the_organisation_is_apart_from_the_authors():
    shown = card(trending(organisation="Analytical Engines"))
    assert shown.organisation == "Analytical Engines"
    assert "Analytical" not in shown.authors


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({}, ()),
        ({"upvotes": 1, "comments": 0}, ()),
        ({"upvotes": 57, "comments": 1}, ("1 comment",)),
        ({"upvotes": 0, "comments": 2}, ("2 comments",)),
        ({"stars": 99}, ()),
    ],
)
def test_counts_are_ready_phrases(counts, shown):
    assert counted(**counts).counts == shown


@pytest.mark.parametrize(
    ("upvotes", "risen", "listed", "in_edition", "short", "in_words"),
    [
        (None, 0, 0, True, "", ""),
        (0, 0, 0, True, "", ""),
        (1, 1, 0, True, "▲ 1", "1 upvote"),
        (1234567, 4, 0, True, "▲ 1,234,567", "1,234,567 upvotes"),
        (50, 40, 0, True, "▲ 50, +40 in a day", "50 upvotes, +40 in a day"),
        (148, 96, 3, True, "▲ 148, +96 since Tue", "148 upvotes, +96 since Tuesday"),
        (148, 96, 6, True, "▲ 148, +96 since Sat", "148 upvotes, +96 since Saturday"),
        (148, 96, 7, True, "▲ 148, +96 since Fri 13 Feb", "148 upvotes, +96 since Fri 13 Feb"),
        (148, 96, 3, False, "▲ 148, +96 since Tue 17 Feb", "148 upvotes, +96 since Tue 17 Feb"),
        (148, 4, 3, True, "▲ 148", "148 upvotes"),
    ],
)
def test_votes_are_told_with_what_they_gained_since_a_day(
    upvotes, risen, listed, in_edition, short, in_words
):
    """``listed`` is how many days ago; a weekday alone is one of the last seven days."""
    since = TODAY - timedelta(days=listed) if listed else None
    candidate = replace(make_candidate(), signals=Signals(upvotes), risen=risen, since=since)
    shown = card(Pick(Section.RISING, candidate), Shown(day=TODAY if in_edition else None))
    assert (shown.votes.replace("▲" + NBSP, "▲ "), shown.votes_in_words) == (short, in_words)


@pytest.mark.parametrize(("code", "comma"), [("zh-Hans", "，"), ("ja", "、"), ("ar", "، ")])
def test_votes_and_their_gain_are_two_statements(code, comma):
    """Not two of a list: Chinese has another comma between those."""
    candidate = replace(make_candidate(), signals=Signals(50), risen=40)
    shown = card(Pick(Section.RISING, candidate), Shown(day=TODAY, language=language(code)))
    assert shown.votes.count(comma) == shown.votes_in_words.count(comma) == 1


@pytest.mark.parametrize(
    ("stars", "shown"),
    [
        (None, ""),
        (0, ""),
        (1, "1"),
        (999, "999"),
        (1000, "1K"),
        (1049, "1K"),
        (1250, "1.2K"),
        (9999, "10K"),
        (123_456, "123.5K"),
        (1_250_000, "1.2M"),
    ],
)
def test_stars_are_rounded(stars, shown):
    assert counted(stars=stars).stars == shown


@pytest.mark.parametrize(
    ("words", "why"),
    [((), ""), (("dreams",), "“dreams”"), (("dreams", "maps"), "“dreams”, “maps”")],
)
def test_the_reason_is_the_topic_and_words_of_the_paper(words, why):
    shown = card(for_you(topic="world models", words=words))
    assert (shown.topic, shown.why) == ("world models", why)


def test_the_reason_may_be_a_paper_that_was_liked():
    shown = card(for_you(topic="", liked="A Study of Rooms"))
    assert (shown.topic, shown.why) == ("Like what you liked", "“A Study of Rooms”")
    assert len(card(for_you(topic="", liked="Rooms " * 99)).why) < 100


def test_a_trending_paper_needs_no_reason():
    assert (card(trending()).topic, card(trending()).why) == ("", "")


def test_the_sources_sentence_goes_before_the_abstract():
    assert card(trending(summary="In short.", abstract="At length.")).text == "In short."


def text_and_mark(paper, language=ENGLISH, **shown):
    made = card(paper, Shown(language, **shown))
    return made.text, made.text_by


def test_every_text_that_a_machine_made_is_marked():
    found = {"tldr": "In a word.", "abstract": "At length."}
    assert text_and_mark(trending(abstract="At length.")) == ("At length.", "")
    assert text_and_mark(trending(**found)) == ("In a word.", "Summary by Semantic Scholar")
    short = trending(summary="In short.", **found)
    assert text_and_mark(short) == ("In short.", "AI-generated summary")
    assert text_and_mark(short, GERMAN) == ("In short.", "Von einer KI zusammengefasst")
    candidate = replace(short.candidate, sentence=Summary("In Kürze.", "Der Titel"))
    summed_up = short._replace(candidate=candidate)
    mark = "Von einem Sprachmodell zusammengefasst"
    assert text_and_mark(summed_up, GERMAN) == ("In Kürze.", mark)
    assert card(summed_up, Shown(GERMAN)).title_translation == ""
    wanted = card(summed_up, Shown(GERMAN, translated_titles=True))
    assert wanted.title_translation == "Der Titel (von einem Sprachmodell übersetzt)"
    assert len(text_and_mark(trending(tldr="word " * 200))[0]) <= LONGEST_TEXT


def test_the_venue_and_the_citations_stand_with_the_origin_and_the_counts():
    shown = card(trending(upvotes=57, venue="Journal of Ponds", citations=1200))
    assert shown.counts == ("1,200 citations",)
    assert shown.origin == ("Hugging Face", "Journal of Ponds")
    assert card(trending(citations=1)).counts == ("1 citation",)


def test_a_paper_without_either_has_no_text():
    assert card(trending(summary="", abstract="")).text == ""


def test_long_texts_are_cut():
    shown = card(trending(title="word " * 200, summary="word " * 200))
    assert len(shown.title) <= LONGEST_TITLE
    assert len(shown.text) <= LONGEST_TEXT
    assert shown.title.endswith("word…")
    assert shown.text.endswith("word…")


def test_the_title_links_to_the_sources_page():
    assert card(trending(page_url="https://a.example/1")).url == "https://a.example/1"


def test_a_paper_without_a_page_links_to_a_search_for_its_title():
    shown = card(trending(title="Où? A&B #1/2", page_url=""))
    assert shown.url == "https://huggingface.co/papers?q=O%C3%B9%3F%20A%26B%20%231/2"


def test_code_and_project_links_are_passed_on():
    shown = card(trending(code_url="https://c.example", project_url="https://p.example"))
    assert (shown.code_url, shown.project_url) == ("https://c.example", "https://p.example")


PICTURE = PaperPicture("5" * 32, 1104, 596)


def with_picture(picture=PICTURE):
    pick = trending()
    return pick._replace(candidate=replace(pick.candidate, picture=picture))


def test_a_picture_is_shown_where_it_is_wanted_and_there_is_one():
    shown = card(with_picture(), Shown(pictures="https://x"))
    assert shown.picture == Picture(
        f"https://x/picture/{'5' * 32}.jpg", 552, 298, "Picture from A study of things, part 1"
    )
    assert shown.small_picture == Picture(
        f"https://x/picture/{'5' * 32}-small.jpg", 120, 65, "Picture from A study of things, part 1"
    )
    for none in (card(with_picture()), card(trending(), Shown(pictures="https://x"))):
        assert none.picture is none.small_picture is None
    assert card(with_picture(), Shown(pictures="")).picture.url.startswith("/picture/")


def test_a_reader_who_wants_no_pictures_gets_none():
    digest = Digest(TODAY, (), (with_picture(),), 40)
    for wants in (True, False):
        shown = view(
            replace(digest, pictures=wants),
            LINKS,
            brand="Paper Digest",
            postal_address="1 Street",
            pictures="https://x",
        )
        assert (shown.sections[0].cards[0].picture is not None) == wants


@pytest.mark.parametrize(
    ("width", "height", "shown"),
    [(1104, 596, (552, 298)), (596, 596, (298, 298)), (200, 100, (200, 100)), (1104, 1, (552, 1))],
)
def test_a_picture_keeps_its_shape_in_the_room_that_is_free(width, height, shown):
    assert PaperPicture("", width, height).shown(552) == shown


# ---- lead sentences ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "longest", "lead"),
    [
        ("Short.", 100, "Short."),
        ("", 10, ""),
        ("One is here. Two is longer than fits.", 20, "One is here."),
        ("One. Two. Three is too long.", 12, "One. Two."),
        ("Really? Yes! And this does not fit any more.", 14, "Really? Yes!"),
        ("Exactly so. More.", 11, "Exactly so."),
        # No sentence ends here.
        ("As Ada et al. showed this is a long sentence. Next.", 46, "As Ada et al. showed this is a long sentence."),
        ("Methods, e.g. those of old, are slow and are many.", 32, "Methods, e.g. those of old, are…"),
        ("It is 3.5 times faster than what was there.", 20, "It is 3.5 times…"),
        ("As in Fig. 3 we see that things are larger.", 22, "As in Fig. 3 we see…"),
        ("By J. Smith and all of the others in it.", 22, "By J. Smith and all…"),
        ("Whole words only, without any end", 20, "Whole words only…"),
    ],
)  # fmt: skip
def test_lead_sentences(text, longest, lead):
    assert first_sentences(text, longest) == lead


@given(st.text(max_size=200), st.integers(min_value=1, max_value=100))
def test_a_lead_is_never_too_long(text, longest):
    lead = first_sentences(text, longest)
    assert len(lead) <= longest
    assert text.startswith(lead.removesuffix("…"))


# ---- the whole mail ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        (date(2026, 2, 1), "Sunday, 1 February 2026"),
        (date(2026, 2, 20), "Friday, 20 February 2026"),
        (date(2024, 12, 31), "Tuesday, 31 December 2024"),
    ],
)
def test_long_dates(day, shown):
    assert ENGLISH.long_date(day) == shown


def titles(shown):
    return [(section.title, section.about, len(section.cards)) for section in shown.sections]


def test_sections_are_topics_in_the_order_of_their_best_papers_and_then_what_others_voted_for():
    picks = [trending(1), for_you(2, "maps"), for_you(3, "ants"), for_you(4, "maps"), trending(5)]
    assert titles(mail(*picks, topics=["ants", "maps"])) == [
        ("Maps", "2 papers", 2),
        ("Ants", "1 paper", 1),
        ("Also trending", "beyond your topics", 2),
    ]
    assert titles(mail(trending(1))) == [("Trending", "1 paper", 1)]
    assert titles(mail(for_you(1, ""), for_you(2, followed="Ada"))) == [
        ("Like what you liked", "1 paper", 1),
        ("From those you follow", "1 paper", 1),
    ]


@pytest.mark.parametrize(
    ("topic", "title"),
    [("maps", "Maps"), ("mRNA vaccines", "mRNA vaccines"), ("LLMs", "LLMs"), ("éa b", "Éa b")],
)
def test_a_heading_begins_with_a_capital_but_for_words_of_their_own_spelling(topic, title):
    assert mail(for_you(1, topic)).sections[0].title == title


@pytest.mark.parametrize(
    ("cadence", "days_ago", "title"),
    [
        ("daily", None, "Trending today"),
        ("daily", 1, "Trending"),
        ("weekdays", None, "Trending today"),
        ("weekdays", 2, "Trending"),
        ("weekly", 4, "Trending this week"),
        ("weekly", None, "Trending this week"),
        ("sat", 4, "Trending this week"),
        ("mon+thu", None, "Trending"),
        ("monthly", 20, "Trending this month"),
        ("", None, "Trending"),
    ],
)
def test_trending_is_of_the_time_between_a_readers_emails(cadence, days_ago, title):
    since = days_ago and TODAY - timedelta(days=days_ago)
    picks = [Pick(Section.TRENDING, replace(make_candidate(), since=since))]
    assert mail(*picks, cadence=cadence).sections[0].title == title


def test_every_section_has_words():
    picks = [Pick(section, make_candidate(n)) for n, section in enumerate(Section, 1)]
    assert len(mail(*picks).sections) == len(Section)


def test_cards_keep_the_order_of_the_digest():
    shown = mail(trending(3), trending(1), trending(2)).sections[0].cards
    assert [card.title[-1] for card in shown] == ["3", "1", "2"]


@pytest.mark.parametrize(
    ("picks", "headline"),
    [
        ([for_you(1)], "1 paper on your topics"),
        ([for_you(1), for_you(2), trending(3)], "2 papers on your topics"),
        ([trending(1)], "1 trending paper"),
        ([trending(1), trending(2)], "2 trending papers"),
    ],
)
def test_headline(picks, headline):
    assert mail(*picks).headline == headline


def test_the_preheader_tells_the_titles_that_the_subject_does_not():
    shown = mail(*(trending(n, title=f"Title {n}") for n in range(1, 6)))
    assert (shown.top_title, shown.others) == ("Title 1", 4)
    assert shown.subject == "5 trending: Title 1, Title 2, Title 3"
    assert shown.preheader == "Also Title 4, Title 5. 5 trending"


def test_one_paper_has_no_others_and_speaks_for_itself():
    shown = mail(trending(1, title="Title 1"))
    assert (shown.top_title, shown.others) == ("Title 1", 0)
    assert shown.preheader == "We study thing 1. It is found to be so. More is said here."
    assert mail(trending(1, title="Title 1", abstract="")).preheader == "Title 1"


def test_long_titles_are_cut_for_subject_and_preheader():
    shown = mail(*(trending(n, title="word " * 50) for n in range(1, 6)))
    assert len(shown.top_title) <= 70
    assert shown.top_title.endswith("word…")
    assert len(shown.preheader) <= 180
    assert shown.subject == "5 trending: word word word word word word…"


def test_topics_and_the_rest_are_passed_on():
    shown = mail(for_you(1), topics=["robots", "graphs"])
    assert shown.topics == "robots and graphs"
    assert mail(for_you(1)).topics == ""
    assert (shown.links, shown.brand) == (LINKS, "Paper Digest")
    assert (shown.postal_address, shown.date_line) == ("1 Street", "Friday, 20 February 2026")


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, ""),
        (1, "Today's edition has 1 paper."),
        (40, "Today's edition has 40 papers."),
        (1234, "Today's edition has 1,234 papers."),
    ],
)
def test_the_pool_is_a_sentence(size, said):
    assert mail(trending(), pool_size=size).pool == said


def test_the_language_and_the_picture_at_the_head_are_passed_on():
    shown = mail(trending())
    assert (shown.language, shown.direction, shown.header) == ("en", "ltr", None)
    picture = Picture("https://x/a.png", 600, 100, "Paper Digest")
    shown = mail(trending(), language=GERMAN, header=picture)
    assert (shown.language, shown.direction, shown.header) == ("de", "ltr", picture)


def test_all_that_is_said_is_said_in_the_language():
    signals = Signals(upvotes=1234, comments=1, stars=12345)
    risen = replace(make_candidate(), signals=signals, risen=1500)
    shown = mail(
        Pick(Section.FOR_YOU, risen, Match(1.0, Reason("", liked="Rooms"))),
        trending(authors=("A", "B", "C"), author_count=5),
        topics=["robots", "graphs", "agents"],
        pool_size=1,
        language=GERMAN,
    )
    mine, other = shown.sections
    assert (mine.title, other.title) == (
        "Ähnlich dem, was Ihnen gefiel",
        "Außerdem viel beachtet",
    )
    assert (shown.headline, shown.date_line) == (
        "1 Arbeit zu Ihren Themen",
        GERMAN.long_date(TODAY),
    )
    assert (shown.topics, shown.pool) == (
        GERMAN.listed(["robots", "graphs", "agents"]),
        "Die heutige Ausgabe umfasst 1 Arbeit.",
    )
    [liked] = mine.cards
    assert liked.counts == ("1 Kommentar",)
    votes, gain = GERMAN.number(1234), f"+{GERMAN.number(1500)} an einem Tag"
    assert liked.votes.replace("▲" + NBSP, "▲ ") == f"▲ {votes}, {gain}"
    assert liked.votes_in_words == f"{votes} Stimmen, {gain}"
    assert (liked.stars, liked.why) == (GERMAN.short_number(12345), "„Rooms“")
    assert liked.reason == "Passt am besten: wie „Rooms“"
    assert other.cards[0].authors.replace(NBSP, " ") == "A + 4"


@pytest.mark.parametrize(
    ("cadence", "english", "german"),
    [
        ("daily", "every day", "jeden Tag"),
        ("weekdays", "from Monday to Friday", f"von {GERMAN.weekday(0)} bis {GERMAN.weekday(4)}"),
        ("weekly", "once a week, on Monday", f"einmal in der Woche, am {GERMAN.weekday(0)}"),
        ("tue", "on Tuesday", f"am {GERMAN.weekday(1)}"),
        (
            "sun+mon+thu",
            "on Monday, Thursday and Sunday",
            f"am {GERMAN.listed([GERMAN.weekday(0), GERMAN.weekday(3), GERMAN.weekday(6)])}",
        ),
    ],
)
def test_how_often(cadence, english, german):
    wishes = Preferences(days=parse_cadence(cadence))
    assert how_often(wishes, ENGLISH) == english
    assert how_often(wishes, GERMAN) == german


@given(st.sets(st.sampled_from(WEEKDAYS), min_size=1), st.booleans())
def test_mails_and_pages_say_how_often_alike(days, note):
    wishes = Preferences(days=frozenset(days), note_when_nothing=note)
    assert how_often(wishes, ENGLISH) == wishes.how_often


# ---- what is a reader's own ---------------------------------------------------------------------


def test_of_two_with_the_same_digest_each_has_their_own_links_and_address():
    digest = Digest(TODAY, (TopicFilter("things"),), (for_you(1), trending(2)), 40)
    readers = {
        who: view(
            digest,
            Links(f"https://x/unsubscribe/{who}", opinions=f"https://x/opinion/{who}"),
            brand="Paper Digest",
            postal_address="1 Street",
            address=f"{who}@example.org",
        )
        for who in ("ada", "bob", "ada")
    }
    for who, other in (("ada", "bob"), ("bob", "ada")):
        shown = readers[who]
        cards = [card for section in shown.sections for card in section.cards]
        assert [card.opinion_url.split("/")[4] for card in cards] == [who, who]
        assert shown.links.unsubscribe.endswith(who)
        assert f"{who}@example.org" in shown.because
        assert f"{other}@" not in repr(shown)
        assert f"/{other}" not in repr(shown)


# ---- a note that there is nothing, and what an edition lacks --------------------------------------

SUNDAY = date(2026, 2, 22)
NOTHING, NO_PAPERS = SkipReason.NOTHING_MATCHED, SkipReason.NO_PAPERS


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"why": NOTHING, "topics": ["ants"]}, "Too few of the new papers fit your topics."),
        ({"why": NOTHING}, "None of the new papers fits what you asked for."),
        ({"why": NO_PAPERS}, "No new papers came in."),
        ({"why": NO_PAPERS, "topics": ["ants"]}, "No new papers came in."),
        ({"why": NO_PAPERS, "day": SUNDAY}, "No new papers came in, as is usual at weekends."),
        # It may be for another reason.
        ({"why": NO_PAPERS, "day": SUNDAY, "missing": ("arxiv",)}, "No new papers came in."),
    ],
)
def test_a_note_says_why_there_is_nothing(said, why):
    shown = mail(**said)
    assert (shown.why, shown.preheader, shown.headline) == (why, why, "Nothing for you today")
    assert (shown.sections, shown.top_title, shown.others) == ((), "", 0)


def test_a_digest_is_no_note():
    assert mail(trending()).why == ""


@pytest.mark.parametrize(
    ("sources", "english", "german"),
    [
        ((), "", ""),
        (
            ("arxiv",),
            "The list of arXiv was not fully available, so papers may be missing.",
            "Die Liste von arXiv lag nicht vollständig vor; es können Arbeiten fehlen.",
        ),
        (
            ("mine", "arxiv"),
            "The lists of mine and arXiv were not fully available, so papers may be missing.",
            "Die Listen von "
            + GERMAN.listed(["mine", "arXiv"])
            + " lagen nicht vollständig vor; es können Arbeiten fehlen.",
        ),
    ],
)
def test_what_an_edition_lacks_is_said(sources, english, german):
    assert mail(trending(), missing=sources).missing == english
    assert mail(missing=sources, why=NO_PAPERS, language=GERMAN).missing == german


def test_all_sources_have_a_name_to_be_shown():
    assert set(SOURCES) == {huggingface.NAME, arxiv.NAME, biorxiv.BIORXIV, biorxiv.MEDRXIV}
