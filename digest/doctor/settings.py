"""Judge the settings: whether messages can be made by them, and what should be set better."""

from collections.abc import Iterator
from ipaddress import ip_network
from itertools import takewhile
from pathlib import Path
from urllib.parse import urlsplit

from digest.compose.from_identity import from_identity
from digest.deliver.transport.dkim_key import signer_of
from digest.doctor.diagnosis import Area, Diagnosis
from digest.errors import SettingError
from digest.model.providers import domain_of, known_provider
from digest.settings.settings import Settings, variable

AREA = Area("settings")
_READABLE_BY_ALL = 0o004
_MARKS_OF_CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))  # Docker, Podman
GOOD_SECRET = 32  # characters
TRIAL = AREA.advice(
    f"This is a trial: only this machine can open the links in emails ({variable('base_url')}). "
    "What matters only for mail to others was not examined: DNS, returned mail.",
    "Before you send to others, run digest init again, with the https:// address of your pages.",
)


def examine_dotenv(file: Path) -> list[Diagnosis]:
    """Examine who can read a file with settings, if there is one: it has secrets."""
    if file.is_file() and file.stat().st_mode & _READABLE_BY_ALL:
        what = f"Everybody on this machine can read {file}, which has your secrets."
        return [AREA.advice(what, f"Run chmod 600 {file}.")]
    return []


def is_in_container() -> bool:
    return any(map(Path.exists, _MARKS_OF_CONTAINERS))


def judge_proxies(settings: Settings, *, in_container: bool) -> list[Diagnosis]:
    """Judge who is believed about visitors' addresses (X-Forwarded-For)."""
    name = variable("trusted_proxies")
    networks = list(map(ip_network, settings.trusted_proxies))
    if any(network.prefixlen == 0 for network in networks):
        what = f"{name} trusts every address: anybody can pretend to be somebody else."
        return [AREA.advice(what, "Set it to the address of your proxy.")]
    is_public = settings.base_url is not None and settings.base_url.startswith("https:")
    if is_public and in_container and all(network.is_loopback for network in networks):
        return [
            AREA.advice(
                f"{name} trusts no proxy outside of this container: all visitors count as one, "
                "who soon reaches the limit of sign-ups.",
                f"Set {name} to the address or network of your proxy.",
            )
        ]
    return []


def judge_settings(settings: Settings) -> list[Diagnosis]:
    faults = [
        *(
            AREA.problem(
                f"{name} is not set, and no message can be made without it.",
                "Run digest init, or set it in .env; config.example.env says what it is.",
            )
            for name in settings.missing
        ),
        *_contradictions(settings, is_complete=not settings.missing),
    ]
    return [
        *(faults or [AREA.good("Everything that messages are made with is set.")]),
        *_sources(settings),
        *_short_secrets(settings),
        *([TRIAL] if settings.is_trial else _for_others(settings)),
    ]


def _for_others(settings: Settings) -> Iterator[Diagnosis]:
    """Judge what matters once others get mail."""
    yield from judge_host(settings)
    yield from _author(settings)
    yield from _ways_back(settings)


def _contradictions(settings: Settings, *, is_complete: bool) -> Iterator[Diagnosis]:
    """Yield the settings that do not go together."""
    for make, has_enough in (signer_of, settings.from_), (from_identity, is_complete):
        try:
            if has_enough:
                make(settings)
        except SettingError as error:
            yield AREA.problem(f"No message can be made: {error}.", "Correct this setting.")


def _sources(settings: Settings) -> Iterator[Diagnosis]:
    """Judge whether the sources that have settings are asked."""
    for what in settings.without_effect:
        yield AREA.advice(what, "Name it there, or remove the setting.")


def _short_secrets(settings: Settings) -> Iterator[Diagnosis]:
    for name in ("secret", "api_tokens", "metrics_tokens"):
        keys: tuple[str, ...] = getattr(settings, name) or ()
        shortest = min(map(len, keys), default=GOOD_SECRET)
        if shortest < GOOD_SECRET:
            then = " first, then a comma and the old one" if name == "secret" else ""
            yield AREA.advice(
                f"{variable(name)} has {shortest} characters; {GOOD_SECRET} are hard to guess.",
                f"Put the output of openssl rand -hex 32 there{then}.",
            )


def judge_host(settings: Settings) -> Iterator[Diagnosis]:
    """Judge the host of links: it should be ours."""
    if not settings.base_url:
        return
    url = urlsplit(settings.base_url)
    if settings.from_ and not are_related(url.hostname or "", domain_of(settings.from_)):
        yield AREA.advice(
            f"The links lead to {url.hostname}, messages come from {domain_of(settings.from_)}: "
            "readers and spam filters distrust that.",
            f"Use one domain in {variable('base_url')} and {variable('from_')}.",
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
            f"{variable('from_')} is an address at {provider}, whose mail nobody else can sign: "
            "your messages will be taken for forged.",
            "Send from a domain of your own.",
        )


def _ways_back(settings: Settings) -> Iterator[Diagnosis]:
    """Judge whether reports and requests that come back are read, and the operator is told."""
    if settings.bounce_address is None:
        yield AREA.advice(
            "Failure reports go to the address in From, as answers do.",
            f"Set {variable('bounce_address')} to an address for them.",
        )
    if not settings.verp:
        yield AREA.advice(
            f"{variable('verp')} is no: a failure report does not say whose message it is about, "
            "so dead addresses still get mail.",
            "Let the bounce address accept +TAG, and set this to yes.",
        )
    if settings.inbox is None:
        yield AREA.advice(
            f"{variable('inbox')} is not set: reports and unsubscribe requests by mail are not "
            "read, unless your mail server passes them to digest inbox -.",
            "Set it to the mailbox, and run digest inbox every few minutes.",
        )
    if settings.operator is None:
        yield AREA.advice(
            f"{variable('operator')} is not set: trouble of a daily run is only in the log.",
            "Set it to an address that you read.",
        )
