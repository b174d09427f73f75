"""One reading of the journal for a whole process: decoded once, kept for a while, handed to any number of readers.

Touches the journal; owns a bounded amount of memory.
"""

import asyncio
from collections import OrderedDict
from contextlib import suppress

from eventgate.errors import Unavailable
from eventgate.journal.batch import Batch
from eventgate.journal.cursors import Cursor
from eventgate.journal.reading import Journal

_AT_ONCE_EVENTS, _AT_ONCE_BYTES = 5_000, 8 << 20
"""Of one reading, whatever its reader asked for: the next part of it is in memory then."""
_IN_HAND = _AT_ONCE_EVENTS // 2
"""Events: a reader that catches up and has fewer before it has the next reading begun."""


class Tail:
    """Reads as ``Journal.read`` and ``Journal.wait`` do, from memory where a neighbour has just read the same.

    Keeps whole batches, ``max_bytes`` of them, the longest unread going first: readers that walk together, at the head
    or catching up, share one reading wherever they are.
    """

    def __init__(self, journal: Journal, *, max_bytes: int = 2 * _AT_ONCE_BYTES) -> None:
        self._journal = journal
        self._max_bytes = max_bytes
        self._size = 0
        self._batches: OrderedDict[int, Batch] = OrderedDict()
        self._reading = asyncio.Lock()
        self._full_end: Cursor | None = None
        """Where the last reading of the journal ended, if there may be more behind it."""
        self._ahead: asyncio.Task[None] | None = None

    async def read(self, after: Cursor, *, max_events: int = 5_000, max_bytes: int = 8 << 20) -> list[Batch]:
        """See ``Journal.read``."""
        found = self._kept(after, max_events, max_bytes)
        if not found:
            async with self._reading:
                found = self._kept(after, max_events, max_bytes) or await self._read(after, max_events, max_bytes)
        self._read_ahead(found)
        return found

    async def wait(self, position: int, timeout: float) -> bool:
        """See ``Journal.wait``."""
        return await self._journal.wait(position, timeout)

    async def _read(self, after: Cursor, max_events: int, max_bytes: int) -> list[Batch]:
        batches = await self._journal.read(
            after, max_events=max(max_events, _AT_ONCE_EVENTS), max_bytes=max(max_bytes, _AT_ONCE_BYTES)
        )
        for batch in batches:
            self._keep(batch)
        full = sum(len(batch.events) for batch in batches) > _IN_HAND or _size(batches) > _AT_ONCE_BYTES // 2
        self._full_end = batches[-1].end if full else None
        # Of what cannot be kept the reader has to take all that was read.
        return self._kept(after, max_events, max_bytes) or batches

    def _read_ahead(self, found: list[Batch]) -> None:
        """Have the journal's next part read while a reader that catches up works on this one."""
        end = self._full_end
        if end is None or not found or (self._ahead is not None and not self._ahead.done()):
            return
        in_hand = 0
        for position in range(found[-1].position + 1, end.position + 1):
            batch = self._batches.get(position)
            if batch is None or (in_hand := in_hand + len(batch.events)) > _IN_HAND:
                return
        if found[-1].position <= end.position:
            self._ahead = asyncio.create_task(self._fetch(end))

    async def _fetch(self, after: Cursor) -> None:
        async with self._reading:
            if after.position + 1 in self._batches:
                return  # a reader was quicker
            with suppress(Unavailable, ValueError):  # who reads on will be told
                await self._read(after, 0, 0)

    def _kept(self, after: Cursor, max_events: int, max_bytes: int) -> list[Batch]:
        """What memory has of the answer; [] where it has none of its beginning."""
        found: list[Batch] = []
        if after.position:
            standing = self._batches.get(after.position)
            if standing is None:
                return []  # whether the cursor has finished that batch, only the journal knows
            if after.index < standing.last:
                found.append(_rest(standing, after.index))
        events = size = 0
        position = after.position + 1
        while batch := self._batches.get(position):
            events += len(batch.events)
            size += batch.size
            if found and (events > max_events or size > max_bytes):
                break
            self._batches.move_to_end(position)
            found.append(batch)
            position += 1
        return found

    def _keep(self, batch: Batch) -> None:
        """Keep a batch that was read whole."""
        if batch.expired or len(batch.events) <= batch.last or batch.position in self._batches:
            return
        self._batches[batch.position] = batch
        self._size += batch.size
        while self._size > self._max_bytes:
            _, eldest = self._batches.popitem(last=False)
            self._size -= eldest.size


def _rest(batch: Batch, index: int) -> Batch:
    return batch._replace(indexes=batch.indexes[index + 1 :], events=batch.events[index + 1 :])


def _size(batches: list[Batch]) -> int:
    return sum(batch.size for batch in batches)
