"""Read the sample emails, with which the studio shows templates and tests compare whole emails.

A sample is a file ``samples/NAME.json``: which email, one sentence about it, and the values to fill
in. Those of a digest describe papers as sources do; those of another message, what somebody wants
or what went wrong. Both go the way of real ones, so that a sample exists in every language.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from digest.compose.composer import Composer
from digest.compose.content import ANNOUNCEMENT, NOTE, OF_EDITIONS, OF_LIST
from digest.compose.from_identity import FromIdentity
from digest.compose.language import Language
from digest.compose.transactional_composer import plain_view
from digest.compose.transactional_phrases import alert_words, how_often
from digest.compose.view import AnyView, MessageView
from digest.errors import AnnouncementError, TemplateError
from digest.model.announcements import Announced, Audience, draft_of, previewed
from digest.model.deliveries import Balance
from digest.model.digests import Candidate, Digest, Match, Pick, Reason, Section, SkipReason
from digest.model.papers import Facts, Signals
from digest.model.pictures import PaperPicture
from subscribers.errors import SubscriberError
from subscribers.preferences import Preferences, parse_cadence
from subscribers.topics import TopicFilter

FOLDER = "samples"
NOBODY = "sample"  # stands in links for a reader
PICTURE_NAME = "0{28}[0-9a-f]{4}"  # a pattern: the names of real ones are like random


@dataclass(frozen=True, slots=True)
class Sample:
    """``mail`` is the folder of the templates that it is for."""

    name: str
    mail: str
    about: str
    values: dict[str, Any]

    @property
    def is_of_edition(self) -> bool:
        return self.mail in OF_EDITIONS

    @property
    def is_of_list(self) -> bool:
        return self.mail in OF_LIST


def samples(folders: Sequence[Path]) -> dict[str, Sample]:
    """Read the samples of some folders of templates, by name; an earlier folder hides later ones.

    Raises TemplateError naming the file that is malformed.
    """
    files: dict[str, Path] = {}
    for folder in folders:
        for file in (folder / FOLDER).glob("*.json"):
            files.setdefault(file.stem, file)
    return {name: _read(files[name]) for name in sorted(files)}


def view_of(sample: Sample, composer: Composer, public_id: str = NOBODY) -> AnyView:
    """Return what the templates see. Raises TemplateError for values that no mail can have."""
    if sample.mail == ANNOUNCEMENT:
        return composer.announcement_view(_announced(sample), public_id)
    if not sample.is_of_edition:
        return _message_view(sample, composer.identity, composer.templates.language)
    digest = digest_of(sample)
    return composer.view(digest, composer.links(digest, public_id))


def digest_of(sample: Sample) -> Digest:
    """Make the digest that a sample describes, or the note. Raises TemplateError."""
    with _naming_sample(sample.name):
        kind = _NoteValues if sample.mail == NOTE else _DigestValues
        values = kind.model_validate(sample.values)
        return Digest(
            day=values.day,
            topics=tuple(map(TopicFilter, values.topics)),
            picks=tuple(_pick(number, pick) for number, pick in enumerate(values.picks, 1)),
            pool_size=values.pool_size,
            missing=values.missing,
            why_nothing=values.why_nothing,
            cadence=values.cadence,
        )


# ---- what stands in the files --------------------------------------------------------------------


class _Values(BaseModel):
    """Refuses names that no email knows, which would be slips."""

    model_config = ConfigDict(extra="forbid")


class _ReasonValues(_Values):
    topic: str = ""
    words: tuple[str, ...] = ()
    liked: str = ""
    followed: str = ""


class _PickValues(_Values):
    """``upvotes`` and the like are counts; without ``arxiv_id`` only the title leads to a paper.

    ``picture`` is the width and height of one.
    """

    section: Section
    title: str = Field(min_length=1)
    arxiv_id: str = ""
    abstract: str = ""
    summary: str = ""
    authors: tuple[str, ...] = ()
    author_count: int = Field(0, ge=0)
    organisation: str = ""
    upvotes: int = Field(0, ge=0)
    comments: int = Field(0, ge=0)
    stars: int = Field(0, ge=0)
    risen: int = Field(0, ge=0)
    since: date | None = None
    published_on: date | None = None
    code_url: str = ""
    project_url: str = ""
    tldr: str = ""
    venue: str = ""
    citations: int = Field(0, ge=0)
    picture: tuple[int, int] | None = None
    reason: _ReasonValues | None = None


class _EditionValues(_Values):
    """``missing`` are names of sources, as in DIGEST_SOURCES; ``cadence`` is as in preferences."""

    day: date
    cadence: str = "daily"
    topics: tuple[str, ...] = ()
    pool_size: int = Field(ge=0)
    missing: tuple[str, ...] = ()


class _DigestValues(_EditionValues):
    picks: tuple[_PickValues, ...] = Field(min_length=1)
    why_nothing: None = None


class _NoteValues(_EditionValues):
    picks: tuple[_PickValues, ...] = Field((), max_length=0)
    why_nothing: SkipReason


class _MessageValues(_Values):
    """``cadence`` is as in preferences ("daily", "mon+thu"); the last five are an alert's."""

    link: str = ""
    hours: int = Field(0, ge=0)
    at_once: bool = False
    asked_for_link: bool = False
    topics: tuple[str, ...] = ()
    cadence: str = "daily"
    note_when_nothing: bool = False
    address: str = ""
    before: str = ""
    unsubscribe: str = ""
    broken_off: bool = False
    balance: Balance | None = None
    where: str = ""
    since: datetime | None = None
    troubles: tuple[str, ...] = ()


class _AnnouncementValues(_Values):
    """``text`` is as operators type it."""

    subject: str
    text: str


class _SampleFile(_Values):
    mail: str = Field(min_length=1)
    about: str = Field(min_length=1)
    values: dict[str, Any]


def _read(file: Path) -> Sample:
    with _naming_sample(file.stem):
        read = _SampleFile.model_validate(json.loads(file.read_text(encoding="utf-8")))
        sample = Sample(file.stem, **dict(read))
        if not sample.is_of_list:
            parse_cadence(_MessageValues.model_validate(sample.values).cadence)
    if sample.is_of_edition:
        digest_of(sample)
    elif sample.is_of_list:
        _announced(sample)
    return sample


def _announced(sample: Sample) -> Announced:
    with _naming_sample(sample.name):
        values = _AnnouncementValues.model_validate(sample.values)
        return previewed(draft_of(values.subject, values.text, Audience()))


def _pick(number: int, values: _PickValues) -> Pick:
    of_facts = _PickValues.model_fields.keys() & Facts.__slots__
    page = f"https://huggingface.co/papers/{values.arxiv_id}" if values.arxiv_id else ""
    facts = Facts(page_url=page, **{name: getattr(values, name) for name in of_facts})
    reason = values.reason and Reason(**dict(values.reason))
    return Pick(
        values.section,
        Candidate(
            paper_id=number,
            key=f"arxiv:{facts.arxiv_id}" if facts.arxiv_id else f"title:{number}",
            facts=facts,
            signals=Signals(values.upvotes, values.comments, values.stars),
            listed_on=values.since or date.min,
            risen=values.risen,
            since=values.since,
            picture=PaperPicture(f"{number:032x}", *values.picture) if values.picture else None,
        ),
        Match(1.0, reason) if reason else None,
    )


def _message_view(sample: Sample, identity: FromIdentity, language: Language) -> MessageView:
    with _naming_sample(sample.name):
        values = _MessageValues.model_validate(sample.values)
        preferences = Preferences(
            days=parse_cadence(values.cadence), note_when_nothing=values.note_when_nothing
        )
    return replace(
        plain_view(identity, language),
        link=values.link,
        hours=values.hours,
        at_once=values.at_once,
        asked_for_link=values.asked_for_link,
        topics=language.listed(values.topics),
        how_often=how_often(preferences, language),
        address=values.address,
        before=values.before,
        unsubscribe=values.unsubscribe,
        what=alert_words(
            language, values.troubles, broken_off=values.broken_off, balance=values.balance
        ),
        where=values.where,
        since=language.moment(values.since) if values.since else "",
        troubles=values.troubles,
    )


@contextmanager
def _naming_sample(name: str) -> Iterator[None]:
    """Raise TemplateError for a sample that cannot be read."""
    file = f"{FOLDER}/{name}.json"
    try:
        yield
    except json.JSONDecodeError as error:
        raise TemplateError(file, error.lineno, f"not JSON: {error.msg}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise TemplateError(file, 0, f"{where}: {first['msg']}") from error
    except (OSError, ValueError, RecursionError, AnnouncementError, SubscriberError) as error:
        raise TemplateError(file, 0, str(error)) from error
