"""All that is checked of a mail: the list."""

from collections.abc import Iterable

from digest.checks import clients, colours, links, parts
from digest.checks import mjml as markup
from digest.checks.finding import Finding, in_order
from digest.checks.rendered_mail import Specimen
from digest.checks.rules import Rules


def check(specimen: Specimen, rules: Rules) -> list[Finding]:
    """What there is to say of one rendered mail, errors first."""
    return in_order(
        [
            *markup.unclosed(specimen),
            *markup.unknown(specimen),
            *markup.undescribed(specimen),
            *markup.unmeasured(specimen),
            *markup.forbidden(specimen),
            *links.bad_links(specimen, rules),
            *links.bad_links_in_text(specimen, rules),
            *links.no_way_out(specimen),
            *colours.poor_contrast(specimen),
            *colours.forgotten_in_dark(specimen),
            *parts.too_large(specimen, rules),
            *parts.out_of_step(specimen),
            *parts.preheader(specimen),
            *parts.unnamed(specimen),
            *parts.subject(specimen),
            *parts.long_lines(specimen),
            *clients.newly_unsupported(specimen, rules),
        ]
    )


def check_all(specimens: Iterable[Specimen], rules: Rules) -> list[Finding]:
    """What there is to say of some mails together, each thing once."""
    return in_order(found for specimen in specimens for found in check(specimen, rules))
