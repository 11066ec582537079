"""Make things happen at the same moment in one database, in the worst order."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from sqlalchemy import event

WRITES = ("INSERT", "UPDATE", "DELETE")
PATIENCE = 1  # second, for one that never comes


def at_once(engine, *acts, before=WRITES):
    """Run some acts in threads, all about to write before any does; return their results.

    ``before`` is how the statements begin that they wait for each other at, once each. SQLite lets
    only one write: who has begun to is not held up there, because nobody else could follow.
    """
    barrier = threading.Barrier(len(acts), timeout=PATIENCE)
    arrived = set()

    def meet(connection, _cursor, statement, *_):
        if not statement.startswith(before) or threading.get_ident() in arrived:
            return
        arrived.add(threading.get_ident())
        if engine.dialect.name != "sqlite" or not connection.connection.in_transaction:
            with suppress(threading.BrokenBarrierError):
                barrier.wait()

    event.listen(engine, "before_cursor_execute", meet)
    try:
        with ThreadPoolExecutor(len(acts)) as pool:
            return [running.result() for running in [pool.submit(act) for act in acts]]
    finally:
        event.remove(engine, "before_cursor_execute", meet)


@contextmanager
def just_before(engine, statement, act):
    """Do something just before the first statement that begins so is executed."""
    waiting = [act]

    def first(_connection, _cursor, text, *_):
        if text.startswith(statement) and waiting:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(waiting.pop()).result()

    event.listen(engine, "before_cursor_execute", first)
    yield
    event.remove(engine, "before_cursor_execute", first)
    assert not waiting, f"there was no {statement}"
