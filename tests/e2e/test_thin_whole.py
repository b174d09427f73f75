"""The whole of EventGate on real parts: sent by command line and shell, found, in Kafka, in rsyslog, in a file."""

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.whole import SINKS, Sensor, delivered, eventgate, get, in_syslog, run, stored_alerts
from tests.patience import PATIENCE
from tests.services.kafka import Kafka
from tests.services.kafka_records import by_key, committed, ids
from tests.services.rsyslog import Rsyslog
from tests.serving import Serving

SHELL_CLIENT = Path(__file__).parents[2] / "examples" / "send-event.sh"


@pytest.fixture
def serving(public_path: Path, kafka: Kafka, rsyslog: Rsyslog) -> Iterator[Serving]:
    sinks = SINKS.format(
        broker=kafka.bootstrap, topic=public_path.name, relp=rsyslog.ports["relp"], directory=public_path
    )
    with Serving(public_path, config=sinks, workers=2) as running:
        yield running


async def test_what_is_sent_is_found_and_arrives_everywhere(serving: Serving, kafka: Kafka, rsyslog: Rsyslog) -> None:
    said = eventgate("send", "--sample", "300", "--batch", "40", serving=serving)
    assert "300 events stored" in said
    event = {"timestamp": datetime.now(UTC).isoformat(), "alertCode": "KARMAOUI", "severity": 9, "message": "by shell"}
    by_shell = json.loads(run(SHELL_CLIENT, "-", serving=serving, stdin=json.dumps(event).encode()))
    assert by_shell["accepted"] == 1

    stored = stored_alerts(serving)
    assert len(stored) == 301
    assert stored[by_shell["events"][0]["id"]]["message"] == "by shell"

    serving.wait_until(lambda: delivered(serving))
    topic = serving.data.parent.name
    assert Counter(ids(await committed(kafka.bootstrap, topic))) == Counter(list(stored))
    assert in_syslog(rsyslog) == Counter(list(stored))
    lines = (serving.data.parent / "events.ndjson").read_text().splitlines()
    assert {json.loads(line)["id"] for line in lines} == {id_ for id_, alert in stored.items() if alert["severity"] > 6}

    sinks = {sink["name"]: sink for sink in get(serving, "/v2/sinks")["data"]}
    assert {name: sink["guarantee"] for name, sink in sinks.items()} == {
        "kafka": "exactly once",
        "relp": "confirmed",
        "file": "confirmed",
    }
    assert {name: sink["delivered"] + sink["filtered"] for name, sink in sinks.items()} == dict.fromkeys(sinks, 301)
    assert "The chain holds: 301 events" in eventgate("verify", serving=serving)


async def test_killing_every_process_loses_nothing_acknowledged(
    serving: Serving, kafka: Kafka, rsyslog: Rsyslog
) -> None:
    """Promise 7: one process after the other, the parent and rsyslog too, while sensors go on sending."""
    sensors = [Sensor(serving, number) for number in range(2)]
    for sensor in sensors:
        sensor.start()
    try:
        for name in ("forward", "worker-1", "postgres", "forward", "worker-2"):
            await asyncio.sleep(1)
            serving.wait_until(lambda name=name: name in serving.children())  # the last kill may have cost others too
            os.kill(serving.children()[name], signal.SIGKILL)
            serving.wait_until(lambda name=name: name in serving.children())
        rsyslog.kill()
        rsyslog.start()
        await asyncio.sleep(1)
        serving.stop(signal.SIGKILL)
        serving.start()
        await asyncio.sleep(1)
    finally:
        for sensor in sensors:
            sensor.done.set()
        for sensor in sensors:
            sensor.join()
    assert [sensor.failure for sensor in sensors] == [None, None]
    acknowledged = Counter(id_ for sensor in sensors for id_ in sensor.acknowledged)
    assert len(acknowledged) > 200
    assert set(acknowledged.values()) == {1}

    serving.wait_until(lambda: delivered(serving))
    stored = stored_alerts(serving)
    assert set(acknowledged) <= set(stored)
    records = await committed(kafka.bootstrap, serving.data.parent.name)
    assert Counter(ids(records)) == Counter(list(stored)), "Kafka has every stored event exactly once"
    (in_order,) = by_key(records).values()
    assert len(in_order) == len(stored)
    assert set(in_syslog(rsyslog)) == set(stored), "RELP loses nothing, and may repeat"
    assert "The chain holds" in eventgate("verify", serving=serving)
    deadline = time.monotonic() + PATIENCE
    while not all(sink["state"] == "running" for sink in get(serving, "/v2/sinks")["data"]):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
