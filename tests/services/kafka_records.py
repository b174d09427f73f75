"""What a receiver of a topic sees: every committed record, in the order of its partitions.

Touches the broker, reading.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.protocol.admin import DeleteGroupsRequest
from aiokafka.structs import ConsumerRecord, TopicPartition

Record = ConsumerRecord[bytes, bytes]


async def committed(bootstrap: str, topic: str) -> list[Record]:
    """All records of a topic that a ``read_committed`` consumer gets."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=None, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        await consumer._client._wait_on_metadata(topic)
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        ends = await consumer.end_offsets(partitions)
        begins = await consumer.beginning_offsets(partitions)
        consumer.assign(partitions)  # and no pause before the seek, in which the consumer would look for a place itself
        for partition, begin in begins.items():
            consumer.seek(partition, begin)
        records: list[Record] = []
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for part in (await consumer.getmany(timeout_ms=200)).values():
                records += part
        return records
    finally:
        await consumer.stop()


def header(record: Record, name: str) -> str | None:
    value = dict(record.headers).get(name)
    return None if value is None else value.decode()


def ids(records: Iterable[Record]) -> list[str]:
    return [header(record, "eg-id") or "" for record in records]


def by_key(records: Iterable[Record]) -> dict[bytes, list[str]]:
    """The ids in the order in which each sensor's events are read."""
    found: dict[bytes, list[str]] = defaultdict(list)
    for record in records:
        found[record.key].append(header(record, "eg-id") or "")
    return found


async def make_topic(bootstrap: str, topic: str, configuration: dict[str, str], partitions: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configuration)])
    finally:
        await admin.close()


async def add_partitions(bootstrap: str, topic: str, total: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_partitions({topic: NewPartitions(total)})
    finally:
        await admin.close()


async def delete_topic(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()


async def forget_groups(bootstrap: str, groups: Sequence[str]) -> None:
    """What the broker does itself to the offsets of a group that was idle for a week."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin._send_request(DeleteGroupsRequest(list(groups)))
        assert [code for _, code in answer.results] == [0] * len(groups), answer
    finally:
        await admin.close()
