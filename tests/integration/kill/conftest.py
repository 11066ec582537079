"""Fixtures of the tests that kill processes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.integration.kill.counting_server import CountingServer
from tests.integration.kill.nursery import Nursery
from tests.integration.kill.world import World


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def make_world(engine: Engine, nursery: Nursery, tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes a world with a server; arguments by name, the server's or the world's."""
    worlds: list[World] = []
    with ExitStack() as stack:

        def make(**named: object) -> World:
            of_server = {
                key: named.pop(key) for key in ("seed", "slow", "puts_off") if key in named
            }
            server = stack.enter_context(CountingServer(**of_server))
            worlds.append(World(engine, server, nursery, tmp_path / "home", **named))
            return worlds[-1]

        yield make
        for world in worlds:
            world.tell()
