"""A batch cut into pieces: its events with their places, and between them the gaps where events are gone.

Pure.
"""

from collections.abc import Iterator

from eventgate.event import Event
from eventgate.journal.batch import Batch
from eventgate.journal.cursors import Cursor

Piece = tuple[Cursor, Event | None, int]
"""One event and its place; or, without an event, a place to move on to and how many are gone on the way there."""


def pieces(batch: Batch, after: Cursor) -> Iterator[Piece]:
    """What a reader that has finished ``after`` comes by in this batch."""
    previous = after.index if batch.position == after.position else -1
    gone_inside = batch.last - previous - len(batch.events)
    if batch.expired > gone_inside:
        # Whole batches before this one are gone. Their place is "nothing finished of this batch yet".
        yield Cursor(batch.position, previous), None, batch.expired - gone_inside
    for index, event in zip(batch.indexes, batch.events, strict=True):
        if index > previous + 1:
            yield Cursor(batch.position, index - 1), None, index - previous - 1
        previous = index
        yield Cursor(batch.position, index), event, 0
    if batch.last > previous:
        yield batch.end, None, batch.last - previous


def within(found: Iterator[Piece], until: Cursor) -> Iterator[Piece]:
    """The pieces up to a place, which is the last one's even if an event or a gap reaches across it."""
    for place, event, gone in found:
        if place > until:
            # A gap is a stretch of one batch that ends at its place.
            beyond = place.index - until.index if event is None and place.position == until.position else gone
            yield until, None, max(gone - beyond, 0)
            return
        yield place, event, gone
