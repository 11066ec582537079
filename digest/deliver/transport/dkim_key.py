"""The keys of DKIM: as files, as settings, and as the DNS records that go with them."""

import os
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from digest.deliver.transport.dkim import PrivateKey, Signer, SigningKey
from digest.errors import SettingError
from digest.settings.settings import Settings, variable

GOOD_BITS = 2048
# RFC 8301 section 3.2: shorter ones are not to be used, longer ones not every receiver takes.
FEWEST_BITS, MOST_BITS = 1024, 4096
STRING = 255  # octets in one string of a TXT record (RFC 1035 section 3.3)
_OPEN_TO_OTHERS = 0o027  # group writes, or others do anything

log = structlog.get_logger()


# ---- from the settings ---------------------------------------------------------------------------


def signer_of(settings: Settings) -> Signer | None:
    """Return who signs, by the settings; None if nobody does, because the relay will.

    The files are read once in a process. Raises SettingError.
    """
    rsa = _both(settings, "dkim_selector", "dkim_key")
    ed25519 = _both(settings, "dkim_ed25519_selector", "dkim_ed25519_key")
    if rsa is None and ed25519 is None:
        return None
    if rsa is None:
        raise SettingError(
            f"{variable('dkim_key')} is not set, and {variable('dkim_ed25519_key')} needs it: "
            "many receivers know RSA only"
        )
    if ed25519 is not None and ed25519[0].lower() == rsa[0].lower():
        raise SettingError(
            f"{variable('dkim_selector')} and {variable('dkim_ed25519_selector')} are the same: "
            "each key has a DNS record of its own"
        )
    return _signer(domain_of(settings), rsa, ed25519)


def domain_of(settings: Settings) -> str:
    """Return the domain that signs. Raises SettingError if there is none yet."""
    if settings.from_ is None:
        raise SettingError(f"{variable('from_')} is not set, and its domain is the one that signs")
    return settings.from_.rpartition("@")[2]


def _both(settings: Settings, selector_field: str, key_field: str) -> tuple[str, Path] | None:
    """Return a selector and its file; None if neither is set."""
    selector, path = getattr(settings, selector_field), getattr(settings, key_field)
    if selector is None and path is None:
        return None
    if selector is None or path is None:
        is_missing, needs = variable(selector_field), variable(key_field)
        if path is None:
            is_missing, needs = needs, is_missing
        raise SettingError(f"{is_missing} is not set, and {needs} needs it")
    return selector, path


# Kept: to check a key takes a hundred times as long as to sign with it, and what the log says of
# one is to be said once.
@lru_cache(maxsize=8)
def _signer(domain: str, rsa: tuple[str, Path], ed25519: tuple[str, Path] | None) -> Signer:
    keys = [SigningKey(rsa[0], _read_rsa(rsa[1], variable("dkim_key")))]
    if ed25519 is not None:
        key = _read_ed25519(ed25519[1], variable("dkim_ed25519_key"))
        keys.append(SigningKey(ed25519[0], key))
    return Signer(domain, tuple(keys))


# ---- files ---------------------------------------------------------------------------------------


def generate(path: Path, *, ed25519: bool) -> PrivateKey:
    """Make a key, written to a new file that only its owner can read (PEM, PKCS#8).

    Raises SettingError, and never writes over anything.
    """
    key: PrivateKey
    key = Ed25519PrivateKey.generate() if ed25519 else generate_private_key(65537, GOOD_BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        # Made with its permissions: set later, there would be a moment without them.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except FileExistsError:
        raise SettingError(f"{path} is there already: nothing was written") from None
    except OSError as error:
        raise SettingError(f"{path} cannot be written: {error.strerror}") from error
    return key


def _read_rsa(path: Path, setting: str) -> RSAPrivateKey:
    key = _read(path, setting)
    if not isinstance(key, RSAPrivateKey):
        raise SettingError(f"{setting}: the key in {path} is no RSA key")
    if not FEWEST_BITS <= key.key_size <= MOST_BITS:
        raise SettingError(
            f"{setting}: the key in {path} has {key.key_size} bits; receivers take "
            f"{FEWEST_BITS} to {MOST_BITS}, and {GOOD_BITS} are good"
        )
    if key.key_size < GOOD_BITS:
        log.warning("a short DKIM key", file=str(path), bits=key.key_size, better=GOOD_BITS)
    return key


def _read_ed25519(path: Path, setting: str) -> Ed25519PrivateKey:
    key = _read(path, setting)
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingError(f"{setting}: the key in {path} is no Ed25519 key")
    return key


def _read(path: Path, setting: str) -> object:
    """Read the private key in a file, whatever it is for."""
    try:
        pem = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise SettingError(f"{setting}: {path} cannot be read: {error.strerror}") from error
    if os.name == "posix" and mode & _OPEN_TO_OTHERS:
        log.warning("a DKIM key is open to others", file=str(path), mode=f"{mode & 0o777:04o}")
    try:
        return load_pem_private_key(pem, password=None)
    except TypeError:
        raise SettingError(f"{setting}: the key in {path} wants a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise SettingError(f"{setting}: there is no private key in {path} (PEM)") from None


# ---- DNS -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A TXT record: where receivers look for a key, and what they are to find there."""

    name: str
    value: str

    @property
    def zone_line(self) -> str:
        """Write it as in a zone file (RFC 1035 section 5.1), where a string has an end."""
        strings = [self.value[at : at + STRING] for at in range(0, len(self.value), STRING)]
        return f"{self.name}. IN TXT ( " + " ".join(f'"{string}"' for string in strings) + " )"


def dns_record(key: SigningKey, domain: str) -> DnsRecord:
    """Return the record of a key's public half (RFC 6376 section 3.6; RFC 8463 section 4)."""
    public = key.private.public_key()
    # An RSA key with what says so around it, an Ed25519 key as its 32 octets.
    form = (
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if key.kind == "rsa"
        else (Encoding.Raw, PublicFormat.Raw)
    )
    encoded = b64encode(public.public_bytes(*form)).decode()
    return DnsRecord(f"{key.selector}._domainkey.{domain}", f"v=DKIM1; k={key.kind}; p={encoded}")
