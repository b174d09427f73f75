"""Exactly once, whoever dies: the forwarding process at every point of a transaction, and the broker."""

import asyncio
import random
import signal
import sys
import uuid
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.services import kafka_forwarder as forwarder
from tests.services.kafka import Kafka as Broker
from tests.services.kafka_records import Record, by_key, committed, header, ids

ROOT = Path(__file__).resolve().parents[2]


class Delivery:
    """The delivery of one made-up journal into one topic, by as many processes as it takes."""

    def __init__(self, broker: Broker, topic: str, directory: Path) -> None:
        self._broker, self.topic, self.copy = broker, topic, directory / "copy"
        self.journal = uuid.uuid4()

    async def start(self, point: str = "never", window: int = 0) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.services.kafka_forwarder", self._broker.bootstrap, self.topic),
            *(str(self.journal), str(self.copy), point, str(window)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def run(self, point: str = "never", window: int = 0) -> int:
        """The exit status of a process that was left to itself."""
        process = await self.start(point, window)
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode in (0, -signal.SIGKILL), output.decode()
        return process.returncode

    async def holds(self) -> list[Record]:
        """A receiver finds every event once, and those of a sensor in their order. Returns what was delivered again."""
        told = forwarder.story(self.journal)
        records = await committed(self._broker.bootstrap, self.topic)
        again = [record for record in records if header(record, "eg-replay")]
        records = [record for record in records if not header(record, "eg-replay")]
        assert sorted(ids(records)) == sorted(told.ids)
        expected: dict[bytes, list[str]] = {}
        for outgoing in told.events:
            expected.setdefault(str(outgoing.event.sensor).encode(), []).append(str(outgoing.event.id))
        assert by_key(records) == expected
        return again


@pytest.mark.parametrize("point", forwarder.POINTS)
async def test_a_forwarder_killed_at_a_point_of_its_transactions(kafka: Broker, tmp_path: Path, point: str) -> None:
    delivery = Delivery(kafka, f"killed-{point.replace(' ', '-')}", tmp_path)
    for window in (1, 3, 1, 2):
        assert await delivery.run(point, window) == -signal.SIGKILL
    assert await delivery.run() == 0
    assert await delivery.holds() == []


async def test_a_forwarder_killed_at_any_moment(kafka: Broker, tmp_path: Path) -> None:
    delivery, moment = Delivery(kafka, "killed-at-any-moment", tmp_path), random.Random(802)
    for _ in range(6):
        process = await delivery.start()
        await _first_window(process)
        await asyncio.sleep(moment.uniform(0, 0.1))
        process.kill()
        await process.communicate()
        assert process.returncode == -signal.SIGKILL
    assert await delivery.run() == 0
    assert await delivery.holds() == []


async def test_a_broker_killed_in_the_middle_comes_back_on_its_data(kafka: Broker, tmp_path: Path) -> None:
    delivery = Delivery(kafka, "broker-killed", tmp_path)
    for point in ("after produce", "after commit"):
        assert await delivery.run(point, 2) == -signal.SIGKILL
    process = await delivery.start()
    assert process.stdout is not None
    await _first_window(process)
    await asyncio.to_thread(kafka.kill)
    lines = asyncio.create_task(process.stdout.read())
    await asyncio.sleep(2.5)
    await asyncio.to_thread(kafka.start)
    output = await asyncio.wait_for(lines, PATIENCE)
    assert b"lost" in output, output.decode()
    assert await process.wait() == 0, output.decode()
    assert await delivery.holds() == []


@pytest.mark.parametrize("point", forwarder.POINTS)
async def test_a_forwarder_of_two_lanes_killed_at_a_point_of_its_transactions(
    kafka: Broker, tmp_path: Path, point: str
) -> None:
    delivery = Delivery(kafka, f"lanes-{point.replace(' ', '-')}", tmp_path)
    # Killed before it was saved, the last window is one that only the broker knows when the replay is opened.
    assert await delivery.run("after commit", 9) == -signal.SIGKILL
    opened = forwarder.open_replay(delivery.copy)
    assert opened.replay is not None
    for window in (1, 2, 3, 4):
        assert await delivery.run(point, window) == -signal.SIGKILL
    assert await delivery.run() == 0
    again = await delivery.holds()
    told = [each for each in forwarder.story(delivery.journal).events if each.place <= opened.replay.until]
    assert {header(record, "eg-replay") for record in again} == {"1"}
    assert len(again) == len(told) == 8 * forwarder.WINDOW
    expected: dict[bytes, list[str]] = {}
    for outgoing in told:
        expected.setdefault(str(outgoing.event.sensor).encode(), []).append(str(outgoing.event.id))
    assert by_key(again) == expected, "each once in its generation, and those of a sensor in their order"
    standing = forwarder.read(delivery.copy)
    assert standing.replay is not None
    assert (standing.totals.delivered, standing.replay.totals.delivered) == (6000, 1000)


async def _first_window(process: asyncio.subprocess.Process) -> None:
    """Wait for the word of it, past what the Kafka library has to say about a topic that was just made."""
    assert process.stdout is not None
    async for line in process.stdout:
        if line == b"delivered\n":
            return
    raise AssertionError("it ended before it delivered anything")


async def test_a_forwarder_killed_whenever_its_sink_comes_back_from_elsewhere(kafka: Broker, tmp_path: Path) -> None:
    """The copy lags when it leaves and leads when it comes back: nothing is twice in the topic, nothing nowhere."""
    delivery = Delivery(kafka, f"moved-{uuid.uuid4()}", tmp_path)
    told, gone = forwarder.story(delivery.journal), []
    assert await delivery.run("after commit", 4) == -signal.SIGKILL
    for point, window, events in (
        ("after offsets", 1, 60),  # fewer than the topic has already: the broker's cursor is the later one
        ("after offsets", 1, 700),  # dies while the broker's note is set forward
        ("after commit", 1, 0),
        ("after produce", 2, 700),
        ("never", 0, 700),
    ):
        gone += forwarder.elsewhere(delivery.journal, delivery.copy, events) if events else []
        assert await delivery.run(point, window) == (0 if point == "never" else -signal.SIGKILL)
    records = await committed(kafka.bootstrap, delivery.topic)
    assert len(set(ids(records))) == len(records), "nothing is twice in the topic"
    assert set(ids(records)) | set(gone) == set(told.ids)
    places = {event_id: number for number, event_id in enumerate(told.ids)}
    assert all(order == sorted(order, key=places.__getitem__) for order in by_key(records).values())
