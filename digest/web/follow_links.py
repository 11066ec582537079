"""Links from a public page to the sign-up form, with what somebody wants filled in. Pure."""

import re
from collections.abc import Collection
from urllib.parse import urlencode

from digest.compose.language import Language
from digest.model.papers import Facts
from digest.model.shelf import folded
from digest.model.wording import truncate
from digest.web.period_view import Link
from subscribers.errors import SubscriberError
from subscribers.follows import Follow, FollowKind
from subscribers.topics import LONGEST_TOPIC, TopicFilter

MOST_TOPICS = 2  # keywords of a paper to follow
LONGEST_KEYWORD = 28  # characters of one
_DESCRIBING = 3  # keywords that describe a paper
_WORD = re.compile(r"\w[\w-]*")


def subscribe_path(topic: str) -> str:
    """Return the path of the sign-up form with a topic filter in it, if there is one."""
    return f"/subscribe?{urlencode({'topic': topic})}" if topic else "/subscribe"


def follow_topic(kind: FollowKind, name: str) -> str:
    """Return the topic filter for the papers of an author or an organisation; empty for no name."""
    try:
        return TopicFilter.parse(Follow.of(kind, name).topic).text
    except SubscriberError:
        return ""


def follows_of(facts: Facts, common: Collection[str], language: Language) -> list[Link]:
    """Return what can be followed of a paper: topics, organisation, author, and its like.

    Of its keywords those come first that other papers have in ``common`` with it, and none that
    only names what it presents.
    """
    name = folded(facts.title.partition(":")[0])
    telling = [word for word in facts.keywords if folded(word) not in name]
    short = [word for word in telling if len(word) <= LONGEST_KEYWORD]
    topics = sorted(short, key=lambda word: folded(word) not in common)[:MOST_TOPICS]
    words = " ".join(facts.keywords[:_DESCRIBING]) or facts.title
    described = " ".join(_WORD.findall(words.casefold()))  # no operator of a filter, no quotes
    found = [
        *((word, word, language.gettext("topic")) for word in topics),
        (
            facts.organisation,
            follow_topic(FollowKind.ORGANISATION, facts.organisation),
            language.gettext("organisation"),
        ),
        *(
            (name, follow_topic(FollowKind.AUTHOR, name), language.gettext("author"))
            for name in facts.authors[:1]
        ),
        (language.gettext("Papers like this one"), truncate(described, LONGEST_TOPIC), ""),
    ]
    return [
        Link(text, subscribe_path(topic), about)
        for text, words, about in found
        if (topic := _as_topic(words))
    ]


def _as_topic(words: str) -> str:
    """Return the topic filter with these words; empty if they are none."""
    try:
        return TopicFilter.parse(words).text
    except SubscriberError:
        return ""
