"""From the gate to a Kafka consumer's hand: how old an event is when a ``read_committed`` consumer holds it.

A real gate with an exactly-once Kafka sink, a real broker, and lone signed events at half the rate that the gate takes.
An event's age counts from the gate's own ``receivedAt``, in whole milliseconds. Takes about half a minute.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from statistics import quantiles

import orjson
from aiokafka import AIOKafkaConsumer

from benchmarks.load.requests import Writer, save
from benchmarks.load.wrk import demand_wrk, replay
from benchmarks.report import row
from tests.services.certificates import Certificates
from tests.services.kafka import Kafka
from tests.serving import Serving

_SECONDS = 5
_TOPIC = "latency"
_PATIENCE = 20.0  # seconds without a record, after which the rest is taken for lost

_CONFIGURATION = """
[[sinks]]
name = "lake"
transport = "kafka"
brokers = ["{bootstrap}"]
topic = "latency"
"""


async def _ages(bootstrap: str, expected: int, ready: asyncio.Event) -> list[float]:
    """Milliseconds from ``receivedAt`` to this consumer's hand, of so many events."""
    consumer = AIOKafkaConsumer(
        _TOPIC, bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="latest"
    )
    await consumer.start()
    await consumer.seek_to_end()
    for partition in consumer.assignment():
        await consumer.position(partition)
    ready.set()
    ages: list[float] = []
    try:
        while len(ages) < expected:
            record = await asyncio.wait_for(consumer.getone(), _PATIENCE)
            received = datetime.fromisoformat(orjson.loads(record.value)["receivedAt"]).timestamp()
            ages.append((time.time() - received) * 1000)
    finally:
        await consumer.stop()
    return ages


async def _measure(gate: Serving, broker: Kafka, directory: Path) -> None:
    writer = Writer(gate.bootstrap)
    save(directory / "warm", [list(writer.requests(6_000, 1))])
    rate = (await asyncio.to_thread(replay, gate.url, directory / "warm", seconds=2)).rate / 2
    count = int(rate * _SECONDS)
    save(directory / "paced", [list(writer.requests(count, 1))])
    await asyncio.sleep(3)  # what the warming stored is delivered by then
    ready = asyncio.Event()
    reading = asyncio.create_task(_ages(broker.bootstrap, count, ready))
    await ready.wait()
    pace = [sys.executable, "-m", "benchmarks.load.pace", str(gate.port), str(directory / "paced.0"), str(rate)]
    await asyncio.to_thread(subprocess.run, pace, stdout=subprocess.PIPE, check=True, timeout=120)
    ages = await reading
    cuts = quantiles(ages, n=100)
    row(
        f"from the gate to a Kafka consumer's hand at {rate:,.0f} writes/s, half the maximum rate",
        f"p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms",
        f"{sum(age < 150 for age in ages) / len(ages):.1%} under 150 ms",
        None, "99 % under 150 ms",
    )  # fmt: skip


def main() -> None:
    demand_wrk()
    with tempfile.TemporaryDirectory(prefix="eventgate-bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        for part in ("certificates", "kafka"):
            (directory / part).mkdir()
        with Kafka(directory / "kafka", Certificates.make(directory / "certificates")) as broker:
            configuration = _CONFIGURATION.format(bootstrap=broker.bootstrap)
            with Serving(directory, config=configuration, workers=2) as gate:
                asyncio.run(_measure(gate, broker, directory))


if __name__ == "__main__":
    main()
