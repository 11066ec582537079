"""The web application over a ledger and a registry, and the letters that it sends."""

from dataclasses import replace

from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.from_identity import sender_of
from digest.compose.transactional_composer import LetterComposer
from digest.compose.transactional_mail import Letters
from digest.ledger.database import what_is_missing
from digest.model.messages import Outcome, OutcomeKind
from digest.pipeline import Pipeline
from digest.rank.search import search
from digest.web.health import Watch
from digest.web.pages import web_app
from digest.web.site import Site, page_renderer
from subscribers.addresses import AddressGate
from subscribers.preferences import Preferences
from subscribers.web.page_context import Desk
from tests.support import NOW, PLAIN_TEMPLATES, make_background, make_settings

SENDER = sender_of(make_settings())
TEMPLATES = Templates()
COMPOSER = Composer(TEMPLATES, SENDER)
PLAIN_COMPOSER = Composer(Templates(PLAIN_TEMPLATES), SENDER)
LETTERS = LetterComposer(TEMPLATES, SENDER)


def make_site(ledger, registry, *, clock=lambda: NOW, mails=None, **changes):
    """A site; ``mails`` is the list that its letters go to. Fields of Desk and Site by name."""
    pipeline = Pipeline(make_settings(), ledger, registry, list, make_background)

    def post(message):
        if mails is not None:
            mails.append(message)
        return Outcome(OutcomeKind.ACCEPTED, "ok", 250)

    def own_digest(person, day):
        digest = pipeline.digest_of(person, day)
        return COMPOSER.render(digest, person.public_id).html if digest else None

    desk = Desk(
        registry=registry,
        tokens=SENDER.tokens,
        render=page_renderer(TEMPLATES, SENDER),
        clock=clock,
        letters=Letters(LETTERS, post, clock),
        gate=AddressGate(lambda: False),
        defaults=Preferences(),
        suggestions=lambda: ["robots", "agents"],
        title_of=ledger.papers.title_of,
    )
    desk = replace(
        desk, **{name: changes.pop(name) for name in list(changes) if hasattr(desk, name)}
    )
    site = Site(
        sender=SENDER,
        templates=TEMPLATES,
        editions=ledger.editions,
        desk=desk,
        draft=pipeline.draft,
        search=lambda typed: search(ledger, make_background(), typed),
        own_digest=own_digest,
        watch=Watch(lambda: what_is_missing(ledger.engine), figures=lambda: b""),
    )
    return replace(site, **changes)


def make_web(ledger, registry, **changes):
    return web_app(make_site(ledger, registry, **changes))
