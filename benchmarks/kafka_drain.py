"""How fast a full journal drains into Kafka, exactly once, beside a bare aiokafka loop of the same records.

The bare loop has every record in memory, its partition known, and does nothing but pack batches and end transactions
that carry an offset: windows as large as EventGate's, the same settings. Both run in this process, in turn.
``python -m benchmarks.kafka_drain [EVENTS]``; a million is the figure that counts, the default is fewer.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from benchmarks.report import row
from benchmarks.rows import Site
from eventgate.app.memory import expect_windows
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.db.migrate import migrate
from eventgate.db.pool import open_pool
from eventgate.sinks.definition import reader
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.services.certificates import Certificates
from tests.services.kafka import Kafka
from tests.services.kafka_records import committed, make_topic

EVENTS = 200_000
PARTITIONS = 6
WINDOW_EVENTS, WINDOW_BYTES = 5_000, 3 << 20
ROUNDS = 3


class Bare(NamedTuple):
    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


async def main(events: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # the database's account has to get in
        for part in ("certificates", "kafka"):
            (directory / part).mkdir()
        with Kafka(directory / "kafka", Certificates.make(directory / "certificates")) as broker:
            async with EmbeddedPostgres(directory / "postgres") as postgres:
                await migrate(postgres.url)
                pool = await open_pool(postgres.url, size=5)
                async with forwarding(pool, postgres.url) as gate:
                    await _fill(gate, events)
                    await _measure(gate, broker, events)
                await pool.close()


async def _fill(gate: Forwarding, events: int) -> None:
    site, start = Site(), int(time.time() * 1000) - events
    for first in range(0, events, 20_000):
        sizes = [min(500, events - at) for at in range(first, min(first + 20_000, events), 500)]
        await asyncio.gather(
            *(gate.appender.append(site.write(start + first + 500 * n, size)) for n, size in enumerate(sizes))
        )


async def _measure(gate: Forwarding, broker: Kafka, events: int) -> None:
    ours, bare = [], []
    records: list[Bare] = []
    for turn in range(ROUNDS):
        ours.append(events / await _drained(gate, broker, turn, events))
        if not records:
            records = await _records(broker)
            assert len(records) == events
        bare.append(events / await _written(broker, f"bare-{turn}", records))
        print(f"round {turn + 1}: {ours[-1]:,.0f} events/s, bare loop {bare[-1]:,.0f}", flush=True)
    row(
        f"Kafka exactly-once drain of {events:,} stored events",
        f"{statistics.median(ours):,.0f}/s",
        f"bare aiokafka loop, same records and transactions: {statistics.median(bare):,.0f}/s",
        statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True)),
        "0.80",
    )


async def _drained(gate: Forwarding, broker: Kafka, turn: int, events: int) -> float:
    """Seconds from starting the forward process's loops to the last event committed."""
    name = f"drain-{turn}"
    plan = sink(name, "kafka", brokers=[broker.bootstrap], topic=name, partitions=PARTITIONS)
    begun = time.perf_counter()
    async with gate.running(plan):
        # Looked at seldom, and no more of it than must be: the question costs the process that is measured.
        while (await gate.stores.cursors.look(reader(name))).totals.delivered < events:
            await asyncio.sleep(0.05)
        took = time.perf_counter() - begun
        await gate.until_done(name)
    return took


async def _records(broker: Kafka) -> list[Bare]:
    """What EventGate wrote, in the order of the journal."""
    found = []
    for record in await committed(broker.bootstrap, "drain-0"):
        position, _, index = dict(record.headers)["eg-position"].partition(b".")
        bare = Bare(record.partition, record.key, record.value, list(record.headers))
        found.append((int(position), int(index), bare))
    found.sort(key=lambda each: each[:2])
    return [bare for _, _, bare in found]


async def _written(broker: Kafka, topic: str, records: Sequence[Bare]) -> float:
    await make_topic(broker.bootstrap, topic, {}, PARTITIONS)
    begun = time.perf_counter()
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap,
        transactional_id=topic,
        transaction_timeout_ms=10_000,
        request_timeout_ms=5_000,
        retry_backoff_ms=50,
        compression_type="zstd",
        max_batch_size=1_000_000,
    )
    await producer.start()
    at = 0
    while at < len(records):
        upto = _window(records, at)
        now = int(time.time() * 1000)
        batches = defaultdict(lambda: [producer.create_batch()])
        for partition, key, value, headers in records[at:upto]:
            queue = batches[partition]
            if queue[-1].append(timestamp=now, key=key, value=value, headers=headers) is None:
                queue.append(producer.create_batch())
                queue[-1].append(timestamp=now, key=key, value=value, headers=headers)
        at = upto
        await producer.begin_transaction()
        taken = [
            await producer.send_batch(batch, topic, partition=partition)
            for partition, queue in batches.items()
            for batch in queue
        ]
        await asyncio.gather(*taken)
        kept = {TopicPartition(topic, 0): OffsetAndMetadata(upto, "x" * 300)}
        await producer.send_offsets_to_transaction(kept, topic)
        await producer.commit_transaction()
    await producer.stop()
    return time.perf_counter() - begun


def _window(records: Sequence[Bare], start: int) -> int:
    size, at = 0, start
    while at < len(records) and at - start < WINDOW_EVENTS:
        size += len(records[at].value)
        if size > WINDOW_BYTES:
            break
        at += 1
    return max(at, start + 1)


if __name__ == "__main__":
    expect_windows()
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
