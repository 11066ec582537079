"""Lines of plain text, by columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth, wrap

from digest.compose.folding import fold


@given(st.text("ab 世界モデル,.", max_size=300))
def test_no_line_takes_more_columns_than_there_are(text):
    assert all(wcswidth(line) <= 72 for line in fold(text, 72).split("\n"))
    assert "".join(fold(text, 72).split()) == "".join(text.split())


@pytest.mark.parametrize("link", ["https://digest.example.org/" + "x" * 99])
def test_a_link_stays_whole(link):
    assert link in fold(f"Change your topics: {link}", 72).split("\n")


@given(st.text("ab -.,/:\t\n", max_size=300), st.integers(2, 80))
def test_simple_texts_are_folded_as_wcwidth_folds_them(text, width):
    has_link = "://" in text
    lines = wrap(text, width, break_long_words=not has_link, break_on_hyphens=False)
    assert fold(text, width) == "\n".join(lines)
