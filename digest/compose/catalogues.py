"""The catalogues of the mails' sentences, brought up to what templates and code say now.

    python -m digest.compose.catalogues [FILE.po ...]

keeps every translation, adds what is new, empty, and drops what is said nowhere any more. Without
files, these are the shipped ones; a file that is not there yet is made, for a new language.
"""

import io
import sys
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from digest.compose.environment import built_in_templates
from digest.compose.language import catalogues

WIDTH = 96
_HEADER = """\
# The sentences of the emails. To bring them up to date: python -m digest.compose.catalogues
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: {language}\\n"
"Plural-Forms: {plurals}\\n"

"""
# As the environment of the templates is set up.
_TEMPLATES = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}


def messages() -> Catalog:
    """Collect every sentence that a mail may say, with the files that say it."""
    found = Catalog()
    code, templates = Path(__file__).parents[1], built_in_templates() / "mail"
    for folder, pattern, method in (
        (code, "**.py", "python"),
        (templates, "**.j2", "jinja2.ext:babel_extract"),
    ):
        options = {pattern: _TEMPLATES} if folder == templates else {}
        for file, _, message, _, context in extract_from_dir(folder, [(pattern, method)], options):
            # No line numbers: a catalogue is to change with the sentences only.
            name = (Path(folder.name) / file).as_posix()
            found.add(message, locations=[(name, 0)], context=context)
    return found


def merged(catalogue: Catalog, now_said: Catalog) -> str:
    """Write a catalogue that has the messages of ``now_said``, and nothing else."""
    catalogue.update(now_said, no_fuzzy_matching=True)
    body = io.BytesIO()
    write_po(body, catalogue, WIDTH, omit_header=True, ignore_obsolete=True, include_lineno=False)
    header = _HEADER.format(
        language=str(catalogue.locale).replace("_", "-"), plurals=catalogue.plural_forms
    )
    return header + body.getvalue().decode().strip() + "\n"


def read(file: Path) -> Catalog:
    """Read the catalogue in a file, empty if there is none; its name tells the language."""
    octets = file.read_bytes() if file.exists() else b""
    return read_po(io.BytesIO(octets), Locale.parse(file.stem, sep="-"), abort_invalid=True)


if __name__ == "__main__":
    for path in [Path(name) for name in sys.argv[1:]] or catalogues():
        path.write_text(merged(read(path), messages()), encoding="utf-8")
        print(path)
