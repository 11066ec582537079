"""Load templates, and fill them."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

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
from jinja2.utils import missing

from digest.compose.announcement_text import Block, Line, Run
from digest.compose.card import CardView, Picture, Way
from digest.compose.folding import fold
from digest.compose.language import ENGLISH, Language
from digest.compose.languages import Languages
from digest.compose.markdown import markdown
from digest.compose.source_map import LineMarks, Place, Rendered, read_marks
from digest.compose.view import AnnouncementView, DigestView, Links, MessageView, SectionView
from digest.errors import TemplateError
from subscribers.sentences import said

# What an expression in a template can raise, and a file that is no UTF-8 or includes itself.
FAULTS = (
    JinjaError,
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)


_VIEWS = (
    AnnouncementView,
    Block,
    CardView,
    DigestView,
    Line,
    Links,
    MessageView,
    Picture,
    Run,
    SectionView,
    Way,
)
_FIELDS = {view: frozenset(get_type_hints(view)) for view in _VIEWS}


def built_in_templates() -> Path:
    """Return the templates of the checkout, or those that an installed package carries."""
    package = Path(__file__).parents[1]
    in_checkout = package.parent / "templates"
    return in_checkout if (in_checkout / "mail").is_dir() else package / "templates"


class _Unknown(StrictUndefined):
    """A name that does not exist, reported in an operator's words."""

    @property
    def _undefined_message(self) -> str:
        name, owner = self._undefined_name, self._undefined_obj
        if self._undefined_hint or not isinstance(name, str):
            return str(super()._undefined_message)
        if owner is missing:
            return f"there is nothing called {name}"
        public = [attribute for attribute in dir(owner) if not attribute.startswith("_")]
        known = _FIELDS.get(type(owner), public)
        alike = get_close_matches(name, known, n=1)
        meant = f": is {alike[0]} meant?" if alike else ""
        return f"a {type(owner).__name__.removesuffix('View').lower()} has no {name}{meant}"


class _Sandbox(SandboxedEnvironment):
    """The sandbox of Jinja2, past which our own views are read: that takes a third of the time."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        its_fields = _FIELDS.get(type(obj))
        if its_fields is None:
            return super().getattr(obj, attribute)
        if attribute in its_fields:
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)


class Templates:
    """Jinja2 templates: sandboxed, escaped, and strict about names that do not exist.

    ``folders`` are looked through in this order: the operator's, and for what it lacks the built-in
    set. Their messages are said in ``language``, the installation's; ``for_reader`` are the same
    templates in another one of the ``languages``, which has ``others`` as well. Whether files have
    changed is looked at every ``look_every`` seconds, which takes long for each email.
    """

    def __init__(
        self,
        own_folder: Path | None = None,
        language: Language = ENGLISH,
        cache: Path | None = None,
        *,
        for_chat: bool = False,
        others: Sequence[Language] = (),
        look_every: float = 0.0,
    ) -> None:
        self.language = language
        self.look_every = look_every
        self.languages = Languages(language, own_folder, others)
        self.cache = cache
        self._own_folder = own_folder
        self._for_chat = for_chat
        self._in_languages = {language.code: self}
        self.built: dict[Any, Any] = {}  # by built.py
        built_in = built_in_templates()
        self.folders = [own_folder, built_in] if own_folder else [built_in]
        if for_chat:  # what stands in their folder chat comes first
            self.folders = [*(folder / "chat" for folder in self.folders), *self.folders]
        self.environment = _Sandbox(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in self.folders]),
            # Not select_autoescape(): it is off for names that end in .mjml.j2.
            autoescape=lambda name: name is None or not name.endswith(".txt.j2"),
            undefined=_Unknown,
            trim_blocks=True,
            lstrip_blocks=True,
            # An include ends with its line end. Without one, mrml (mjml-python 1.4) rejects the
            # blanks that are left between the included tag and the closing tag behind it.
            keep_trailing_newline=True,
            extensions=["jinja2.ext.i18n"],
        )
        # A message may run over several lines of a template.
        self.environment.policies["ext.i18n.trimmed"] = True
        self.environment.install_gettext_callables(  # type: ignore[attr-defined]  # of i18n
            language.translations.gettext, language.translations.ngettext, newstyle=True
        )
        self.environment.filters |= {
            "fold": fold,
            "long_date": language.long_date,
            "medium_date": language.medium_date,
            "listed": language.listed,
            "markdown": markdown,
            "weekday": language.weekday,
            "number": language.number,
            "said": partial(said, language=language),
        }

        self._marking = self.environment.overlay(extensions=[LineMarks])

    def for_reader(self, locale: str | None, accepted: str = "") -> "Templates":
        """Return these templates in a reader's language, found as ``Languages.of_reader`` does."""
        if locale == self.language.code:
            return self
        found = self.languages.of_reader(locale, accepted)
        if found.code not in self._in_languages:
            self._in_languages[found.code] = Templates(
                self._own_folder,
                found,
                self.cache,
                for_chat=self._for_chat,
                look_every=self.look_every,
            )
        return self._in_languages[found.code]

    def render(self, name: str, **values: Any) -> str:
        """Fill a template. Raises TemplateError."""
        return self._render(self.environment, name, values)

    def trace(self, name: str, **values: Any) -> Rendered:
        """Fill a template, and tell which lines wrote what. Raises TemplateError."""
        return read_marks(self._render(self._marking, name, values), name)

    def _render(self, environment: Environment, name: str, values: dict[str, Any]) -> str:
        with self._as_template_error(name):
            return environment.get_template(name).render(values)

    @contextmanager
    def _as_template_error(self, name: str) -> Iterator[None]:
        """Raise TemplateError for whatever is wrong with the template of that name."""
        try:
            yield
        except TemplateNotFound as error:
            raise TemplateError(name, 0, f"there is no template {error.message!r}") from error
        except TemplateSyntaxError as error:
            what = error.message or "not a template"
            raise TemplateError(error.name or name, error.lineno, what) from error
        except FAULTS as error:
            place = self._place(error, name)
            raise TemplateError(place.template, place.line, str(error)) from error

    def _place(self, error: Exception, name: str) -> Place:
        """Find the innermost template in a trace, and the line: Jinja2 maps its lines back."""
        place = Place(name)
        for frame, line in traceback.walk_tb(error.__traceback__):
            file = Path(frame.f_code.co_filename)
            folder = next((known for known in self.folders if file.is_relative_to(known)), None)
            if folder:
                place = Place(file.relative_to(folder).as_posix(), line)
        return place
