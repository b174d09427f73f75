"""Waiting for news: everybody hears of it, one question for all, and an outage is no news."""

import asyncio

from eventgate.errors import Unavailable
from eventgate.journal.lookout import Lookout


class Newest:
    def __init__(self) -> None:
        self.position = 0
        self.asked = 0
        self.away = False

    async def __call__(self) -> int:
        self.asked += 1
        if self.away:
            raise Unavailable("storage-unavailable", "away")
        return self.position


async def test_what_is_there_already_is_told_after_one_question() -> None:
    newest = Newest()
    newest.position = 5
    lookout = Lookout(newest, poll_seconds=60)
    assert await lookout.wait(4, timeout=1)
    assert await lookout.wait(3, timeout=0)
    assert newest.asked == 1


async def test_waking_tells_every_waiter_with_one_question() -> None:
    newest = Newest()
    lookout = Lookout(newest, poll_seconds=60)
    waiters = [asyncio.create_task(lookout.wait(0, timeout=5)) for _ in range(20)]
    await asyncio.sleep(0.01)
    asked = newest.asked
    newest.position = 1
    lookout.wake()
    assert await asyncio.gather(*waiters) == [True] * 20
    assert newest.asked == asked + 1


async def test_without_waking_a_poll_finds_it() -> None:
    newest = Newest()
    lookout = Lookout(newest, poll_seconds=0.01)
    waiter = asyncio.create_task(lookout.wait(0, timeout=5))
    await asyncio.sleep(0)
    newest.position = 1
    assert await waiter


async def test_an_outage_is_no_news() -> None:
    newest = Newest()
    newest.away = True
    lookout = Lookout(newest, poll_seconds=0.01)
    assert not await lookout.wait(0, timeout=0.05)
    newest.away, newest.position = False, 1
    assert await lookout.wait(0, timeout=5)


async def test_nobody_waits_nobody_asks() -> None:
    newest = Newest()
    lookout = Lookout(newest, poll_seconds=0.001)
    assert not await lookout.wait(0, timeout=0.01)
    await asyncio.sleep(0.01)
    asked = newest.asked
    await asyncio.sleep(0.02)
    assert newest.asked == asked
