"""Public work: some at once, some that waits and takes no thread, and no more."""

import asyncio
import threading

import pytest

from digest.web.limiter import Crowded, Limiter


async def begin(limiter, number):
    """Hold this many places; how to let go of them, and what holds them."""
    go_on, tasks = asyncio.Event(), []

    async def hold():
        async with limiter.place():
            await go_on.wait()

    for _ in range(number):
        tasks.append(asyncio.create_task(hold()))
        await asyncio.sleep(0)
    return go_on, tasks


def test_beyond_the_limit_nobody_waits():
    async def run():
        limiter = Limiter(at_once=2, waiting=3)
        go_on, tasks = await begin(limiter, 5)
        with pytest.raises(Crowded):
            await limiter.run(int)
        go_on.set()
        await asyncio.gather(*tasks)
        assert await limiter.run(int) == 0

    asyncio.run(run())


def test_so_many_work_at_once_and_the_others_take_no_thread():
    working, most, threads = 0, 0, set()

    def work(number):
        nonlocal working, most
        working += 1
        most = max(most, working)
        threads.add(threading.get_ident())
        threading.Event().wait(0.001)
        working -= 1
        return number

    async def run():
        limiter = Limiter(at_once=2, waiting=50)
        return await asyncio.gather(*(limiter.run(work, number) for number in range(50)))

    assert asyncio.run(run()) == list(range(50))
    assert most <= 2
    assert len(threads) <= 2


def test_work_that_fails_or_is_given_up_leaves_its_place():
    async def run():
        limiter = Limiter(at_once=1, waiting=1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await limiter.run(lambda: 1 / 0)
        for _ in range(3):
            _, tasks = await begin(limiter, 2)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert await limiter.run(int) == 0

    asyncio.run(run())


def test_work_that_is_waited_for_no_longer_is_finished_and_holds_its_place():
    go_on, done = threading.Event(), threading.Event()

    def work():
        go_on.wait(10)
        done.set()
        return "told"

    async def run():
        limiter = Limiter(at_once=1, waiting=1)
        assert await limiter.run_within(0.001, work) is None  # it has begun
        assert await limiter.run_within(0.001, work) is None  # it waits for its place
        go_on.set()
        assert await limiter.run_within(10, work) == "told"
        assert done.is_set()

    asyncio.run(run())


def test_work_for_which_too_many_wait_is_none():
    async def run():
        limiter = Limiter(at_once=1, waiting=0)
        go_on, tasks = await begin(limiter, 1)
        assert await limiter.run_within(10, int) is None
        go_on.set()
        await asyncio.gather(*tasks)
        assert await limiter.run_within(10, int) == 0

    asyncio.run(run())


def test_a_fault_in_work_with_a_time_is_raised_and_leaves_its_place():
    async def run():
        limiter = Limiter(at_once=1, waiting=0)
        with pytest.raises(ValueError):
            await limiter.run_within(10, int, "no number")
        assert await limiter.run_within(10, int) == 0

    asyncio.run(run())
