"""Find the papers of an edition that are by those whom readers follow. Pure.

Readers follow many more people than write on one day, so what is followed is looked up by its
words among the edition's names, once for all readers that follow it.
"""

from collections import defaultdict
from collections.abc import Sequence

from digest.model.digests import Candidate
from digest.rank.names import Organisation, Person, organisation, person
from subscribers.follows import Follow, FollowKind


class Followed:
    """The authors and organisations of some candidates, which are named by their number."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._authors: dict[str, list[tuple[Person, int]]] = defaultdict(list)
        self._organisations: dict[Organisation, list[int]] = defaultdict(list)
        for number, candidate in enumerate(candidates):
            for author in map(person, candidate.facts.authors):
                for word in author.words:
                    self._authors[word].append((author, number))
            if name := candidate.facts.organisation:
                self._organisations[organisation(name)].append(number)
        self._found: dict[Follow, tuple[int, ...]] = {}

    def by(self, follow: Follow) -> tuple[int, ...]:
        """Return the candidates by an author or an organisation, in their order."""
        if follow not in self._found:
            find = self._by_author if follow.kind is FollowKind.AUTHOR else self._by_organisation
            self._found[follow] = tuple(sorted(find(follow.name)))
        return self._found[follow]

    def _by_author(self, name: str) -> set[int]:
        wanted = person(name)
        # Two names of one person share a word: see Person.may_be.
        return {
            number
            for word in wanted.words
            for author, number in self._authors.get(word, ())
            if wanted.may_be(author)
        }

    def _by_organisation(self, name: str) -> set[int]:
        wanted = organisation(name)
        return {
            number
            for other, numbers in self._organisations.items()
            if wanted.is_in(other)
            for number in numbers
        }
