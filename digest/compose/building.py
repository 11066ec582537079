"""The HTML template of a mail: MJML with marks goes through MJML and premailer once.

Where it has choices, it goes with each text that these can be; where the documents differ, the
template gets conditions.
"""

import re
from collections.abc import Sequence
from itertools import product, zip_longest
from math import prod

from jinja2 import Environment, nodes

from digest.compose.html import BrokenMjml, inlined, responsive
from digest.compose.marked_mjml import Choice, MarkedMjml
from digest.compose.mjml_tags import first_fault
from digest.compose.source_map import Place, Rendered
from digest.compose.stages import DO, DO_END, MARK, CannotBuildError, Stages, put_back

MOST_DOCUMENTS = 16  # that are made of one template

_NOT_BUILT = re.compile("mj-include|j(?:tag|opt|val)[0-9]+z")  # the second are our own marks
_ROOT = re.compile(r"<mjml\b.*</mjml>", re.DOTALL)
_BODY = re.compile(r"<mj-body\b(?:\"[^\"]*\"|[^>\"])*>")
_TOP = re.compile(r"<!--jtop-->(.*?)<!--jend-->", re.DOTALL)

# Marks as they come out: those that must, those outside of choices, and all with their wrapping.
_CARRIED = re.compile("j(?:tag|opt)([0-9]+)z")
_ALWAYS = re.compile("(<!--jtag[0-9]+z-->|jtag[0-9]+z)")
_WRAPPED = re.compile(r"<!--jtag([0-9]+)z-->|j(?:tag|opt|val)([0-9]+)z")
_TITLE_AGAIN = re.compile(r" aria-label=\"[^\"]*\"")
# MJML puts some comments inside of those for Outlook, where lxml would take them for the end.
_FOR_OUTLOOK = re.compile(r"<!--\[if[^\]]*\]>(?!<!-->).*?<!\[endif\]-->", re.DOTALL)
_COMMENTED = re.compile(r"<!--(jtag[0-9]+z)-->")


def build_html(rendered: Rendered, stages: Stages, environment: Environment) -> str:
    """Return the source of the HTML template that marked MJML makes.

    ``environment`` is that of built templates. Raises CannotBuildError.
    """
    if found := _NOT_BUILT.search(rendered.text):
        what = f"{found[0]} is not built: write {{% include %}}, or another word"
        raise CannotBuildError(what, rendered.place(found.start()))
    marked = MarkedMjml(stages, environment)
    try:
        top, document, end = _parted(rendered.text, stages)
        marked.read(document)
        for css in marked.moving_styles():
            what = "a selector that goes by place, or by what is around a macro: use a class"
            raise CannotBuildError(what, _place(rendered, css))
        html = _merged(marked.parts, stages)
    except BrokenMjml as error:
        fault = first_fault(rendered.text)
        place = rendered.place(fault.offset if fault else 0)
        raise CannotBuildError(f"{fault.what if fault else error}", place) from error
    first = "".join([*stages.first, *marked.first, top])
    if hoisted := _TOP.search(html):
        first += hoisted[1].strip()
        html = html[: hoisted.start()] + html[hoisted.end() :]
    first, end = (MARK.sub(r"jtag\1z", marks) for marks in (first, end))
    source = put_back(first + html + end, stages, _WRAPPED)
    choices = {part.name: part for part in marked.parts if isinstance(part, Choice)}
    if unset := _unset(environment.parse(source), set(choices)):
        what = "what depends on this stands elsewhere: write a component for each branch"
        raise CannotBuildError(what, choices[unset].place)
    return source


def _unset(node: nodes.Node, unset: set[str]) -> str:
    """Return a name that is used outside of the block that sets it; ``unset`` are all names."""
    parts = (node.body, node.elif_, node.else_) if isinstance(node, nodes.If) else ()
    branches = [nodes.Template(list(part)) for part in parts]
    for child in [node.test, *branches] if isinstance(node, nodes.If) else node.iter_child_nodes():
        if isinstance(child, nodes.AssignBlock) and isinstance(child.target, nodes.Name):
            unset.discard(child.target.name)
        elif isinstance(child, nodes.Name) and child.name in unset:
            return child.name
        elif found := _unset(child, set(unset)):
            return found
    return ""


def _place(rendered: Rendered, text: str) -> Place:
    return rendered.place(max(0, rendered.text.find(text)))


def _parted(mjml: str, stages: Stages) -> tuple[str, str, str]:
    """Return what stands before the document, the document, and what stands behind it.

    What texts stand before it, as in macros, are put into the document, to be treated as its are.
    """
    root = _ROOT.search(mjml)
    if root is None:
        raise BrokenMjml("there is no <mjml>", 0)
    top, document, end = mjml[: root.start()], root[0], mjml[root.end() :]
    if MARK.sub("", end).strip() or _printed(top, stages).strip():
        raise BrokenMjml("text outside of <mjml>", root.end())
    if not MARK.sub("", top).strip():
        return top.strip(), document, end.strip()
    raw = f"<mj-raw><!--jtop-->{top}<!--jend--></mj-raw>"
    return "", _BODY.sub(lambda body: body[0] + raw, document, count=1), end.strip()


def _printed(text: str, stages: Stages) -> str:
    """Return what of a text stands in no macro and is not set."""
    printed, depth = "", 0
    for number, part in enumerate(MARK.split(text)):
        if number % 2:
            word = stages.marked[int(part)].word
            depth += (word in {"macro", "capture"}) - (word in {"endmacro", "endset"})
        elif not depth:
            printed += part
    return printed


def _merged(parts: Sequence[str | Choice], stages: Stages) -> str:
    """Return the HTML of a document, with conditions for what differs by choices."""
    choices = [part for part in parts if isinstance(part, Choice)]
    if prod(len(choice.texts) for choice in choices) > MOST_DOCUMENTS:
        what = f"more than {MOST_DOCUMENTS} ways to choose texts that MJML or CSS must know"
        raise CannotBuildError(what, choices[-1].place)
    made = {}
    for numbers in product(*(range(len(choice.texts)) for choice in choices)):
        chosen = iter(choice.texts[number] for choice, number in zip(choices, numbers, strict=True))
        mjml = "".join(part if isinstance(part, str) else next(chosen) for part in parts)
        made[numbers] = _ALWAYS.split(_made(mjml, stages))
    first, *others = made.values()
    if any(other[1::2] != first[1::2] for other in others):
        raise CannotBuildError("a choice moves other tags", choices[0].place)
    merged = first.copy()
    for place in range(0, len(first), 2):
        texts = {numbers: segments[place] for numbers, segments in made.items()}
        merged[place] = _with_conditions(texts, choices)
    return "".join(merged)


def _with_conditions(
    texts: dict[tuple[int, ...], str], choices: Sequence[Choice], chosen: tuple[int, ...] = ()
) -> str:
    """Return a text that depends on choices, of which the first ones are chosen."""
    if len(chosen) == len(choices):
        return texts[chosen]
    choice = choices[len(chosen)]
    branches = [
        _with_conditions(texts, choices, (*chosen, number)) for number in range(len(choice.texts))
    ]
    if len(set(branches)) == 1:
        return branches[0]
    *tested, last = branches
    conditions = "".join(
        f"{DO}{'elif' if number else 'if'} {choice.test(number)}{DO_END}{branch}"
        for number, branch in enumerate(tested)
    )
    return f"{conditions}{DO}else{DO_END}{last}{DO}endif{DO_END}"


def _made(mjml: str, stages: Stages) -> str:
    """Return the HTML of a document with marks, each of which has come through."""
    html = inlined(
        _FOR_OUTLOOK.sub(lambda found: _COMMENTED.sub(r"\1", found[0]), responsive(mjml))
    )
    wanted, found = _CARRIED.findall(mjml), _CARRIED.findall(_TITLE_AGAIN.sub("", html))
    # A value may come out twice, or in another order than the attributes around it.
    lost = [number for number in wanted if number not in set(found)]
    for before, after in zip_longest(*(_statements(marks, stages) for marks in (wanted, found))):
        if before != after:
            lost.append(before or after)
    if lost:
        tag = stages.marked[int(lost[0])]
        raise CannotBuildError(f"MJML or CSS does not carry {tag} here", tag.place)
    return html


def _statements(numbers: Sequence[str], stages: Stages) -> list[str]:
    return [number for number in numbers if stages.marked[int(number)].word]
