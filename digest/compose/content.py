"""A mail's three texts, from the folder of templates that is its own."""

from dataclasses import dataclass

from digest.compose.environment import Templates
from digest.compose.html import to_html
from digest.compose.view import DigestView, LetterView


@dataclass(frozen=True, slots=True)
class Content:
    """A rendered mail."""

    subject: str
    text: str
    html: str


def fill(templates: Templates, name: str, mail: DigestView | LetterView) -> Content:
    """The mail of the folder ``mail/<name>``, for a view. Raises TemplateError."""
    subject = templates.render(f"mail/{name}/subject.txt.j2", mail=mail)
    body = f"mail/{name}/body.mjml.j2"
    return Content(
        subject=" ".join(subject.split()),
        text=templates.render(f"mail/{name}/body.txt.j2", mail=mail),
        html=to_html(templates.render(body, mail=mail), body),
    )
