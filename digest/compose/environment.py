"""Where templates come from, and how they are filled."""

import textwrap
import traceback
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2 import TemplateError as JinjaError
from jinja2.sandbox import SandboxedEnvironment

from digest.compose.source_map import LineMarks, Place, Rendered, read_marks
from digest.errors import TemplateError

# What an expression in a template can raise, and a file that is no UTF-8 or includes itself.
_FAULTS = (
    JinjaError,
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)


def built_in_templates() -> Path:
    """The templates of the checkout, or those that an installed package carries."""
    package = Path(__file__).parents[1]
    in_checkout = package.parent / "templates"
    return in_checkout if (in_checkout / "mail").is_dir() else package / "templates"


class Templates:
    """Jinja2 templates: sandboxed, escaped, and strict about names that do not exist.

    The operator's folder is looked in first; what it lacks is taken from the built-in set.
    """

    def __init__(self, own_folder: Path | None = None) -> None:
        built_in = built_in_templates()
        self._folders = [own_folder, built_in] if own_folder else [built_in]
        self._environment = SandboxedEnvironment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in self._folders]),
            # Not select_autoescape(): it is off for names that end in .mjml.j2.
            autoescape=lambda name: name is None or not name.endswith(".txt.j2"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            # An include ends with its line end. Without one, mrml (mjml-python 1.4) rejects the
            # blanks that are left between the included tag and the closing tag behind it.
            keep_trailing_newline=True,
        )
        self._environment.filters["fold"] = fold

        self._marking = self._environment.overlay(extensions=[LineMarks])

    def render(self, name: str, **values: Any) -> str:
        """The filled template. Raises TemplateError."""
        return self._render(self._environment, name, values)

    def trace(self, name: str, **values: Any) -> Rendered:
        """The filled template, and which lines wrote it. Raises TemplateError."""
        return read_marks(self._render(self._marking, name, values), name)

    def _render(self, environment: Environment, name: str, values: dict[str, Any]) -> str:
        try:
            return environment.get_template(name).render(values)
        except TemplateNotFound as error:
            raise TemplateError(name, 0, f"there is no template {error.message!r}") from error
        except TemplateSyntaxError as error:
            what = error.message or "not a template"
            raise TemplateError(error.name or name, error.lineno, what) from error
        except _FAULTS as error:
            place = self._place(error, name)
            raise TemplateError(place.template, place.line, str(error)) from error

    def _place(self, error: Exception, name: str) -> Place:
        """The innermost template in a trace, and the line: Jinja2 maps its code's lines back."""
        place = Place(name)
        for frame, line in traceback.walk_tb(error.__traceback__):
            file = Path(frame.f_code.co_filename)
            folder = next((each for each in self._folders if file.is_relative_to(each)), None)
            if folder:
                place = Place(file.relative_to(folder).as_posix(), line)
        return place


def fold(text: str, width: int) -> str:
    """Plain text in lines of at most ``width``, words and links kept whole."""
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)
