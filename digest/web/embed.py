"""The sign-up form for a page of another site: plain HTML, in one language."""

from collections.abc import Sequence

from digest.compose.from_identity import FromIdentity
from digest.compose.languages import Languages
from digest.web.visit import Visit
from subscribers.topics import TopicFilter
from subscribers.web.page_context import Render


def snippet(
    render: Render,
    languages: Languages,
    identity: FromIdentity,
    locale: str | None,
    topics: Sequence[TopicFilter] = (),
) -> str:
    """Return the form in the language of a tag, None for the installation's; ``topics`` are ticked.

    It leads to our pages in that language, whatever the reader's browser accepts.
    """
    language = languages.of_reader(locale)
    visit = Visit(languages, identity, language, prefix=f"/{language.code}")
    return render("pages/embed.html.j2", visit, topics=topics)
