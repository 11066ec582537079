"""A PostgreSQL of its own on a free port, to be restarted as one likes."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Self

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]


class Postgres:
    """Ends with its context, and leaves nothing."""

    def __init__(self, connections: int = 100) -> None:
        self._connections = connections

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="digest-pg-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._data = self._folder / "data"
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres")
        self._do("initdb", "-A", "trust", "-U", "postgres", "--no-sync", "-D", str(self._data))
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.211.0.0/16 trust\n")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._control("stop", "-m", "immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, host: str = "127.0.0.1") -> str:
        return f"postgresql+psycopg://postgres@{host}:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """The number of its first process."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=* -c unix_socket_directories={self._folder}"
        self._control("start", "-o", f"{options} -c max_connections={self._connections}")

    def restart(self, *, hard: bool) -> None:
        self._control("stop", "-m", "immediate" if hard else "fast")
        self.start()

    def _control(self, what: str, *options: str) -> None:
        log = str(self._folder / "log")
        self._do("pg_ctl", "-D", str(self._data), "-l", log, "-w", what, *options)

    def _do(self, program: str, *words: str) -> None:
        as_somebody = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*as_somebody, str(PROGRAMS[0] / program), *words],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )
