"""Set up pytest for tests of all kinds."""

import gc
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from digest.ledger.database import ensure_current, open_database
from digest.ledger.ledger import Ledger
from digest.monitoring.logs import mask_in_logs, show_logs_as
from subscribers.store.registry import Registry

# As commands do: to collect the tests makes millions of objects, and few of them are garbage.
gc.set_threshold(20_000)

# A busy machine is not a fault, so no example has a deadline. The quick suite tries a fifth of the
# examples; .ci/run tries all of them (--hypothesis-profile thorough).
hypothesis_settings.register_profile("quick", deadline=None, max_examples=20)
hypothesis_settings.register_profile("thorough", deadline=None, max_examples=100)
hypothesis_settings.register_profile("mutants", deadline=None, max_examples=5, derandomize=True)
hypothesis_settings.load_profile("quick")

POSTGRES = os.environ.get(
    "DIGEST_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
CORPUS = Path(os.environ.get("PAPER_DIGEST_CORPUS", "corpus"))


def pytest_xdist_auto_num_workers() -> int:
    """Start two processes for each core, because many tests wait for servers and other processes."""
    return 2 * len(os.sched_getaffinity(0))


@pytest.hookimpl(trylast=True)  # pytest-randomly has shuffled them by then
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that may take longest, so that nobody waits for one of them at the end."""
    items.sort(key=_seconds_allowed, reverse=True)


def _seconds_allowed(item: pytest.Item) -> float:
    limit = item.get_closest_marker("timeout")
    return limit.args[0] if limit else 0


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own settings are not the tests'."""
    for name in list(os.environ):
        if name.startswith("DIGEST_") and not name.startswith("DIGEST_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logs_of_ones_own() -> Iterator[None]:
    """A command run in this process says where logs go, to a stream that is closed afterwards.

    And what is masked in them.
    """
    yield
    structlog.reset_defaults()
    mask_in_logs((), addresses=False)
    show_logs_as("auto")


@contextmanager
def new_schema() -> Iterator[str]:
    """The URL of a schema in PostgreSQL that nothing is in; skips where there is no server."""
    schema = f"test_{uuid.uuid4().hex}"
    server = create_engine(
        POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3}
    )
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError as error:
        pytest.skip(f"no PostgreSQL at {make_url(POSTGRES)!r} (DIGEST_TEST_POSTGRES_URL): {error}")
    url = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    yield url.render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind; PostgreSQL is skipped where there is no server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'digest.sqlite3'}"
    else:
        with new_schema() as url:
            yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    ensure_current(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


@pytest.fixture
def registry(engine: Engine) -> Registry:
    return Registry(engine)


@pytest.fixture
def corpus() -> Path:
    """Recorded answers of real services, where somebody has them."""
    if not CORPUS.is_dir():
        pytest.skip(f"no corpus at {CORPUS} (set PAPER_DIGEST_CORPUS)")
    return CORPUS
