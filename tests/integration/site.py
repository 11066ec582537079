"""The web application over a ledger and a registry, and the letters that it sends."""

from dataclasses import replace
from functools import partial
from operator import call

from digest.collect.own_papers import read_own_papers
from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.compose.transactional_composer import TransactionalComposer
from digest.deliver.edition_messages import digest_of
from digest.deliver.transactional_mail import TransactionalMail
from digest.inbound.webhooks import WebhookAnswer
from digest.ledger.database import what_is_missing
from digest.model.messages import Outcome, OutcomeKind
from digest.rank.related import Related
from digest.rank.search import Search
from digest.rank.topic_reporter import TopicReporter
from digest.web.caching import Versions
from digest.web.limiter import Limiter
from digest.web.pages import web_app
from digest.web.privacy import privacy_of
from digest.web.sample import Kept, sample_of
from digest.web.site import Site, page_renderer
from digest.web.timely_reports import TimelyReports
from subscribers.addresses import AddressPolicy
from subscribers.origins import Origins
from subscribers.preferences import Preferences, Strictness
from subscribers.web.page_context import PageContext
from tests.integration.pipelines import make_planning
from tests.support import NOW, PLAIN_TEMPLATES, make_corpus, make_settings

SENDER = from_identity(make_settings())
TEMPLATES = Templates()
COMPOSER = Composer(TEMPLATES, SENDER)
PLAIN_COMPOSER = Composer(Templates(PLAIN_TEMPLATES), SENDER)
LETTERS = TransactionalComposer(TEMPLATES, SENDER)


def make_site(ledger, registry, *, clock=lambda: NOW, mails=None, templates=TEMPLATES, **changes):
    """A site; ``mails`` is the list its mails go to. Fields of PageContext and Site by name."""
    composer, letters = COMPOSER, LETTERS
    if templates is not TEMPLATES:
        composer = Composer(templates, SENDER)
        letters = TransactionalComposer(templates, SENDER)
    planning = make_planning(make_settings(), ledger, registry)

    def post(message):
        if mails is not None:
            mails.append(message)
        return Outcome(OutcomeKind.ACCEPTED, "ok", 250)

    def own_digest(person, day):
        digest = digest_of(ledger, person, day)
        return composer.render(digest, person.public_id, person.address).html if digest else None

    ranking = Limiter()
    reporter = TopicReporter(ledger, make_corpus, None, Strictness.NORMAL)
    reports = TimelyReports(reporter.report, ranking, seconds=60)
    context = PageContext(
        registry=registry,
        tokens=SENDER.tokens,
        render=page_renderer(templates, SENDER),
        origins=Origins(SENDER.base_url),
        clock=clock,
        mail=TransactionalMail(letters, post, clock),
        languages=templates.languages,
        address_policy=AddressPolicy(lambda: False),
        defaults=Preferences(),
        suggestions=lambda: ["robots", "agents"],
        titles_of=ledger.papers.titles_of,
        read_papers=partial(read_own_papers, ledger.papers),
        topic_reports=reports,
    )
    context = replace(
        context, **{name: changes.pop(name) for name in list(changes) if hasattr(context, name)}
    )
    site = Site(
        identity=SENDER,
        templates=templates,
        editions=ledger.editions,
        pictures=ledger.pictures,
        browsing=ledger.browsing,
        told=lambda papers, _: papers,
        chosen=ledger.chosen,
        context=context,
        privacy=privacy_of(make_settings()),
        draft=planning.draft,
        search=Search(ledger, make_corpus).find,
        related=Related(ledger.papers, make_corpus).to,
        topic_reports=reports.soon,
        reports=reporter.report,
        own_digest=own_digest,
        missing=lambda: what_is_missing(ledger.engine),
        figures=lambda: b"",
        webhook=lambda *_: WebhookAnswer.UNKNOWN,
        versions=Versions(lambda: f"{ledger.papers.state()} {ledger.editions.state()}", clock),
        file_versions=Versions(lambda: "", clock),
        ranking=ranking,
        sample=Kept(
            partial(sample_of, ledger.editions, planning.draft, lambda: ["study of things"]),
            lambda: f"{ledger.papers.state()} {ledger.editions.state()}",
            call,
        ),
        sample_mail=lambda digest: composer.render(digest, "").html,
    )
    return replace(site, **changes)


def make_web(ledger, registry, **changes):
    return web_app(make_site(ledger, registry, **changes))
