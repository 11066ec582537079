"""Plain text as Markdown."""

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from digest.compose.markdown import markdown

TEXTS = st.text(st.sampled_from(r"""ab\`*_{}[]()<>#|~&@!.-+ 1"""), min_size=1).map(
    lambda text: f"a {' '.join(text.split())}"
)


@given(TEXTS)
def test_a_reader_of_markdown_sees_the_text(text: str) -> None:
    (paragraph,) = [
        token for token in MarkdownIt("commonmark").parse(markdown(text)) if token.type == "inline"
    ]
    seen = "".join(child.content for child in paragraph.children or ())
    assert {child.type for child in paragraph.children or ()} <= {"text", "text_special"}
    assert seen.replace("\u200b", "").strip() == text.strip()


def test_a_title_calls_nobody() -> None:
    assert "@everyone" not in markdown("Hello @everyone")
