"""Fill what the model is asked: templates that operators can change."""

from contextlib import suppress
from hashlib import sha256

from babel import Locale, UnknownLocaleError

from digest.compose.environment import Templates
from digest.model.papers import Facts
from digest.model.wording import truncate
from digest.summaries.answers import Source
from digest.summaries.chat import Prompt

PAPER, TOPIC = "prompts/paper", "prompts/topic"
LONGEST_ABSTRACT = 4000  # characters that are sent
PAPERS_LANGUAGE = "en"


class Prompts:
    """The requests, filled from an operator's templates or the built-in ones."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    def of_paper(self, source: Source, language: str) -> Prompt:
        """Ask for a sentence in a language; for the title too if papers are in another.

        Raises TemplateError.
        """
        return self._filled(
            PAPER,
            title=source.title,
            abstract=source.abstract,
            language=_name_of(language),
            with_title=not is_of_papers(language),
        )

    def of_topic(self, topic: str, language: str) -> Prompt:
        """Ask for a topic in the language of papers. Raises TemplateError."""
        wanted = _name_of(PAPERS_LANGUAGE)
        return self._filled(TOPIC, topic=topic, language=_name_of(language), wanted=wanted)

    def _filled(self, folder: str, **values: object) -> Prompt:
        parts = (f"{folder}/{part}.txt.j2" for part in ("instructions", "text"))
        return Prompt(*(self._templates.render(name, **values).strip() for name in parts))


def _name_of(language: str) -> str:
    """Return the English name of a language, as models know it."""
    with suppress(ValueError, UnknownLocaleError):
        return Locale.parse(language, sep="-").get_display_name("en") or language
    return language


def version_of(prompt: Prompt, source: Source) -> str:
    """Return a name for the wording of a request, the same for all papers in one language."""
    text = prompt.text.replace(source.title, "").replace(source.abstract, "")
    return sha256(f"{prompt.instructions}\0{text}".encode()).hexdigest()[:12]


def source_of(facts: Facts) -> Source:
    """Return what is told of a paper: its title, and its abstract up to a length."""
    return Source(facts.title, truncate(facts.abstract, LONGEST_ABSTRACT))


def is_of_papers(language: str) -> bool:
    """Return whether papers are in a language."""
    return language.partition("-")[0] == PAPERS_LANGUAGE
