"""Run `digest up` with a clock that is a thousand times as fast, for test_soak.py."""

import json
import os
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.app.app import App
from digest.monitoring.logs import configure_logs
from digest.service.services import Pages, run_all

# As a file, because each new process wants one.
PROGRAM = """\
from tests.integration.tree.soak import main
if __name__ == "__main__":
    main()
"""


@dataclass(frozen=True)
class FastClock:
    """A clock that showed ``start`` at ``begun`` (seconds since 1970), in all processes."""

    start: datetime
    begun: float
    tempo: float

    def __call__(self) -> datetime:
        return self.start + timedelta(seconds=(time.time() - self.begun) * self.tempo)


def main() -> None:
    told = json.loads(os.environ["SOAK"])
    configure_logs()
    clock = FastClock(datetime.fromisoformat(told["start"]), told["begun"], told["tempo"])
    app = App({}, None, clock, **told["settings"])
    pages = Pages("127.0.0.1", told["port"])
    run_all(app, pages, lambda _url: print("all of it runs", flush=True), tempo=told["tempo"])
