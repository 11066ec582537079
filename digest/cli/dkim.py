"""`digest dkim …`: a new key that signs emails, and the DNS records to publish."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from digest.app.app import App
from digest.cli.terminal import Json, group, print_result
from digest.deliver.transport.dkim import SigningKey
from digest.deliver.transport.dkim_key import DnsRecord, dns_record, domain_of, signer_of
from digest.deliver.transport.dkim_key import generate as generate_key
from digest.errors import SettingError
from digest.settings.settings import variable
from digest.settings.values import selector as read_selector

dkim = group("Make the keys that sign your emails (DKIM), and show their DNS records.")


def _selector(typed: str) -> str:
    try:
        return read_selector(typed)
    except ValueError as error:
        raise typer.BadParameter(f"{typed!r}: {error}") from None


@dkim.command()
def generate(
    selector: Annotated[
        str,
        typer.Argument(parser=_selector, metavar="NAME", help="The key's selector, like 2026a."),
    ],
    ed25519: Annotated[
        bool, typer.Option("--ed25519", help="A key for the second signature (RFC 8463).")
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: dkim-NAME.pem.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key in a new file; print what to publish and set.

    $ digest dkim generate 2026a
    """
    domain = domain_of(App().settings)
    file = file or Path(f"dkim-{selector}.pem")
    key = generate_key(file, ed25519=ed25519)
    record = dns_record(SigningKey(selector, key), domain)
    prefix = "dkim_ed25519" if ed25519 else "dkim"
    settings = {
        variable(f"{prefix}_selector"): selector,
        variable(f"{prefix}_key"): str(file.resolve()),
    }
    lines = [
        f"The key is in {file}. Only Paper Digest may be able to read it.\n",
        *_to_publish(record),
        "When the DNS answers with that, set:\n",
        *(f"{name}={value}" for name, value in settings.items()),
    ]
    values = {"file": file, "record": record, "settings": settings}
    print_result(values, lines, as_json=as_json)


@dkim.command()
def record(as_json: Json = False) -> None:
    """Print the DNS record of each key that is set.

    $ digest dkim record
    """
    signer = signer_of(App().settings)
    if signer is None:
        raise SettingError(f"{variable('dkim_key')} is not set: emails are not signed here")
    records = [dns_record(key, signer.domain) for key in signer.keys]
    lines = (line for record in records for line in _to_publish(record))
    print_result(records, lines, as_json=as_json)


def _to_publish(record: DnsRecord) -> Iterator[str]:
    yield "The DNS record to publish is of type TXT. Its name and its value:\n"
    yield f"{record.name}\n{record.value}\n"
    yield "The same for a zone file:\n"
    yield f"{record.zone_line}\n"
