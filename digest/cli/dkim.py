"""The commands around DKIM: a new key, and what to publish."""

from pathlib import Path
from typing import Annotated

import typer

from digest.app.app import App
from digest.cli.terminal import group, out
from digest.deliver.transport.dkim import SigningKey
from digest.deliver.transport.dkim_key import DnsRecord, dns_record, domain_of, signer_of
from digest.deliver.transport.dkim_key import generate as generate_key
from digest.errors import SettingError
from digest.settings.settings import variable
from digest.settings.values import selector as read_selector

dkim = group("See to the keys that sign your mails.")


def _selector(typed: str) -> str:
    try:
        return read_selector(typed)
    except ValueError as error:
        raise typer.BadParameter(f"{typed!r}: {error}") from None


@dkim.command()
def generate(
    selector: Annotated[str, typer.Argument(parser=_selector, help="A name for it: 2026a, say.")],
    ed25519: Annotated[
        bool, typer.Option("--ed25519", help="A key for the second signature (RFC 8463).")
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="By default dkim-SELECTOR.pem.")
    ] = None,
) -> None:
    """Make a key, and say what to publish and what to set. It never writes over a file."""
    domain = domain_of(App().settings)
    file = file or Path(f"dkim-{selector}.pem")
    key = generate_key(file, ed25519=ed25519)
    out.print(f"The key is in {file}. Nobody but the program is to read it.\n")
    _print_record(dns_record(SigningKey(selector, key), domain))
    of = "dkim_ed25519" if ed25519 else "dkim"
    out.print("When the DNS answers with that, set:\n")
    out.print(f"{variable(f'{of}_selector')}={selector}")
    out.print(f"{variable(f'{of}_key')}={file.resolve()}")


@dkim.command()
def record() -> None:
    """Print the DNS record of each key that is set."""
    signer = signer_of(App().settings)
    if signer is None:
        raise SettingError(f"{variable('dkim_key')} is not set: mails are not signed here")
    for key in signer.keys:
        _print_record(dns_record(key, signer.domain))


def _print_record(made: DnsRecord) -> None:
    out.print("The DNS record to publish is of type TXT. Its name and its value:\n")
    out.print(f"{made.name}\n{made.value}\n")
    out.print("The same for a zone file:\n")
    out.print(f"{made.zone_line}\n")
