"""What the page on privacy says by itself: what the settings make true. The text is a template."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from digest.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class Privacy:
    """What the page says of one installation. Days are those for which something is kept.

    ``header_host`` is another server that the picture at the top of each email comes from; it is
    empty if there is none. ``model_host`` is that of the language model, if there is one.
    """

    keeps_clients: bool
    logs_addresses: bool
    shows_pictures: bool
    asks_dns: bool
    model_host: str
    model_sees_topics: bool
    header_host: str
    days_of_deliveries: int
    days_of_evidence: int
    days_of_unconfirmed: int


def privacy_of(settings: Settings) -> Privacy:
    """Return what the settings make true."""
    header = urlsplit(settings.header_image or "").hostname or ""
    own = urlsplit(settings.base_url or "").hostname
    return Privacy(
        keeps_clients=settings.keep_client_addresses,
        logs_addresses=settings.log_addresses,
        shows_pictures=settings.pictures,
        asks_dns=settings.mx_lookups,
        model_host=urlsplit(settings.summaries_url or "").hostname or "",
        model_sees_topics=bool(settings.summaries_url and settings.summaries_topics),
        header_host="" if header == own else header,
        days_of_deliveries=settings.keep_deliveries_days,
        days_of_evidence=settings.keep_evidence_days,
        days_of_unconfirmed=settings.keep_unconfirmed_days,
    )
