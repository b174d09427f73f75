"""What a delivery loop is told from outside: to stop, to rest, and people's requests.

Touches nothing. The supervisor fills it, the loop looks into it between windows and while it waits.
"""

import asyncio
from collections import deque
from typing import Any, TypeVar

from eventgate.background import end
from eventgate.errors import Disconnected
from eventgate.sinks.definition import State
from eventgate.sinks.requests import Request

_GRACE = 3.0
"""Seconds that a window on its way gets when somebody wants the loop to stop, rest or answer."""
_Result = TypeVar("_Result")
_MOST_REMEMBERED = 10_000
"""Requests; each is seen for some seconds only."""


class Inbox:
    """One for each loop. ``resting`` is how the sink is meant to rest, paused or disabled; None: it delivers."""

    def __init__(self, *, resting: State | None = None) -> None:
        self.stopping = False
        self.resting = resting
        self._requests: deque[Request] = deque()
        self._seen: dict[int, None] = {}
        self._changed = asyncio.Event()

    @property
    def urgent(self) -> bool:
        """Whether the loop should come to a safe place soon."""
        return self.stopping or self.resting is not None or bool(self._requests)

    def stop(self) -> None:
        self.stopping = True
        self._changed.set()

    def rest(self, how: State | None) -> None:
        if how is not self.resting:
            self.resting = how
            self._changed.set()

    def put(self, request: Request) -> None:
        """Each request once, however often it is seen before it is answered.

        Two that are asked at once may be seen in another order than that of their numbers.
        """
        if request.id not in self._seen:
            self._seen[request.id] = None
            if len(self._seen) > _MOST_REMEMBERED:
                del self._seen[next(iter(self._seen))]
            self._requests.append(request)
            self._changed.set()

    def take(self) -> Request | None:
        return self._requests.popleft() if self._requests else None

    async def change(self) -> None:
        """Return once anything is new since the last call."""
        await self._changed.wait()
        self._changed.clear()

    async def comes_after(self, *tasks: asyncio.Future[Any]) -> bool:
        """Wait for a task or for news; whether a task is done."""
        call = asyncio.create_task(self.change())
        try:
            await asyncio.wait([*tasks, call], return_when=asyncio.FIRST_COMPLETED)
        finally:
            call.cancel()
        return any(task.done() for task in tasks)

    async def unless_called(self, working: asyncio.Future[_Result], when: str) -> _Result:
        """Wait for what the receiver has a part in, but let no silent receiver keep us from what is wanted of us.

        ``when`` is for the words of the Disconnected that is raised then.
        """
        try:
            while not working.done():
                if self.urgent:
                    await asyncio.wait([working], timeout=_GRACE)
                    break
                await self.comes_after(working)
            if not working.done():
                raise Disconnected(f"interrupted {when}")
            return working.result()
        finally:
            await end(working)
