"""The settings: whether mail can be made by them, and what is better set."""

from collections.abc import Iterator
from itertools import takewhile
from urllib.parse import urlsplit

from digest.compose.from_identity import NEEDED, from_identity
from digest.deliver.transport.dkim_key import signer_of
from digest.doctor.diagnosis import Area, Diagnosis
from digest.errors import SettingError
from digest.model.providers import domain_of, known_provider
from digest.settings.settings import Settings, variable

AREA = Area("settings")
GOOD_SECRET = 32  # characters


def judge_settings(settings: Settings) -> list[Diagnosis]:
    return [
        *_missing(settings),
        *_short_secrets(settings),
        *_host(settings),
        *_author(settings),
        *_ways_back(settings),
    ]


def _missing(settings: Settings) -> Iterator[Diagnosis]:
    """Yield everything that mail cannot be made without, and that is not set."""
    missing = [name for name in NEEDED if getattr(settings, name) is None]
    for name in missing:
        yield AREA.problem(
            f"{variable(name)} is not set, and no mail can be made without it.",
            "Set it in the environment or in .env; config.example.env says what it is.",
        )
    faults = list(_faults(settings, is_complete=not missing))
    yield from faults
    if not missing and not faults:
        yield AREA.good("All that mail is made with is set.")


def _faults(settings: Settings, *, is_complete: bool) -> Iterator[Diagnosis]:
    """Yield what is set, but does not go together."""
    for make, has_enough in (signer_of, settings.from_), (from_identity, is_complete):
        try:
            if has_enough:
                make(settings)
        except SettingError as error:
            yield AREA.problem(f"No mail can be made: {error}.", "Set it so.")


def _short_secrets(settings: Settings) -> Iterator[Diagnosis]:
    for name in ("secret", "api_tokens", "metrics_tokens"):
        keys: tuple[str, ...] = getattr(settings, name) or ()
        shortest = min(map(len, keys), default=GOOD_SECRET)
        if shortest < GOOD_SECRET:
            then = " first, a comma, and the old one behind it" if name == "secret" else ""
            yield AREA.advice(
                f"{variable(name)} has {shortest} characters; {GOOD_SECRET} are hard to guess.",
                f"Put the output of openssl rand -hex 32 there{then}.",
            )


def _host(settings: Settings) -> Iterator[Diagnosis]:
    """The public host: only by https (RFC 8058 section 3.1), and better one of ours."""
    if settings.base_url is None:
        return
    url = urlsplit(settings.base_url)
    if url.scheme != "https":
        yield AREA.advice(
            f"{variable('base_url')} is {settings.base_url}: nobody else can open those links.",
            "Before you send to others, give it the https:// address of the pages.",
        )
    elif settings.from_ and not are_related(url.hostname or "", domain_of(settings.from_)):
        yield AREA.advice(
            f"The links lead to {url.hostname}, and mail comes from {domain_of(settings.from_)}: "
            "to readers and filters these are strangers.",
            f"Have {variable('base_url')} and {variable('from_')} under one domain.",
        )


def are_related(one: str, other: str) -> bool:
    """Return whether one name is above the other, or both are below one of two labels or more."""
    ours, theirs = (name.lower().rstrip(".").split(".")[::-1] for name in (one, other))
    pairs = zip(ours, theirs, strict=False)
    shared = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
    return shared >= 2 or shared == min(len(ours), len(theirs))


def _author(settings: Settings) -> Iterator[Diagnosis]:
    if settings.from_ is None:
        return
    if provider := known_provider(domain_of(settings.from_)):
        yield AREA.problem(
            f"{variable('from_')} is an address at {provider}, whose mail others may not sign: "
            "as yours, it is taken for forged.",
            "Send from a domain that is your own.",
        )


def _ways_back(settings: Settings) -> Iterator[Diagnosis]:
    """Yield what is missing so that what comes back is read, and somebody hears of it."""
    if settings.bounce_address is None:
        yield AREA.advice(
            "Failure reports go where answers go, to the address in From.",
            f"Give them an address of their own: {variable('bounce_address')}.",
        )
    if not settings.verp:
        yield AREA.advice(
            f"{variable('verp')} is no: a failure report does not say whose message it is about, "
            "and dead addresses go on getting mail.",
            "Have +TAG delivered at the bounce address, and set it to yes.",
        )
    if settings.inbox is None:
        yield AREA.advice(
            f"{variable('inbox')} is not set: reports and unsubscribe requests by mail are not "
            "read, unless your mail server hands them to digest inbox -.",
            "Name the mailbox, and run digest inbox every few minutes.",
        )
    if settings.operator is None:
        yield AREA.advice(
            f"{variable('operator')} is not set: when a daily run has trouble, only the log says.",
            "Set it to an address that you read.",
        )
