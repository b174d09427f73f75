"""The whole of EventGate on real parts: sent by command line and shell, found, in Kafka, in rsyslog, in a file."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from eventgate.sdk import Client
from eventgate.signing.keys import SigningKey
from tests.services.kafka import Kafka
from tests.services.kafka_records import by_key, committed, ids
from tests.services.rsyslog import Rsyslog
from tests.serving import Serving

SHELL_CLIENT = Path(__file__).parents[2] / "examples" / "send-event.sh"

_SINKS = """
[[sinks]]
name = "kafka"
transport = "kafka"
brokers = ["{broker}"]
topic = "{topic}"

[[sinks]]
name = "relp"
transport = "relp"
format = "rfc5424"
address = "127.0.0.1:{relp}"

[[sinks]]
name = "file"
transport = "file"
path = "{directory}/events.ndjson"
filter = ["severity·>·6"]
"""


@pytest.fixture
def serving(public_path: Path, kafka: Kafka, rsyslog: Rsyslog) -> Iterator[Serving]:
    sinks = _SINKS.format(
        broker=kafka.bootstrap, topic=public_path.name, relp=rsyslog.ports["relp"], directory=public_path
    )
    with Serving(public_path, config=sinks, workers=2) as running:
        yield running


def _get(serving: Serving, path: str) -> Any:
    request = urllib.request.Request(serving.url + path, headers={"X-API-Key": serving.bootstrap["adminAuthKey"]})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def _run(*command: str | Path, serving: Serving, stdin: bytes = b"") -> str:
    variables = {**os.environ, "EVENTGATE_DATA": str(serving.data)}
    done = subprocess.run(command, check=False, input=stdin, capture_output=True, timeout=60, env=variables)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode() + done.stderr.decode()


def _eventgate(*arguments: str, serving: Serving) -> str:
    return _run(sys.executable, "-m", "eventgate", *arguments, serving=serving)


def _stored(serving: Serving) -> dict[str, dict[str, Any]]:
    """Every stored alert by its id, page by page."""
    found: dict[str, dict[str, Any]] = {}
    page = _get(serving, "/v2/alerts?limit=100")
    while True:
        found.update({alert["id"]: alert for alert in page["data"]})
        if page["nextUrl"] is None:
            return found
        page = _get(serving, page["nextUrl"].removeprefix(serving.url))


def _delivered(serving: Serving) -> bool:
    return all(sink["pending"] == 0 for sink in _get(serving, "/v2/sinks")["data"])


def _in_syslog(rsyslog: Rsyslog) -> Counter[str]:
    return Counter(re.search(r'id="([0-9a-f-]{36})"', each["structured_data"])[1] for each in rsyslog.received())


async def test_what_is_sent_is_found_and_arrives_everywhere(serving: Serving, kafka: Kafka, rsyslog: Rsyslog) -> None:
    said = _eventgate("send", "--sample", "300", "--batch", "40", serving=serving)
    assert "300 events stored" in said
    event = {"timestamp": datetime.now(UTC).isoformat(), "alertCode": "KARMAOUI", "severity": 9, "message": "by shell"}
    by_shell = json.loads(_run(SHELL_CLIENT, "-", serving=serving, stdin=json.dumps(event).encode()))
    assert by_shell["accepted"] == 1

    stored = _stored(serving)
    assert len(stored) == 301
    assert stored[by_shell["events"][0]["id"]]["message"] == "by shell"

    serving.wait_until(lambda: _delivered(serving))
    topic = serving.data.parent.name
    assert Counter(ids(await committed(kafka.bootstrap, topic))) == Counter(list(stored))
    assert _in_syslog(rsyslog) == Counter(list(stored))
    lines = (serving.data.parent / "events.ndjson").read_text().splitlines()
    assert {json.loads(line)["id"] for line in lines} == {id_ for id_, alert in stored.items() if alert["severity"] > 6}

    sinks = {sink["name"]: sink for sink in _get(serving, "/v2/sinks")["data"]}
    assert {name: sink["guarantee"] for name, sink in sinks.items()} == {
        "kafka": "exactly once",
        "relp": "confirmed",
        "file": "confirmed",
    }
    assert {name: sink["delivered"] + sink["filtered"] for name, sink in sinks.items()} == dict.fromkeys(sinks, 301)
    assert "The chain holds: 301 events" in _eventgate("verify", serving=serving)


class _Sensor(threading.Thread):
    """Sends events as a sensor does, repeating what was not answered, and remembers what was acknowledged."""

    def __init__(self, serving: Serving, number: int) -> None:
        super().__init__()
        self._serving = serving
        self._number = number
        self.acknowledged: list[str] = []
        self.done = threading.Event()
        self.failure: Exception | None = None

    def run(self) -> None:
        made = self._serving.bootstrap
        key = SigningKey.from_pem(Path(made["signingKeyFile"]).read_bytes())
        try:
            with Client(self._serving.url, made["authKey"], key, made["verifyKeyId"], retry_for=60) as client:
                write = 0
                while not self.done.is_set():
                    write += 1
                    answer = client.send([self._event(write, index) for index in range(20)])
                    assert answer.rejected == 0
                    self.acknowledged.extend(outcome.id for outcome in answer.events)
        except Exception as error:  # noqa: BLE001 - told by the test that waits for this thread
            self.failure = error

    def _event(self, write: int, index: int) -> dict[str, Any]:
        return {
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "eventId": f"{self._number}-{write}-{index}",
            "alertCode": "DEAUTHFLOOD",
            "message": f"write {write}",
        }


@pytest.mark.timeout(240)
async def test_killing_every_process_loses_nothing_acknowledged(
    serving: Serving, kafka: Kafka, rsyslog: Rsyslog
) -> None:
    """Promise 7: one process after the other, the parent and rsyslog too, while sensors go on sending."""
    sensors = [_Sensor(serving, number) for number in range(2)]
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

    serving.wait_until(lambda: _delivered(serving), patience=60)
    stored = _stored(serving)
    assert set(acknowledged) <= set(stored)
    records = await committed(kafka.bootstrap, serving.data.parent.name)
    assert Counter(ids(records)) == Counter(list(stored)), "Kafka has every stored event exactly once"
    (in_order,) = by_key(records).values()
    assert len(in_order) == len(stored)
    assert set(_in_syslog(rsyslog)) == set(stored), "RELP loses nothing, and may repeat"
    assert "The chain holds" in _eventgate("verify", serving=serving)
    deadline = time.monotonic() + 10
    while not all(sink["state"] == "running" for sink in _get(serving, "/v2/sinks")["data"]):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
