"""How well and how fast the ranking ranks: `python -m tests.bench.bench_rank FOLDER…`.

The folders hold recorded answers of Hugging Face (hf_daily). Their keywords, and
the summaries that were written with these in mind, are hidden from the ranking. They serve as weak
labels: a paper is relevant to a topic if a keyword of it says so. Each
topic is asked as people type it, in other words, in sentences, and by a few liked papers; others
are of two concepts, or broad. Half of the labelled papers are ranked, the rest is background, and
then the other way round. For each kind, the mean nDCG@10 with its standard error is printed, and
that of other formulas with the paired difference to ours (bootstrapped interval of 95 %):

bm25    the topic's words, by BM25
tfidf   TF-IDF of words and pairs (a topic, or the mean of the liked papers, against each paper)
svm     a linear classifier of liked papers against all others, on the same TF-IDF
votes   the most upvoted first
rrf     bm25 and votes together, by reciprocal ranks

tfidf and svm want scikit-learn, and are left out without it.

`python -m tests.bench.bench_rank --judged JUDGEMENTS FOLDER…` measures judgements that people made,
in the form that judgements.py tells: how many of the accepted papers are relevant, and how many of
the relevant ones are accepted. Nothing is hidden then. tests/bench/judged has those of this project, without the texts.

`python -m tests.bench.bench_rank --semantic FOLDER…` shows the same without and with the sentence
model in the folder that DIGEST_TEST_SEMANTIC_MODEL names; so does --judged if it names one.

`python -m tests.bench.bench_rank --million` times the selection for a million readers instead.
"""

import os
import random
import re
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy import sparse

from digest.collect.file import files_in, read_file
from digest.collect.merge import key_of
from digest.model.digests import Candidate
from digest.model.papers import Facts, Signals
from digest.rank.corpora import SHIPPED, learn, load
from digest.rank.embedding import Embedder
from digest.rank.embedding_store import EmbeddingStore
from digest.rank.matching import OUT_OF_DOMAIN, Matching, Topic
from digest.rank.readers import THRESHOLDS
from digest.rank.reference_corpus import Embed, text_of
from digest.rank.relevance import BLOCK, Profiles, Query
from digest.rank.select import NONE, Pool, best_for, first_free
from digest.rank.words import stems
from tests.bench.judgements import Judged, read_judged
from tests.bench.topics import ALIEN, BROAD, PAIRS, SENTENCES, TOPICS

LEAST_RELEVANT = 4  # papers, for a topic to be measured
LIKED = 4  # papers that stand for a topic


@dataclass(frozen=True)
class Task:
    """A topic to rank papers for, and which of them are relevant."""

    kind: str
    topic: Topic
    relevant: np.ndarray


@dataclass(frozen=True)
class Half:
    """Labelled papers to be ranked, the corpus that holds none of them, and the tasks."""

    matching: Matching
    known: Mapping[str, Facts]  # papers of the corpus
    tasks: Sequence[Task]

    def bm25(self, topic: Topic) -> np.ndarray:
        """Return the baseline: the same words and weights, without feedback, pairs or space."""
        corpus = self.matching.corpus
        words = topic.query.words if topic.text else " ".join(self._liked(topic))
        wanted = corpus.matrix([dict.fromkeys(stems(words), 1.0)])
        return np.asarray((self.matching.papers.bm25 @ wanted.T).todense()).ravel()

    def votes(self, _topic: Topic) -> np.ndarray:
        return np.array([c.signals.upvotes or 0 for c in self.matching.candidates], float)

    def rrf(self, topic: Topic) -> np.ndarray:
        """Return the sum of reciprocal ranks (Cormack, Clarke and Büttcher 2009)."""
        scores = (self.bm25(topic), self.votes(topic))
        ranks = [np.argsort(np.argsort(-given, kind="stable")) for given in scores]
        return np.sum([1 / (61 + given) for given in ranks], axis=0)

    def tfidf(self, topic: Topic) -> np.ndarray:
        vectorizer, papers, _ = self._vectors
        texts = [topic.query.words] if topic.text else self._liked(topic)
        wanted = np.asarray(vectorizer.transform(texts).mean(axis=0)).ravel()
        return np.asarray(papers @ wanted)

    def svm(self, topic: Topic) -> np.ndarray:
        from sklearn.svm import LinearSVC

        vectorizer, papers, others = self._vectors
        liked = vectorizer.transform(self._liked(topic))
        labels = [1] * liked.shape[0] + [0] * others.shape[0]
        classifier = LinearSVC(class_weight="balanced", C=0.02)
        classifier.fit(sparse.vstack([liked, others]), labels)
        return np.asarray(classifier.decision_function(papers))

    def _liked(self, topic: Topic) -> list[str]:
        return [_text(self.known[key]) for key in topic.likes]

    @cached_property
    def _vectors(self) -> tuple[Any, Any, Any]:
        from sklearn.feature_extraction.text import (
            TfidfVectorizer,
        )

        vectorizer = TfidfVectorizer(
            ngram_range=(1, 2), min_df=2, sublinear_tf=True, stop_words="english"
        )
        ranked = [_text(candidate.facts) for candidate in self.matching.candidates]
        others = [_text(facts) for facts in self.known.values()]
        vectorizer.fit(ranked + others)
        return vectorizer, vectorizer.transform(ranked), vectorizer.transform(others)

    def formulas(self, kind: str) -> dict[str, Callable[[Topic], np.ndarray]]:
        found = {"bm25": self.bm25, "votes": self.votes, "rrf": self.rrf}
        if find_spec("sklearn"):
            found |= {"tfidf": self.tfidf} | ({"svm": self.svm} if kind == "liked" else {})
        return found


def _text(facts: Facts) -> str:
    return f"{facts.title}. {facts.title}. {facts.abstract}"


def tasks_for(keys: Sequence[str], papers: Mapping[str, Facts], known: list[str]) -> list[Task]:
    """Return the tasks of one half that have enough relevant papers."""

    def relevant(*patterns: str, of: Sequence[str] = keys) -> np.ndarray:
        words = [[keyword.lower() for keyword in papers[key].keywords] for key in of]
        return np.array(
            [all(any(re.search(p, w) for w in some) for p in patterns) for some in words], bool
        )

    found = []
    for pattern, typed, other in TOPICS:
        labels = relevant(pattern)
        found += [Task("typed", Topic(typed), labels), Task("other", Topic(other), labels)]
        found += [Task("sentence", Topic(text.format(typed)), labels) for text in SENTENCES]
        likes = [known[n] for n in np.flatnonzero(relevant(pattern, of=known))]
        random.Random(typed).shuffle(likes)
        if len(likes) >= LIKED:
            found.append(Task("liked", Topic(likes=tuple(likes[:LIKED])), labels))
    found += [Task("pair", Topic(text), relevant(one, other)) for one, other, text in PAIRS]
    found += [Task("broad", Topic(text), relevant(pattern)) for pattern, text in BROAD]
    return [task for task in found if task.relevant.sum() >= LEAST_RELEVANT]


def _without_labels(papers: Mapping[str, Facts]) -> dict[str, Facts]:
    return {key: replace(facts, keywords=(), summary="") for key, facts in papers.items()}


def halves(
    papers: Mapping[str, Facts], votes: Mapping[str, Signals], embed: Embed | None
) -> Iterator[Half]:
    hidden = _without_labels(papers)
    labelled = sorted(key for key, facts in papers.items() if facts.keywords)
    random.Random(2).shuffle(labelled)
    middle = len(labelled) // 2
    for keys in (labelled[:middle], labelled[middle:]):
        known = {key: facts for key, facts in hidden.items() if key not in set(keys)}
        candidates = [
            Candidate(n, key, hidden[key], votes.get(key, Signals()), date(2025, 1, 1))
            for n, key in enumerate(keys)
        ]
        matching = Matching(learn(known, embed), candidates, known, embed)
        yield Half(matching, known, tasks_for(keys, papers, sorted(known)))


def ndcg(scores: np.ndarray, relevant: np.ndarray, depth: int = 10) -> float:
    """Normalised discounted cumulative gain at a depth (Järvelin and Kekäläinen 2002)."""
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    found = relevant[np.argsort(-scores, kind="stable")[:depth]]
    ideal = discounts[: min(depth, int(relevant.sum()))].sum()
    return float((found * discounts[: len(found)]).sum() / ideal)


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """The middle 95 % of the mean of resampled differences."""
    drawn = np.random.default_rng(0).choice(differences, (10_000, len(differences)))
    low, high = np.quantile(drawn.mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


@dataclass
class Measured:
    """Hold what was found, by kind of task."""

    ndcg: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    recall: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    precision: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    alien: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, half: Half, task: Task, scores: np.ndarray) -> None:
        values = self.ndcg[task.kind]
        values["ours"].append(ndcg(scores, task.relevant))
        for name, formula in half.formulas(task.kind).items():
            values[name].append(ndcg(formula(task.topic), task.relevant))
        for strictness, threshold in THRESHOLDS.items():
            accepted, which = scores >= threshold, (task.kind, str(strictness))
            self.recall[which].append(accepted[task.relevant].mean())
            if accepted.any():
                self.precision[which].append(task.relevant[accepted].mean())

    def add_alien(self, scores: np.ndarray) -> None:
        for strictness, threshold in THRESHOLDS.items():
            self.alien[strictness].append(int((scores >= threshold).sum()))

    def show(self) -> None:
        for kind, values in self.ndcg.items():
            ours = np.array(values["ours"])
            error = ours.std() / max(1, len(ours) - 1) ** 0.5
            print(f"{kind:<9} ours {ours.mean():.3f} ± {error:.3f}  ({len(ours)} topics)")
            for name, others in values.items():
                if name != "ours":
                    differences = ours - np.array(others)
                    low, high = interval(differences.tolist())
                    print(
                        f"          {name:<5} {np.mean(others):.3f}  difference "
                        f"{differences.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
                    )
            for strictness in THRESHOLDS:
                which = kind, str(strictness)
                precision = np.mean(self.precision[which]) if self.precision[which] else 0
                recall = np.mean(self.recall[which])
                print(f"          {strictness:<7} recall {recall:.2f}  precision {precision:.2f}")
        for name, counts in self.alien.items():
            print(f"alien     {name:<7} accepted {sum(counts)} in all, at most {max(counts)}")


def quality(
    papers: Mapping[str, Facts], votes: Mapping[str, Signals], embed: Embed | None = None
) -> None:
    found = Measured()
    for half in halves(papers, votes, embed):
        scores = half.matching.match([task.topic for task in half.tasks]).scores
        for task, row in zip(half.tasks, scores, strict=True):
            found.add(half, task, row)
    everything = _without_labels(papers)
    candidates = [
        Candidate(n, key, facts, Signals(), date(2025, 1, 1))
        for n, (key, facts) in enumerate(sorted(everything.items()))
    ]
    matching = Matching(learn(everything, embed), candidates, everything, embed)
    for row in matching.match([Topic(text) for text in (*ALIEN, *OUT_OF_DOMAIN)]).scores:
        found.add_alien(row)
    found.show()


def judged(folder: Path, papers: Mapping[str, Facts], embed: Embed | None = None) -> None:
    """Measure judgements of one's own; of papers that were all judged, the order as well."""
    for half in read_judged(folder, papers, embed):
        half.show_accepted()
        if not half.is_drawn:
            order(half)


def order(given: Judged) -> None:
    """Print how well papers are ordered that were all judged, by each formula."""
    relevant = {(row["topic"], row["paper"]) for row in given.judgements if row["relevant"] == 1}
    keys = [paper.key for paper in given.matching.candidates]
    tasks = [
        Task(
            "typed" if topic.topic.text else "liked",
            topic.topic,
            np.array([(topic.id, key) in relevant for key in keys], bool),
        )
        for topic in given.topics
    ]
    tasks = [task for task in tasks if task.relevant.any()]
    half, found = Half(given.matching, given.known, tasks), Measured()
    for task, row in zip(tasks, given.matching.match([t.topic for t in tasks]).scores, strict=True):
        found.add(half, task, row)
    found.show()


def million(readers: int = 1_000_000, topics: int = 20_000, papers: int = 200) -> None:
    """Five of many topics for each reader: who gets which ten papers, and what trends beside.

    Topics are made ready once for a background, and are then scored against each day's papers.
    """
    rng, background = random.Random(0), load(SHIPPED)
    counted = zip(background.words, background.frequency, strict=True)
    words = [word for word, papers_with in counted if papers_with > 2 and " " not in word]
    wishes = [Query(" ".join(rng.sample(words, 3))) for _ in range(topics)]
    day = background.matrix(dict.fromkeys(rng.sample(words, 120), 1.0) for _ in range(papers))
    compared = background.read(day)
    began = time.process_time()
    ready = [
        Profiles(background, wishes[start : start + BLOCK], {}) for start in range(0, topics, BLOCK)
    ]
    print(f"{topics:,} topics made ready: {time.process_time() - began:.1f} s")

    draw = np.random.default_rng(0)
    standing = draw.random(papers, dtype=np.float32)
    wanted = draw.integers(0, topics, (readers, 5), dtype=np.int32)
    groups = np.arange(papers, dtype=np.int32)
    by_votes = np.argsort(-standing).astype(np.int32)
    began = time.process_time()
    scores = np.vstack([profiles.scores(compared) for profiles in ready])
    print(f"scored against {papers} papers: {time.process_time() - began:.1f} s")
    worth = Pool(scores, np.ones(topics, np.float32), standing).utility(0.5)
    picked = 0
    for start in range(0, readers, 4096):
        chosen, _ = best_for(worth, wanted[start : start + 4096], None, None, groups, 10)
        taken = np.zeros((len(chosen), papers), bool)
        rows, places = np.nonzero(chosen != NONE)
        taken[rows, chosen[rows, places]] = True
        picked += len(rows) + int((first_free(by_votes, taken, 5) != NONE).sum())
    took = time.process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"with {readers:,} readers: {took:.1f} s of one core, {memory:.0f} MB, {picked:,} papers")


def recorded(folders: Sequence[str]) -> tuple[dict[str, Facts], dict[str, Signals]]:
    """Return facts and signals of the papers in recorded answers, by canonical id."""
    papers: dict[str, Facts] = {}
    votes: dict[str, Signals] = {}
    for path in files_in([Path(folder) for folder in folders]):
        for sighting in read_file(path, date(2025, 1, 1), datetime.now(UTC)).sightings:
            key = key_of(sighting.facts)
            facts = sighting.facts
            papers[key] = papers[key].then(facts) if key in papers else facts
            votes[key] = votes.get(key, Signals()).then(sighting.signals)
    return papers, votes


def model() -> Embedder:
    return Embedder(Path(os.environ["DIGEST_TEST_SEMANTIC_MODEL"]))


if __name__ == "__main__":
    if sys.argv[1:] == ["--million"]:
        million()
    elif sys.argv[1:2] == ["--judged"]:
        known, _ = recorded(sys.argv[3:])
        judged(Path(sys.argv[2]), known)
        if "DIGEST_TEST_SEMANTIC_MODEL" in os.environ:
            with TemporaryDirectory() as folder:
                print("with the model")
                judged(Path(sys.argv[2]), known, EmbeddingStore(model(), Path(folder)))
    elif sys.argv[1:2] == ["--semantic"]:
        known, votes = recorded(sys.argv[2:])
        with TemporaryDirectory() as folder:
            embed = EmbeddingStore(model(), Path(folder))
            print("by words alone")
            quality(known, votes)
            began = time.perf_counter()
            embed([text_of(facts) for facts in known.values()])
            print(f"with the model: {len(known)} papers, {time.perf_counter() - began:.0f} s")
            quality(known, votes, embed)
    else:
        known, votes = recorded(sys.argv[1:])
        labelled = sum(bool(facts.keywords) for facts in known.values())
        print(f"{len(known)} papers, {labelled} labelled")
        quality(known, votes)
