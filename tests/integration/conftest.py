"""What integration tests share: quick databases, and a mail server of each kind."""

import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, make_url, text

from digest.ledger.database import NEWEST_REVISION, ensure_current, open_database
from subscribers.store.tables import metadata
from tests.integration.smtp_server import HOST, Authority, SmtpServer


@pytest.fixture(scope="session")
def new_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file as it is when nothing is in it yet."""
    path = tmp_path_factory.mktemp("sqlite") / "new.sqlite3"
    engine = open_database(f"sqlite:///{path}")
    ensure_current(engine)
    engine.dispose()
    return path


@pytest.fixture
def engine(database_url: str, new_sqlite: Path) -> Iterator[Engine]:
    """As for all tests, but the schema comes quicker and no commit waits for the disk.

    test_database.py proves that the migrations make the same schema.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        assert url.database
        shutil.copy(new_sqlite, url.database)
        engine = open_database(database_url)
        event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF"))
    else:
        options = f"{url.query['options']} -csynchronous_commit=off"
        url = url.update_query_dict({"options": options})
        engine = open_database(url.render_as_string(hide_password=False))
        with engine.begin() as connection:
            metadata.create_all(connection, checkfirst=False)
            stamp = "CREATE TABLE alembic_version AS SELECT CAST(:newest AS text) AS version_num"
            connection.execute(text(stamp), {"newest": NEWEST_REVISION})
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
