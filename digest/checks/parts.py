"""Check the parts of an email: text against HTML, sizes, subject, preheader."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from digest.checks.cascade import is_hidden
from digest.checks.finding import Finding, Level
from digest.checks.links import text_addresses
from digest.checks.rendered_mail import RenderedMail, found
from digest.checks.rules import Rules

# The length that inboxes show beside the subject: shorter is a waste, longer is cut off.
_PREHEADER = range(20, 181)
_LONGEST_LINE = 78  # RFC 5322, section 2.1.1
_LONGEST_SUBJECT = 150
# MJML writes these if there is no language.
_NO_LANGUAGE = ("", "und")


def too_large(rendered: RenderedMail, rules: Rules) -> Iterator[Finding]:
    """Find parts that clients cut off, or nearly."""
    html_place = rendered.where("<mj-body")
    for name, part, place in (
        ("HTML", rendered.html, html_place),
        ("text", rendered.text, rendered.of_text()),
    ):
        size = len(part.encode())
        if size >= rules.refuse_at:
            says = f"the {name} has {size:,} octets, {rules.refuse_at:,} are too many"
            yield found("size", Level.ERROR, says, place)
        elif size >= rules.warn_at:
            says = f"the {name} has {size:,} octets, it is refused at {rules.refuse_at:,}"
            yield found("size", Level.WARNING, says, place)
        elif rendered.is_largest:
            says = f"the {name} has {size:,} octets of {rules.refuse_at:,} at most"
            yield found("size", Level.NOTE, says, place)


def out_of_step(rendered: RenderedMail) -> Iterator[Finding]:
    """Find papers and links that are in one part only."""
    if not rendered.text.strip():
        yield found("text", Level.ERROR, "the text part is empty", rendered.of_text())
        return
    text, rich = _letters(rendered.text), _letters(rendered.tree.text_content())
    links = [link.get("href", "").strip() for link in rendered.elements("a")]
    # An address with a quote in it does not look like one, but is between blanks.
    in_text = {*text_addresses(rendered.text), *rendered.text.split()}
    for title in rendered.titles:
        yield from _in_both(
            rendered, f"the paper “{title}”", _letters(title) in rich, _letters(title) in text
        )
    for url in rendered.urls:
        yield from _in_both(rendered, f"the link {url}", url in links, url in in_text)
    for link in dict.fromkeys(links):
        if link in rendered.urls or not link.startswith(("http://", "https://")):
            continue
        # The text may link to one page where the HTML links to each of its answers.
        if link not in in_text and urlsplit(link)._replace(query="").geturl() not in in_text:
            says = f"the link {link} is not in the text"
            yield found("text", Level.WARNING, says, rendered.where_text(link))


def _in_both(rendered: RenderedMail, what: str, in_html: bool, in_text: bool) -> Iterator[Finding]:
    if not in_html:
        yield found("text", Level.ERROR, f"{what} is not in the HTML", rendered.where("<mj-body"))
    if not in_text:
        yield found("text", Level.ERROR, f"{what} is not in the text", rendered.of_text())


def _letters(text: str) -> str:
    """Return a text without blanks: lines of Chinese or Japanese end anywhere."""
    return "".join(text.split())


def _words(text: str) -> str:
    return " ".join(text.split())


def preheader(rendered: RenderedMail) -> Iterator[Finding]:
    """Check the hidden first words, which inboxes show beside the subject."""
    body = rendered.tree.find("body")
    first = next(iter(body), None) if body is not None else None
    hidden = first is not None and is_hidden(first)
    shown = _words(first.text_content()) if first is not None and hidden else ""
    place = rendered.where("<mj-preview", "<mj-head")
    if not shown:
        yield found("preheader", Level.WARNING, "there is no preheader (mj-preview)", place)
    elif len(shown) not in _PREHEADER:
        least, most = _PREHEADER[0], _PREHEADER[-1]
        says = f"the preheader has {len(shown)} characters: use {least} to {most}"
        yield found("preheader", Level.WARNING, says, place)


def unnamed(rendered: RenderedMail) -> Iterator[Finding]:
    """Find a document without title (WCAG 2.4.2) or language (3.1.1)."""
    if not (rendered.tree.findtext("head/title") or "").strip():
        place = rendered.where("<mj-title", "<mj-head")
        yield found("title", Level.ERROR, "the HTML has no title (mj-title)", place)
    if rendered.tree.get("lang", "").strip() in _NO_LANGUAGE:
        says = "the HTML has no language (lang of mjml)"
        yield found("lang", Level.ERROR, says, rendered.where("<mjml"))


def subject(rendered: RenderedMail) -> Iterator[Finding]:
    """Find a subject that is empty, has several lines, or is longer than any client shows."""
    if not rendered.subject.strip():
        yield found("subject", Level.ERROR, "the subject is empty", rendered.of_subject())
    if len(rendered.subject.splitlines()) > 1:
        says = "the subject has line breaks"
        yield found("subject", Level.WARNING, says, rendered.of_subject())
    if len(rendered.subject) > _LONGEST_SUBJECT:
        says = f"the subject has {len(rendered.subject)} characters, more than {_LONGEST_SUBJECT}"
        yield found("subject", Level.WARNING, says, rendered.of_subject())


def long_lines(rendered: RenderedMail) -> Iterator[Finding]:
    """Find lines of the text that old clients break, except those with an address."""
    lines = rendered.text.splitlines()
    if long := [line for line in lines if len(line) > _LONGEST_LINE and "://" not in line]:
        how_many = f"{len(long)} lines of the text are longer than {_LONGEST_LINE} characters"
        says = f"{how_many}: {long[0]}"
        yield found("lines", Level.NOTE, says, rendered.of_text())


def not_built(rendered: RenderedMail) -> Iterator[Finding]:
    """Find templates that cannot be built once, and so cost thirty times as much for each email."""
    if slow := rendered.not_built:
        says = f"each email takes thirty times as long, because this cannot be built: {slow.why}"
        yield found("not-built", Level.WARNING, says, slow.place)
