"""Room for what bodies become while they are decoded and committed, which is several times what they were.

Pure asyncio. Who finds no room waits its turn; the budget of bodies bounds how many can.
"""

import asyncio
from collections import deque

GROWTH = 6
"""Bytes of memory that a byte of a body becomes at the worst: its text, its data, its row, its copies on the way."""


class Workspace:
    """The room of one process. What is larger than all of it gets all of it."""

    def __init__(self, capacity: int) -> None:
        self._capacity = self._left = capacity
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def enter(self, size: int) -> int:
        """Take room for a body of ``size`` bytes, first come first served; tell ``leave`` what was taken."""
        cost = min(size * GROWTH, self._capacity)
        if not self._waiting and cost <= self._left:
            self._left -= cost
            return cost
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((cost, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(cost)  # the turn came and nobody was there any more
            raise
        return cost

    def leave(self, cost: int) -> None:
        self._left += cost
        while self._waiting:
            wanted, turn = self._waiting[0]
            if turn.cancelled():
                self._waiting.popleft()
            elif wanted <= self._left:
                self._waiting.popleft()
                self._left -= wanted
                turn.set_result(None)
            else:
                return
