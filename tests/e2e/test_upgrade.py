"""An installation of the first release is started by this program: all of it is there, and every sink goes on."""

import json
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from tests.e2e.first_release import BATCHES, EVENTS, Left, leave
from tests.e2e.whole import client, eventgate, get, stored_alerts
from tests.services.kafka import Kafka
from tests.services.kafka_records import committed, ids, make_topic
from tests.serving import Serving

SINKS = """
[[sinks]]
name = "file"
transport = "file"
path = "{out}/file"
filter = ["severity·>·3"]

[[sinks]]
name = "moved"
transport = "file"
path = "{out}/moved"

[[sinks]]
name = "own"
transport = "file"
path = "{out}/own"
company = "{company}"

[[sinks]]
name = "quiet"
transport = "file"
path = "{out}/quiet"

[[sinks]]
name = "new"
transport = "file"
path = "{out}/new"

[[sinks]]
name = "kafka"
transport = "kafka"
brokers = ["{broker}"]
topic = "{topic}"
"""
STORED = BATCHES * EVENTS


async def test_the_first_releases_installation_goes_on(public_path: Path, kafka: Kafka, tmp_path: Path) -> None:
    serving, topic = Serving(public_path), public_path.name
    left = await leave(serving.data, serving.url, tmp_path)
    out = public_path / "out"
    out.mkdir()
    config = SINKS.format(out=out, company=left.company, broker=kafka.bootstrap, topic=topic)
    (public_path / "eventgate.toml").write_text(config)
    await make_topic(kafka.bootstrap, topic, {})
    await _keep(kafka.bootstrap, topic, left)
    told = serving.bootstrap

    with serving:
        assert serving.bootstrap == told
        serving.wait_until(lambda: {name for name, each in _sinks(serving).items() if each["pending"]} == {"quiet"})
        _everything_is_read(serving, left)
        _sinks_went_on(serving, left, out)
        assert ids(await committed(kafka.bootstrap, topic)) == left.of(None, after=9), "from the broker's own note"
        _custody_is_told(serving, left)
        _old_credentials_serve(serving)
        _the_past_can_go_again(serving, left, out)
        assert f"The chain holds: {STORED + 1} events" in eventgate("verify", serving=serving)
        for name, each in _sinks(serving).items():
            assert each["balances"], (name, each)
            assert each["alarms"] == [], (name, each)
    with serving:  # and once more, with nothing left to migrate
        assert len(stored_alerts(serving)) == len(left.of(left.company)) + 1


async def _keep(bootstrap: str, topic: str, left: Left) -> None:
    """Have the broker keep what it kept for that release's sink."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=left.group, enable_auto_commit=False)
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.commit({partition: OffsetAndMetadata(0, left.note)})
    finally:
        await consumer.stop()


def _everything_is_read(serving: Serving, left: Left) -> None:
    stored = stored_alerts(serving)
    assert set(stored) == set(left.of(left.company))
    for event in left.events[0][:3] + left.events[-2][:3]:
        assert stored[str(event.id)]["message"] == event.message
    (reject,) = get(serving, "/v2/rejects")["data"]
    assert (reject["id"], reject["errors"][0]["pointer"]) == (str(left.reject), "/alertCode")
    assert [edge["serial"] for edge in get(serving, "/v2/edges")["data"]] == ["EG-0001"]
    assert get(serving, "/v2/alerts?limit=1")["total"] == len(stored)


def _sinks_went_on(serving: Serving, left: Left, out: Path) -> None:
    sinks = _sinks(serving)
    assert set(sinks) == {"file", "moved", "own", "quiet", "new", "kafka"}, "one is no longer configured"
    loud = [str(event.id) for batch in left.events[12:] for event in batch if (event.severity or 0) > 3]
    assert _ids(out / "file") == loud
    assert _ids(out / "moved") == left.of(None, after=18)
    assert _ids(out / "own") == left.of(left.company, after=6)
    assert _ids(out / "new") == left.of(None)
    assert not (out / "quiet").exists() or _ids(out / "quiet") == []
    file, moved, quiet = sinks["file"], sinks["moved"], sinks["quiet"]
    assert (file["dead"], file["delivered"] + file["filtered"]) == (1, STORED - 1)
    assert (moved["before"], moved["delivered"], moved["generation"]) == (5 * EVENTS, STORED - 5 * EVENTS, 1)
    assert (quiet["state"], quiet["pending"]) == ("paused", STORED - 3 * EVENTS)
    assert sinks["own"]["delivered"] == len(left.of(left.company))
    (letter,) = get(serving, "/v2/sinks/file/dead-letters")["data"]
    assert (letter["eventId"], letter["reason"]) == (str(left.dead.id), "it is too long")


def _custody_is_told(serving: Serving, left: Left) -> None:
    def told(event: Any) -> dict[str, Any]:
        return {each["name"]: each for each in get(serving, f"/v2/events/{event.id}/custody")["sinks"]}

    serving.wait_until(lambda: bool(told(left.events[-2][0])["kafka"]["deliveries"]))  # receipts follow within a second
    before, after = told(left.events[0][0]), told(left.events[-2][0])
    assert before["kafka"]["fate"] == after["kafka"]["fate"] == "delivered"
    assert before["kafka"]["deliveries"] == [], "its receipt is of a time that kept none"
    assert after["kafka"]["deliveries"][0]["receipt"]["partition"] == 0
    assert told(left.dead)["file"]["fate"] == "dead"
    assert after["quiet"]["fate"] == "pending"


def _old_credentials_serve(serving: Serving) -> None:
    told = serving.bootstrap
    with client(serving) as sensor:
        answer = sensor.send(
            [{"timestamp": datetime.now(UTC).isoformat(), "alertCode": "APSPOOF", "message": "after the upgrade"}]
        )
    assert answer.rejected == 0
    assert "lastSeen" in get(serving, "/v2/alert-codes")["data"][0], (
        "its keys stay with the interface they were made for"
    )
    body = json.dumps({"login": told["adminUser"], "password": told["adminPassword"]}).encode()
    request = urllib.request.Request(
        f"{serving.url}/v2/sessions", data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answered:
        assert answered.status == 201


def _the_past_can_go_again(serving: Serving, left: Left, out: Path) -> None:
    """In a lane, which that release did not have; and the paused sink goes on where it was."""
    eventgate("sinks", "resume", "quiet", serving=serving)
    serving.wait_until(lambda: _sinks(serving)["quiet"]["pending"] == 0)
    assert _ids(out / "quiet")[:-1] == left.of(None, after=3)
    before = {name: len(_ids(out / name)) for name in ("file", "moved")}
    eventgate("sinks", "rewind", "moved", "--to", "0", serving=serving)
    eventgate("sinks", "redrive", "file", "--all", serving=serving)
    serving.wait_until(lambda: all((_sinks(serving)[name]["replay"] or {}).get("pending") == 0 for name in before))
    assert _ids(out / "moved")[before["moved"] : -1] == left.of(None)
    assert _ids(out / "file")[before["file"] :] == [str(left.dead.id)]
    assert _sinks(serving)["moved"]["generation"] == 2


def _sinks(serving: Serving) -> dict[str, dict[str, Any]]:
    return {sink["name"]: sink for sink in get(serving, "/v2/sinks")["data"]}


def _ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]
