"""A Kafka sink as a whole: the journal's events by the delivery loop into a real broker, and what operators see."""

import base64
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from eventgate.event import Event
from eventgate.forward.plan import Plan
from eventgate.ids import uuid7
from eventgate.sinks.definition import State
from eventgate.sinks.requests import Verb
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.services.kafka import Kafka
from tests.services.kafka_records import committed, delete_topic, header, ids, make_topic


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


@pytest.fixture
def topic() -> str:
    return f"sink-{uuid.uuid4()}"


def into(kafka: Kafka, topic: str, **keys: object) -> Plan:
    return sink("kafka", "kafka", brokers=[kafka.bootstrap], topic=topic, partitions=3, **keys)


def texts(events: list[Event]) -> list[str]:
    return sorted(str(event.id) for event in events)


async def test_the_journal_comes_out_once_and_the_ledger_balances(gate: Forwarding, kafka: Kafka, topic: str) -> None:
    await gate.store(3000)
    async with gate.running(into(kafka, topic)):
        await gate.until_done("kafka")
        await gate.store(7, in_writes_of=1)
        await gate.until_done("kafka")
    await gate.store(500)
    async with gate.running(into(kafka, topic)):
        status = await gate.until_done("kafka")
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == texts(await gate.stored())
    assert (status.guarantee, status.ledger.delivered) == ("exactly once", 3507)


async def test_what_a_filter_leaves_out_is_counted_with_the_cursor(gate: Forwarding, kafka: Kafka, topic: str) -> None:
    events = await gate.store(1000)
    worst = [event for event in events if event.severity == 10]
    async with gate.running(into(kafka, topic, filters=("severity\u00b7>\u00b79",))):
        status = await gate.until_done("kafka")
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == texts(worst)
    assert (status.ledger.delivered, status.ledger.filtered) == (len(worst), 1000 - len(worst))


async def test_the_brokers_cursor_counts_where_the_databases_copy_lags(
    gate: Forwarding, kafka: Kafka, topic: str
) -> None:
    events = await gate.store(1500)
    async with gate.running(into(kafka, topic)):
        await gate.until_done("kafka")
    await gate.pool.execute("UPDATE cursors SET position = 1, index = 3, delivered = 4 WHERE reader = 'sink:kafka'")
    async with gate.running(into(kafka, topic)):
        status = await gate.until_done("kafka")
    assert status.ledger.delivered == 1500
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == texts(events)


async def test_a_sink_moves_to_other_places_and_back_and_goes_on_where_it_stands(
    gate: Forwarding, kafka: Kafka, topic: str, tmp_path: Path
) -> None:
    file, requests = tmp_path / "lines", gate.stores.requests
    here, there = into(kafka, topic), into(kafka, f"{topic}-there")
    places = [here, sink("kafka", "file", path=file), there, here]
    batches = []
    async with gate.running(here) as supervisor:
        for number, place in enumerate(places):
            await supervisor.reconfigure([place])
            batches.append((await gate.store(200))[200 * number :])
            await gate.until_done("kafka")
            if place.definition.transport == "file":  # a generation that Kafka hears of when the sink comes back
                answer = await requests.ask("kafka", Verb.REWIND, position=0)
                assert answer is not None
                assert answer.done
                await gate.until("kafka", lambda status: status.replay is not None and not status.replay.ledger.pending)
        status = await gate.until_done("kafka")
        assert (status.state, status.generation, status.ledger.delivered) == (State.RUNNING, 1, 800)
        assert status.replay is not None
        assert (status.replay.ledger.delivered, status.replay.ledger.balances) == (400, True)
        # What it delivers again now, it delivers here.
        answer = await requests.ask("kafka", Verb.REWIND, position=0)
        assert answer is not None
        assert answer.done
        await gate.until("kafka", lambda status: status.generation == 2 and status.replay.ledger.pending == 0)
    records = await committed(kafka.bootstrap, topic)
    new = [record for record in records if not header(record, "eg-replay")]
    assert sorted(ids(new)) == texts(batches[0] + batches[3])
    assert sorted(ids([r for r in records if header(r, "eg-replay") == "2"])) == texts(
        [event for batch in batches for event in batch]
    )
    assert sorted(ids(await committed(kafka.bootstrap, f"{topic}-there"))) == texts(batches[2])
    assert len(file.read_bytes().splitlines()) == 200 + 400


async def test_an_event_the_topic_refuses_becomes_the_one_dead_letter(
    gate: Forwarding, kafka: Kafka, topic: str
) -> None:
    """The sink believes the topic takes a million bytes; the topic, configured by somebody else, takes far less."""
    await make_topic(kafka.bootstrap, topic, {"max.message.bytes": "60000"})
    events = await gate.store(40)
    noise = base64.b64encode(os.urandom(90_000)).decode()
    huge = events[0]._replace(id=uuid7(events[0].timestamp), message=noise)
    await gate.appender.append([huge])
    await gate.store(40)
    async with gate.running(into(kafka, topic)):
        status = await gate.until_done("kafka")
    assert status.ledger.dead == 1
    expected = [event for event in await gate.stored() if event.id != huge.id]
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == texts(expected)


async def test_a_deleted_topic_stops_the_sink_until_a_rewind(gate: Forwarding, kafka: Kafka, topic: str) -> None:
    events = await gate.store(600)
    async with gate.running(into(kafka, topic)):
        await gate.until_done("kafka")
    await delete_topic(kafka.bootstrap, topic)
    async with gate.running(into(kafka, topic)):
        status = await gate.until("kafka", lambda status: status.state is State.CURSOR_LOST)
        assert "rewind" in (status.last_error or "")
        more = await gate.store(50)
        answer = await gate.stores.requests.ask("kafka", Verb.REWIND, position=0)
        assert answer is not None
        assert answer.done, answer
        await gate.until_done("kafka")
    records = await committed(kafka.bootstrap, topic)
    assert sorted(ids(records)) == texts(more)
    again = [record for record in records if header(record, "eg-replay")]
    assert len(again) == len(events)


async def test_a_broker_that_dies_costs_time_and_nothing_else(gate: Forwarding, kafka: Kafka, topic: str) -> None:
    await gate.store(400)
    async with gate.running(into(kafka, topic)):
        await gate.until_done("kafka")
        kafka.kill()
        await gate.store(400)
        kafka.start()
        await gate.until_done("kafka")
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == texts(await gate.stored())
