"""The bodies that the API takes and returns, as its OpenAPI description shows them.

``Person`` describes the records of ``subscribers.transfer.to_record``. Topics, times and addresses
are plain text here: they are parsed where the forms parse theirs.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from subscribers.model import Consent, Evidence, Rating, Suppression
from subscribers.own_papers import MOST_OWN_PAPERS, OwnPaper
from subscribers.preferences import MOST_PAPERS, Strictness
from subscribers.topic_reports import TopicReport
from subscribers.topics import LONGEST_TOPIC, MOST_TOPICS

Text = Annotated[str, Field(pattern=r"\S")]
Day = Annotated[
    str,
    Field(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        json_schema_extra={"format": "date"},
        examples=["2026-03-01"],
    ),
]
Papers = Annotated[int, Field(ge=1, le=MOST_PAPERS)]


# ---- requests --------------------------------------------------------------------------------


class SentPreferences(BaseModel):
    """Topics and preferences; ``null`` stands for the operator's default."""

    # Otherwise a misspelt name would be silently ignored.
    model_config = ConfigDict(extra="forbid", strict=True)

    topics: list[str] = Field(
        default=[],
        description=f"Up to {MOST_TOPICS}, each of up to {LONGEST_TOPIC} characters.",
        examples=[["video generation", "agents"]],
    )
    cadence: Text | None = Field(
        default=None,
        description="`daily`, `weekdays`, `weekly`, `monthly` or days such as `mon+thu`.",
        examples=["weekdays"],
    )
    at: Text | None = Field(
        default=None, description="The local time for the digest.", examples=["08:30"]
    )
    timezone: Text | None = Field(
        default=None, description="An IANA time zone.", examples=["Europe/Oslo"]
    )
    max_papers: Papers | None = Field(
        default=None, description="The most papers on the topics; by default, as many as allowed."
    )
    min_papers: Papers | None = Field(
        default=None, description="The fewest papers on the topics for which there is an email."
    )
    strictness: Strictness | None = Field(
        default=None, description="How well papers must match; by default, as the operator says."
    )
    trending: bool | None = Field(
        default=None,
        description="Whether trending papers are wanted as well as those on the topics.",
    )
    note_when_nothing: bool | None = Field(
        default=None, description="Whether a short email is wanted when there is no digest."
    )
    pictures: bool | None = Field(
        default=None, description="Whether emails show pictures of papers."
    )
    translated_titles: bool | None = Field(
        default=None,
        description="Whether emails show titles in the reader's language as well, "
        "where a language model is set up.",
    )
    exclusions: list[str] | None = Field(
        default=None, description="What no paper may be about.", examples=[["medical"]]
    )
    follows: list[str] | None = Field(
        default=None,
        description="Authors and organisations, whose papers come first.",
        examples=[["author:Jane Doe", "organisation:Some Lab"]],
    )
    papers: list[str] | None = Field(
        default=None,
        max_length=MOST_OWN_PAPERS,
        description=(
            "Papers to find others like them from, each as an arXiv id or link, a DOI, or an entry "
            "of BibTeX. What cannot be read is left out."
        ),
        examples=[["2602.00001", "https://arxiv.org/abs/2602.00002"]],
    )
    paused_until: Day | None = Field(
        default=None, description="The first day with a digest again; by default, no pause."
    )
    locale: Text | None = Field(
        default=None,
        description=(
            "The language of emails and pages, as a tag of one that is spoken here, or near to one "
            "(de-AT to de); by default, DIGEST_LANGUAGE."
        ),
        examples=["de"],
    )


class NewSubscriber(SentPreferences):
    """A person to subscribe."""

    email: str = Field(examples=["ada@example.org"])
    consent: Literal["ask", "vouched"] = Field(
        default="ask",
        description=(
            "`ask`: an email asks the person to confirm. `vouched`: you state that the person "
            "asked you for this, and they get the next digest."
        ),
    )


# ---- answers ---------------------------------------------------------------------------------


class Person(BaseModel):
    """Everything that is stored about a person, as in an export."""

    email: str = Field(examples=["ada@example.org"])
    topics: list[str] = Field(examples=[["video generation", "agents"]])
    cadence: str = Field(examples=["weekdays"])
    at: str = Field(examples=["08:30"])
    timezone: str = Field(examples=["Europe/Oslo"])
    max_papers: int | None
    min_papers: int
    strictness: Strictness | None
    trending: bool
    note_when_nothing: bool
    pictures: bool
    translated_titles: bool
    exclusions: list[str]
    follows: list[str]
    paused_until: date | None
    locale: str | None = Field(examples=["de"])
    consent: Consent
    since: datetime
    evidence: list[Evidence]
    opinions: list[Rating]
    papers: list[OwnPaper]
    moving_to: str = Field(
        default="",
        description="The address that the person wants to move to; only if there is one.",
    )
    suppressed: Suppression | None


class People(BaseModel):
    """A page of people."""

    subscribers: list[Person]
    next: str | None = Field(
        description="What to send as `after` for the next page; null on the last."
    )


class Asked(BaseModel):
    """The result of a request to ask a person."""

    email: str = Field(examples=["ada@example.org"])
    state: Literal["asked", "nothing-sent"] = Field(
        description=(
            "`nothing-sent`: the person is already subscribed or has left, or the address is "
            "blocked or was asked too often in the last hour."
        )
    )


class Reported(BaseModel):
    """What topics would have matched lately, in the order in which they were sent."""

    topics: list[TopicReport]


class Rejected(BaseModel):
    """A line that could not be read."""

    line: int = Field(description="Its number in the file, from 1.")
    code: str = Field(description="The same in any language.", examples=["address"])
    why: str = Field(description="The reason, in a language of Accept-Language.")


class Warned(BaseModel):
    """What was taken of some lines, and has no effect here."""

    code: str = Field(description="The same in any language.", examples=["unknown-columns"])
    what: str = Field(
        description="It, in a language of Accept-Language.",
        examples=["line 1: unknown columns are ignored: Name"],
    )


class Balance(BaseModel):
    """The result of an import."""

    new: int
    known: int = Field(description="People who were known already; they stay unchanged.")
    rejected: list[Rejected]
    form: str = Field(examples=["CSV separated by commas, UTF-8"])
    warnings: list[Warned] = Field(description="What was taken, and has no effect here.")


class WrongField(BaseModel):
    """A field that cannot be read; the code is that of pydantic."""

    field: str = Field(examples=["body.topics"])
    code: str = Field(examples=["list_type"])


class Problem(BaseModel):
    """The reason why a request was refused (RFC 9457)."""

    type: Literal["about:blank"]
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    code: str = Field(description="The same in any language.", examples=["unknown-subscriber"])
    detail: str = Field(description="The reason, in a language of Accept-Language.")
    errors: list[WrongField] | None = Field(default=None, description="Of the code `fields`.")
