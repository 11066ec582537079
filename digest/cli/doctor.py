"""`digest doctor`: what stands in the way of sending, and what to do about it."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from digest.app.app import App, utc_now
from digest.cli.terminal import Json, out, print_json
from digest.compose.from_identity import preview_identity
from digest.doctor.finding import Area, Finding, Level, has_problem
from digest.errors import SettingError

_STYLES = {
    Level.GOOD: "green",
    Level.UNKNOWN: "dim",
    Level.ADVICE: "yellow",
    Level.PROBLEM: "bold red",
}


def doctor(
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask neither the relay nor the DNS.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look for what stands in the way of sending, and say what to do. Nothing is sent or changed.

    Status 1 says that there is a problem.
    """
    findings = _findings(offline=offline)
    if as_json:
        print_json([asdict(each) for each in findings])
    else:
        for each in findings:
            _print(each)
        out.print(_summary(findings))
    if has_problem(findings):
        raise typer.Exit(1)


def _findings(*, offline: bool) -> list[Finding]:
    from digest.doctor.examination import examine
    from digest.doctor.names import system_resolver

    try:
        app = App()
    except SettingError as error:  # a setting that cannot be read is a finding as well
        return [Area("settings").problem(f"{error}.", "Mend it; the rest was not looked at.")]
    return examine(
        app.settings,
        utc_now(),
        lambda: app.previews(preview_identity(app.settings)).findings(),
        system_resolver,
        offline=offline,
    )


def _print(each: Finding) -> None:
    said = f"{each.area}: {each.what} {each.what_to_do}".rstrip()
    out.print(Text.assemble((f"{each.level.value:8}", _STYLES[each.level]), said))


def _summary(findings: list[Finding]) -> str:
    counts = {level: sum(each.level is level for each in findings) for level in Level}
    return ", ".join(f"{count} {level.value}" for level, count in counts.items() if count)
