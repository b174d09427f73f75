"""Events as Kafka records: key, headers, and batches of them by partition.

Pure but for giving way to the event loop now and then, and for a thread that compresses: a full window takes some
milliseconds to pack.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

import orjson

from eventgate.forward.transports import Outgoing
from eventgate.forward.transports.kafka.batches import SealedBatch
from eventgate.forward.transports.kafka.partitioning import Partitioning
from eventgate.journal.cursors import Cursor

ID = "eg-id"
"""EventGate's id of the event, as text."""
POSITION = "eg-position"
"""Where the journal has the event: ``position.index``."""
SOURCE = "eg-source"
"""Which sink of which journal wrote the record, in which generation, and ``r`` where it was the replay lane."""
REPLAY = "eg-replay"
"""Present where an operator asked to have the event delivered again: the generation."""

_WITHOUT_A_PAUSE = 500
_json = orjson.dumps  # writes a UUID in a seventh of the time that str takes


class Stamp(NamedTuple):
    """What all records of a window have in common.

    ``now_ms`` is their time, for Kafka's retention counts from it: an event reported late must not go on arrival.
    """

    source: bytes
    generation: int
    now_ms: int


async def pack(
    events: Sequence[Outgoing], partitioning: Partitioning, new_batch: Callable[[], SealedBatch], stamp: Stamp
) -> tuple[dict[int, list[SealedBatch]], list[int]]:
    """The events as sealed batches by partition, in order; and the partition of each event."""
    packed: dict[int, list[SealedBatch]] = {}
    slots: list[int] = []
    now, origin, replayed = stamp.now_ms, (SOURCE, stamp.source), (REPLAY, b"%d" % stamp.generation)
    for count, (event, _, place, body, replay) in enumerate(events, 1):
        partition, key = partitioning.slot(event.sensor)
        slots.append(partition)
        headers: list[tuple[str, bytes | None]] = [(ID, _json(event.id)[1:-1]), (POSITION, b"%d.%d" % place), origin]
        if replay:
            headers.append(replayed)
        batches = packed.get(partition)
        if batches is None:
            batches = packed[partition] = [new_batch()]
        if not batches[-1].add(now, key, body, headers):
            batches.append(new_batch())
            batches[-1].add(now, key, body, headers)
        if count % _WITHOUT_A_PAUSE == 0:
            await asyncio.sleep(0)
    await asyncio.to_thread(_seal, [batch for batches in packed.values() for batch in batches])
    return packed, slots


def _seal(batches: Sequence[SealedBatch]) -> None:
    for batch in batches:
        batch.seal()


def place_of(header: bytes) -> Cursor:
    """The place that a position header names."""
    position, _, index = header.partition(b".")
    return Cursor(int(position), int(index))
