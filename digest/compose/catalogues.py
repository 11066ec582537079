"""Make, update and check catalogues: the translations of what emails, pages and code say.

    python -m digest.compose.catalogues make CODE [FOLDER]
    python -m digest.compose.catalogues update [FILE ...]
    python -m digest.compose.catalogues check [FILE ...]

``make`` begins one for a new language, empty. ``update`` keeps every translation, adds what is new,
empty, and drops what is said nowhere any more. ``check`` reports what is missing or wrong, and
fails if there is anything. Without files, these are the shipped ones; without a command, they are
updated.
"""

import io
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import PoFileError, read_po, write_po

from digest.compose.environment import built_in_templates
from digest.compose.language import SHIPPED, catalogues, faults, forms

WIDTH = 96
_HEADER = """\
# The sentences of emails and pages. To bring them up to date: python -m digest.compose.catalogues
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: {language}\\n"
"Plural-Forms: {plurals}\\n"

"""
# As the environment of the templates is set up.
_TEMPLATES = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}
_MARKUP = re.compile(r"<[^<>]*>|&#?\w+;")
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_NUMBERS = frozenset({"count", "num"})  # which a form for one number alone may say in a word


# What holds a message for readers, and is not a function that translates it.
_SENTENCES = (
    "Sentence AddressError TopicError PreferenceError ConsentError ElsewhereError ProofError "
    "TokenError SubscriberError WrongFieldError HeaderError LineError"
).split()
_KEYWORDS = {**DEFAULT_KEYWORDS, **dict.fromkeys(_SENTENCES)}


def messages() -> Catalog:
    """Collect every sentence that an email or a page may say, with the files that say it."""
    found = Catalog()
    code, templates = Path(__file__).parents[1], built_in_templates()
    for folder, pattern, method, options in (
        (code, "**.py", "python", {}),
        (code.parent / "subscribers", "**.py", "python", {}),
        (templates / "mail", "**.j2", "jinja2.ext:babel_extract", {"**.j2": _TEMPLATES}),
        (templates / "pages", "**.j2", "jinja2.ext:babel_extract", {"**.j2": _TEMPLATES}),
    ):
        for file, _, message, _, context in extract_from_dir(
            folder, [(pattern, method)], options, _KEYWORDS
        ):
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


def report(catalogue: Catalog, now_said: Catalog) -> Iterator[str]:
    """Yield what is missing or wrong in a catalogue, a line for each message."""
    by_id = {_key(message.id): message for message in catalogue if message.id}
    said = [message for message in now_said if message.id]
    for message in said:
        known = by_id.pop(_key(message.id), None)
        if known is None or not all(forms(known.string)):
            yield f"not translated: {_short(message)}"
        else:
            yield from (f"line {known.lineno}: {what}" for what in _wrong(known, catalogue))
    yield from (f"no longer said: {_short(message)}" for message in by_id.values())


def _wrong(message: Message, catalogue: Catalog) -> Iterator[str]:
    if message.fuzzy:
        yield f"marked as unsure: {_short(message)}"
    yield from faults(message)
    source, said = forms(message.id)[-1], forms(message.string)
    is_plural = not isinstance(message.id, str)
    if is_plural and len(said) != catalogue.num_plurals:
        yield f"{len(said)} plural forms, expected {catalogue.num_plurals}: {_short(message)}"
    for number, form in enumerate(said):
        missing = set(_PLACEHOLDER.findall(source)) - set(_PLACEHOLDER.findall(form))
        if number < len(said) - 1:
            missing -= _NUMBERS
        if missing:
            yield f"{form!r} lacks {', '.join(sorted(missing))}"
        if Counter(_MARKUP.findall(source)) != Counter(_MARKUP.findall(form)):
            yield f"{form!r} has other markup than {source!r}"
        if form != form.strip() and source == source.strip():
            yield f"{form!r} begins or ends with a blank"


def _key(message_id: str | Sequence[str]) -> tuple[str, ...]:
    return tuple(forms(message_id))


def _short(message: Message) -> str:
    return repr(forms(message.id)[0])


# ---- the command ---------------------------------------------------------------------------------


def make(code: str, folder: str = "") -> int:
    """Begin a catalogue in a folder, by default among the shipped ones."""
    file = Path(folder or SHIPPED) / f"{code}.po"
    try:
        Locale.parse(code, sep="-")
    except (ValueError, UnknownLocaleError):
        print(f"{code!r} is no language like pl or pt-BR", file=sys.stderr)
        return 1
    if file.exists():
        print(f"{file} is there already: update it", file=sys.stderr)
        return 1
    file.parent.mkdir(parents=True, exist_ok=True)
    return update(str(file))


def update(*files: str) -> int:
    """Bring catalogues up to date with what is said now."""
    now_said = messages()
    for file in map(Path, files or map(str, catalogues())):
        file.write_text(merged(read(file), now_said), encoding="utf-8")
        print(file)
    return 0


def check(*files: str) -> int:
    """Report what is missing or wrong in catalogues; return 1 if there is anything."""
    now_said = messages()
    total, is_fine = len(now_said), True
    for file in map(Path, files or map(str, catalogues())):
        try:
            found = list(report(read(file), now_said))
        except PoFileError as error:
            found = [f"line {error.lineno + 1}: {error.args[0]}"]
        missing = sum(line.startswith("not translated") for line in found)
        print(f"{file}: {total - missing} of {total} translated, {len(found) - missing} faults")
        print(*(f"  {line}\n" for line in found), sep="", end="")
        is_fine = is_fine and not found
    return 0 if is_fine else 1


_COMMANDS: dict[str, Callable[..., int]] = {"make": make, "update": update, "check": check}


def main(*arguments: str) -> int:
    """Do what the arguments say."""
    command, *rest = arguments or ("update",)
    if command not in _COMMANDS or (command == "make" and len(rest) not in {1, 2}):
        print(__doc__, file=sys.stderr)
        return 2
    return _COMMANDS[command](*rest)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
