"""The newest record that a sink itself wrote to its topic: evidence of how far it came when its cursor is gone.

Touches the network, reading. No consumer group, committed records only; ask after fencing.
"""

from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from eventgate.errors import EventGateError
from eventgate.forward.transports.kafka.records import POSITION, SOURCE, place_of
from eventgate.journal.cursors import Cursor

_FIRST_STEP = 64
_FACTOR = 16
_FARTHEST = 1 << 20


class TooFar(EventGateError):
    """The sink's records, if there are any, lie behind too many of others."""


async def newest_place(connection: dict[str, Any], topic: str, partitions: int, source: bytes) -> Cursor | None:
    """The greatest place among the records of ``source``, None where the topic holds none. Raises TooFar."""
    consumer = AIOKafkaConsumer(**connection, group_id=None, isolation_level="read_committed", enable_auto_commit=False)
    try:
        await consumer.start()
        all_partitions = [TopicPartition(topic, number) for number in range(partitions)]
        starts = await consumer.beginning_offsets(all_partitions)
        ends = await consumer.end_offsets(all_partitions)
        found: list[Cursor] = []
        open_ends = {partition: end for partition, end in ends.items() if end > starts[partition]}
        step = _FIRST_STEP
        while open_ends:
            if step > _FARTHEST:
                raise TooFar(f"no record of this sink among the last {_FARTHEST} of some partition of {topic}")
            froms = {partition: max(starts[partition], ends[partition] - step) for partition in open_ends}
            newest = await _newest_between(consumer, froms, open_ends, source)
            found += newest.values()
            # What was read is read; only earlier records of a partition without a find are still of interest.
            open_ends = {
                partition: froms[partition]
                for partition in open_ends
                if partition not in newest and froms[partition] > starts[partition]
            }
            step *= _FACTOR
        return max(found, default=None)
    finally:
        await consumer.stop()


async def _newest_between(
    consumer: AIOKafkaConsumer,
    froms: dict[TopicPartition, int],
    upto: dict[TopicPartition, int],
    source: bytes,
) -> dict[TopicPartition, Cursor]:
    """The greatest place of the source's records in each of these stretches that has any."""
    newest: dict[TopicPartition, Cursor] = {}
    consumer.assign(list(froms))
    for partition, offset in froms.items():
        consumer.seek(partition, offset)
    # A position moves past aborted records and commit markers too, which are never handed out.
    while unread := [partition for partition in froms if await consumer.position(partition) < upto[partition]]:
        for partition, records in (await consumer.getmany(*unread, timeout_ms=200)).items():
            for record in records:
                if record.offset < upto[partition] and (place := _place_from(record, source)) is not None:
                    newest[partition] = max(place, newest.get(partition, place))
    return newest


def _place_from(record: ConsumerRecord[bytes, bytes], source: bytes) -> Cursor | None:
    headers = dict(record.headers)
    return place_of(headers[POSITION]) if headers.get(SOURCE) == source else None
