"""Waiting until Splunk's indexers have what an event collector received: one question at a time for all who wait.

Touches the network through the question it is given.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from eventgate.errors import DeliveryError, Disconnected

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 2.0


class Acknowledgements:
    """The ids of one channel that somebody waits for. ``ask`` returns those of the given ids that are indexed."""

    def __init__(self, ask: Callable[[Collection[int]], Awaitable[set[int]]], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def wait(self, ack: int) -> None:
        """Return when the request with this id is indexed. Raises DeliveryError: it is to be sent again."""
        if ack in self._waiting:
            self.lose(Disconnected("the receiver counts its acknowledgements anew: it was started again"))
        mine = self._waiting[ack] = asyncio.get_running_loop().create_future()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._until_nobody_waits())
        try:
            async with asyncio.timeout(self._seconds):
                await mine
        except TimeoutError:
            raise Disconnected(f"nothing was acknowledged for {self._seconds:g} s") from None
        finally:
            if self._waiting.get(ack) is mine:
                del self._waiting[ack]

    def lose(self, error: DeliveryError) -> None:
        """Something broke: an id that comes from now on may be another request's, so nobody waits for an old one."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)
        self._waiting = {}

    async def close(self) -> None:
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _until_nobody_waits(self) -> None:
        pause = _FIRST_PAUSE
        while self._waiting:
            await asyncio.sleep(pause)
            try:
                indexed = await self._ask(list(self._waiting))
            except DeliveryError as error:
                self.lose(error)
                return
            for ack in indexed & self._waiting.keys():
                if not (future := self._waiting[ack]).done():
                    future.set_result(None)
            pause = _FIRST_PAUSE if indexed else min(pause * 2, _LONGEST_PAUSE)
