"""Check rendered emails: the list of all checks."""

from collections.abc import Iterable

from digest.checks import clients, colours, links, parts
from digest.checks import mjml as markup
from digest.checks.finding import Finding, in_order
from digest.checks.rendered_mail import RenderedMail
from digest.checks.rules import Rules


def check(rendered: RenderedMail, rules: Rules) -> list[Finding]:
    """Return the findings about one email, errors first."""
    return in_order(
        [
            *markup.unclosed(rendered),
            *markup.unknown(rendered),
            *markup.undescribed(rendered),
            *markup.unmeasured(rendered),
            *markup.invisible(rendered),
            *markup.unknown_properties(rendered),
            *markup.forbidden(rendered),
            *links.bad_links(rendered, rules),
            *links.bad_links_in_text(rendered, rules),
            *links.without_text(rendered),
            *links.insecure_base_url(rendered),
            *links.no_way_out(rendered),
            *colours.poor_contrast(rendered),
            *colours.forgotten_in_dark(rendered),
            *parts.too_large(rendered, rules),
            *parts.out_of_step(rendered),
            *parts.preheader(rendered),
            *parts.unnamed(rendered),
            *parts.subject(rendered),
            *parts.long_lines(rendered),
            *parts.not_built(rendered),
            *clients.newly_unsupported(rendered, rules),
        ]
    )


def check_all(rendered_mails: Iterable[RenderedMail], rules: Rules) -> list[Finding]:
    """Return the findings about several emails, each once."""
    return in_order(found for rendered in rendered_mails for found in check(rendered, rules))
