"""A batch cut into chunks: events with their places, and between them the gaps where events are gone.

Pure. A chunk is short, so that whoever works on one soon lets others have their turn, and cut at the same places for
every reader, so that neighbours can share what came of it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import repeat
from typing import NamedTuple

from eventgate.event import Event
from eventgate.journal.batch import Batch
from eventgate.journal.cursors import Cursor

_MANY, _FEW = 128, 16
"""Events: half a millisecond or a whole one to format; fewer of long ones, which may be a stranger's doing."""
_LONG = 8 << 10
"""Octets that an event takes in memory, on average over its batch."""

_cursor = partial(tuple.__new__, Cursor)  # a named tuple's own constructor is a function of Python, three times as slow


class Gap(NamedTuple):
    """``gone`` events are missing behind the first ``number`` of a chunk; who has seen that stands at ``upto``."""

    number: int
    upto: Cursor
    gone: int


class Chunk(NamedTuple):
    """Neighbouring events of the batch at ``position``, with their indexes. Who has finished it stands at ``end``."""

    position: int
    indexes: Sequence[int]
    events: Sequence[Event]
    gaps: Sequence[Gap]
    end: Cursor

    def places(self) -> list[Cursor]:
        """The place of each event."""
        return list(map(_cursor, zip(repeat(self.position), self.indexes)))

    def until(self, last: Cursor) -> "Chunk":
        """What of it a reader sees that goes no further than ``last``."""
        if self.end <= last:
            return self
        number = bisect_right(self.indexes, last.index) if self.position == last.position else 0
        gaps = [gap for gap in self.gaps if gap.number < number or (gap.number == number and gap.upto <= last)]
        across = next((gap for gap in self.gaps[len(gaps) :] if gap.number == number), None)
        if across is not None:
            # A gap is a part of one batch that ends at its place.
            beyond = across.upto.index - last.index if across.upto.position == last.position else across.gone
            gaps.append(Gap(number, last, max(across.gone - beyond, 0)))
        return Chunk(self.position, self.indexes[:number], self.events[:number], gaps, last)


def chunks(batch: Batch, after: Cursor) -> Iterator[Chunk]:
    """What a reader that has finished ``after`` comes by in this batch."""
    return cut(batch, _gaps(batch, after.index if batch.position == after.position else -1))


def cut(batch: Batch, gaps: Sequence[Gap]) -> Iterator[Chunk]:
    """The events of a batch and these gaps between them."""
    position, indexes, events = batch.position, batch.indexes, batch.events
    longest = _MANY if batch.size < _LONG * (batch.last + 1) else _FEW
    start, count = 0, len(events)
    while start < count - longest:
        stop = start + longest - indexes[start] % longest
        yield Chunk(
            position, indexes[start:stop], events[start:stop], _between(gaps, start, stop),
            Cursor(position, indexes[stop - 1]),
        )  # fmt: skip
        start = stop
    if count or gaps:
        yield Chunk(position, indexes[start:], events[start:], _between(gaps, start, count + 1), batch.end)


def _between(gaps: Sequence[Gap], start: int, stop: int) -> Sequence[Gap]:
    return [gap._replace(number=gap.number - start) for gap in gaps if start <= gap.number < stop] if gaps else gaps


def within(found: Iterable[Chunk], until: Cursor) -> Iterator[Chunk]:
    """The chunks up to a place, which is the last one's end even if an event or a gap reaches across it."""
    for chunk in found:
        yield chunk.until(until)
        if chunk.end >= until:
            return


def _gaps(batch: Batch, previous: int) -> list[Gap]:
    """Where events are gone, for a reader that has finished index ``previous`` of the batch."""
    gone_inside = batch.last - previous - len(batch.events)
    gaps = []
    if batch.expired > gone_inside:
        # Whole batches before this one are gone. Their place is "nothing finished of this batch yet".
        gaps.append(Gap(0, Cursor(batch.position, previous), batch.expired - gone_inside))
    if gone_inside:
        for number, index in enumerate(batch.indexes):
            if index > previous + 1:
                gaps.append(Gap(number, Cursor(batch.position, index - 1), index - previous - 1))
            previous = index
        if batch.last > previous:
            gaps.append(Gap(len(batch.events), batch.end, batch.last - previous))
    return gaps
