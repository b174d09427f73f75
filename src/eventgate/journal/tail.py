"""One reading of the journal for a whole process: decoded once, kept for a while, handed to any number of readers.

Touches the journal; owns a bounded amount of memory.
"""

import asyncio
from collections import OrderedDict

from eventgate.journal.batch import Batch
from eventgate.journal.cursors import Cursor
from eventgate.journal.reading import Journal


class Tail:
    """Reads as ``Journal.read`` and ``Journal.wait`` do, from memory where a neighbour has just read the same.

    Keeps whole batches, ``max_bytes`` of them, the longest unread going first: readers that walk together, at the head
    or catching up, share one reading wherever they are.
    """

    def __init__(self, journal: Journal, *, max_bytes: int = 16 << 20) -> None:
        self._journal = journal
        self._max_bytes = max_bytes
        self._size = 0
        self._batches: OrderedDict[int, Batch] = OrderedDict()
        self._reading = asyncio.Lock()

    async def read(self, after: Cursor, *, max_events: int = 5_000, max_bytes: int = 8 << 20) -> list[Batch]:
        """See ``Journal.read``."""
        kept = self._kept(after, max_events, max_bytes)
        if kept:
            return kept
        async with self._reading:
            kept = self._kept(after, max_events, max_bytes)
            if kept:
                return kept
            batches = await self._journal.read(after, max_events=max_events, max_bytes=max_bytes)
            for batch in batches:
                self._keep(batch)
        return batches

    async def wait(self, position: int, timeout: float) -> bool:
        """See ``Journal.wait``."""
        return await self._journal.wait(position, timeout)

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
