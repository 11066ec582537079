"""Read the words of a topic: its concepts, and the other forms that papers may use. Pure.

"hallucination in MLLMs" has two concepts; the second is also written "multimodal large language
models". Other forms are the long form of an abbreviation and the other way round, words written
together or apart (multiagent, multi-agent), and the likely spelling of a word that no paper has.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from itertools import pairwise

from digest.rank.reference_corpus import ReferenceCorpus
from digest.rank.words import spelt_stems, stem_of, stems

# Said around a topic, and no part of it.
_POLITE = re.compile(
    r"""^(?:(?:can|could|would)\ you\ )?(?:please\ )?(?:show|send|give|tell|find|get)\ (?:me|us)\b
    | \bwhat(?:'s|\ is|\ are)(?:\ the)?(?:\ (?:new|newest|latest|happening|going\ on))?\b
    | \bI(?:\ am|'m|\ would|'d|\ want|\ need|\ like|\ work)?\b
      (?:\ (?:also|very|really|mainly|mostly|most|interested|interest|like|want|looking|to\ see
      |to\ read|to\ hear|to\ know|to\ learn|to\ follow|keep\ up))*
    | \b(?:papers|articles|publications|preprints|works?|studies|research|results|progress|advances
      |developments|updates|news|anything|everything|something|stuff|things?|all|more)\b
      (?=\ (?:new\ )?(?:about|on|in|regarding|concerning|related|around|that|which|with)\b)
    | \b(?:latest|newest|recent|current|new)\ (?:papers|articles|publications|preprints|works?
      |studies|research|results|progress|advances|developments|updates|news|trends)\b
    | \bnew\b(?=\ (?:about|on|in|from)\b)
    | \b(?:ways?|methods?|techniques?|approaches|applications?|uses?)\b(?=\ (?:of|for|to)\b)
    | \b(?:is|are|be|being|get|gets)\ (?:used|applied|made|done)\b
    | \bfollow\b(?=\ (?:how|what|the|all|new|work|research|papers)\b)
    | \b(?:the\ latest|anything|related\ to|and\ how\ (?:it|they)\ works?)\b
    | \b(?:please|thanks?|am|about|any|some|me|my|we|us|you|he|she|them|they|there|not|but|if|so
      |more|most|also|does|did|make|makes|making|good|better|best|should|could|would)\b(?!-)""",
    re.IGNORECASE | re.VERBOSE,
)
_BREAK = re.compile(r"\b(?:in|for|with|on|using|by|via|under)\b(?!-)", re.IGNORECASE)
_EITHER = re.compile(r"[,;/]|\b(?:or|versus|vs)\b", re.IGNORECASE)
_JOINERS = {"of": "in", "and": "or", "&": "or"}
_JOINER = re.compile(r"(?<!\S)(?:of|and|&)(?!\S)", re.IGNORECASE)
# The field that all papers are of: beside another concept it tells nothing.
_FIELD = frozenset(
    tuple(stems(name))
    for name in ("AI", "artificial intelligence", "machine learning", "ML", "deep learning")
)
# Papers say "large language model" for nearly every language model, or LLM.
_LANGUAGE_MODEL = stems("language model")
_OTHER_KINDS = stems("large vision")
_LONGEST_RUN = 8  # words that are looked up as an abbreviation's long form
_MOST_FORMS = 8  # of one concept
_FAMILIAR = 2  # papers that have a word, for it not to be misspelt
# What the stemmer leaves of endings in one family: medical and medicine, finance and financial.
_ENDINGS = ("", "i", "in")
_SHORTEST_ROOT = 5  # letters
_SHORTEST_GUESS = 5  # letters of a stem whose spelling is guessed
_MOST_SLIPS = 2  # letters too many or too few
_ALIKE = 0.83  # similarity of two spellings, by difflib's measure

Form = tuple[str, ...]  # stems, in order


@dataclass(frozen=True, slots=True)
class TopicWords:
    """A topic in stems.

    ``concepts`` are its parts, each with all forms that it may have in a paper. ``stems`` are the
    words of those forms that the corpus knows best, as typed where it knows them.
    """

    stems: Form
    concepts: tuple[tuple[Form, ...], ...]

    @classmethod
    def of(cls, text: str, corpus: ReferenceCorpus) -> "TopicWords":
        """Read the text of a topic, without what is only said around it."""
        own: list[str] = []
        concepts = []
        known = partial(_known, corpus)
        for part in _BREAK.split(_marked(_POLITE.sub(" ", text), corpus)):
            concept: list[Form] = []
            for words in map(spelt_stems, _EITHER.split(part)):
                if words:
                    forms = _forms(words, corpus)
                    own += max(forms, key=known)
                    concept += forms
            if concept:
                concepts.append(tuple(concept))
        telling = [concept for concept in concepts if concept[0] not in _FIELD]
        concepts = telling or concepts
        if not own and (words := spelt_stems(text)):  # nothing else is said
            own, concepts = [stem for stem, _ in words], [_forms(words, corpus)]
        return cls(tuple(dict.fromkeys(own)), tuple(concepts))


def _marked(text: str, corpus: ReferenceCorpus) -> str:
    """Write "of" and "and" as what parts concepts and their names.

    They stay in "mixture of experts", "search and rescue": words that papers join in this way.
    """

    def mark(found: re.Match[str]) -> str:
        before, after = spelt_stems(text[: found.start()]), spelt_stems(text[found.end() :])
        joined = before and after and corpus.papers_with(f"{before[-1][0]} {after[0][0]}")
        return found[0] if joined else _JOINERS[found[0].casefold()]

    return _JOINER.sub(mark, text)


def _forms(words: Sequence[tuple[str, str]], corpus: ReferenceCorpus) -> tuple[Form, ...]:
    """Return the ways to write a concept, given as stems with their spelling; as typed first."""
    typed = tuple(stem for stem, _ in words)
    forms = [typed]
    for start, end, other in _replacements(words, corpus):
        forms.append((*typed[:start], *other, *typed[end:]))
    return tuple(dict.fromkeys(forms))[:_MOST_FORMS]


def _known(corpus: ReferenceCorpus, form: Form) -> float:
    """Return the part of a form's words that are familiar."""
    return sum(corpus.papers_with(stem) >= _FAMILIAR for stem in form) / len(form)


def _replacements(
    words: Sequence[tuple[str, str]], corpus: ReferenceCorpus
) -> Iterator[tuple[int, int, Form]]:
    """Yield the start and end of runs of words that have another form, and that form."""
    typed = [stem for stem, _ in words]
    for start in range(len(typed)):
        for end in range(start + 1, min(start + _LONGEST_RUN, len(typed)) + 1):
            if other := corpus.other_forms.get(tuple(typed[start:end])):
                yield start, end, tuple(other)
    yield from _language_models(typed)
    for place, ((_, first), (_, second)) in enumerate(pairwise(words)):
        if corpus.papers_with(joined := stem_of(first + second)):
            yield place, place + 2, (joined,)
    for place, (stem, word) in enumerate(words):
        if apart := _apart(word, corpus):
            yield place, place + 1, apart
        for relative in _relatives(stem, corpus):
            yield place, place + 1, (relative,)
        is_known = apart or corpus.papers_with(stem) >= _FAMILIAR
        if not is_known and (likely := likely_spelling(stem, corpus)):
            yield place, place + 1, (likely,)


def _language_models(typed: Sequence[str]) -> Iterator[tuple[int, int, Form]]:
    """Yield the other names of language models, where a topic names these and no other kind."""
    for start, (before, *run) in enumerate(zip(["", *typed], typed, typed[1:], strict=False)):
        if run == _LANGUAGE_MODEL and before not in _OTHER_KINDS:
            yield start, start + 2, ("llm",)
            yield start, start + 2, ("larg", *run)


def _relatives(stem: str, corpus: ReferenceCorpus) -> list[str]:
    """Return stems of the same family that papers have: those of "financial" for "finance"."""
    roots = [stem.removesuffix(ending) for ending in _ENDINGS if stem.endswith(ending)]
    family = [root + end for root in roots if len(root) >= _SHORTEST_ROOT for end in _ENDINGS]
    return [
        word
        for word in dict.fromkeys(family)
        if word != stem and corpus.papers_with(word) >= _FAMILIAR
    ]


def _apart(word: str, corpus: ReferenceCorpus) -> Form:
    """Return the two words that papers have side by side where a topic has one, or none."""
    pairs = [
        (first, stem_of(word[place:]))
        for place in range(2, len(word) - 1)
        if corpus.papers_with(first := stem_of(word[:place]))
    ]
    return max(
        (pair for pair in pairs if corpus.papers_with(" ".join(pair))),
        key=lambda pair: corpus.papers_with(" ".join(pair)),
        default=(),
    )


def likely_spelling(stem: str, corpus: ReferenceCorpus) -> str:
    """Return the known stem that an unknown one is likely to be meant as, or ""."""
    if len(stem) < _SHORTEST_GUESS:
        return ""
    familiar = corpus.familiar.get(stem[0], ())
    alike = [word for word in familiar if abs(len(word) - len(stem)) <= _MOST_SLIPS]
    return next(iter(get_close_matches(stem, alike, 1, _ALIKE)), "")
