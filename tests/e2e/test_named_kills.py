"""``kill -9`` at named points, from POST to the receivers: nothing acknowledged is lost, nothing is twice in Kafka."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.e2e.killing.sitecustomize import POINTS, REPLAY_POINTS
from tests.e2e.whole import SINKS, Sensor, delivered, eventgate, get, in_syslog, stored_alerts
from tests.services.kafka import Kafka
from tests.services.kafka_records import Record, by_key, committed, header, ids
from tests.services.rsyslog import Rsyslog
from tests.serving import Serving

_KILLING = Path(__file__).parent / "killing"
_ASKED = 25
_LONGEST = 4_000  # bytes of a Kafka message; a longer event becomes a dead letter of that sink


async def test_a_kill_at_each_named_point_loses_nothing_and_doubles_nothing_in_kafka(
    public_path: Path, kafka: Kafka, rsyslog: Rsyslog
) -> None:
    order = public_path / "kill"
    topic = public_path.name
    sinks = SINKS.format(broker=kafka.bootstrap, topic=topic, relp=rsyslog.ports["relp"], directory=public_path)
    sinks = sinks.replace('name = "kafka"', f'name = "kafka"\nmax_message_bytes = {_LONGEST}')
    variables = {"EVENTGATE_TEST_KILL": str(order), "PYTHONPATH": os.pathsep.join([str(_KILLING), *_python_path()])}
    with Serving(public_path, config=sinks, workers=2, variables=variables) as serving:
        sensors = [Sensor(serving, 1, pause=0.1), Sensor(serving, 2, filling=_LONGEST, pause=0.1)]
        for sensor in sensors:
            sensor.start()
        try:
            for point in POINTS:
                written = order.with_suffix(".new")
                written.write_text(point)
                written.rename(order)
                serving.wait_until(lambda: not order.exists())
                serving.wait_until(lambda: {"worker-1", "worker-2", "forward"} <= serving.children().keys())
        finally:
            for sensor in sensors:
                sensor.done.set()
            for sensor in sensors:
                sensor.join()
        assert [sensor.failure for sensor in sensors] == [None, None]
        short, long = (sensor.acknowledged for sensor in sensors)
        assert len(short) > 100
        assert len(long) >= len(POINTS)

        serving.wait_until(lambda: delivered(serving))
        stored = stored_alerts(serving)
        assert {*short, *long} <= set(stored)
        dead = {id_ for id_, alert in stored.items() if len(json.dumps(alert)) > _LONGEST}
        records = await committed(kafka.bootstrap, topic)
        assert Counter(ids(records)) == Counter(stored.keys() - dead), "each event exactly once, but for dead letters"
        assert len(by_key(records)) == 1
        assert set(in_syslog(rsyslog)) == set(stored), "RELP loses nothing, and may repeat"
        ledger = get(serving, "/v2/sinks/kafka")
        assert (ledger["delivered"], ledger["dead"]) == (len(stored) - len(dead), len(dead))
        assert "The chain holds" in eventgate("verify", serving=serving)
        custody_holds(serving, records, set(stored), dead)


def custody_holds(serving: Serving, records: Sequence[Record], stored: set[str], dead: set[str]) -> None:
    """Whoever was killed: what custody says is so, and where a receipt went down with a process it says that."""
    there = {header(record, "eg-id"): (record.topic, record.partition, record.offset) for record in records}
    kept = Counter[str]()
    asked = [*sorted(dead)[-_ASKED:], *sorted(stored - dead)[-_ASKED:]]
    for id_ in asked:
        story = get(serving, f"/v2/events/{id_}/custody")
        assert all(story["signedBy"].values()), story
        told = {sink["name"]: sink for sink in story["sinks"]}
        assert told["kafka"]["fate"] == ("dead" if id_ in dead else "delivered"), told
        assert told["relp"]["fate"] == "delivered", told
        assert told["file"]["fate"] == ("filtered" if told["file"]["condition"] else "delivered"), told
        for delivery in told["kafka"]["deliveries"]:
            receipt = delivery["receipt"]
            assert (receipt["topic"], receipt["partition"], receipt["offset"]) == there[id_]
        assert len(told["kafka"]["deliveries"]) <= 1, "exactly once, to whoever asks as well"
        kept.update(name for name, sink in told.items() if sink["deliveries"])
    assert kept["kafka"] > 0.8 * len(set(asked) - dead), kept
    assert kept["relp"] > 0.8 * len(asked), kept


async def test_a_kill_at_each_point_of_a_replay_doubles_nothing_in_any_generation(
    public_path: Path, kafka: Kafka, rsyslog: Rsyslog
) -> None:
    order = public_path / "kill"
    topic = public_path.name
    sinks = SINKS.format(broker=kafka.bootstrap, topic=topic, relp=rsyslog.ports["relp"], directory=public_path)
    sinks = sinks.replace('name = "kafka"', 'name = "kafka"\nreplay_events_per_second = 400')
    variables = {"EVENTGATE_TEST_KILL": str(order), "PYTHONPATH": os.pathsep.join([str(_KILLING), *_python_path()])}
    with Serving(public_path, config=sinks, workers=1, variables=variables) as serving:
        sensor = Sensor(serving, 1, pause=0.05)
        sensor.start()
        try:
            serving.wait_until(lambda: len(sensor.acknowledged) > 200)
            serving.wait_until(lambda: get(serving, "/v2/sinks/kafka")["delivered"] > 200)
            for point in REPLAY_POINTS:
                written = order.with_suffix(".new")
                written.write_text(point)
                written.rename(order)
                _rewind(serving)
                serving.wait_until(lambda: not order.exists())
                serving.wait_until(lambda: "forward" in serving.children())
            serving.wait_until(lambda: _rewind(serving))  # those above may have been withdrawn before anybody came back
        finally:
            sensor.done.set()
            sensor.join()
        assert sensor.failure is None
        serving.wait_until(lambda: get(serving, "/v2/sinks/kafka")["state"] == "running")
        eventgate("sinks", "rewind", "kafka", "--to", "0", "--replace", serving=serving)  # one that nobody cuts short
        serving.wait_until(lambda: delivered(serving) and _replay(serving)["pending"] == 0)

        stored = stored_alerts(serving)
        records = await committed(kafka.bootstrap, topic)
        marks = {id(record): header(record, "eg-replay") for record in records}
        new = [record for record in records if marks[id(record)] is None]
        assert Counter(ids(new)) == Counter(stored.keys()), "what is new, exactly once"
        assert len(by_key(new)) == 1
        assert list(by_key(new).values()) == [ids(new)]
        replay = _replay(serving)
        for generation in {mark for mark in marks.values() if mark is not None}:
            again = ids([record for record in records if marks[id(record)] == generation])
            assert Counter(again) == Counter(set(again)), f"twice in generation {generation}"
            assert again == ids(new)[: len(again)], "from the beginning, in order"
            if int(generation) == replay["generation"]:
                assert len(again) == replay["delivered"] == replay["stored"]
        assert len({mark for mark in marks.values() if mark}) >= 2


def _rewind(serving: Serving) -> bool:
    """Ask for everything once more; whether the loop answered, for it may die before it does."""
    try:
        eventgate("sinks", "rewind", "kafka", "--to", "0", "--replace", serving=serving)
    except AssertionError:
        return False
    return True


def _replay(serving: Serving) -> Any:
    return get(serving, "/v2/sinks/kafka")["replay"]


def _python_path() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
