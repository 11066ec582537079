"""The table of settings: sources, editions, ranking."""

from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

from digest.settings import values
from digest.settings.row import setting


@dataclass(frozen=True)
class EditionSettings:
    """What is collected, when it becomes an edition, and what digests hold of it."""

    sources: tuple[str, ...] = setting(
        "huggingface",
        values.names,
        "Sources to collect from, separated by commas: huggingface, arxiv.",
    )
    huggingface_url: str = setting(
        "https://huggingface.co", values.web_url, "Hugging Face, or a mirror of it."
    )
    arxiv_feed_url: str = setting(
        "https://rss.arxiv.org", values.web_url, "arXiv's feeds, or a mirror of them."
    )
    arxiv_feed: str = setting("rss", values.choice("rss", "atom"), "Which of arXiv's two feeds.")
    arxiv_categories: str = setting(
        "cs.AI+cs.CL", values.text, "arXiv categories to follow, joined by +."
    )
    arxiv_api_url: str = setting(
        "https://export.arxiv.org", values.web_url, "arXiv's look-up service, or a mirror of it."
    )
    arxiv_interval: float = setting(
        "3", values.number(0, 60), "Seconds between two requests to arXiv; it asks for at least 3."
    )
    http_timeout: float = setting("20", values.number(0.1, 300), "Seconds to wait for a source.")
    http_attempts: int = setting("4", values.count(1, 10), "How often a source is asked in all.")
    lookback_days: int = setting("3", values.count(0, 30), "Days the first edition reaches back.")
    timezone: ZoneInfo = setting("UTC", values.zone, "Time zone of editions and of DIGEST_RUN_AT.")
    run_at: time = setting(
        "08:00",
        values.time_of_day,
        "When `digest schedule` makes the edition, each day; readers get it at their own time.",
    )
    collect_every_hours: int = setting(
        "3",
        values.count(1, 24),
        "Hours between two collections, so that it is seen how papers rise. One comes right before "
        "each edition as well.",
    )
    enough_papers: int = setting(
        "5",
        values.count(0, 1000),
        "Papers that are enough for an edition when a source fails for longer than the next says. "
        "With fewer there is none that day.",
    )
    wait_for_sources: int = setting(
        "60",
        values.count(0, 720),
        "Minutes that an edition waits for a source that fails; it is asked again every ten.",
    )
    stale_after_hours: int = setting(
        "48",
        values.count(1, 720),
        "For how long an edition is sent, and how long after their own time readers still get "
        "theirs, after a standstill. What is older is skipped, and counted.",
    )
    max_for_you: int = setting("10", values.count(1, 15), "Most papers in the section For you.")
    max_trending: int = setting("5", values.count(0, 15), "Most papers in the section Trending.")
    strictness: str = setting(
        "normal",
        values.choice("strict", "normal", "broad"),
        "How well papers must fit the topics of readers who do not say: strict, normal or broad.",
    )
    semantic_model: str | None = setting(
        "",
        values.text,
        "Sentence model for semantic ranking: a folder, or a name on the Hugging Face hub. Needs "
        'the extra "semantic", and is used once 500 papers are collected. Not set: papers are '
        "ranked by words.",
        example="sentence-transformers/all-MiniLM-L6-v2",
    )
    semantic_fetch: bool = setting(
        "no",
        values.yes_or_no,
        "Whether that model may be fetched from the hub, once: yes or no.",
    )
