"""A mail's three texts, from the folder of templates that is its own."""

from collections.abc import Callable
from dataclasses import dataclass

from digest.compose.environment import Templates
from digest.compose.html import BrokenMjml, to_html
from digest.compose.source_map import Place
from digest.compose.view import DigestView, MessageView
from digest.errors import TemplateError
from digest.model.digests import Digest

# The mails of an edition, by their folders: what was chosen, or a note that there is nothing.
DIGEST, NOTE = "digest", "nothing"
OF_EDITIONS = frozenset({DIGEST, NOTE})


def mail_of(digest: Digest) -> str:
    """Return the folder of templates that a digest is made with."""
    return NOTE if digest.why_nothing else DIGEST


@dataclass(frozen=True, slots=True)
class Content:
    """A rendered mail."""

    subject: str
    text: str
    html: str


def fill(templates: Templates, name: str, mail: DigestView | MessageView) -> Content:
    """Fill the templates of the folder ``mail/<name>`` for a view. Raises TemplateError."""
    subject = templates.render(f"mail/{name}/subject.txt.j2", mail=mail)
    return Content(
        subject=" ".join(subject.split()),
        text=templates.render(f"mail/{name}/body.txt.j2", mail=mail),
        html=_html(templates, f"mail/{name}/body.mjml.j2", mail),
    )


def _html(templates: Templates, body: str, mail: DigestView | MessageView) -> str:
    try:
        return to_html(templates.render(body, mail=mail), including(templates, mail))
    except BrokenMjml as error:
        place = Place(body)
        if error.offset is not None:
            place = templates.trace(body, mail=mail).place(error.offset)
        raise TemplateError(place.template, place.line, str(error)) from error


def including(templates: Templates, mail: DigestView | MessageView) -> Callable[[str], str]:
    """Return what an mj-include gets: a template of that name, filled like any other."""
    return lambda path: templates.render(path.removeprefix("./"), mail=mail)
