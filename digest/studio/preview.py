"""Preview emails and check them, before anybody receives them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from digest.checks.check import check, check_all
from digest.checks.clients import baseline_of
from digest.checks.finding import Finding, Level, in_order
from digest.checks.rendered_mail import RenderedMail
from digest.checks.rules import Baseline, Rules
from digest.checks.sources import check_sources
from digest.compose.card import CardView, Picture
from digest.compose.composer import Composer
from digest.compose.content import ANNOUNCEMENT, OF_EDITIONS, Content, mail_of
from digest.compose.environment import Templates
from digest.compose.from_identity import FromIdentity
from digest.compose.message import build_message
from digest.compose.source_map import Rendered
from digest.compose.view import AnnouncementView, AnyView, DigestView, MessageView
from digest.errors import TemplateError
from digest.model.digests import Digest
from digest.model.wording import truncate
from digest.studio.rendering import Render, TooExpensive, render_email
from digest.studio.samples import Sample, samples, view_of

PARTS = ("subject.txt.j2", "body.txt.j2", "body.mjml.j2")
LARGEST = "largest"  # the sample for the checks of sizes
_IN_ROW = 40  # characters of a title that every template shows
_READER = "reader@example.org"
_PUBLIC_ID = "preview"


@dataclass(frozen=True, slots=True)
class Preview:
    """An email and the findings about it.

    ``sample`` is empty for the digest of an edition. ``message`` is the whole message in octets;
    ``mjml`` knows the template and the line of each of its characters.
    """

    mail: str
    sample: str
    about: str
    content: Content
    message: bytes
    mjml: Rendered
    findings: tuple[Finding, ...]


class Previews:
    """Makes previews from the templates as they are now, in one sender's name.

    Each method may raise TemplateError. Messages that are too large are shown as well: the checks
    report them.
    """

    def __init__(
        self,
        templates: Templates,
        identity: FromIdentity,
        rules: Rules | None = None,
        render: Render | None = None,
    ) -> None:
        self._templates = templates
        self._render = render or partial(render_email, templates)
        self._identity = identity
        self._rules = rules or Rules()
        self._composer = Composer(templates, identity)

    def samples(self) -> dict[str, Sample]:
        """Return the samples that templates are filled with, by name."""
        return samples(self._templates.folders)

    def of_sample(self, name: str) -> Preview:
        """Preview a sample."""
        sample = self.samples().get(name)
        if sample is None:
            raise TemplateError(f"samples/{name}.json", 0, "there is no such sample")
        return self._preview(sample, view_of(sample, self._composer))

    def of_digest(self, digest: Digest) -> Preview:
        """Preview a digest of an edition, or the note that there is nothing."""
        view = self._composer.view(digest, self._composer.links(digest, _PUBLIC_ID))
        return self._preview(Sample("", mail_of(digest), "", {}), view)

    def findings(self, mail: str | None = None) -> list[Finding]:
        """Return the findings about all samples of one email, or of all, each once."""
        made, found = [], []
        for sample in self._samples_of(mail):
            sources = self._check_sources(sample.mail)
            found += sources
            if any(finding.check == "include" for finding in sources):
                continue
            try:
                made.append(self._made(sample, self._identity))
            except TemplateError as error:
                found.append(
                    Finding("template", Level.ERROR, error.what, error.template, error.line)
                )
                if isinstance(error, TooExpensive):
                    break  # the others would take as long
        return in_order([*found, *check_all(made, self._rules)])

    def baseline(self) -> Baseline:
        """Return what clients do not support of the emails, with and without pictures."""
        return baseline_of(
            self._made(sample, identity)
            for identity in (self._identity, with_pictures(self._identity))
            for sample in self._samples_of(None)
        )

    def _samples_of(self, mail: str | None) -> list[Sample]:
        wanted = [sample for sample in self.samples().values() if mail in {None, sample.mail}]
        if not wanted:
            raise TemplateError(f"mail/{mail}", 0, "there is no sample for this template")
        return wanted

    def _made(self, sample: Sample, identity: FromIdentity) -> RenderedMail:
        view = view_of(sample, Composer(self._templates, identity))
        return self._rendered(sample, view, *self._filled(sample.mail, view))

    def _check_sources(self, mail: str) -> list[Finding]:
        others = AnnouncementView if mail == ANNOUNCEMENT else MessageView
        view = DigestView if mail in OF_EDITIONS else others
        return [
            finding
            for part in PARTS
            for finding in check_sources(self._templates.folders, f"mail/{mail}/{part}", view)
        ]

    def _filled(self, mail: str, view: AnyView) -> tuple[Content, Rendered]:
        """Render an email, unless it has includes that cannot be followed. Raises TemplateError."""
        for finding in self._check_sources(mail):
            if finding.check == "include":
                raise TemplateError(finding.template, finding.line, finding.what)
        return self._render(mail, view)

    def _preview(self, sample: Sample, view: AnyView) -> Preview:
        content, mjml = self._filled(sample.mail, view)
        rendered = self._rendered(sample, view, content, mjml)
        message = build_message(
            content,
            self._identity,
            to=_READER,
            public_id=_PUBLIC_ID,
            what=sample.mail,
            now=datetime.now(UTC),
            campaign="" if sample.is_of_list else sample.mail,
        )
        return Preview(
            mail=sample.mail,
            sample=sample.name,
            about=sample.about,
            content=content,
            message=message.content,
            mjml=rendered.mjml,
            findings=tuple(
                in_order([*self._check_sources(sample.mail), *check(rendered, self._rules)])
            ),
        )

    def _rendered(
        self, sample: Sample, view: AnyView, content: Content, mjml: Rendered
    ) -> RenderedMail:
        cards = _cards(view)
        return RenderedMail(
            mail=sample.mail,
            sample=sample.name,
            mjml=mjml,
            html=content.html,
            text=content.text,
            subject=content.subject,
            # A row has the beginning of a title, and not each template has a link to each page.
            titles=tuple(truncate(card.title, _IN_ROW).removesuffix("…") for card in cards),
            urls=tuple(card.url if card.url in content.text else card.read_url for card in cards),
            unsubscribe=_way_out(view),
            postal_address=view.postal_address,
            is_largest=sample.name == LARGEST,
            own_hosts=frozenset(_hosts(self._identity, cards)),
            base_url=self._identity.base_url,
            not_built=content.not_built,
        )


def with_pictures(identity: FromIdentity) -> FromIdentity:
    """Return the sender with every picture that can be shown turned on."""
    header = Picture("https://pictures.example/header.png", 600, 120, identity.name)
    return replace(identity, header=header, pictures=True)


def _cards(view: AnyView) -> list[CardView]:
    if not isinstance(view, DigestView):
        return []
    return [card for section in view.sections for card in section.cards]


def _hosts(identity: FromIdentity, cards: list[CardView]) -> Iterator[str]:
    """Yield the hosts of links that no template decides: our pages, and addresses of papers."""
    yield identity.host
    for card in cards:
        for url in (card.url, card.read_url, *(way.url for way in card.ways)):
            if host := urlsplit(url).hostname:
                yield host


def _way_out(view: AnyView) -> str:
    """Return the unsubscribe link that is required; a message to a non-subscriber has none."""
    return view.unsubscribe if isinstance(view, MessageView) else view.links.unsubscribe
