"""`digest embed`: the sign-up form, to paste into a page of another site."""

from typing import Annotated

import typer

from digest.app.app import App
from digest.cli.terminal import MoreTopics, Topics, fail, misused, out, read_topics, warn
from digest.settings.settings import variable
from digest.web.embed import snippet
from digest.web.site import page_renderer

LANGUAGE = "Language of the form and of the reader, such as de. Default: DIGEST_LANGUAGE."


def embed(
    language: Annotated[str | None, typer.Option(metavar="TAG", help=LANGUAGE)] = None,
    topic: Topics = None,
    more: MoreTopics = None,
) -> None:
    """Print the sign-up form as HTML, to paste into a page of another site.

    Topics that you give are ticked on it; without any, readers type their own. Put the site into
    DIGEST_EMBED_ORIGINS.

    $ digest embed
    $ digest embed --language de --topic robots --topic agents
    """
    app = App()
    if app.settings.base_url == "":
        fail(f"{variable('base_url')} is none: without pages there is nothing to sign up at")
    templates, identity = app.templates, app.identity
    if language and not templates.languages.speaks(language):
        misused(
            f"--language {language} is not spoken here; choose one of "
            f"{', '.join(templates.languages.codes)}"
        )
    render = page_renderer(templates, identity)
    out.print(snippet(render, templates.languages, identity, language, read_topics(topic, more)))
    if not app.settings.embed_origins:
        warn(
            f"{variable('embed_origins')} is not set: people who send this form have to "
            "press Subscribe once more, on your own page"
        )
