"""The tags of MJML, and the place of what mrml rejects: compared with mrml itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mjml import mjml2html

from digest.compose.mjml_tags import Attribute, Fault, Kind, Tag, first_fault, tags, told_fault
from tests.versions import made_with

# What mrml takes and what it says changes with its releases.
WITH_THIS_MRML = made_with("mjml-python")


def document(inner, head=""):
    return (
        f"<mjml><mj-head>{head}</mj-head><mj-body><mj-section><mj-column>"
        f"<mj-text>{inner}</mj-text></mj-column></mj-section></mj-body></mjml>"
    )


def rejection(mjml):
    """What mrml says against a text; empty if it takes it."""
    try:
        mjml2html(mjml)
    except BaseException as error:
        if not isinstance(error, ValueError) and type(error).__name__ != "PanicException":
            raise
        return str(error)
    return ""


# ---- tags --------------------------------------------------------------------------------------


def test_tags_have_their_names_kinds_and_places():
    text = "<mj-text  color = 'red' hidden\n href=\"?a>b\">a<br>b<!-- <p> --><i/></mj-text >"
    assert list(tags(text)) == [
        Tag(
            "mj-text",
            0,
            (
                Attribute("color", "red", text.index("color")),
                Attribute("hidden", "", text.index("hidden")),
                Attribute("href", "?a>b", text.index("href")),
            ),
            Kind.OPEN,
        ),
        Tag("br", text.index("<br"), (), Kind.EMPTY),
        Tag("i", text.index("<i/"), (), Kind.EMPTY),
        Tag("mj-text", text.index("</mj"), (), Kind.CLOSE),
    ]


def test_tags_go_on_after_what_cannot_be_read():
    text = "a < b <p class=x>c</ p> <![CDATA[ <no> ]]><? <!-- -- <no> --><q> <!-- <r>"
    assert [tag.name for tag in tags(text)] == ["q", "r"]


def test_tags_in_conditional_comments_count():
    text = "<!--[if mso | IE]><table></table><![endif]--><!--[if !mso]><!--><p></p><!--<![endif]-->"
    assert [str(tag) for tag in tags(text)] == ["<table>", "</table>", "<p>", "</p>"]


# ---- faults ------------------------------------------------------------------------------------

FINE = (
    "a&nbsp;b & c &foo; &#1; > d",
    "a<br>b<br/>c<hr /><img src='x' alt><input disabled><wbr>",
    "<p title = \"a<b>&'\"\n class='c'\n>x</p\n>",
    "<P>a</p><p>a</P><o:p>é</o:p><_a.b-c></_a.b-c><a :x='1' b/>",
    "a<!-- <p> - --><!---->b",
    "<!--[if mso]><b>a</b><![endif]--><![if !mso]>c<![endif]>",
    "\x7f\x85\ufdd0😀",
    "é> 世ab> a > 世> b",
)
FAULTY = {
    "a </br>b": ("</br>", "</br> closes nothing: <mj-text> is open"),
    "a<BR>b": ("<BR>", "<BR> is not closed before </mj-text> (write <br>)"),
    "<p>a": ("<p>", "<p> is not closed before </mj-text>"),
    "<p><i>a</P>": ("<i>", "<i> is not closed before </P>"),
    "<p><b>a</p>": ("<b>", "<b> is not closed before </p>"),
    "a</p>": ("</p>", "</p> closes nothing: <mj-text> is open"),
    "<p class=a>x</p>": ("class", "the value of class in <p> has no quotes"),
    "<p class= >x</p>": ("class", "the value of class in <p> has no quotes"),
    '<p class="a>x</p>': ("class", "the quotes of class in <p> are not closed"),
    '<p class="a"id="b">x</p>': ("class", "something is wrong in <p> after the value of class"),
    "<p @click='a'>x</p>": ("<p", "<p> is not finished with >"),
    "<p<b>x</b></p>": ("<p", "<p> is not finished with >"),
    "a < b": ("< b", "a bare < (write &lt;)"),
    "a <3": ("<3", "a bare < (write &lt;)"),
    "<p>x</ p>": ("</ p", "a closing tag that is not finished"),
    "a\x01b": ("\x01", "the control character U+0001"),
    "<p title='\x0c'>b</p>": ("\x0c", "the control character U+000C"),
    "a\ufffe": ("\ufffe", "the control character U+FFFE"),
    "a<!-- b": ("<!--", "a comment that is not closed with -->"),
    "a<!-- b -- c -->": ("-- c", "-- inside of a comment"),
    "a<!-- b --->": ("--->", "-- inside of a comment"),
    "<![CDATA[a]]>": ("<![CDATA[", "MJML has no CDATA"),
    "<?xml a?>": ("<?xml", "'<?xml a?><' begins nothing of MJML"),
    "a ]]> b": ("]]>", "]]> in a text (write ]]&gt;)"),
    "世> a": ("> a", "> right after '世' (write &gt;)"),
    "x éa> b": ("> b", "> right after 'éa' (write &gt;)"),
    "😀a>": (">", "> right after '😀a' (write &gt;)"),
    "<!--[if mso]><table><![endif]-->": ("<table>", "<table> is not closed before </mj-text>"),
}


@pytest.mark.parametrize("inner", FINE)
def test_what_is_fine_is_no_fault(inner):
    assert first_fault(document(inner)) is None


@WITH_THIS_MRML
@pytest.mark.parametrize("inner", FINE)
def test_mrml_takes_what_is_fine(inner):
    assert rejection(document(inner)) == ""


@pytest.mark.parametrize("inner", FAULTY)
def test_a_fault_has_its_place(inner):
    at, what = FAULTY[inner]
    mjml = document(inner)
    begin = mjml.index("<mj-text>") + len("<mj-text>")
    assert first_fault(mjml) == Fault(mjml.index(at, begin), what)


@WITH_THIS_MRML
@pytest.mark.parametrize("inner", FAULTY)
def test_mrml_rejects_what_is_a_fault(inner):
    assert rejection(document(inner))


def test_crossed_tags_are_a_fault():
    mjml = document("<p><b>a</p></b>")
    assert first_fault(mjml) == Fault(mjml.index("<b>"), "<b> is not closed before </p>")


OUTSIDE = {
    "": (0, "there is no <mjml>"),
    "<!-- a -->\n": (0, "there is no <mjml>"),
    "<mj-body></mj-body>": (0, "<mj-body> outside of <mjml>"),
    "</mjml>": (0, "</mjml> outside of <mjml>"),
    "a<mjml></mjml>": (0, "text outside of <mjml>"),
    "<mjml></mjml>\nb": (13, "text outside of <mjml>"),
    "<mjml></mjml><p></p>": (13, "<p> outside of <mjml>"),
    "<mjml></mjml><mjml></mjml>": (13, "<mjml> outside of <mjml>"),
    "<mjml><mj-body>": (6, "<mj-body> is not closed before the end"),
    "<mjml><mj-body": (6, "<mj-body> is not finished with >"),
}


@pytest.mark.parametrize("mjml", OUTSIDE)
def test_only_the_root_element_stands_outside(mjml):
    assert first_fault(mjml) == Fault(*OUTSIDE[mjml])


@WITH_THIS_MRML
@pytest.mark.parametrize("mjml", OUTSIDE)
def test_mrml_rejects_what_stands_outside(mjml):
    assert rejection(mjml)


@pytest.mark.parametrize("frame", ["\ufeff{}", "\n{}\n", "<!-- a -->{}<!-- b -->"])
def test_comments_and_blanks_stand_outside(frame):
    mjml = frame.format(document("a"))
    assert rejection(mjml) == ""
    assert first_fault(mjml) is None


# ---- what mrml tells ---------------------------------------------------------------------------


@WITH_THIS_MRML
def test_what_mrml_tells_the_place_of_is_counted_in_characters():
    mjml = document("éé</mj-text><mj-image src='x'>abc</mj-image><mj-text>")
    assert first_fault(mjml) is None
    assert told_fault(mjml, rejection(mjml)) == Fault(mjml.index("abc"), "unexpected token: abc")


def test_what_nobody_knows_has_no_place():
    assert told_fault(document("a"), "unable to parse next template in root template") is None


# ---- generated documents -----------------------------------------------------------------------

letters = st.sampled_from(
    ["a", "é", "&nbsp;", "&", "&gt;", " ", "\n", "'", '"', "=", "/", "-", "😀"]
)
words = st.lists(letters, max_size=5).map("".join)
values = words.map(lambda word: word.replace('"', ""))
attributes = st.lists(
    st.builds(' {}="{}"'.format, st.sampled_from(["a", "data-b", "c:d"]), values), max_size=2
).map("".join)
inner = st.recursive(
    words | st.just("<br>") | st.just("<!-- <p> -->") | st.just("<i/>"),
    lambda within: (
        st.builds(
            "{0}<{1}{2}>{3}</{1}>".format,
            words,
            st.sampled_from(["p", "b", "td"]),
            attributes,
            within,
        )
        | st.lists(within, max_size=3).map("".join)
    ),
    max_leaves=8,
)


@given(inner)
def test_well_formed_documents_have_no_fault(inner):
    mjml = document(inner)
    assert rejection(mjml) == ""
    assert first_fault(mjml) is None


@WITH_THIS_MRML
@given(inner, st.data())
def test_whatever_mrml_rejects_has_a_place(inner, data):
    whole = document(inner)
    at = data.draw(st.integers(0, len(whole)))
    cut = data.draw(st.integers(0, 3))
    added = data.draw(
        st.sampled_from(["", "<", ">", '"', "</", "<p>", "</p>", "<!--", "=", "\x01", "世>"])
    )
    broken = whole[:at] + added + whole[at + cut :]
    list(tags(broken))
    if said := rejection(broken):
        assert first_fault(broken) or told_fault(broken, said)


@WITH_THIS_MRML
@given(inner, st.text("a>é世😀]", max_size=6))
def test_whether_mrml_bears_a_bracket(inner, text):
    mjml = document(f"{text}{inner}")
    assert bool(first_fault(mjml)) == bool(rejection(mjml))
