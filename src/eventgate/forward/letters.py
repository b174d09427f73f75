"""A redrive's reading: of the journal no more than the places of the dead letters that its generation takes.

Touches the journal's tail and the table of dead letters, reading only.
"""

from collections.abc import Iterator
from itertools import groupby

from eventgate.forward.chunks import Chunk, Gap, cut
from eventgate.journal.batch import Batch
from eventgate.journal.cursors import Cursor
from eventgate.journal.tail import Tail
from eventgate.sinks.generations import Generations


class LettersTail:
    """Reads as ``Tail.read`` does. A batch has the chosen events alone; what is gone of them it counts as expired."""

    def __init__(self, tail: Tail, generations: Generations, sink: str, generation: int) -> None:
        self._tail = tail
        self._generations = generations
        self._sink = sink
        self._generation = generation

    async def read(self, after: Cursor, *, max_events: int, max_bytes: int) -> list[Batch]:
        """The next of them, [] where there are no more."""
        places = await self._generations.places(self._sink, self._generation, after, max_events)
        chosen = {
            position: [place.index for place in group]
            for position, group in groupby(places, lambda place: place.position)
        }
        found: list[Batch] = []
        while chosen and not found:
            first = next(iter(chosen))
            start = Cursor(first, chosen[first][0] - 1)
            batches = await self._tail.read(start, max_events=max_events, max_bytes=max_bytes)
            end = batches[-1].position if batches else places[-1].position
            there = {batch.position: batch for batch in batches}
            read = [position for position in chosen if position <= end]
            found += [_chosen(position, chosen.pop(position), there.get(position)) for position in read]
        return found

    @staticmethod
    def chunks(batch: Batch, _after: Cursor) -> Iterator[Chunk]:
        """The chosen events, in order, and at their end the number of those that are gone."""
        return cut(batch, [Gap(len(batch.events), batch.end, batch.expired)])


def _chosen(position: int, indexes: list[int], batch: Batch | None) -> Batch:
    wanted = set(indexes)
    there = [] if batch is None else [(place.index, event) for place, event in batch.placed() if place.index in wanted]
    return Batch(
        position=position,
        committed=batch.committed if batch else 0,
        total=batch.total if batch else 0,
        digest=batch.digest if batch else b"",
        last=indexes[-1],
        expired=len(indexes) - len(there),
        indexes=[index for index, _ in there],
        events=[event for _, event in there],
        size=batch.size if batch else 0,
    )
