"""Every string of the page templates goes through the catalogues: none stands there by itself."""

import re
from html.parser import HTMLParser

import pytest
from jinja2 import nodes

from digest.compose.environment import Templates, built_in_templates

PAGES = built_in_templates() / "pages"
ENVIRONMENT = Templates().environment
TRANSLATED = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
SPOKEN = {"aria-label", "placeholder", "title", "alt", "summary", "label"}
SAME_EVERYWHERE = {"PDF", "BibTeX", "RIS", "CSL-JSON", "Atom", "JSON", "JSON Feed", "arXiv", "DOI"}
HOLE = "\ufffc"  # stands for what an expression writes
LETTERS = re.compile(r"[^\W\d_]{2}")


class Strings(HTMLParser):
    """Collects the texts between tags, and the attributes that people see or hear."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.inside = []

    def handle_starttag(self, tag, attrs):
        self.inside.append(tag)
        spoken = {*SPOKEN, "content"} if dict(attrs).get("name") == "description" else SPOKEN
        self.found += [value for name, value in attrs if name in spoken and value]

    def handle_endtag(self, tag):
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data):
        if not {"code", "kbd", "script", "style"} & set(self.inside):
            self.found.append(data)


def written(node):
    """What a template writes itself, with a hole for each expression."""
    if isinstance(node, nodes.TemplateData):
        return node.data
    if isinstance(node, nodes.Output):
        return "".join(written(part) for part in node.nodes)
    if isinstance(node, nodes.Expr):
        return HOLE
    if isinstance(node, nodes.Block) and node.name == "robots":  # for programs
        return ""
    return "".join(written(child) for child in node.iter_child_nodes())


def shown_constants(node):
    """The strings that expressions write, unless they are messages, names, paths or patterns."""
    if isinstance(node, nodes.Call | nodes.Filter | nodes.Test | nodes.Compare | nodes.Getitem):
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    for child in node.iter_child_nodes():
        yield from shown_constants(child)


def untranslated(source):
    """Return the strings of a template that no catalogue can reach."""
    template = ENVIRONMENT.parse(source)
    strings = Strings()
    strings.feed(written(template))
    strings.close()
    found = list(strings.found)
    for output in template.find_all(nodes.Output):
        for part in output.nodes:
            if not isinstance(part, nodes.TemplateData):
                # A constant with a blank or a capital is a word for people; others name things.
                found += [c for c in shown_constants(part) if re.search(r"\w \w|^[A-Z]", c)]
    texts = (" ".join(text.replace(HOLE, " ").split()) for text in found)
    return [text for text in texts if LETTERS.search(text) and text not in SAME_EVERYWHERE]


@pytest.mark.parametrize(
    "file", sorted(PAGES.rglob("*.j2")), ids=lambda file: file.relative_to(PAGES).as_posix()
)
def test_no_string_of_a_page_stands_outside_the_catalogues(file):
    assert untranslated(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ("<p>{{ count }} papers</p>", ["papers"]),
        ('<img alt="A picture">', ["A picture"]),
        ('<input placeholder="your own">', ["your own"]),
        ('<a href="/today" aria-label="Main">{{ _("Today") }}</a>', ["Main"]),
        ('<meta name="description" content="Papers by email">', ["Papers by email"]),
        ('{{ "1 paper" if one else several }}', ["1 paper"]),
        ('{{ "Trending" }}', ["Trending"]),
        ("{% if x %}<b>Saved</b>{% endif %}", ["Saved"]),
        ('<p>{{ _("Hello") }} · ▲ 12</p>', []),
        ('<meta name="viewport" content="width=device-width">', []),
        ('<p class="note">{{ " · " | join }} {{ "second" if x }}</p>', []),
        ('<input type="email" autocomplete="email" value="{{ address }}">', []),
        ('{{ ngettext("%(count)s paper", "%(count)s papers", n, count=n) }}', []),
        ("<code>author:</code>{% trans %}Words{% endtrans %}", []),
        ('<p title="{{ _("Hint") }}">{% set a = _("x y") %}{{ a }}</p>', []),
    ],
)
def test_a_planted_string_is_found(planted, found):
    assert untranslated(planted) == found
