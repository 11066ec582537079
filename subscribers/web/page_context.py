"""The context that all pages about subscribers share."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Annotated, Any, Protocol
from zoneinfo import ZoneInfo

import structlog
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from subscribers.addresses import AddressPolicy, mailbox_key
from subscribers.due_times import local_date, next_mail
from subscribers.errors import ProofError
from subscribers.model import AddressChange, Consent, Subscriber
from subscribers.origins import Origins, elsewhere
from subscribers.own_papers import GivenPapers, ReadPapers, together
from subscribers.preferences import Preferences, Strictness
from subscribers.preferences_form import Fields, PreferencesForm
from subscribers.proof_of_work import ProofOfWork
from subscribers.sentences import Spoken
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose, Tokens
from subscribers.topic_reports import TopicReport
from subscribers.topics import TopicFilter
from subscribers.web.form_view import FormView, form_view

# Emails per hour that a form may cause: enough to correct a typing error, too few for a flood.
MOST_PER_ADDRESS = 3
MOST_PER_CLIENT = 10
LONGEST_CLIENT = 45  # an IPv6 address; a proxy may state anything in its place
UNDO_WITHIN = timedelta(hours=24)
PAPERS = "papers"  # the field, and the file, of papers to start from
_HOUR = 3600  # seconds, after which the limits allow more
_TRUSTED_PROXIES = "DIGEST_TRUSTED_PROXIES"

log = structlog.get_logger()


class NotSubscribedError(Exception):
    """Raised for the link of a person who has left, or was removed (None)."""

    def __init__(self, person: Subscriber | None) -> None:
        super().__init__("the person has left")
        self.person = person


@dataclass(frozen=True, slots=True)
class _SentForm:
    """A form as it was sent. Papers are apart, because they may be long, and files."""

    fields: Fields
    papers: tuple[str | bytes, ...]


async def _sent_form(request: Request) -> _SentForm:
    fields, papers = defaultdict(list), list[str | bytes]()
    async with request.form() as form:
        for name, typed in form.multi_items():
            if name == PAPERS:
                papers.append(typed if isinstance(typed, str) else await typed.read())
            elif isinstance(typed, str):  # and no file
                fields[name].append(typed)
    return _SentForm(dict(fields), tuple(papers))


_Sent = Annotated[_SentForm, Depends(_sent_form)]


async def _form_fields(sent: _Sent) -> Fields:
    return sent.fields


async def _sent_papers(sent: _Sent) -> tuple[str | bytes, ...]:
    return sent.papers


FormFields = Annotated[Fields, Depends(_form_fields)]
SentPapers = Annotated[tuple[str | bytes, ...], Depends(_sent_papers)]


class Visit(Protocol):
    """A request for a page, in a language."""

    @property
    def language(self) -> Spoken: ...

    def of_reader(self, locale: str | None) -> "Visit":
        """Return it in a reader's own language, by their preference."""


class Render(Protocol):
    """Fills a page template with values, in the language of a visit."""

    def __call__(self, name: str, visit: Any, **values: object) -> str: ...


class Languages(Protocol):
    """The languages that emails and pages are written in, by tag (RFC 5646)."""

    @property
    def own_names(self) -> Mapping[str, str]:
        """Return the name of each language in itself, by its tag, in the order of the names."""

    def speaks(self, tag: str) -> bool:
        """Return whether one of them is the tag's, or near enough to it: de to de-AT."""


class TransactionalMail(Protocol):
    """The emails about a subscription. Each is sent at once and logs its own failure."""

    def confirm(self, person: Subscriber) -> None:
        """Ask a pending subscriber to confirm."""

    def welcome(self, person: Subscriber) -> None:
        """Tell somebody who has just confirmed what will come."""

    def settings_link(self, person: Subscriber) -> None:
        """Give a subscriber who asked for it the link to their settings."""

    def goodbye(self, person: Subscriber, undo_until: datetime) -> None:
        """Confirm to somebody that they have left, with a link to undo it until a moment."""

    def confirm_address(self, change: AddressChange) -> None:
        """Ask at the new address whether it is the person's."""

    def address_changed(self, change: AddressChange) -> None:
        """Tell the old address that the person now uses another one."""


class When(StrEnum):
    """When somebody who confirms gets a first digest."""

    AT_ONCE = "at-once"  # the latest edition, if it has papers for them
    WAITS = "waits"  # the same, as soon as emails go out again
    LATER = "later"  # at their own time


@dataclass(frozen=True, slots=True)
class FirstDigest:
    """When somebody who confirms now gets a first digest, and after which moment the next one."""

    when: When
    then_after: datetime


class ReportTopics(Protocol):
    """Reports what topics would have matched lately."""

    def __call__(
        self, topics: Sequence[TopicFilter], strictness: Strictness | None
    ) -> Sequence[TopicReport] | None:
        """Return a report for each topic; none without papers, None if they take too long."""


@dataclass(frozen=True, slots=True)
class NextDigest:
    """The next digest of a reader, in their own time: on which day, how many days from now."""

    day: date
    days: int
    time: str

    @classmethod
    def of(
        cls, preferences: Preferences, now: datetime, after: datetime | None = None
    ) -> "NextDigest":
        """Return the next one after ``now``, or ``after`` a later moment, once a pause is over."""
        due = next_mail(preferences, after or now).astimezone(ZoneInfo(preferences.timezone))
        days = (due.date() - local_date(preferences, now)).days
        return cls(due.date(), days, due.strftime("%H:%M"))


@dataclass(frozen=True)
class PageContext:
    """The registry, and everything else that the pages call.

    ``origins`` are the sites that may have the sign-up form. ``defaults`` are the preferences on a
    new one, ``suggestions`` returns topics to choose from, and ``titles_of`` the titles of papers
    by their canonical ids, of those that are known.
    ``first_digest`` tells what somebody who confirms at a moment gets. ``topic_reports`` tells what
    topics would have matched, and waits for a moment at most.
    ``keeps_clients``: the network address behind each consent is stored. ``welcomes`` and
    ``says_goodbye``: an email is sent to people who join or leave. ``most_sign_ups`` is the limit
    per hour over all people; ``warn_operator`` is called when it is reached. With
    ``proof_of_work`` a browser has to compute before the sign-up form is taken. ``visit`` is the
    request that is being answered.
    """

    registry: Registry
    tokens: Tokens
    render: Render
    origins: Origins
    clock: Callable[[], datetime]
    mail: TransactionalMail
    languages: Languages
    address_policy: AddressPolicy
    defaults: Preferences
    suggestions: Callable[[], Sequence[str]]
    titles_of: Callable[[Iterable[str]], Mapping[str, str]]
    read_papers: ReadPapers
    first_digest: Callable[[datetime], FirstDigest] = lambda now: FirstDigest(When.LATER, now)
    topic_reports: ReportTopics = lambda *_: ()
    keeps_clients: bool = False
    welcomes: bool = False
    says_goodbye: bool = False
    most_sign_ups: int = 200
    proof_of_work: ProofOfWork | None = None
    warn_operator: Callable[[str], None] = log.warning
    visit: Visit | None = None

    def page(
        self,
        name: str,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        reader: Subscriber | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """Fill the template of a page, in the language of the reader whose own page it is."""
        if reader:
            return self.in_language_of(reader.preferences).page(name, status, **values)
        assert self.visit
        body = self.render(f"pages/{name}.html.j2", self.visit, **values)
        return HTMLResponse(body, status, {"Content-Language": self.visit.language.code})

    def in_language_of(self, preferences: Preferences) -> "PageContext":
        """Return it for a page in the language of somebody with these preferences."""
        assert self.visit
        return replace(self, visit=self.visit.of_reader(preferences.locale))

    def form_view(self, form: PreferencesForm, papers: str = "") -> FormView:
        """Return a form ready for its template; ``papers`` were typed to start from."""
        assert self.visit
        language = self.visit.of_reader(form.locale or None).language.code
        names = self.languages.own_names
        return form_view(form, self.suggestions(), names, language, papers)

    def reader(self, purpose: Purpose, token: str) -> Subscriber:
        """Return whose link it is. Raises TokenError or NotSubscribedError."""
        person = self.registry.by_public_id(self.tokens.read(purpose, token))
        if person is None or person.consent is Consent.WITHDRAWN:
            raise NotSubscribedError(person)
        return person

    def feed_token(self, person: Subscriber) -> str:
        """Return the token of a person's private feed; empty if they have none."""
        key = self.registry.feed_links.key_of(person.id)
        return self.tokens.make(Purpose.FEED, f"{person.public_id}.{key}") if key else ""

    def feed_reader(self, token: str) -> Subscriber | None:
        """Return whose private feed it is; None if it has ended. Raises TokenError."""
        public_id, _, key = self.tokens.read(Purpose.FEED, token).partition(".")
        person = self.registry.by_public_id(public_id)
        if person is None or person.consent is Consent.WITHDRAWN:
            return None
        current = self.registry.feed_links.key_of(person.id)
        return person if current and compare_digest(key.encode(), current.encode()) else None

    def bad_link(self) -> HTMLResponse:
        """Answer a token that is not valid: always alike, whatever is wrong with it."""
        return self.page("bad-link", HTTPStatus.NOT_FOUND, address="", error=None)

    def left(self, person: Subscriber | None) -> HTMLResponse:
        """Show the page after leaving. It offers to undo if the person had ever confirmed.

        Otherwise undoing would be a way around confirming.
        """
        if person is None or not self.registry.has_confirmed(person):
            return self.page("unsubscribed", reader=person)
        undo_until = self.clock() + UNDO_WITHIN
        undo = self.tokens.make_until(Purpose.UNDO, person.public_id, undo_until)
        return self.page("unsubscribed", reader=person, undo=undo)

    def welcome(self, person: Subscriber, first: FirstDigest | None = None) -> HTMLResponse:
        """Show the page for somebody who has just joined, or has come back.

        ``first`` is their first digest if they have just confirmed.
        """
        now = self.clock()
        first = first or FirstDigest(When.LATER, now)
        return self.page(
            "welcome",
            reader=person,
            address=person.address,
            topics=[topic.text for topic in person.topics],
            preferences=self.tokens.make(Purpose.PREFERENCES, person.public_id),
            first=first.when,
            welcomes=self.welcomes,
            next_digest=NextDigest.of(person.preferences, now, first.then_after),
        )

    def client_of(self, request: Request) -> str:
        """Return the network address of a request if it is to be stored, else nothing."""
        return _host_of(request)[:LONGEST_CLIENT] if self.keeps_clients else ""

    def given_papers(self, sent: Sequence[str | bytes]) -> GivenPapers:
        """Read the papers in what was sent: a text, and a file."""
        read = [self.read_papers(text, self.clock()) for text in sent if text.strip()]
        return together(read)

    def other_site(self, request: Request) -> str:
        """Return the other site that the sign-up form was sent from; empty if it was our own page.

        Raises ElsewhereError if it may not be sent from there, or if our page has to compute first.
        """
        site = self.origins.sender(request.headers.getlist)
        if site and self.proof_of_work:
            raise elsewhere()
        return site

    def check_proof(self, sent: str) -> None:
        """Raise ProofError if a proof of work is asked for and this is none, or an old one."""
        if self.proof_of_work:
            now = self.clock()
            challenge = self.proof_of_work.check(sent, now)
            if not self.registry.is_within_limits({f"proof {challenge}": 1}, now):
                raise ProofError("this form was sent already: please send it again")

    def may_mail(self, address: str, request: Request | None = None) -> bool:
        """Count a request for an email to an address; return whether it is within the limits.

        A stranger's ``request`` also counts against their network address.
        """
        limits = {f"mailbox {mailbox_key(address)}": MOST_PER_ADDRESS}
        if request is None:
            return self.registry.is_within_limits(limits, self.clock())
        limits[f"client {self.tokens.keyed(_network_of(request))}"] = MOST_PER_CLIENT
        # In this order: requests over a limit of their own must not use up everybody's.
        return self.registry.is_within_limits(limits, self.clock()) and self._is_below_ceiling()

    def _is_below_ceiling(self) -> bool:
        now, within = self.clock(), self.registry.is_within_limits
        if within({"all": self.most_sign_ups}, now):
            return True
        if within({"warning": 1}, now):
            self.warn_operator(
                f"More than {self.most_sign_ups} sign-ups in an hour: further ones are told to try "
                "again later (DIGEST_SIGN_UPS_PER_HOUR)"
            )
        return False

    def try_later(self) -> HTMLResponse:
        """Refuse a request that is over a limit; the answer is the same for every limit."""
        page = self.page("try-later", HTTPStatus.TOO_MANY_REQUESTS)
        page.headers["Retry-After"] = str(_HOUR)
        return page


def context_of(request: Request) -> PageContext:
    """Return the context, with the visit that a request is."""
    context: PageContext = request.app.state.context
    return replace(context, visit=request.state.visit)


async def _context_of(request: Request) -> PageContext:
    return context_of(request)


# The application's state must hold the context, and the request's the visit.
Context = Annotated[PageContext, Depends(_context_of)]


def _host_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _network_of(request: Request) -> str:
    """Return the network that a request comes from: of IPv6 the /64, which one client has whole."""
    host = _host_of(request)
    # The server replaces the port by 0 where it has taken the address from a trusted proxy.
    if "x-forwarded-for" in request.headers and request.client and request.client.port:
        log.warning("a proxy is not trusted", proxy=host, setting=_TRUSTED_PROXIES)
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or int(address) >> 64)
