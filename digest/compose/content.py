"""Fill the three texts of an email from its folder of templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from digest.compose.built import HTML, SUBJECT, TEXT, NotBuilt, built_mail
from digest.compose.environment import Templates
from digest.compose.source_map import Place
from digest.compose.transfer_encoding import HtmlPart, html_part
from digest.compose.view import AnyView
from digest.errors import TemplateError
from digest.model.digests import Digest

# The emails of the list, by their folders: what was chosen, or a note that there is nothing; and
# what the operator announces.
DIGEST, NOTE, ANNOUNCEMENT = "digest", "nothing", "announcement"
OF_EDITIONS = frozenset({DIGEST, NOTE})
OF_LIST = OF_EDITIONS | {ANNOUNCEMENT}


def mail_of(digest: Digest) -> str:
    """Return the folder of templates that a digest is made with."""
    return NOTE if digest.why_nothing else DIGEST


@dataclass(frozen=True)  # no slots: what is computed is kept beside the fields
class Content:
    """A rendered mail. ``not_built`` says why it was made the plain way, if it was.

    Text and HTML are in pieces, of which most are the same for many readers.
    """

    subject: str
    text_pieces: Sequence[str]
    html_pieces: Sequence[str]
    not_built: NotBuilt | None = None

    @property
    def text(self) -> str:
        return "".join(self.text_pieces)

    @cached_property
    def html(self) -> str:
        return "".join(self.html_pieces)

    @cached_property
    def html_part(self) -> HtmlPart:
        """Return the HTML as it stands in a message."""
        return html_part(self.html_pieces)


def fill(templates: Templates, name: str, mail: AnyView) -> Content:
    """Fill the templates of the folder ``mail/<name>`` for a view. Raises TemplateError."""
    built = built_mail(templates, name, mail)
    parts = []
    for part in (SUBJECT, TEXT, HTML):
        pieces = built.fill(part, mail)
        parts.append([_plain(templates, name, part, mail)] if pieces is None else pieces)
    subject, text, html = parts
    return Content(_subject("".join(subject)), text, html, built.not_built)


def fill_plainly(templates: Templates, name: str, mail: AnyView) -> Content:
    """Do the same as ``fill`` without anything that is built: it costs thirty times as much."""
    subject, text, html = (_plain(templates, name, part, mail) for part in (SUBJECT, TEXT, HTML))
    return Content(_subject(subject), [text], [html])


def _subject(filled: str) -> str:
    return " ".join(filled.split())


def _plain(templates: Templates, name: str, part: str, mail: AnyView) -> str:
    """Make one part of one email by itself: HTML through Jinja2, MJML and premailer."""
    template = f"mail/{name}/{part}"
    if part != HTML:
        return templates.render(template, mail=mail)
    from digest.compose.html import BrokenMjml, to_html  # noqa: PLC0415  slow to load

    def include(path: str) -> str:
        return templates.render(path.removeprefix("./"), mail=mail)

    mjml = templates.trace(template, mail=mail)
    try:
        return to_html(mjml.text, include)
    except BrokenMjml as error:
        place = Place(template) if error.offset is None else mjml.place(error.offset)
        raise TemplateError(place.template, place.line, str(error)) from error
