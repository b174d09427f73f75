import uuid
from typing import Any

from eventgate.forward.transports.kafka.partitioning import Partitioning
from eventgate.forward.transports.kafka.records import Stamp, pack, place_of
from eventgate.journal.cursors import Cursor
from tests.services.story import Story

STAMP = Stamp(b"source.2", 2, 1_700_000_000_000)


class Batch:
    """Takes three records and no more, as the library's own batch does by size."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def add(self, timestamp: int, key: bytes, value: bytes, headers: list[Any]) -> bool:
        if len(self.records) == 3:
            return False
        self.records.append({"timestamp": timestamp, "key": key, "value": value, "headers": headers})
        return True

    def seal(self) -> None:
        assert self.records


async def test_each_sensor_has_one_partition_and_its_events_their_order() -> None:
    story, slots = Story(uuid.uuid4(), 4, 10), Partitioning(3)
    packed, _ = await pack(story.events, slots, Batch, STAMP)
    for partition, batches in packed.items():
        records = [record for batch in batches for record in batch.records]
        expected = [each for each in story.events if slots.slot(each.event.sensor).partition == partition]
        assert [record["value"] for record in records] == [each.body for each in expected]
        assert [record["key"] for record in records] == [str(each.event.sensor).encode() for each in expected]
        assert all(batch.records for batch in batches)
    assert sum(len(batch.records) for batches in packed.values() for batch in batches) == 40


async def test_a_record_says_which_event_it_is_and_where_it_came_from() -> None:
    story = Story(uuid.uuid4(), 1, 1)
    (outgoing,) = story.events
    packed, _ = await pack([outgoing, outgoing._replace(replay=True)], Partitioning(1), Batch, STAMP)
    first, second = packed[0][0].records
    expected = [
        ("eg-id", str(outgoing.event.id).encode()),
        ("eg-position", b"%d.%d" % outgoing.place),
        ("eg-source", b"source.2"),
    ]
    assert first["headers"] == expected
    assert second["headers"] == [*expected, ("eg-replay", b"2")]
    assert first["timestamp"] == STAMP.now_ms


def test_a_position_header_reads_back() -> None:
    assert place_of(b"123456789012.4999") == Cursor(123456789012, 4999)
