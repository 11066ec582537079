"""The door: what comes in from outside leaves as plain text."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.model.text import LONGEST_TITLE, LONGEST_URL, clean, clean_url, printable_line
from digest.model.wording import truncate


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (r"Caf\'e, na\"ive, \c{c}a", "Café, naïve, ça"),
        (r"Erd\H{o}s, G{\"o}del and \o re", "Erdős, Gödel and øre"),
        (r"\textsc{Ducks}: \emph{quack} in \textbf{bold}", "Ducks: quack in bold"),
        (r"The tool \texttt{quack_2} in \textsf{sans}", "The tool quack_2 in sans"),
        ("``quoted'' words", "“quoted” words"),
        (r"a gain of 5\% and \$7", "a gain of 5% and $7"),
        (r"$x^2$ and $\alpha$-helices in $O(n \log n)$", "x^2 and α-helices in O(n log n)"),
        (r"$\left(a+b\right)$ \sqrt{n}", "(a+b) √(n)"),
        (r"$\frac{a}{b}$", "a/b"),
        (r"see \cite{ducks99} there", "see there"),
        (r"the code is \href{https://duck.example}{\emph{here}}!", "the code is here!"),
        (r"\DuckNet{} beats \name", "DuckNet beats name"),
        (r"\eg{} \ie", "e.g. i.e."),
        (r"use \verb|ls -l| now", "use ls -l now"),
        (r"where \(x^2\) holds and \[a=b\] too", "where x^2 holds and a=b too"),
        (r"{B}ayesian nets and {BERT}-like ones", "Bayesian nets and BERT-like ones"),
        (r"Poincar\'e, M\"uller\'s and \"Uber", "Poincaré, Müller's and Über"),
        (r"\begin{equation}a=b\end{equation}", "a=b"),
    ],
)
def test_tex_is_read_as_a_reader_would(raw, read):
    assert clean(raw, 500) == read


@pytest.mark.parametrize(
    "text",
    [
        "costs $800 to buy and $900 to rent",
        "between $800 and $900",
        "~2x faster & cheaper",
        "R&D at 50% of #1",
        "snake_case and x^2",
        "a < b and c > d",
        "n<p in all groups of q>1",
        "{braces} stay",
        "$",
        "$$",
        "\\",
    ],
)
def test_plain_text_stays_as_it_is(text):
    assert clean(text, 500) == text


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (r"the \"black box\" problem", 'the "black box" problem'),
        (r"\"apples\" and (\"oranges\")", '"apples" and ("oranges")'),
        (r"a \"G\"odel number\", so to say", 'a "Gödel number", so to say'),
        (r"\'single\' ones", "'single' ones"),
        (r"don\'t, it\'s, they\'re", "don't, it's, they're"),
        (r"a lone \"quote", 'a lone "quote'),
    ],
)
def test_escaped_quotes_are_no_accents(raw, read):
    assert clean(raw, 500) == read


def test_words_of_a_program_are_read_as_they_are():
    said = r"no such <b>day</b> \"x\" \alpha &lt;"
    assert printable_line(f"{said}\n\x07 now", 100) == f"{said} now"
    assert printable_line("ducks and geese", 8) == "ducks…"


def test_plain_signs_stay_beside_tex():
    assert clean(r"~2x & 50% of #1 for $5 with $x^2$ and \emph{x}", 500) == (
        "~2x & 50% of #1 for $5 with x^2 and x"
    )


@pytest.mark.parametrize("macro", ["today", "maketitle"])
def test_tex_does_not_ask_the_clock(macro):
    assert clean(rf"before \{macro} after", 500) == "before after"


@pytest.mark.parametrize("broken", [r"\textcolor", r"\sqrt", r"\title", r"\colorbox{", r"\href{x}"])
def test_tex_without_its_arguments_stays_as_it_is(broken):
    assert clean(broken, 500) == broken


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("<p>One</p><p>two</p>", "One two"),
        ('a <b>bold</b> <a href="x">link</a>, H<sub>2</sub>O', "a bold link, H2O"),
        ("line<br/>break", "line break"),
        ("<jats:p>journal</jats:p>", "journal"),
        ("<think> and <script>alert(1)</script>", "<think> and <script>alert(1)</script>"),
        ("fish &amp; chips &lt;b&gt;", "fish & chips <b>"),
        ("&amp;lt;", "&lt;"),
        ("&#8238;turned &#7;round", "turned round"),
    ],
)
def test_html_markup_goes_and_other_tags_stay(raw, read):
    assert clean(raw, 500) == read


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("a\x00b", "a b"),
        ("a\r\n\tb\n\nc\x0bd\x85e", "a b c d e"),
        ("a\x07b\x1bc\x7fd", "abcd"),
        ("\u202eevil\u202c \u200fmarks\u2066", "evil marks"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("joiner\u200dkept\u200c", "joiner\u200dkept\u200c"),
        ("half\ud800pair", "halfpair"),
        ("private\ue000use", "privateuse"),
        (r"soft $a\-b$ \nolinebreak hyphen", "soft ab hyphen"),
        ("e\u0301", "é"),
        ("two\u2028lines\u00a0here", "two lines here"),
    ],
)
def test_unseen_characters_go(raw, read):
    assert clean(raw, 500) == read


@pytest.mark.parametrize("value", [None, 3, 2.5, True, b"bytes", ["list"], {"a": 1}])
def test_what_is_no_text_is_empty(value):
    assert clean(value, 500) == ""
    assert clean_url(value) == ""


def test_a_long_title_is_cut_at_a_word():
    title = "quacking " * 600
    cut = clean(title, LONGEST_TITLE)
    assert len(cut) <= LONGEST_TITLE
    assert len(cut) > LONGEST_TITLE - len("quacking ") - 1
    assert cut.endswith("quacking…")


def test_a_text_of_just_the_right_length_is_not_cut():
    assert truncate("abc def", 7) == "abc def"
    assert truncate("abc def", 6) == "abc…"
    assert truncate("abcdefgh", 4) == "abc…"
    assert truncate("abc, — defgh", 8) == "abc…"


HOSTILE = [
    "$",
    "{",
    "\\",
    "<",
    "&",
    "<a ",
    "$a",
    "(${",
    "\\'",
    "a'' ",
    "\u0301",
    "\\left(",
    "\\sqrt[",
    "\\textbf{",
    "\\begin{a}",
    "\\item[",
    "\\$",
    "&#x202e;",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_text_ends_and_fits(piece):
    text = piece * (100_000 // len(piece))
    assert len(clean(text, LONGEST_TITLE)) <= LONGEST_TITLE


def test_what_stands_far_behind_the_limit_is_not_read():
    assert clean(" " * 40 + "late", 10) == ""
    assert clean(" " * 35 + "early", 10) == "early"


TEX = st.lists(
    st.sampled_from(
        [
            *HOSTILE,
            "a",
            "b ",
            "x}",
            "]",
            "^",
            "_",
            "%",
            "~",
            "``",
            "\\frac",
            "\\title",
            "\\href{",
            "\\end{a}",
            "\\verb|",
            "\\-",
            "\\footnote",
            "\\item",
            "\\char",
            "&lt;",
            "é",
            "\\begin{array}",
        ]
    ),
    max_size=20,
).map("".join)


@given(st.one_of(st.text(), st.text(st.characters(), max_size=60), TEX), st.integers(1, 60))
@example("\ud800", 5)
@example("\u0958" * 9, 5)
def test_whatever_comes_in_what_leaves_is_one_printable_line(text, longest):
    cleaned = clean(text, longest)
    assert len(cleaned) <= longest
    assert unicodedata.is_normalized("NFC", cleaned)
    assert cleaned == " ".join(cleaned.split())
    unseen = {c for c in cleaned if unicodedata.category(c).startswith("C")}
    assert unseen <= {"\u200c", "\u200d"}
    clean(cleaned, longest)


@pytest.mark.parametrize(
    ("raw", "link"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("http://example.org", "https://example.org"),
        ("HTTP://example.org:8080/x", "https://example.org:8080/x"),
        (" https://example.org \n", "https://example.org"),
        ("javascript:alert(1)", ""),
        ("ftp://example.org/x", ""),
        ("//example.org/x", ""),
        ("https://user@example.org/", ""),
        ("https://example.org/a b", ""),
        ("https://example.org/a\nb", ""),
        ("https://example.org/ü", ""),
        ("https://", ""),
        ("see https://example.org", ""),
        ("", ""),
    ],
)
def test_only_web_links_pass(raw, link):
    assert clean_url(raw) == link


def test_an_endless_link_does_not_pass():
    assert clean_url("https://example.org/" + "a" * LONGEST_URL) == ""


@given(st.text())
def test_a_link_is_https_or_nothing(text):
    for link in (clean_url(text), clean_url(f"http://example.org/{text}")):
        assert link == "" or (link.startswith("https://") and link.isascii() and " " not in link)


@pytest.mark.parametrize(
    "nested",
    [
        r"\H{n ",
        r"\H{n \emph{x} ",
        r"$\hat{x ",
        r"\'{\'{a ",
        r"\H{a\}",
        r"\H{\verb|}|",
        r"\H{\begin{verbatim}}\end{verbatim}",
        r"\H{$}$",
    ],
)
def test_accents_within_accents_do_not_double_the_text_each_time(nested):
    """With each accent put over all letters within, thirty of them made a billion."""
    assert len(clean(nested * 30 + "o", 10_000)) < 2_000
    assert len(clean(nested * 30 + "o" + "}" * 30, 10_000)) < 2_000


@pytest.mark.parametrize(
    ("tex", "plain"),
    [
        (r"Erd\H{o}s", "Erd\u0151s"),
        (r"na\"{\i}ve", "na\u00efve"),
        (r"$\hat{\mathbf{x}}$", "\U0001d431\u0302"),
        (r"\'{\^e}", "\u1ebf"),
    ],
)
def test_accents_over_a_few_letters_stay(tex, plain):
    assert clean(tex, 100) == plain
