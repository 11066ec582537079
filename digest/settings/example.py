"""Write config.example.env from the table of settings."""

import ast
import inspect
import textwrap
from dataclasses import fields
from itertools import pairwise

from digest.settings.settings import Settings, variable


def descriptions() -> dict[str, str]:
    """Return the text below each setting in the table, by field name.

    Python drops these texts, as it does comments, so they are read from the source.
    """
    (table,) = ast.parse(inspect.getsource(Settings)).body
    return {
        ast.unparse(row.target): " ".join(ast.literal_eval(below.value).split())
        for row, below in pairwise(ast.iter_child_nodes(table))
        if isinstance(row, ast.AnnAssign) and isinstance(below, ast.Expr)
    }


def example_env() -> str:
    """Return the text of config.example.env."""
    lines = [
        "# Settings of Paper Digest. Copy this file to .env, and uncomment what you change.",
        "# The environment wins over the file. Made by: digest config --example",
    ]
    about = descriptions()
    for row in fields(Settings):
        text = about[row.name]
        if row.metadata["secret"]:
            text += f" Or set {variable(row.name)}_FILE to a file that holds it."
        lines += ["", *(f"# {line}" for line in textwrap.wrap(text, 88))]
        lines.append(f"#{variable(row.name)}={row.metadata['example']}")
    return "\n".join(lines) + "\n"
