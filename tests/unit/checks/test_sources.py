"""The sources of templates, read without rendering them."""

import pytest

from digest.checks.sources import check_sources
from digest.compose.environment import built_in_templates
from digest.compose.view import AnnouncementView, DigestView, MessageView

BODY = "mail/digest/body.txt.j2"


@pytest.fixture
def check(tmp_path):
    """Checks templates, given as text by name; the first is the one that is rendered."""

    def checked(view=DigestView, **by_name):
        for name, text in by_name.items():
            file = tmp_path / "mail" / f"{name}.j2"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        found = check_sources([tmp_path], f"mail/{next(iter(by_name))}.j2", view)
        return [f"{finding.template}:{finding.line} {finding.what}" for finding in found]

    return checked


@pytest.mark.parametrize("folder", sorted((built_in_templates() / "mail").iterdir()))
def test_the_shipped_templates_are_clean(folder):
    views = {"digest": DigestView, "nothing": DigestView, "announcement": AnnouncementView}
    view = views.get(folder.name, MessageView)
    for file in folder.glob("*.j2"):
        name = file.relative_to(built_in_templates()).as_posix()
        if folder.name != "partials":
            assert check_sources([built_in_templates()], name, view) == []


def test_a_missing_include_is_told_where_it_is_included(check):
    found = check(a='{% include "mail/b.j2" %}', b='x\n\n{% include "mail/c.j2" %}')
    assert found == ["mail/b.j2:3 there is no template mail/c.j2, which is included here"]


def test_an_include_of_an_impossible_name_is_told(check):
    [found] = check(a='{% include "mail/' + "b" * 5000 + '" %}')
    assert "there is no template" in found


def test_a_template_that_includes_itself_is_told(check):
    found = check(
        a='{% include "mail/b.j2" %}', b='\n{% if 0 %}{% include "mail/a.j2" %}{% endif %}'
    )
    circle = "mail/a.j2 → mail/b.j2 → mail/a.j2"
    assert found == [f"mail/b.j2:2 a template includes itself: {circle}"]


def test_an_include_of_mjml_is_followed_too(check):
    include = '<mj-include path="./mail/{}.j2" />'
    found = check(a=f"\n{include.format('b')}", b=f"{include.format('a')}\n{include.format('c')}")
    assert found == [
        "mail/b.j2:1 a template includes itself: mail/a.j2 → mail/b.j2 → mail/a.j2",
        "mail/b.j2:2 there is no template mail/c.j2, which is included here",
    ]


def test_many_ways_to_the_same_template_are_one(check):
    """Forty templates, each of which includes the next one twice."""
    twice = '{{% include "mail/t{0}.j2" %}}{{% include "mail/t{0}.j2" %}}'
    chain = {f"t{number}": twice.format(number + 1) for number in range(40)}
    assert check(**chain, t40="{{ nonsense }}") == [
        "mail/t40.j2:1 there is nothing called nonsense"
    ]


def test_an_include_may_be_missing_if_it_says_so(check):
    assert check(a='{% include "mail/b.j2" ignore missing %}{% include mail.brand %}') == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{% if false %}\n{{ nonsense }}{% endif %}", "2 there is nothing called nonsense"),
        ("{% if 0 %}{{ mail.brnd }}{% endif %}", "1 a digest has no brnd; did you mean brand?"),
        (
            "{% for s in mail.sections %}{% for card in s.cards %}\n{{ card.titel }}{% endfor %}{% endfor %}",
            "2 a card has no titel; did you mean title?",
        ),
        ("{% if mail.header %}{{ mail.header.hight }}{% endif %}", "1 a picture has no hight; did you mean height?"),
        ("{% set all = mail.sections %}{% for x in all %}{{ x.nam }}{% endfor %}", "1 a section has no nam"),
        ("{% for x in mail.sections %}{% endfor %}{{ x }}", "1 there is nothing called x"),
        ("{% macro a(b) %}{{ b.any }}{{ c }}{% endmacro %}", "1 there is nothing called c"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_there_is_told_in_any_branch(check, text, what):
    assert check(a=text) == [f"mail/a.j2:{what}"]


def test_an_included_template_knows_the_names_around_it(check):
    include = '{% include "mail/b.j2" %}'
    outer = f"{{% for card in mail.sections[0].cards %}}{include}{{% endfor %}}"
    assert check(a=outer, b="{{ card.title }}") == []
    assert check(a=include, b="\n{{ card.title }}") == ["mail/b.j2:2 there is nothing called card"]


@pytest.mark.parametrize(
    "text",
    [
        "{% if because is defined %}{{ because }}{% endif %}{{ other | default('x') }}",
        "{% set a, b = 1, 2 %}{{ a + b }}{{ range(3) }}{{ _('x') }}{% trans %}y{% endtrans %}",
        "{% with a = mail.brand %}{{ a.upper() }}{% endwith %}{% set x %}y{% endset %}{{ x }}",
        "{% macro m(a, b=1) %}{{ a }}{{ varargs }}{% endmacro %}{{ m(1) }}",
        "{% for a in mail.sections %}{{ loop.index }}{{ a.cards[0].anything }}{% else %}-{% endfor %}",
        "{{ '%s' | format(mail.sections | length) }}{{ mail['brand'] }}",
        "{% wrong",
    ],
)
def test_names_that_are_there_are_none(check, text):
    assert check(a=text) == []
