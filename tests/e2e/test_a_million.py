"""Sinks that are down for the length of a million events: nothing waits for them, nothing is lost or kept in memory.

EVENTGATE_TEST_OUTAGE_EVENTS says how many events it is, where a million is too long.
"""

import asyncio
import os
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from benchmarks.load.memory import cpu_seconds, peak_mib
from benchmarks.load.requests import Writer
from eventgate.formats.times import rfc3339
from tests.e2e.whole import TWO_RECEIVERS, get
from tests.places import public_directory
from tests.services.certificates import Certificates
from tests.services.kafka import Kafka
from tests.services.kafka_records import delete_topic
from tests.services.rsyslog import Rsyslog
from tests.serving import Serving

STREAMS, BATCH = 4, 1_000
"""A sensor sends in so many connections, each with numbers of its own, so many events a write."""
WRITES = int(os.environ.get("EVENTGATE_TEST_OUTAGE_EVENTS", "1000000")) // STREAMS // BATCH
EVENTS = WRITES * STREAMS * BATCH
MOST_MIB = 200
"""Of the forward process, for two sinks: their windows, and what is read ahead. A million events are far more."""
IDLE_SECONDS = 1e-5
"""Of the forward process's time, for each event that comes while it can deliver none: half of what delivering takes."""

_NUMBERED = re.compile(rb"number (\d+) of stream (\d)")


@pytest.fixture
def rsyslog(tmp_path: Path, certificates: Certificates) -> Iterator[Rsyslog]:
    """Not running yet, with a queue as it comes; what it wrote is a gigabyte, which nobody wants to keep."""
    daemon = Rsyslog(tmp_path, certificates, queue="LinkedList")
    yield daemon
    daemon.stop()
    daemon.output.unlink(missing_ok=True)


@pytest.fixture
def on_disk() -> Iterator[Path]:
    """For the gate's own two gigabytes."""
    with public_directory(in_memory=False) as directory:
        yield directory


@pytest.mark.timeout(900)
async def test_sinks_that_were_down_for_a_million_events_get_every_one(
    on_disk: Path, kafka: Kafka, rsyslog: Rsyslog
) -> None:
    topic = on_disk.name
    sinks = TWO_RECEIVERS.format(broker=kafka.bootstrap, topic=topic, relp=rsyslog.ports["relp"])
    with Serving(on_disk, config=sinks) as serving:
        kafka.kill()
        forward = serving.children()["forward"]
        began = cpu_seconds(forward)
        await _send(serving)
        assert {sink["pending"] for sink in _sinks(serving)} == {EVENTS}
        assert cpu_seconds(forward) - began < EVENTS * IDLE_SECONDS, "nothing is read for sinks that are away"
        rsyslog.start()
        kafka.start()
        serving.wait_until(lambda: not any(sink["pending"] for sink in _sinks(serving)), patience=600)
        for sink in _sinks(serving):
            assert sink["balances"], sink
            assert sink["delivered"] == EVENTS, sink
        assert serving.children()["forward"] == forward, "one process saw all of it"
        assert peak_mib(forward) < MOST_MIB
    rsyslog.stop()  # it writes what it still holds
    wanted = list(range(EVENTS // STREAMS))
    with rsyslog.output.open("rb") as lines:
        for numbers in _streams(lines):
            assert list(dict.fromkeys(numbers)) == wanted, "RELP: each at least once, at first in their order"
    for numbers in _streams([value async for value in _values(kafka, topic)]):
        assert numbers == wanted, "Kafka: each once, in their order"
    await delete_topic(kafka.bootstrap, topic)


def _sinks(serving: Serving) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(serving, "/v2/sinks")["data"]
    return found


async def _send(serving: Serving) -> None:
    """Every stream's writes, one after the other; the streams beside one another."""
    writer, began = Writer(serving.bootstrap), int(time.time() * 1000) - EVENTS

    async def stream(number: int) -> None:
        reader, connection = await asyncio.open_connection("127.0.0.1", serving.port)
        try:
            for write in range(WRITES):
                connection.write(writer.request(_body(number, write, began)))
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]))
                assert head.startswith(b"HTTP/1.1 201"), head
        finally:
            connection.close()

    await asyncio.gather(*(stream(number) for number in range(STREAMS)))


def _body(stream: int, write: int, began: int) -> bytes:
    """Timestamps go up with the numbers, as the order of events in a batch goes by their time."""
    events = [
        f'{{"timestamp":"{rfc3339(began + number)}","alertCode":"DEAUTHFLOOD","eventId":"{stream}-{number}",'
        f'"message":"number {number} of stream {stream}"}}'
        for number in range(write * BATCH, (write + 1) * BATCH)
    ]
    return f"[{','.join(events)}]".encode()


async def _values(kafka: Kafka, topic: str) -> AsyncIterator[bytes]:
    """Every committed record's."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap, isolation_level="read_committed", auto_offset_reset="earliest",
        check_crcs=False, max_partition_fetch_bytes=8 << 20,
    )  # fmt: skip
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    yield record.value
    finally:
        await consumer.stop()


def _streams(texts: Iterable[bytes]) -> Iterable[list[int]]:
    """The numbers of each stream, as they arrived."""
    streams: dict[bytes, list[int]] = defaultdict(list)
    for text in texts:
        found = _NUMBERED.search(text)
        assert found is not None, text
        streams[found[2]].append(int(found[1]))
    assert len(streams) == STREAMS
    return streams.values()
