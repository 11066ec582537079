"""Build the From identity of messages: the operator's addresses and links."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from digest.compose.card import Picture
from digest.errors import SettingError
from digest.model.verp import Verp
from digest.settings.settings import Settings, variable
from subscribers.tokens import Purpose, Tokens

WIDEST = 600  # pixels of an email


@dataclass(frozen=True, slots=True)
class FromIdentity:
    """Everything in a message that does not depend on the subscriber or the edition."""

    name: str
    address: str
    reply_to: str
    bounce_address: str
    unsubscribe_address: str
    complaints_address: str
    base_url: str  # "" if there are no pages
    secret: str
    tokens: Tokens
    postal_address: str
    header: Picture | None = None
    pictures: bool = True
    first_digest: bool = False

    @property
    def host(self) -> str:
        """The public host: of links, of the List-Id and of Message-IDs; without pages, of From."""
        return urlsplit(self.base_url).hostname or self.address.rpartition("@")[2]

    @property
    def sender_id(self) -> str:
        """The sender in Feedback-ID, by which Gmail adds up complaints: the domain of From.

        It must have 5 to 15 characters, and never change
        (https://support.google.com/a/answer/6254652).
        """
        return self.address.rpartition("@")[2][-15:].ljust(5, "-")

    @property
    def root(self) -> str:
        """The path of the public address, which all links on pages begin with; mostly empty."""
        return urlsplit(self.base_url).path.rstrip("/")

    def leave_by_mail(self, public_id: str) -> str:
        """Return the address to unsubscribe by mail (RFC 2369): mailto, with a token as subject."""
        token = self.tokens.make(Purpose.UNSUBSCRIBE, public_id)
        return f"mailto:{self.unsubscribe_address}?subject={token}"

    def link(self, purpose: Purpose, public_id: str) -> str:
        """Return a subscriber's own link, for one purpose; "" without pages."""
        if not self.base_url:
            return ""
        return f"{self.base_url}/{purpose}/{self.tokens.make(purpose, public_id)}"


def preview_identity(settings: Settings) -> FromIdentity:
    """Return the identity for a preview that goes nowhere: what is not set yet has a stand-in."""
    return from_identity(
        replace(
            settings,
            from_=settings.from_ or "digest@example.org",
            base_url=settings.base_url or "https://digest.example.org",
            secret=settings.secret or ("only for previews",),
            postal_address=settings.postal_address or "(DIGEST_POSTAL_ADDRESS is not set yet)",
        )
    )


def from_identity(settings: Settings) -> FromIdentity:
    """Make it from the settings. Raises SettingError naming those that are missing."""
    if settings.missing:
        raise SettingError(
            f"{', '.join(settings.missing)} must be set before anything can be sent "
            "(in .env or the environment; digest doctor says how)"
        )
    assert settings.from_
    assert settings.base_url is not None
    assert settings.secret
    assert settings.postal_address
    domain = settings.from_.rpartition("@")[2]
    bounce_address = settings.bounce_address or settings.from_
    if settings.verp and not Verp(settings.secret, bounce_address).has_room:
        raise SettingError(
            f"{bounce_address} is too long to have a tag added: set {variable('bounce_address')} "
            f"to a shorter one, or {variable('verp')} to no"
        )
    return FromIdentity(
        name=settings.from_name,
        address=settings.from_,
        reply_to=settings.reply_to or settings.from_,
        bounce_address=bounce_address,
        unsubscribe_address=settings.unsubscribe_address or f"unsubscribe@{domain}",
        complaints_address=settings.complaints_address or f"complaints@{domain}",
        base_url=settings.base_url,
        secret=settings.secret[0],
        tokens=Tokens(settings.secret),
        postal_address=settings.postal_address,
        header=_header(settings),
        pictures=settings.pictures and settings.base_url != "",
        # Outside of sending hours it waits: nothing is promised then.
        first_digest=settings.first_digest and settings.send_window is None,
    )


def _header(settings: Settings) -> Picture | None:
    """Return the operator's picture, as wide as an email at most."""
    if settings.header_image is None:
        return None
    if settings.header_image_size is None:
        raise SettingError(
            f"{variable('header_image_size')} is not set, and {variable('header_image')} needs it"
        )
    width, height = settings.header_image_size
    shown = min(width, WIDEST)
    return Picture(
        settings.header_image, shown, max(1, round(height * shown / width)), settings.from_name
    )
