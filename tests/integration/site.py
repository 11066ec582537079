"""The web application over a ledger and a registry, and the letters that it sends."""

from dataclasses import replace

from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.compose.transactional_mail import TransactionalComposer, TransactionalMail
from digest.deliver.edition_messages import digest_of
from digest.inbound.webhooks import WebhookAnswer
from digest.ledger.database import what_is_missing
from digest.model.messages import Outcome, OutcomeKind
from digest.rank.search import Search
from digest.web.pages import web_app
from digest.web.site import Site, page_renderer
from subscribers.addresses import AddressPolicy
from subscribers.preferences import Preferences
from subscribers.web.page_context import PageContext
from tests.integration.pipelines import make_planning
from tests.support import NOW, PLAIN_TEMPLATES, make_corpus, make_settings

SENDER = from_identity(make_settings())
TEMPLATES = Templates()
COMPOSER = Composer(TEMPLATES, SENDER)
PLAIN_COMPOSER = Composer(Templates(PLAIN_TEMPLATES), SENDER)
LETTERS = TransactionalComposer(TEMPLATES, SENDER)


def make_site(ledger, registry, *, clock=lambda: NOW, mails=None, **changes):
    """A site; ``mails`` is the list its mails go to. Fields of PageContext and Site by name."""
    planning = make_planning(make_settings(), ledger, registry)

    def post(message):
        if mails is not None:
            mails.append(message)
        return Outcome(OutcomeKind.ACCEPTED, "ok", 250)

    def own_digest(person, day):
        digest = digest_of(ledger, person, day)
        return COMPOSER.render(digest, person.public_id).html if digest else None

    context = PageContext(
        registry=registry,
        tokens=SENDER.tokens,
        render=page_renderer(TEMPLATES, SENDER),
        clock=clock,
        mail=TransactionalMail(LETTERS, post, clock),
        address_policy=AddressPolicy(lambda: False),
        defaults=Preferences(),
        suggestions=lambda: ["robots", "agents"],
        title_of=ledger.papers.title_of,
    )
    context = replace(
        context, **{name: changes.pop(name) for name in list(changes) if hasattr(context, name)}
    )
    site = Site(
        identity=SENDER,
        templates=TEMPLATES,
        editions=ledger.editions,
        context=context,
        draft=planning.draft,
        search=Search(ledger, make_corpus).find,
        own_digest=own_digest,
        missing=lambda: what_is_missing(ledger.engine),
        figures=lambda: b"",
        webhook=lambda *_: WebhookAnswer.UNKNOWN,
    )
    return replace(site, **changes)


def make_web(ledger, registry, **changes):
    return web_app(make_site(ledger, registry, **changes))
