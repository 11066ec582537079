"""Where mail goes, whichever transport is set."""

import os
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from digest.deliver.transport.transport import relay_of
from digest.doctor.diagnosis import Area, Diagnosis
from digest.doctor.relay import AREA as RELAY
from digest.doctor.relay import examine_relay
from digest.errors import SettingError
from digest.settings.settings import Settings

AREA = Area("transport")


def examine_outlet(settings: Settings, now: datetime, *, offline: bool) -> list[Diagnosis]:
    url = urlsplit(settings.transport_url)
    path = Path(unquote(url.path))
    match url.scheme:
        case "file":
            only_a_folder = AREA.advice(
                "Mail goes into a folder, and to nobody.",
                "When you want to send, set DIGEST_TRANSPORT to your relay.",
            )
            return [judge_folder(path), only_a_folder]
        case "maildir":
            return [judge_folder(path)]
        case "sendmail":
            return [judge_command(path)]
    if offline and url.hostname:
        return [RELAY.unknown("It was not connected to.", "Run this without --offline.")]
    try:
        return examine_relay(relay_of(settings), now)
    except SettingError as error:
        return [RELAY.problem(f"{error}.", "Set it so.")]


def judge_folder(folder: Path) -> Diagnosis:
    """Whether mail can be put there; a folder that is missing is made by the first mail."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return AREA.good(f"Mail can be put into {folder}.")
    return AREA.problem(
        f"No mail can be put into {folder}: {there} cannot be written to.",
        "Give the program's user the right to, or name another folder in DIGEST_TRANSPORT.",
    )


def judge_command(command: Path) -> Diagnosis:
    if not command.is_file():
        return AREA.problem(
            f"There is no command {command}.",
            "Name that of your mail system in DIGEST_TRANSPORT, often sendmail:/usr/sbin/sendmail.",
        )
    if not os.access(command, os.X_OK):
        return AREA.problem(f"{command} cannot be run.", f"chmod +x {command}")
    return AREA.good(
        f"{command} can be run. What it does with mail, only the mail system's log says."
    )
