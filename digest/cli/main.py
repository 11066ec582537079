"""The command line: parse, call, print. It decides nothing.

Exit status: 0 done, 1 something went wrong (a line on standard error says what), 2 the command was
not understood.
"""

import atexit
import gc
import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from digest.app.garbage import collect_garbage_rarely

# The commands of `digest --help`, by section: where each stands in this package, and its line.
SECTIONS = {
    "Try": {
        "demo": ("demo:demo", "Make the emails of one built-in day. Needs no settings."),
        "preview": ("test_send:preview", "Write a digest as HTML and text files, to look at."),
        "send": ("test_send:send", "Send one digest to yourself, marked as a test."),
    },
    "Run": {
        "init": ("init:init", "Answer six questions, and get a digest as a test."),
        "config": ("doctor:config", "Print every setting, its value and where it is set."),
        "doctor": ("doctor:doctor", "Check what would prevent sending, and say what to do."),
        "up": ("run:up", "Run everything: pages, schedule, sending, returned mail."),
        "run": ("run:run", "Make and send today's edition once, for cron."),
        "corpus": ("corpus:corpus", "Make the reference corpus from your own sources."),
        "model": ("model:model", "Install the sentence model for semantic ranking."),
        "collect": ("collect:collect", "Collect papers now, from the sources or from files."),
        "schedule": ("run:schedule", "Run only the schedule: editions, sending, clean-up."),
        "serve": ("run:serve", "Run only the web pages."),
        "worker": ("run:worker", "Help with sending, on this machine or another one."),
    },
    "People": {
        "subscribers": ("subscribers:people", "Add, list, block, remove, import and export."),
        "embed": ("embed:embed", "Print the sign-up form for a page of another site."),
        "announce": ("announce:announce", "Write to all readers, or some, once."),
        "why": ("rank:why", "Explain what one subscriber got, or did not get."),
        "inbox": ("inbox:inbox", "Process returned mail: bounces, complaints, requests to leave."),
    },
    "Operate": {
        "status": ("status:status", "Show on one screen whether all is well."),
        "deliveries": ("deliveries:deliveries", "Balance, uncertain deliveries, paused sending."),
        "backup": ("maintenance:backup", "Copy the database to a file, while everything runs."),
        "restore": ("maintenance:restore", "Put a backup in place of the database."),
        "db": ("maintenance:database", "Upgrade the database, or take over a restored one."),
        "tidy": ("maintenance:tidy", "Delete data that is past its retention time."),
        "dkim": ("dkim:dkim", "Make and show the keys that sign your emails."),
        "bench": ("bench:bench", "Measure what a list costs on this machine."),
    },
    "Develop": {
        "studio": ("templates:studio", "Edit templates and see each email in a browser."),
        "templates": ("templates:templates", "Copy the built-in templates, and check yours."),
        "summaries": ("summaries:summaries", "Try the language model that sums papers up."),
        "topic": ("rank:try_topic", "Tell what a topic would have matched lately."),
        "search": ("rank:search_papers", "Search the collected papers with a topic filter."),
        "rank": ("rank:rank_files", "Rank papers from a file for topics from a file."),
    },
}


class LazyCommand(TyperCommand):
    """A command, or a group of them, whose module is imported when it is used.

    All of them take a second to import, and `digest --help` needs none.
    """

    def __init__(self, name: str, where: str, line: str) -> None:
        super().__init__(name, help=line)
        self._where = where

    def load(self) -> Any:
        """Return the command itself."""
        from digest.cli.terminal import group

        module, _, attribute = self._where.partition(":")
        found = getattr(import_module(f"digest.cli.{module}"), attribute)
        if not isinstance(found, typer.Typer):
            alone = group()
            alone.command(self.name)(found)
            found = alone
        command = typer.main.get_command(found)
        for part in (command, *getattr(command, "commands", {}).values()):
            # \\b keeps the lines of a paragraph, here of the examples, as they are.
            part.help = part.help and part.help.replace("\n\n$ ", "\n\n\b\n$ ")
        return command

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        return self.load().make_context(*arguments, **named)


class Commands(TyperGroup):
    """The commands by section."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for section in SECTIONS.values():
            for name, (where, line) in section.items():
                self.add_command(LazyCommand(name, where, line))

    def format_commands(self, _context: Any, formatter: Any) -> None:
        widest = max(map(len, self.commands))
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(widest), line) for name, (_, line) in section.items()]
                )


cli = typer.Typer(
    cls=Commands,
    help="Email each subscriber the day's trending research papers on their own topics.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},  # for the commands below as well
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command of ``sys.argv``. An expected error is one line on standard error."""
    collect_garbage_rarely()
    atexit.register(gc.freeze)  # or all objects are looked through at the end
    try:
        cli(prog_name="digest")
    except Exception as error:  # noqa: BLE001  each is told
        from digest.cli.terminal import report

        report(error)
        sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("paper-digest"))
        raise typer.Exit


@cli.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    from digest.monitoring.logs import configure_logs

    os.umask(0o077)  # the files made by commands hold addresses and secrets
    configure_logs()
