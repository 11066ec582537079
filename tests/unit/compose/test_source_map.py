"""Which line of which template wrote what."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader
from jinja2.sandbox import SandboxedEnvironment

from digest.compose.composer import Composer
from digest.compose.environment import Templates, built_in_templates
from digest.compose.from_identity import from_identity
from digest.compose.language import language
from digest.compose.source_map import LineMarks, Place, read_marks
from digest.studio.samples import samples, view_of
from tests.support import make_settings

SENDER = from_identity(make_settings())
SAMPLES = samples([built_in_templates()])


def traced(main, values=None, **others):
    """A rendering of templates, with marks and without them."""
    environment = SandboxedEnvironment(
        loader=DictLoader({"main": main, **others}), trim_blocks=True, lstrip_blocks=True
    )
    marking = environment.overlay(extensions=[LineMarks])
    rendered = read_marks(marking.get_template("main").render(values or {}), "main")
    assert rendered.text == environment.get_template("main").render(values or {})
    return rendered


def places(rendered, *words):
    return [str(rendered.place(rendered.text.index(word))) for word in words]


def test_lines_are_counted_through_blocks_and_comments():
    rendered = traced(
        "one\n{# a\ncomment #}\n{% if true %}\n  two {{ 'value' }} three\n{% endif %}\nend"
    )
    assert places(rendered, "one", "two", "value", "three", "end") == [
        "main, line 1", "main, line 5", "main, line 5", "main, line 5", "main, line 7",
    ]  # fmt: skip


def test_an_include_has_lines_of_its_own_and_then_the_outer_ones_go_on():
    rendered = traced("a\n{% include 'part' %}\nb", part="p\nq")
    assert places(rendered, "a", "p", "q", "b") == [
        "main, line 1", "part, line 1", "part, line 2", "main, line 3",
    ]  # fmt: skip


def test_a_block_is_of_the_template_that_fills_it():
    rendered = traced(
        "{% extends 'base' %}\n{% block x %}mine{% endblock %}",
        base="top\n{% block x %}{% endblock %}\nbottom",
    )
    assert places(rendered, "top", "mine", "bottom") == [
        "base, line 1",
        "main, line 2",
        "base, line 3",
    ]


def test_a_macro_is_of_the_template_that_defines_it():
    rendered = traced(
        "{% import 'lib' as lib %}\n\n{{ lib.bold('x') }}",
        lib="\n{% macro bold(t) %}\n<b>{{ t }}</b>{% endmacro %}",
    )
    assert places(rendered, "<b>") == ["lib, line 3"]


def test_a_loop_writes_the_same_line_each_time():
    rendered = traced("{% for n in range(3) %}\nrow {{ n }}\n{% endfor %}")
    assert places(rendered, "row 0", "row 2") == ["main, line 2"] * 2


def test_before_the_first_line_there_is_the_template():
    assert traced("").place(0) == Place("main", 1)


@given(
    st.lists(
        st.sampled_from(
            [
                "a",
                "b\n",
                "\n",
                "  ",
                "{{ v }}",
                "{% if v %}",
                "{% endif %}",
                "{# c\n #}",
                "{{- v -}}",
            ]
        ),
        max_size=12,
    )
)
def test_marks_change_nothing_and_lines_are_right(parts):
    source = "".join(parts)
    opened = source.count("{% if v %}")
    closed = source.count("{% endif %}")
    if opened != closed or not _well_nested(parts):
        return
    rendered = traced(source, {"v": "V"})
    lines = source.split("\n")
    for offset, character in enumerate(rendered.text):
        if character in "ab":
            assert character in lines[rendered.place(offset).line - 1]


def _well_nested(parts):
    depth = 0
    for part in parts:
        depth += (part == "{% if v %}") - (part == "{% endif %}")
        if depth < 0:
            return False
    return True


@pytest.mark.parametrize("code", ["en", "de"])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_traced_mail_is_the_mail(name, code):
    templates = Templates(language=language(code))
    view = view_of(SAMPLES[name], Composer(templates, SENDER))
    body = f"mail/{SAMPLES[name].mail}/body.mjml.j2"
    rendered = templates.trace(body, mail=view)
    assert rendered.text == templates.render(body, mail=view)
    for word in ("<mjml ", "<mj-body", "</mjml>"):
        place = rendered.place(rendered.text.index(word))
        lines = (Path("templates") / place.template).read_text(encoding="utf-8").split("\n")
        assert word.strip() in lines[place.line - 1]


def test_a_block_to_be_translated_is_translated_when_traced(tmp_path):
    file = tmp_path / "mail" / "x.txt.j2"
    file.parent.mkdir()
    file.write_text("a\n{% trans %}Unsubscribe{% endtrans %}\nb", encoding="utf-8")
    rendered = Templates(tmp_path, language("de")).trace("mail/x.txt.j2")
    assert "Unsubscribe" not in rendered.text
    assert str(rendered.place(rendered.text.index("b", 10))) == "mail/x.txt.j2, line 3"
