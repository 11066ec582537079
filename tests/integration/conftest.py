"""Fixtures of integration tests: quick databases, and a mail server of each kind."""

import shutil
import ssl
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, inspect, make_url, text

from digest.ledger.database import NEWEST_REVISION, ensure_current, open_database
from subscribers.store.tables import metadata
from tests.conftest import new_schema
from tests.integration.smtp_server import HOST, Authority, SmtpServer


@pytest.hookimpl(tryfirst=True)  # before any are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave PostgreSQL to the long tests, except where a module is about the database itself."""
    for item in items:
        if "postgresql" in item.name and not item.get_closest_marker("both_databases"):
            item.add_marker("long")


@pytest.fixture(scope="session")
def new_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file as it is when nothing is in it yet."""
    path = tmp_path_factory.mktemp("sqlite") / "new.sqlite3"
    engine = open_database(f"sqlite:///{path}")
    ensure_current(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[tuple[str, str]]:
    """The URL of a schema that has all tables, and the SQL that empties them."""
    with new_schema() as made:
        options = f"{make_url(made).query['options']} -csynchronous_commit=off"
        name = f"tests {uuid.uuid4().hex}"
        url = make_url(made).update_query_dict({"options": options, "application_name": name})
        engine = create_engine(url)
        with engine.begin() as connection:
            metadata.create_all(connection, checkfirst=False)
            stamp = "CREATE TABLE alembic_version AS SELECT CAST(:newest AS text) AS version_num"
            connection.execute(text(stamp), {"newest": NEWEST_REVISION})
            sequences = inspect(connection).get_sequence_names()
        engine.dispose()
        # What a test has killed may not have ended yet at the server.
        ending = (
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            f"WHERE application_name = '{name}' AND pid <> pg_backend_pid()"
        )
        deleting = [f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)]
        counting = [f"SELECT setval('{sequence}', 1, false)" for sequence in sequences]
        emptying = "; ".join([ending, *deleting, *counting])
        yield url.render_as_string(hide_password=False), emptying


@pytest.fixture(scope="session")
def sqlite_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Return the one engine that all tests use, because each engine compiles its statements anew."""
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'digest.sqlite3'}")
    event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF"))
    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """As for all tests, but the schema is there already and no commit waits for the disk.

    test_database.py proves that the migrations make the same schema.
    """
    if request.param == "sqlite":
        shared = request.getfixturevalue("sqlite_engine")
        path = Path(shared.url.database)
        shutil.rmtree(path.parent)  # locks as well
        path.parent.mkdir()
        shutil.copy(request.getfixturevalue("new_sqlite"), path)
        engine = shared.execution_options()  # a test's listeners are its own
    else:
        url, emptying = request.getfixturevalue("postgresql")
        engine = open_database(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(emptying)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The private CA that the tests' clients trust."""
    return Authority(tmp_path_factory.mktemp("ca") / "ca.pem")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger") / "ca.pem")


@pytest.fixture(scope="session")
def good_certificate(authority: Authority) -> ssl.SSLContext:
    return authority.context_for(HOST)


@pytest.fixture
def start_smtp() -> Iterator[Callable[..., SmtpServer]]:
    """Starts servers, with SmtpServer's arguments, and stops them at the end of the test."""
    with ExitStack() as stack:
        yield lambda *given, **named: stack.enter_context(SmtpServer(*given, **named))


@pytest.fixture
def smtp_server(start_smtp: Callable[..., SmtpServer]) -> SmtpServer:
    """A server without TLS or login."""
    return start_smtp()
