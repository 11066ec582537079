"""Judge DKIM records by the keys that sign (RFC 6376 section 3.6.1, RFC 8463 section 4). Pure."""

import re
from base64 import b64decode
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from digest.deliver.transport.dkim import SigningKey
from digest.doctor.diagnosis import Area, Diagnosis
from digest.doctor.tags import read_tags

AREA = Area("DKIM")
_SPACE = re.compile(r"\s+")
_PUBLISH = "Publish the record that digest dkim record prints."


def judge_unsigned() -> Diagnosis:
    return AREA.unknown(
        "Messages are not signed here; whether the relay signs them shows only in a message.",
        "Look at the headers of one, or set DIGEST_DKIM_KEY (digest dkim generate).",
    )


def judge_key(key: SigningKey, name: str, texts: Sequence[str]) -> Diagnosis:
    """Judge the TXT records that receivers find at ``name`` when they look for the key."""
    if not texts:
        return AREA.problem(f"There is no record at {name}, so no signature is valid.", _PUBLISH)
    if len(texts) > 1:
        return AREA.problem(
            f"There are {len(texts)} records at {name}: each receiver may use another one.",
            "Keep one, the one that digest dkim record prints.",
        )
    try:
        tags = read_tags(texts[0])
    except ValueError as error:
        return AREA.problem(f"The record at {name} cannot be read: {error}.", _PUBLISH)
    if (wrong := _what_is_wrong(tags, key)) is not None:
        return AREA.problem(f"The record at {name} {wrong}.", _PUBLISH)
    if "y" in _listed(tags.get("t", "")):
        return AREA.advice(
            f"The record at {name} says that you are testing (t=y): signatures may count for less.",
            "Remove t=y once signed messages arrive.",
        )
    return AREA.good(f"The record at {name} is that of the key ({key.kind}).")


def _what_is_wrong(tags: dict[str, str], key: SigningKey) -> str | None:
    """Return why a receiver would not accept our signature by this record; None if it would."""
    published = _SPACE.sub("", tags.get("p", ""))
    kind = tags.get("k", "rsa").lower()
    is_version = next(iter(tags.items())) == ("v", "DKIM1") if "v" in tags else True
    faults = (
        (not is_version, "does not begin with v=DKIM1"),
        ("p" not in tags, "has no key (p=)"),
        (not published, "revokes the key (p= is empty)"),
        (kind != key.kind, f"is for a key of another kind ({kind}, not {key.kind})"),
        (_decoded(published) not in _public_forms(key), "has another key than the one that signs"),
        ("sha256" not in _listed(tags.get("h", "sha256")), "does not allow SHA-256 (h=)"),
        (not {"*", "email"} & _listed(tags.get("s", "*")), "is not for mail (s=)"),
    )
    return next((words for is_so, words in faults if is_so), None)


def _public_forms(key: SigningKey) -> set[bytes]:
    """Return the public key in each form in which it may be published."""
    public = key.private.public_key()
    if isinstance(public, RSAPublicKey):
        forms = PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1
        return {public.public_bytes(Encoding.DER, form) for form in forms}
    return {public.public_bytes(Encoding.Raw, PublicFormat.Raw)}


def _decoded(base64: str) -> bytes | None:
    try:
        return b64decode(base64, validate=True)
    except ValueError:
        return None


def _listed(value: str) -> set[str]:
    return {tag.strip().lower() for tag in value.split(":")}
