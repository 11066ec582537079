"""How well and how fast the ranking ranks: `python -m tests.bench.bench_rank FOLDER…`.

The folders hold recorded answers of Hugging Face (hf_daily). Their keywords are hidden from the
ranking and serve as weak labels: a paper is relevant to a topic if a keyword of it says so. Each
topic is asked as people type it and in other words. Half of the labelled papers are ranked, the
rest is background, and then the other way round. Differences to plain BM25 are paired, with a
bootstrapped interval of 95 %.

`python -m tests.bench.bench_rank --semantic FOLDER…` shows the same without and with the sentence
model in the folder that DIGEST_TEST_SEMANTIC_MODEL names.

`python -m tests.bench.bench_rank --million` times the selection for a million readers instead.
"""

import os
import random
import re
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from digest.collect.file import files_in, read_file
from digest.model.digests import Candidate
from digest.model.identity import paper_key
from digest.model.papers import Facts, Signals
from digest.rank.corpora import SHIPPED, learn, load
from digest.rank.embedding import Embedder
from digest.rank.embedding_store import EmbeddingStore
from digest.rank.matching import Matching, Topic
from digest.rank.ranker import THRESHOLDS
from digest.rank.reference_corpus import Embed, ReferenceCorpus, text_of
from digest.rank.relevance import BLOCK, Profiles, Query
from digest.rank.select import NONE, Pool, best_for, first_free
from digest.rank.words import stems

# What a keyword of a relevant paper matches, the topic as typed, and the same wish in other words.
TOPICS = [
    ("sparse autoencoder", "sparse autoencoders", "human-readable features inside activations"),
    (r"chain.of.thought|\bcot\b", "chain of thought", "writing out steps before answering"),
    (r"kv.?cach|key-value cach", "KV cache", "saving memory for stored attention states"),
    (r"parameter-efficient|\blora\b", "LoRA", "adapting networks by training few extra weights"),
    ("reward model", "reward models", "learning to score answers the way people would"),
    ("hallucinat", "hallucination", "systems that state false facts with confidence"),
    ("quantiz", "quantization", "running networks with low-bit numbers"),
    (r"video (diffusion|generat)|text-to-video", "video generation", "moving pictures from a text"),
    ("vision.language model|vlm|mllm", "vision-language models", "talking about what images show"),
    ("grpo|group relative|verifiable reward", "GRPO", "reasoning trained on checkable answers"),
    (r"retrieval.augment|\brag\b", "RAG", "answering questions with looked-up documents"),
    ("agent", "agents", "software that finishes tasks on its own with tools"),
    (r"\b3d|gaussian splat|nerf", "3D reconstruction", "scenes in three dimensions from photos"),
    ("speech|audio", "speech", "systems that listen and talk"),
    ("robot|embodied|manipulation", "robot manipulation", "machine arms that pick up objects"),
    (r"mixture.of.expert|\bmoe\b", "mixture of experts", "switching on parts of a network"),
    ("code generation|software engineer|swe-", "code generation", "writing programs automatically"),
    ("safety|jailbreak|harmful", "safety jailbreak", "chatbots that refuse dangerous requests"),
    ("long.context", "long context", "handling very long documents"),
    (r"\bmath", "mathematical reasoning", "solving olympiad problems"),
    ("image edit", "image editing", "changing a photo by saying what to alter"),
    ("test-time (scal|comp)", "test-time scaling", "thinking longer to get better answers"),
    ("distill", "distillation", "teaching a small model from a large one"),
    (r"diffusion transformer|\bdits?\b", "diffusion transformer", "attention-based denoisers"),
    (r"\bgui\b|web agent", "GUI agents", "programs that click through screens for a user"),
    (r"preference optim|\bdpo\b|rlhf", "DPO", "aligning with what people like better of two"),
]
ALIEN = (
    "wine tasting notes;medieval poetry;football transfer news;gardening tips for roses;knitting;"
    "celebrity gossip;tax law in Norway;sourdough bread recipes;used car prices;Roman history;"
    "marine biology of whales;real estate investment;yoga for beginners;bird watching;"
    "horror movie reviews;wedding planning;dog training;stamp collecting;plate tectonics;"
    "organic chemistry synthesis;Renaissance painting;parenting advice;black holes;jazz music"
).split(";")
LEAST_RELEVANT = 4  # papers, for a topic to be measured


@dataclass(frozen=True)
class Half:
    """Labelled papers to be ranked, and a background that holds none of them."""

    labelled: Sequence[Facts]
    matching: Matching
    background: ReferenceCorpus

    def relevant(self, pattern: str) -> np.ndarray:
        return np.array(
            [any(re.search(pattern, k.lower()) for k in each.keywords) for each in self.labelled]
        )

    def bm25(self, topic: str) -> np.ndarray:
        """The baseline: the same words and weights, without feedback, space or abbreviations."""
        wanted = self.background.matrix([dict.fromkeys(stems(topic), 1.0)])
        return np.asarray((self.matching.papers.bm25 @ wanted.T).todense()).ravel()


def halves(papers: Mapping[str, Facts], embed: Embed | None) -> Iterator[Half]:
    hidden = {key: replace(each, keywords=()) for key, each in papers.items()}
    labelled = sorted(key for key, each in papers.items() if each.keywords)
    random.Random(2).shuffle(labelled)
    middle = len(labelled) // 2
    for keys in (labelled[:middle], labelled[middle:]):
        background = learn({key: hidden[key] for key in hidden.keys() - set(keys)}, embed)
        candidates = [
            Candidate(n, key, hidden[key], Signals(), date(2025, 1, 1))
            for n, key in enumerate(keys)
        ]
        matching = Matching(background, candidates, embed=embed)
        yield Half([papers[key] for key in keys], matching, background)


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
    """What was found, by kind of wish ("typed" or "other") and strictness."""

    ours: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    baseline: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    recall: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    precision: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    alien: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(
        self, kind: str, scores: np.ndarray, baseline: np.ndarray, relevant: np.ndarray
    ) -> None:
        self.ours[kind].append(ndcg(scores, relevant))
        self.baseline[kind].append(ndcg(baseline, relevant))
        for strictness, threshold in THRESHOLDS.items():
            accepted = scores >= threshold
            self.recall[f"{kind} {strictness}"].append(accepted[relevant].mean())
            if accepted.any():
                self.precision[f"{kind} {strictness}"].append(relevant[accepted].mean())

    def add_alien(self, scores: np.ndarray) -> None:
        for strictness, threshold in THRESHOLDS.items():
            self.alien[strictness].append(int((scores >= threshold).sum()))

    def show(self) -> None:
        for kind, values in self.ours.items():
            differences = np.array(values) - np.array(self.baseline[kind])
            low, high = interval(differences)
            print(
                f"nDCG@10 {kind:<6} {np.mean(values):.3f}  BM25 {np.mean(self.baseline[kind]):.3f}  "
                f"difference {differences.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
            )
        for what, values in self.recall.items():
            precision = np.mean(self.precision[what])
            print(f"{what:<14} recall {np.mean(values):.2f}  precision {precision:.2f}")
        for strictness, counts in self.alien.items():
            print(f"alien {strictness:<8} accepted {sum(counts)} in all, at most {max(counts)}")


def quality(papers: Mapping[str, Facts], embed: Embed | None = None) -> None:
    found = Measured()
    for half in halves(papers, embed):
        asked = [Topic(text) for _, *texts in TOPICS for text in texts]
        scores = half.matching.match(asked + [Topic(text) for text in ALIEN]).scores
        rows = iter(scores)
        for pattern, *texts in TOPICS:
            relevant = half.relevant(pattern)
            for kind, text in zip(("typed", "other"), texts, strict=True):
                row = next(rows)
                if relevant.sum() >= LEAST_RELEVANT:
                    found.add(kind, row, half.bm25(text), relevant)
        for row in rows:
            found.add_alien(row)
    found.show()


def million(readers: int = 1_000_000, topics: int = 20_000, papers: int = 200) -> None:
    """Five of many topics for each reader: who gets which ten papers, and what trends beside.

    Topics are made ready once for a background, and are then scored against each day's papers.
    """
    rng, background = random.Random(0), load(SHIPPED)
    counted = zip(background.words, background.frequency, strict=True)
    words = [word for word, papers_with in counted if papers_with > 2]
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
    scores = np.vstack([each.scores(compared) for each in ready])
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


def recorded(folders: Sequence[str]) -> dict[str, Facts]:
    papers: dict[str, Facts] = {}
    for path in files_in([Path(folder) for folder in folders]):
        for sighting in read_file(path, date(2025, 1, 1), datetime.now(UTC)).sightings:
            key = paper_key(sighting.facts.arxiv_id, sighting.facts.title)
            facts = replace(sighting.facts, summary="")  # written with the keywords in mind
            papers[key] = papers[key].then(facts) if key in papers else facts
    return papers


if __name__ == "__main__":
    if sys.argv[1:] == ["--million"]:
        million()
    elif sys.argv[1:2] == ["--semantic"]:
        known = recorded(sys.argv[2:])
        model = Embedder(Path(os.environ["DIGEST_TEST_SEMANTIC_MODEL"]))
        with TemporaryDirectory() as folder:
            embed = EmbeddingStore(model, Path(folder))
            print("by words alone")
            quality(known)
            began = time.perf_counter()
            embed([text_of(each) for each in known.values()])
            print(f"with {model.name}: {len(known)} papers, {time.perf_counter() - began:.0f} s")
            quality(known, embed)
    else:
        known = recorded(sys.argv[1:])
        print(
            f"{len(known)} papers, {sum(bool(each.keywords) for each in known.values())} labelled"
        )
        quality(known)
