"""Waiting for news: any number of waiters, one question to the database for all of them.

Touches nothing itself; asks by the function it is given.
"""

import asyncio
from collections.abc import Awaitable, Callable

from eventgate.errors import Unavailable


class Lookout:
    """Waits until the newest position, as ``newest`` tells it, is beyond a given one.

    Asks when it is woken, and every ``poll_seconds`` while somebody waits. A database that is away is no news.
    """

    def __init__(self, newest: Callable[[], Awaitable[int]], poll_seconds: float) -> None:
        self._newest = newest
        self._poll_seconds = poll_seconds
        self._seen = 0
        self._waiters: set[asyncio.Event] = set()
        self._woken = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Ask now."""
        self._woken.set()

    async def wait(self, position: int, timeout: float) -> bool:
        """Whether there is something after ``position``, at once or within so many seconds."""
        if self._seen > position:
            return True
        news = asyncio.Event()
        self._waiters.add(news)
        if self._watch is None or self._watch.done():
            self._woken.set()
            self._watch = asyncio.create_task(self._look_out())
        try:
            async with asyncio.timeout(timeout):
                while self._seen <= position:
                    news.clear()
                    await news.wait()
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(news)
        return True

    async def _look_out(self) -> None:
        """Ask while somebody waits; ends by itself when nobody does any more."""
        while self._waiters:
            try:
                async with asyncio.timeout(self._poll_seconds):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            try:
                newest = await self._newest()
            except Unavailable:
                continue
            if newest > self._seen:
                self._seen = newest
                for news in self._waiters:
                    news.set()
