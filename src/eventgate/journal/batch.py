"""A committed batch as its readers see it, and the journal's head.

Pure.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eventgate.event import Event
from eventgate.journal.cursors import Cursor


class Batch(NamedTuple):
    """One committed group of events, or what a cursor has left of it.

    ``committed`` is in milliseconds since the epoch. ``total`` counts all events ever stored up to and including this
    batch, ``digest`` is the chain's. ``indexes`` go with ``events``: they have gaps only where events are gone, and
    ``expired`` counts those: gone from here, or before this batch and after the cursor it was read from.
    ``last`` is the index of the batch's last event, there or gone; ``size`` is about the bytes it takes in memory.
    """

    position: int
    committed: int
    total: int
    digest: bytes
    last: int
    expired: int
    indexes: Sequence[int]
    events: Sequence[Event]
    size: int

    def placed(self) -> Iterator[tuple[Cursor, Event]]:
        """Each event with its place."""
        for index, event in zip(self.indexes, self.events, strict=True):
            yield Cursor(self.position, index), event

    @property
    def end(self) -> Cursor:
        """The cursor of a reader that has finished this batch."""
        return Cursor(self.position, self.last)


class Head(NamedTuple):
    """The newest batch: its position (0 where nothing was ever stored), how many events are stored, the digest."""

    position: int
    total: int
    digest: bytes
    committed: int
