"""The commands around templates."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from digest.app.app import App
from digest.checks.finding import Finding, Level
from digest.checks.rules import OWN, SHIPPED, write_baseline
from digest.cli.terminal import Json, group, out, print_result, warn
from digest.compose.environment import built_in_templates
from digest.compose.from_identity import preview_identity
from digest.studio.template_folders import eject as eject_to

templates = group("See to the templates of the mails.")

_STYLES = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.NOTE: "dim"}


@templates.command()
def check(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One mail: digest, confirm, …")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as well.")] = False,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="From now on, what clients do not support of the mails is as wanted."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check what the samples make of each mail. Status 1 says that there are errors."""
    app = App()
    previews = app.previews(preview_identity(app.settings))
    if accept:
        own = app.settings.templates
        path = own / OWN if own else SHIPPED
        write_baseline(previews.baseline(), path)
        out.print(f"written: {path}")
        return
    findings = previews.findings(name)
    print_result(findings, [*map(_line, findings), _summary(findings)], as_json=as_json)
    failing = {Level.ERROR, Level.WARNING} if strict else {Level.ERROR}
    if any(finding.level in failing for finding in findings):
        raise typer.Exit(1)


@templates.command()
def eject(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or an empty one.")],
) -> None:
    """Copy the built-in templates into a folder, to edit them there."""
    count = eject_to(built_in_templates(), folder)
    out.print(f"{count} files are in {folder}. To use them: DIGEST_TEMPLATES={folder}")


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
    return ", ".join(said) or "Nothing to say: all is well."


def studio(
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than your own need a password.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8001,
    templates: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Instead of DIGEST_TEMPLATES: the folder you edit."),
    ] = None,
) -> None:
    """Edit templates in your editor and see in a browser what every kind of reader will get."""
    from digest.app.studio import folders
    from digest.app.studio import studio as studio_of
    from digest.service.web_server import WebServer
    from digest.studio.watch import Watch

    app = App(templates=str(templates)) if templates else App()
    watch = Watch(folders(app))

    def say_ready() -> None:
        warn(f"The studio is at http://{host}:{port}/. Stop with Ctrl-C.")

    application = studio_of(app, host, watch)
    WebServer(application, host, port, ready=say_ready, ending=watch.end).run()
