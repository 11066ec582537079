"""`digest templates …`, and `digest studio`, which shows them."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from digest.app.app import App
from digest.app.previews import previews_of
from digest.checks.finding import Finding, Level
from digest.checks.rules import OWN, SHIPPED, write_baseline
from digest.cli.terminal import Json, group, print_result, warn
from digest.compose.environment import built_in_templates
from digest.compose.from_identity import preview_identity
from digest.studio.template_folders import eject as eject_to

templates = group("Copy the built-in templates to edit them, and check yours.")

_STYLES = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.NOTE: "dim"}


@templates.command()
def check(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Only this email: digest, confirm, …")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings as well.")] = False,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="Accept what mail clients do not support of the emails as they are."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check each email, filled with the samples. Exit status 1: there are errors.

    $ digest templates check
    """
    app = App()
    previews = previews_of(app, preview_identity(app.settings))
    if accept:
        own = app.settings.templates
        path = own / OWN if own else SHIPPED
        write_baseline(previews.baseline(), path)
        print_result({"written": path}, [f"Written: {path}"], as_json=as_json)
        return
    findings = previews.findings(name)
    print_result(findings, [*map(_line, findings), _summary(findings)], as_json=as_json)
    failing = {Level.ERROR, Level.WARNING} if strict else {Level.ERROR}
    if any(finding.level in failing for finding in findings):
        raise typer.Exit(1)


@templates.command()
def eject(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or empty folder.")],
    as_json: Json = False,
) -> None:
    """Copy the built-in templates to a folder, to edit them there.

    $ digest templates eject my-templates
    """
    count = eject_to(built_in_templates(), folder)
    line = f"Copied {count} files to {folder}. To use them, set DIGEST_TEMPLATES={folder}"
    print_result({"folder": folder, "files": count}, [line], as_json=as_json)


def _line(finding: Finding) -> Text:
    where = f"{finding.template}, line {finding.line}" if finding.line else finding.template
    line = Text.assemble(
        (finding.level.value, _STYLES[finding.level]), f": {where}: {finding.what}"
    )
    return line.append(f" [{finding.check}]", "dim")


def _summary(findings: list[Finding]) -> str:
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    said = [
        f"{count} {level.value}{'s' * (count != 1)}" for level, count in counts.items() if count
    ]
    return ", ".join(said) or "All is well."


def _read_root(typed: str) -> str:
    """Return a path without a slash at its end; "" for none."""
    root = typed.rstrip("/")
    if root and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", root):
        raise typer.BadParameter(f"{typed!r} is not a path like /studio")
    return root


def studio(
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Where to listen. Other machines need a password."),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(metavar="PORT", help="Where to listen; 0: any free port.", min=0, max=65535),
    ] = 8001,
    templates: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Edit these, not DIGEST_TEMPLATES."),
    ] = None,
    root_path: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            parser=_read_root,
            help="The path, such as /studio, that a proxy serves it under. Set a password too.",
        ),
    ] = "",
) -> None:
    """Show in a browser what each kind of reader gets, while you edit templates.

    $ digest studio --templates my-templates
    """
    from digest.app.studio import folders
    from digest.app.studio import studio as studio_of
    from digest.service.web_server import WebServer
    from digest.studio.watch import Watch

    app = App(templates=str(templates)) if templates else App()
    watch = Watch(folders(app))

    def say_ready() -> None:
        warn(f"The studio is at {server.url}. Stop with Ctrl-C.")

    application = studio_of(app, host, watch, root_path)
    server = WebServer(application, host, port, ready=say_ready, ending=watch.end)
    server.run()
