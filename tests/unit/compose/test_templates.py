"""Templates: whose are used, what they may do, and how a fault is told."""

import pytest

from digest.compose.environment import Templates, built_in_templates, fold
from digest.compose.view import CardView
from digest.errors import TemplateError


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "templates"
    folder.mkdir()
    return folder


@pytest.fixture
def fill(folder):
    """Fills a template written on the spot."""

    def fill(source, name="page.html.j2", **values):
        write(folder, name, source)
        return Templates(folder).render(name, **values)

    return fill


def write(folder, name, source):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")


# ---- where templates come from -----------------------------------------------------------------


def test_the_built_in_set_holds_mail_and_pages():
    assert (built_in_templates() / "mail/digest/body.mjml.j2").is_file()
    assert (built_in_templates() / "pages/base.html.j2").is_file()


def test_the_operators_template_wins(folder):
    write(folder, "pages/style.css", "mine")
    assert Templates(folder).render("pages/style.css") == "mine"


def test_what_the_operator_lacks_is_built_in(folder):
    built_in = (built_in_templates() / "pages/style.css").read_text(encoding="utf-8")
    assert Templates(folder).render("pages/style.css") == built_in
    assert Templates().render("pages/style.css") == built_in


def test_the_operators_partial_goes_into_a_built_in_page(folder):
    write(folder, "pages/base.html.j2", "[{% block main %}{% endblock %}]")
    page = Templates(folder).render("pages/unsubscribed.html.j2", brand="Papers")
    assert page.startswith("[")
    assert "Papers" in page


def test_an_edited_template_is_used_without_a_restart(folder):
    templates = Templates(folder)
    write(folder, "a.txt.j2", "before")
    assert templates.render("a.txt.j2") == "before"
    write(folder, "a.txt.j2", "and after")
    assert templates.render("a.txt.j2") == "and after"


# ---- escaping ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.html.j2", "a.mjml.j2", "a.html", "a.css"])
def test_values_are_escaped(fill, name):
    assert fill("{{ v }}", name, v="<b> & \"q\" 'a'") == "&lt;b&gt; &amp; &#34;q&#34; &#39;a&#39;"


def test_values_in_an_included_partial_are_escaped(folder, fill):
    write(folder, "inner.mjml.j2", "{{ v }}")
    assert fill('{% include "inner.mjml.j2" %}', "outer.mjml.j2", v="<b>") == "&lt;b&gt;"


def test_plain_text_is_not_escaped(fill):
    assert fill("{{ v }}", "a.txt.j2", v="<b> & 'c'") == "<b> & 'c'"


def test_a_value_is_never_a_template(fill):
    assert fill("{{ v }}", v="{{ 7*7 }}{% endif %}") == "{{ 7*7 }}{% endif %}"


# ---- the sandbox -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__}'.format('') }}",
        "{{ '{a.__class__}'.format_map({'a': 1}) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ self.__init__ }}",
        "{{ thing.method.__func__ }}",
        "{{ thing.method.__globals__['os'] }}",
        "{{ thing._hidden }}",
        "{{ range(10 ** 9) | list }}",
    ],
)
def test_the_sandbox_is_closed(fill, source):
    class Thing:
        _hidden = "hidden"

        def method(self):
            return "done"

    with pytest.raises(TemplateError, match=r"page\.html\.j2, line 1: "):
        fill(source, thing=Thing())


@pytest.mark.parametrize(
    "path", ["../secret.txt", "/etc/passwd", "a/../../secret.txt", "..\\secret.txt", "./../secret.txt"]
)  # fmt: skip
@pytest.mark.parametrize("tag", ["include", "extends", "import"])
def test_nothing_outside_the_folder_is_read(folder, fill, path, tag):
    write(folder.parent, "secret.txt", "hush")
    naming = " as x" if tag == "import" else ""
    with pytest.raises(TemplateError, match="there is no template"):
        fill(f"{{% {tag} {path!r}{naming} %}}")


# ---- faults ------------------------------------------------------------------------------------


def test_a_missing_template_is_named():
    with pytest.raises(TemplateError, match=r"mail/none\.txt\.j2"):
        Templates().render("mail/none.txt.j2")


def test_a_missing_partial_is_named_with_who_wants_it(fill):
    with pytest.raises(TemplateError, match=r"page\.html\.j2: .*'pages/none\.j2'"):
        fill("{% include 'pages/none.j2' %}")


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("one\n{% if %}", 2),
        ("one\ntwo\n{{ a b }}", 3),
        ("one\n{% block x %}\n", 2),
        ("{{ 'a' | nofilter }}", 1),
    ],
)
def test_a_syntax_error_is_told_with_its_line(fill, source, line):
    with pytest.raises(TemplateError, match=rf"^page\.html\.j2, line {line}: "):
        fill(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ nope }}",
        "{{ thing.nope }}",
        "{% if nope %}{% endif %}",
        "{% for x in nope %}{% endfor %}",
        "{{ nope | upper }}",
        "{{ [1][5] }}",
    ],
)
def test_an_undefined_name_is_told_with_template_and_line(fill, source):
    with pytest.raises(TemplateError, match=r"^page\.html\.j2, line 3: .+"):
        fill(f"one\ntwo\n{source}", thing={})


def test_a_slip_is_told_with_what_may_be_meant(fill):
    card = CardView(*["x"] * 29)
    with pytest.raises(TemplateError, match=r"a card has no titel: is title meant\?$"):
        fill("{{ card.titel }}", card=card)
    with pytest.raises(TemplateError, match=r"a card has no zzz$"):
        fill("{{ card.zzz }}", card=card)
    with pytest.raises(TemplateError, match=r"there is nothing called crad$"):
        fill("{{ crad.title }}", card=card)


@pytest.mark.parametrize(
    "source", ["{{ 1 / 0 }}", "{{ none + 1 }}", "{{ 'x' | fold }}", "{{ 'x' | round }}"]
)
def test_an_impossible_expression_is_told_with_template_and_line(fill, source):
    with pytest.raises(TemplateError, match=r"^page\.html\.j2, line 2: .+"):
        fill(f"one\n{source}")


def test_a_fault_in_a_partial_names_the_partial(folder, fill):
    write(folder, "deep/inner.html.j2", "one\ntwo\n{{ nope }}")
    with pytest.raises(TemplateError, match=r"^deep/inner\.html\.j2, line 3: .*nope"):
        fill("{% include 'deep/inner.html.j2' %}")


def test_a_syntax_error_in_a_partial_names_the_partial(folder, fill):
    write(folder, "deep/inner.html.j2", "one\n{% if %}")
    with pytest.raises(TemplateError, match=r"^deep/inner\.html\.j2, line 2: "):
        fill("one\n\n\n{% include 'deep/inner.html.j2' %}")


def test_a_fault_in_a_built_in_template_is_told_with_its_name():
    with pytest.raises(TemplateError, match=r"^pages/(home|base)\.html\.j2, line \d+: .*lang"):
        Templates().render("pages/home.html.j2")


def test_a_template_that_includes_itself_is_told(fill):
    with pytest.raises(TemplateError, match=r"^page\.html\.j2"):
        fill("{% include 'page.html.j2' %}")


def test_a_template_that_is_no_utf8_is_told(folder):
    (folder / "a.txt.j2").write_bytes(b"caf\xe9")
    with pytest.raises(TemplateError, match=r"^a\.txt\.j2: "):
        Templates(folder).render("a.txt.j2")


# ---- the filter --------------------------------------------------------------------------------


def test_fold_keeps_lines_short():
    assert fold("one two three four", 9) == "one two\nthree\nfour"


def test_fold_keeps_links_and_hyphens_whole():
    link = "https://example.org/a-very-long-path"
    assert fold(f"see {link} there", 10) == f"see\n{link}\nthere"


def test_fold_works_in_a_template(fill):
    assert fill("{{ v | fold(3) }}", "a.txt.j2", v="a <b> c") == "a\n<b>\nc"
