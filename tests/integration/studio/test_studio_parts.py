"""What the studio is made of, piece by piece."""

import asyncio
import os
from contextlib import aclosing
from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.compose.source_map import Place, read_marks
from digest.studio.differences import differences
from digest.studio.measures import Size, excerpt, source_lines
from digest.studio.picture import picture
from digest.studio.preview_request import (
    EDITION,
    Looks,
    PreviewRequest,
    Scheme,
    Tab,
    View,
    address,
    read_looks,
    read_preview_request,
)
from digest.studio.template_folders import before
from digest.studio.watch import Watch

# ---- pictures --------------------------------------------------------------------------------

MAIL = """<!doctype html><html><head><meta name="color-scheme" content="light dark">
<style>a { color: red }
@media (prefers-color-scheme: dark) { a { color: pink } }
@media screen and ( Prefers-Color-Scheme:light ) and (max-width: 480px) { a { color: blue } }
</style></head><body><source media="(prefers-color-scheme: dark)" srcset="dark.png">
A study of (prefers-color-scheme: dark)</body></html>"""


def test_a_picture_is_of_one_scheme_whatever_the_screen_prefers():
    dark, light = picture(MAIL, Scheme.DARK), picture(MAIL, Scheme.LIGHT)
    assert "@media (min-width: 0) { a { color: pink }" in dark
    assert "@media screen and (max-width: 0) and (max-width: 480px)" in dark
    assert '<source media="(min-width: 0)"' in dark
    assert 'name="color-scheme" content="dark"' in dark
    assert "@media (max-width: 0) { a { color: pink }" in light
    assert "@media screen and (min-width: 0) and (max-width: 480px)" in light
    assert 'name="color-scheme" content="light"' in light


def test_what_papers_say_of_schemes_stays():
    assert "A study of (prefers-color-scheme: dark)" in picture(MAIL, Scheme.DARK)


def test_pictures_of_samples_are_drawn_and_others_are_fetched():
    drawn = f"https://digest.example.org/picture/{7:032x}-small.jpg"
    real = f"https://digest.example.org/picture/{'5e' * 16}.jpg"
    shown = picture(f'{MAIL}<img src="{drawn}"><img src="{real}">', Scheme.LIGHT)
    assert drawn not in shown
    assert '<img src="data:image/svg+xml,' in shown
    assert f'<img src="{real}">' in shown


def test_links_in_a_picture_lead_nowhere():
    assert '<head><base target="_blank">' in picture(MAIL, Scheme.LIGHT)


# ---- what is chosen --------------------------------------------------------------------------


@given(
    st.builds(PreviewRequest, st.text().filter(lambda name: name != EDITION))
    | st.builds(
        PreviewRequest,
        st.just(EDITION),
        st.none() | st.dates(),
        st.text().map(str.strip),
        st.text().map(str.strip),
    ),
    st.builds(
        Looks, st.sampled_from(View), st.sampled_from(Scheme), st.booleans(), st.sampled_from(Tab)
    ),
)
def test_an_address_says_all_that_is_chosen(preview_request, looks):
    query = dict(parse_qsl(urlsplit(address("/", preview_request, **looks.fields)).query))
    assert read_preview_request(query) == preview_request
    assert read_looks(query) == looks


@given(st.dictionaries(st.sampled_from(["sample", "day", "view", "tab", "reader"]), st.text()))
def test_any_address_means_something(query):
    read_looks(query)
    assert read_preview_request(query).day is None or query["day"]


def test_topics_are_parted_by_semicolons():
    assert PreviewRequest(EDITION, topics=" robots;;world models ; ").typed_topics == [
        "robots",
        "world models",
    ]
    assert read_preview_request({"sample": EDITION, "day": "2026-02-20"}).day == date(2026, 2, 20)


# ---- changes ---------------------------------------------------------------------------------


def test_a_stamp_is_another_one_once_a_file_has_changed(tmp_path):
    watch = Watch([tmp_path, tmp_path])
    stamps = [watch.stamp()]
    file = tmp_path / "mail" / "a.txt.j2"
    file.parent.mkdir()
    file.write_text("a")
    stamps.append(watch.stamp())
    os.utime(file, ns=(1, 1))
    stamps.append(watch.stamp())
    (tmp_path / "b").write_text("")
    stamps.append(watch.stamp())
    file.rename(tmp_path / "c")
    stamps.append(watch.stamp())
    assert len(set(stamps)) == len(stamps)
    (tmp_path / ".a.txt.j2.swp").write_text("an editor's")
    (tmp_path / "b~").write_text("an editor's")
    assert watch.stamp() == stamps[-1]


def test_a_folder_that_is_gone_has_a_stamp_too(tmp_path):
    assert Watch([tmp_path / "none"]).stamp()


def test_who_waits_is_told_at_once_and_at_each_change_until_the_end(tmp_path):
    watch = Watch([tmp_path])

    async def listen():
        told = []
        async with aclosing(watch.stamps()) as stamps:
            async for stamp in stamps:
                told.append(stamp)
                if len(told) == 2:
                    watch.end()
                (tmp_path / "a").write_text("a" * len(told))
        return told

    first, second = asyncio.run(asyncio.wait_for(listen(), 10))
    assert first != second


def test_who_waits_hears_now_and_then_that_nothing_has_changed(tmp_path, monkeypatch):
    monkeypatch.setattr("digest.studio.watch.BREATH", 0.0)
    watch = Watch([tmp_path])

    async def listen():
        async with aclosing(watch.stamps()) as stamps:
            return [await anext(stamps), await anext(stamps)]

    assert asyncio.run(asyncio.wait_for(listen(), 10)) == [watch.stamp(), ""]


# ---- places ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "shown", "marked"),
    [(1, "123", [1]), (3, "12345", [3]), (5, "345", [5]), (9, "", []), (0, "", [])],
)
def test_an_excerpt_has_the_lines_around(tmp_path, line, shown, marked):
    (tmp_path / "a.txt.j2").write_text("1\n2\n3\n4\n5")
    found = excerpt("a.txt.j2", line, [tmp_path / "none", tmp_path], 2)
    assert "".join(each.text for each in found.lines) == shown
    assert [each.number for each in found.lines if each.is_marked] == marked
    assert found.file == str(tmp_path / "a.txt.j2")


def test_an_excerpt_of_no_file_is_only_its_place(tmp_path):
    found = excerpt("a.txt.j2", 3, [tmp_path])
    assert (found.template, found.line, found.lines, found.file) == ("a.txt.j2", 3, (), "")


def test_a_line_of_mjml_has_the_place_of_its_first_letter():
    begin, end = "\ufdd0", "\ufdd1"
    marked = f"{begin}a:1{end}<mjml>\n{begin}a:2{end}  {begin}b:1{end}<mj-text>\nx\n{begin}a:3{end}</mjml>"
    rendered = read_marks(marked, "a")
    assert rendered.place(0) == Place("a", 1)
    assert [(line.text, line.place) for line in source_lines(rendered)] == [
        ("<mjml>", "a:1"),
        ("  <mj-text>", "b:1"),
        ("x", ""),
        ("</mjml>", "a:3"),
    ]


@pytest.mark.parametrize(
    ("octets", "level"), [(0, "good"), (89_999, "good"), (90_000, "warn"), (100_000, "bad")]
)
def test_a_size_is_shown_by_what_it_leads_to(octets, level):
    assert Size("HTML", octets).level == level


# ---- differences -----------------------------------------------------------------------------


def test_differences_are_told_line_by_line(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, changed in ((old, "20"), (new, "twenty")):
        (folder / "mail").mkdir(parents=True)
        lines = [changed if number == 20 else str(number) for number in range(1, 41)]
        (folder / "mail" / "a").write_text("\n".join(lines))
        (folder / "same").write_bytes(b"\xff\0")
    (old / "gone").write_text("1")
    (new / "added").write_text("1")
    (new / ".hidden").write_text("1")
    added, gone, changed = differences(old, new, all_of_before=True)
    assert [(each.name, each.what) for each in (added, gone, changed)] == [
        ("added", "new"),
        ("gone", "removed"),
        ("mail/a", "changed"),
    ]
    assert [(row.kind, row.before, row.now) for row in changed.rows if row.kind != "same"] == [
        ("gone", 20, 0),
        ("added", 0, 20),
    ]
    assert (changed.rows[0].before, changed.rows[-1].now) == (17, 23)
    assert [difference.name for difference in differences(old, new, all_of_before=False)] == [
        "added",
        "mail/a",
    ]


def test_what_is_far_between_differences_is_left_out(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, ends in ((old, ("a", "z")), (new, ("A", "Z"))):
        folder.mkdir()
        (folder / "a").write_text("\n".join([ends[0], *"0123456789", ends[1]]))
    (changed,) = differences(old, new, all_of_before=True)
    assert [row.kind for row in changed.rows].count("gap") == 1


def test_nothing_is_compared_with_itself(tmp_path):
    with before(tmp_path, tmp_path) as was:
        assert was is None


def test_without_git_it_is_compared_with_what_comes_with_the_program(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with before(tmp_path, tmp_path / "built-in") as was:
        assert was.folder == tmp_path / "built-in"
