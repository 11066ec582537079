"""Run what somebody would otherwise have, to the same sink, with messages of the same size.

A rival that is not installed is skipped, with the reason.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from digest.bench.by_smtplib import Load, Took, send_plainly, send_ready
from digest.bench.sink import of_postfix
from digest.errors import ServiceError

_PLAIN_MOST = 200  # each takes 20 ms and more
_READY_MOST = 5_000
_C_MOST = 20_000
_PATIENCE = 600  # seconds


class NotInstalled(ServiceError):  # noqa: N818  the name says it without "Error"
    pass


def plain_way(load: Load, _: Path) -> Took:
    """Jinja2, MJML, premailer, EmailMessage, dkimpy where messages are signed, smtplib."""
    if "dkim_key" in load.settings and find_spec("dkim") is None:
        raise NotInstalled("dkimpy is not installed: pip install dkimpy")
    return send_plainly(_at_most(load, _PLAIN_MOST))


def smtplib_ready(load: Load, _: Path) -> Took:
    """Send messages that are ready over smtplib."""
    return send_ready(_at_most(load, _READY_MOST))


def smtp_source(load: Load, _: Path) -> Took:
    """Postfix's smtp-source, with a new connection for each message."""
    return _smtp_source(load)


def smtp_source_kept(load: Load, _: Path) -> Took:
    """Postfix's smtp-source, over connections that are kept, as ours are."""
    return _smtp_source(load, "-d")


def nodemailer(load: Load, folder: Path) -> Took:
    """Send messages that are ready through the pool of nodemailer."""
    node = shutil.which("node")
    if node is None:
        raise NotInstalled("node is not installed")
    if subprocess.run(  # noqa: S603  no shell
        [node, "-e", "require('nodemailer')"], check=False, capture_output=True
    ).returncode:
        raise NotInstalled("nodemailer is not in NODE_PATH")
    load = _at_most(load, _READY_MOST)
    contents = []
    for number, sample in enumerate(load.samples):
        contents.append(folder / f"{number}.eml")
        contents[-1].write_bytes(sample.message.content)
    script = str(files("digest.bench").joinpath("nodemailer.cjs"))
    numbers = map(str, (load.port, load.connections, load.messages))
    said = _run([node, script, *numbers, *map(str, contents)])
    return Took(load.messages, octets=_mean_octets(load), **json.loads(said))


RIVALS: dict[str, Callable[[Load, Path], Took]] = {
    "the plain way": plain_way,
    "smtplib, ready messages": smtplib_ready,
    "smtp-source": smtp_source,
    "smtp-source, connections kept": smtp_source_kept,
    "nodemailer's pool": nodemailer,
}


def _smtp_source(load: Load, *options: str) -> Took:
    program = of_postfix("smtp-source")
    if program is None:
        raise NotInstalled("smtp-source is not installed: it comes with Postfix")
    load = _at_most(load, _C_MOST)
    octets = _mean_octets(load)
    numbers = [
        *("-s", str(min(load.connections, load.messages))),
        *("-m", str(load.messages)),
        *("-l", str(octets)),
    ]
    before, began = os.times(), time.monotonic()
    _run([program, *options, *numbers, f"127.0.0.1:{load.port}"])
    seconds, after = time.monotonic() - began, os.times()
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    return Took(load.messages, seconds, used, octets)


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603  found by us, and no shell
            command, check=True, capture_output=True, text=True, timeout=_PATIENCE
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise ServiceError(f"{Path(command[0]).name} failed: {' '.join(last)}") from error
    return done.stdout


def _at_most(load: Load, messages: int) -> Load:
    return replace(load, messages=min(messages, load.messages))


def _mean_octets(load: Load) -> int:
    return sum(len(sample.message.content) for sample in load.samples) // len(load.samples)
