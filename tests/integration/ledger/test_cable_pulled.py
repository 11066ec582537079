"""A machine that is lost: its locks in PostgreSQL go, although it never says goodbye.

Its sessions last until the server has asked three times in vain (_OVER_A_NETWORK in database.py);
with the system's own settings that would take two hours.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from time import monotonic, sleep

import pytest

from digest.ledger.database import open_database
from digest.ledger.locks import is_held
from tests.cluster_faults.machines import Cable, can_have_cables
from tests.cluster_faults.postgres import PROGRAMS, Postgres

HOLDER = """
import sys, time
from digest.ledger.database import open_database
from digest.ledger.locks import holding
with holding(open_database(sys.argv[1]), "run") as is_ours:
    print(is_ours, flush=True)
    time.sleep(300)
"""
ABOUT_A_MINUTE = 90.0


@pytest.fixture
def cable() -> Iterator[Cable]:
    if not PROGRAMS or not can_have_cables():
        pytest.skip("needs PostgreSQL's programs, and network namespaces, which need root")
    cable = Cable(77)
    yield cable
    cable.remove()


@pytest.mark.long
@pytest.mark.timeout(240)
def test_the_lock_of_a_machine_whose_cable_is_pulled_goes_within_about_a_minute(cable):
    with ExitStack() as stack:
        server = stack.enter_context(Postgres())
        away = ["ip", "netns", "exec", cable.name, sys.executable, "-c", HOLDER]
        holder = stack.enter_context(
            subprocess.Popen([*away, server.url(cable.address)], stdout=subprocess.PIPE, text=True)
        )
        stack.callback(holder.kill)
        assert holder.stdout
        assert holder.stdout.readline() == "True\n"
        engine = open_database(server.url())
        stack.callback(engine.dispose)
        assert is_held(engine, "run")
        cable.pull()
        began = monotonic()
        while is_held(engine, "run"):
            assert monotonic() - began < ABOUT_A_MINUTE
            sleep(0.5)
        assert holder.poll() is None  # it lives, and does not know
