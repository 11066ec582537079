"""Topics to choose from: what papers were about lately, and what people often want. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from subscribers.errors import TopicError
from subscribers.topics import TopicFilter

OFTEN_WANTED = (
    "large language models",
    "reasoning",
    "agents",
    "retrieval-augmented generation",
    "diffusion models",
    "video generation",
    "robotics",
    "reinforcement learning",
    "interpretability",
    "speech recognition",
    "evaluation",
    "efficient inference",
)
MOST = 12
MOST_RECENT = 8
COMMON = 3  # papers that a keyword needs, to be more than one paper's own word
LONGEST = 40


def suggest(keywords: Iterable[Sequence[str]]) -> list[str]:
    """Up to MOST topics: the commonest of some papers' ``keywords``, then OFTEN_WANTED."""
    counted = Counter(
        word
        for of_paper in keywords
        for word in {keyword.casefold().strip() for keyword in of_paper}
    )
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    recent = [word for word, count in ranked if count >= COMMON and _is_topic(word)]
    return list(dict.fromkeys([*recent[:MOST_RECENT], *OFTEN_WANTED]))[:MOST]


def _is_topic(word: str) -> bool:
    try:
        return TopicFilter.parse(word).text == word and len(word) <= LONGEST
    except TopicError:
        return False
