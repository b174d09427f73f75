"""What a delivery loop is told from outside: to stop, to rest, and people's requests.

Touches nothing. The supervisor fills it, the loop looks into it between windows and while it waits.
"""

import asyncio
from collections import deque

from eventgate.sinks.requests import Request


class Inbox:
    """One for each loop."""

    def __init__(self, *, paused: bool) -> None:
        self.stopping = False
        self.paused = paused
        self._requests: deque[Request] = deque()
        self._newest = 0
        self._changed = asyncio.Event()

    @property
    def urgent(self) -> bool:
        """Whether the loop should come to a safe place soon."""
        return self.stopping or self.paused or bool(self._requests)

    def stop(self) -> None:
        self.stopping = True
        self._changed.set()

    def rest(self, paused: bool) -> None:
        if paused is not self.paused:
            self.paused = paused
            self._changed.set()

    def put(self, request: Request) -> None:
        """Each request once, however often it is seen before it is answered."""
        if request.id > self._newest:
            self._newest = request.id
            self._requests.append(request)
            self._changed.set()

    def take(self) -> Request | None:
        return self._requests.popleft() if self._requests else None

    async def change(self) -> None:
        """Return once anything is new since the last call."""
        await self._changed.wait()
        self._changed.clear()
