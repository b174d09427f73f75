"""Which partitions of ``events`` there are, and the windows of ids to search in, one after the other.

Touches PostgreSQL's catalogue, every few seconds at most.
"""

import re
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from eventgate.clock import Clock
from eventgate.query.fieldtypes import IdRange

_LIFETIME_SECONDS = 10.0
_LIST = """
SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'events'::regclass AND NOT i.inhdetachpending
"""
_BOUNDS = re.compile(r"FOR VALUES FROM \('([0-9a-f-]{36})'\) TO \('([0-9a-f-]{36})'\)")
_FINER = 8

# Planning over sixteen partitions at once takes half of what sixteen plans do; over more it takes longer again.
_FIRST_TOGETHER, _MOST_TOGETHER = 4, 16
_QUICK_SECONDS, _SLOW_SECONDS = 0.01, 0.1


class Window(NamedTuple):
    """A range of ids: from ``low`` up to, not including, ``high``."""

    low: UUID
    high: UUID

    @property
    def width(self) -> int:
        return self.high.int - self.low.int


class Partitions:
    """The partitions as they were a moment ago: they are made days ahead, and a dropped one is just empty."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._known: tuple[Window, ...] = ()
        self._read_at = float("-inf")

    async def within(self, ids: IdRange) -> list[Window]:
        """The partitions that hold ids of a range, cut to it, oldest first."""
        if self._clock.monotonic() - self._read_at > _LIFETIME_SECONDS:
            self._known = tuple(sorted(_window(row[0]) for row in await self._pool.fetch(_LIST)))
            self._read_at = self._clock.monotonic()
        cut = [Window(max(w.low, ids.low or w.low), min(w.high, ids.high or w.high)) for w in self._known]
        return [window for window in cut if window.low < window.high]


class Windows:
    """Windows still to be searched.

    While they are quick, several are taken together, to save round trips; ``together`` False keeps them apart.
    Where one took too long, it and all later ones are taken in finer pieces.
    """

    def __init__(self, windows: Sequence[Window], *, newest_first: bool, together: bool = True) -> None:
        self._left = deque(sorted(windows, reverse=newest_first))
        self._newest_first = newest_first
        self._widest = 1 << 128
        self._most = _MOST_TOGETHER if together else 1
        self._together = min(_FIRST_TOGETHER, self._most)

    def __bool__(self) -> bool:
        return bool(self._left)

    def take(self) -> Window:
        """The next window."""
        window = self._left.popleft()
        for _ in range(1, self._together):
            if not self._left:
                break
            window = Window(min(window.low, self._left[0].low), max(window.high, self._left[0].high))
            self._left.popleft()
        if window.width <= self._widest:
            return window
        if self._newest_first:
            middle = UUID(int=window.high.int - self._widest)
            near, far = Window(middle, window.high), Window(window.low, middle)
        else:
            middle = UUID(int=window.low.int + self._widest)
            near, far = Window(window.low, middle), Window(middle, window.high)
        self._left.appendleft(far)
        return near

    def took(self, seconds: float) -> None:
        """Hear how long the last window took."""
        if seconds < _QUICK_SECONDS:
            self._together = min(self._together * 2, self._most)
        elif seconds > _SLOW_SECONDS:
            self._together = max(self._together // 2, 1)

    def took_too_long(self, window: Window) -> None:
        """Give back a window whose search was given up."""
        self._left.appendleft(window)
        self._together = 1
        self._widest = max(window.width // _FINER, 1)


def _window(bounds: str) -> Window:
    found = _BOUNDS.fullmatch(bounds)
    assert found, f"a partition of events has bounds of another shape: {bounds}"
    return Window(UUID(found[1]), UUID(found[2]))
