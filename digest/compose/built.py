"""Build the templates of an email once, and then only fill them.

An email is built for each sender and language, and again after a template has changed. The result
is kept on disk as well, so that a command can begin by filling it.
"""

import json
import os
import re
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
from jinja2 import BaseLoader, Environment

from digest.compose.ahead import compiled
from digest.compose.environment import FAULTS, Templates
from digest.compose.source_map import LineMarks, Place, read_marks
from digest.compose.stages import (
    DO,
    DO_END,
    KNOWN,
    NOTE,
    NOTE_END,
    PRINT,
    PRINT_END,
    CannotBuildError,
    Stages,
    put_back,
)
from digest.compose.view import AnyView
from digest.errors import TemplateError
from digest.ledger.atomic_file import read_cached, write_cached

SUBJECT, TEXT, HTML = "subject.txt.j2", "body.txt.j2", "body.mjml.j2"

_NUMBER = re.compile(f"{NOTE}([0-9]+)\n")
_MAKERS = ("jinja2", "mjml-python", "premailer", "cssutils")  # of what is built


@dataclass(frozen=True, slots=True)
class Part:
    """A template that was built, or ``why`` it cannot be, and where.

    ``places`` are those of its tags, by number.
    """

    source: str
    places: list[Place]
    why: str = ""


@dataclass(frozen=True, slots=True)
class NotBuilt:
    """The reason why a template cannot be built, and the place."""

    place: Place
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


class BuiltMail:
    """The templates of one email, for one sender and language."""

    def __init__(self, templates: Templates, name: str, known: dict[str, Any]) -> None:
        self._loader = _Recorder(templates)
        file = templates.cache and templates.cache / _file_name(templates, name, known)
        kept = _kept(file, templates, self._loader) if file else None
        self._parts = kept or {
            part: _build(templates, self._loader, f"mail/{name}/{part}", known)
            for part in (SUBJECT, TEXT, HTML)
        }
        self._filled = {  # by the names of files
            file_name: compiled(_environment(templates, file_name), part.source)
            for file_name, part in self._parts.items()
            if not part.why
        }
        if file and not kept:
            _keep(file, self._parts, self._loader)

    @property
    def is_current(self) -> bool:
        """Return whether the templates are as they were."""
        return self._loader.is_current

    @property
    def not_built(self) -> NotBuilt | None:
        """Return why the HTML goes through MJML for each email by itself; None if it does not."""
        part = self._parts[HTML]
        return NotBuilt(part.places[0], part.why) if part.why else None

    def fill(self, part: str, mail: AnyView) -> list[str] | None:
        """Fill a template, in pieces; None if it was not built. Raises TemplateError."""
        template = self._filled.get(part)
        if template is None:
            return None
        try:
            return [*template.generate(mail=mail)]
        except FAULTS as error:
            lines = [
                line
                for frame, line in traceback.walk_tb(error.__traceback__)
                if frame.f_code.co_filename == "<template>"
            ]
            place = _place(self._parts[part], lines[-1] if lines else 0)
            raise TemplateError(place.template, place.line, str(error)) from error


def built_mail(templates: Templates, name: str, mail: AnyView) -> BuiltMail:
    """Return the built templates of the email in the folder ``mail/<name>``."""
    known = {known: getattr(mail, known) for known in KNOWN}
    key = (name, *known.values())
    built: BuiltMail | None = templates.built.get(key)
    if built is None or not built.is_current:
        built = templates.built[key] = BuiltMail(templates, name, known)
    return built


class _Recorder(BaseLoader):
    """A loader that keeps what it has loaded."""

    def __init__(self, templates: Templates) -> None:
        assert templates.environment.loader
        self._loader = templates.environment.loader
        self._folders = [str(folder) for folder in templates.folders]
        self._look_every = templates.look_every
        self._look_at = 0.0
        self.sources: dict[str, str] = {}
        self._files: dict[str, tuple[str, int, int] | None] = {}

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        self._files[template] = self._file(template)
        found = self._loader.get_source(environment, template)
        self.sources[template] = found[0]
        return found

    @property
    def is_current(self) -> bool:
        """Return whether all files are as they were, and no other shadows one."""
        if (now := time.monotonic()) < self._look_at:
            return True
        self._look_at = now + self._look_every
        return all(self._file(template) == file for template, file in self._files.items())

    def _file(self, template: str) -> tuple[str, int, int] | None:
        for folder in self._folders:
            try:
                found = os.stat(f"{folder}/{template}")  # noqa: PTH116  quicker, and ten for each
            except OSError:
                continue
            return folder, found.st_mtime_ns, found.st_size
        return None


def _build(templates: Templates, loader: BaseLoader, name: str, known: dict[str, Any]) -> Part:
    environment = templates.environment.overlay(extensions=[Stages, LineMarks])
    environment.loader = loader
    stages = environment.extensions[Stages.identifier]
    assert isinstance(stages, Stages)
    stages.whole.add(name)
    stages.gettext = templates.language.translations.gettext

    environment_of_built = _environment(templates, name)
    try:
        marked = environment.get_template(name).render(mail=SimpleNamespace(**known))
        stages.check_constants()
        rendered = read_marks(marked, name)
        if name.endswith(HTML):
            from digest.compose.building import build_html  # noqa: PLC0415  slow to load

            source = build_html(rendered, stages, environment_of_built)
        else:
            source = put_back("".join(stages.first) + rendered.text, stages)
        environment_of_built.compile(source)
        return Part(source, [tag.place for tag in stages.marked])
    except CannotBuildError as error:
        return Part("", [error.place], str(error))
    except FAULTS as error:  # it shows in an email as well, in other words
        return Part("", [Place(name)], str(error))


def _environment(templates: Templates, name: str) -> Environment:
    """Return the environment of built templates: as that of others, but for how tags look."""
    return templates.environment.overlay(
        variable_start_string=PRINT,
        variable_end_string=PRINT_END,
        block_start_string=DO,
        block_end_string=DO_END,
        comment_start_string=NOTE,
        comment_end_string=NOTE_END,
        trim_blocks=False,
        lstrip_blocks=False,
        autoescape=name.endswith(HTML),
    )


def _place(part: Part, line: int) -> Place:
    """Return the place of the tag that stands in a line of what was built."""
    numbers = _NUMBER.findall("\n".join(part.source.split("\n")[:line]))
    return part.places[int(numbers[-1])] if numbers else Place("")


# ---- on disk -------------------------------------------------------------------------------------


def _file_name(templates: Templates, name: str, known: dict[str, Any]) -> str:
    """Return another name for everything but the templates that what is built depends on."""
    language = templates.language
    versions = [*map(version, _MAKERS), language.code, language.version, str(known)]
    digest = sha256("\n".join(versions).encode())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return f"{name}-{digest.hexdigest()[:24]}.json"


def _kept(file: Path, templates: Templates, loader: _Recorder) -> dict[str, Part] | None:
    """Return what was kept in a file, unless it is broken or a template has changed since."""
    content = read_cached(file)
    if content is None:
        return None
    sources, parts = json.loads(content)
    with suppress(jinja2.TemplateError):
        for template in sources:
            loader.get_source(templates.environment, template)
        if sources == loader.sources:
            return {
                name: Part(source, [Place(*place) for place in places], why)
                for name, (source, places, why) in parts.items()
            }
    return None


def _keep(file: Path, parts: dict[str, Part], loader: _Recorder) -> None:
    """Keep what was built; if that is not possible, each process builds for itself."""
    content = [loader.sources, {name: astuple(part) for name, part in parts.items()}]
    write_cached(file, json.dumps(content).encode())
