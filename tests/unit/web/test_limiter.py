"""Public work that takes long: some at once, some that waits, and no more."""

from threading import Event, Thread

import pytest

from digest.web.limiter import Crowded, Limiter


def test_beyond_the_limit_nobody_waits():
    began, go_on, results = Event(), Event(), []
    limiter = Limiter(at_once=1, waiting=0)

    @limiter.limited
    def work(number: int) -> None:
        began.set()
        go_on.wait(10)
        results.append(number)

    thread = Thread(target=work, args=[1])
    thread.start()
    assert began.wait(10)
    with pytest.raises(Crowded):
        work(2)
    go_on.set()
    thread.join()
    work(3)
    assert results == [1, 3]


def test_some_wait_and_are_served():
    began, go_on, results = Event(), Event(), []
    limiter = Limiter(at_once=1, waiting=3)

    @limiter.limited
    def work(number: int) -> None:
        began.set()
        go_on.wait(10)
        results.append(number)

    threads = [Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    assert began.wait(10)
    assert results == []
    go_on.set()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 1, 2, 3]


def test_work_that_fails_leaves_its_place():
    limiter = Limiter(at_once=1, waiting=0)
    fail = limiter.limited(lambda: 1 / 0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            fail()
