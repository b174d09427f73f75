"""The forward process on a real journal: every sink on its own, requests and answers, restarts, rivals."""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from eventgate.journal.cursors import Cursor
from eventgate.sinks.definition import State
from eventgate.sinks.ledger import Ledger
from eventgate.sinks.requests import Answer, Verb
from eventgate.sinks.store import SinkStatus
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.services.kafka import Kafka as Broker
from tests.services.kafka_records import committed, header


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def ids(path: Path) -> list[UUID]:
    return [UUID(str(line["id"])) for line in lines(path)]


def replayed(status: SinkStatus) -> Ledger:
    """The ledger of what a sink delivers once more; it balances."""
    assert status.replay is not None
    assert status.replay.ledger.balances, status.replay
    return status.replay.ledger


async def until_replayed(gate: Forwarding, sink: str, generation: int) -> SinkStatus:
    """Wait until both lanes are done, in this generation."""

    def done(status: SinkStatus) -> bool:
        return status.generation == generation and status.replay is not None and not status.replay.ledger.pending

    await gate.until(sink, done)
    return await gate.until_done(sink)


async def test_every_event_in_order_once_and_the_ledger_balances(gate: Forwarding, tmp_path: Path) -> None:
    events = await gate.store(3000)
    async with gate.running(sink("out", "file", path=tmp_path / "out")):
        await gate.until_done("out")
        events = await gate.store(7, in_writes_of=1)
        status = await gate.until_done("out")
    assert ids(tmp_path / "out") == [event.id for event in events]
    assert (status.state, status.guarantee) == (State.RUNNING, "confirmed")
    assert (status.ledger.stored, status.ledger.delivered, status.waiting_since) == (3007, 3007, None)
    assert (await gate.status("out")).state is State.STOPPED


async def test_a_filter_and_a_company_choose_and_the_rest_is_counted(gate: Forwarding, tmp_path: Path) -> None:
    mine, others = await gate.store(200), None
    company = mine[0].company
    others = [event for event in await gate.store(200) if event.company != company]
    assert others
    chosen = [event.id for event in mine if event.severity is not None and event.severity > 7]
    plan = sink("out", "file", path=tmp_path / "out", filters=("severity\u00b7>\u00b77",), company=company)
    async with gate.running(plan):
        status = await gate.until_done("out")
    assert ids(tmp_path / "out") == chosen
    assert (status.ledger.filtered, status.ledger.foreign) == (len(mine) - len(chosen), len(others))


async def test_a_restart_goes_on_where_it_stopped(gate: Forwarding, tmp_path: Path) -> None:
    plan = sink("out", "file", path=tmp_path / "out")
    for _ in range(3):
        await gate.store(500)
        async with gate.running(plan):
            await gate.until_done("out")
    assert ids(tmp_path / "out") == [event.id for event in await gate.stored()]


async def test_a_rival_stands_by_until_the_owner_leaves(gate: Forwarding, tmp_path: Path) -> None:
    plan = sink("out", "file", path=tmp_path / "out")
    async with gate.running(plan, owner="first"):
        await gate.store(100)
        await gate.until_done("out")
        claimed = await gate.stores.cursors.claim("sink:out", "second", 15)
        assert claimed is None
    claimed = await gate.stores.cursors.claim("sink:out", "second", 15)
    assert claimed is not None
    assert claimed[1].totals.delivered == 100


async def test_an_owner_whose_cursor_was_taken_moves_it_no_more(
    gate: Forwarding, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    path = tmp_path / "out"
    async with gate.running(sink("out", "file", path=path), owner="first"):
        await gate.store(100)
        await gate.until_done("out")
        await pool.execute("UPDATE cursors SET lease_until = '-infinity'")
        claimed = await gate.stores.cursors.claim("sink:out", "second", 60)
        assert claimed is not None
        await gate.store(100)
        # One window may be on its way when the lease is lost; its cursor is refused, and nothing follows.
        await asyncio.sleep(1.5)
        stored = await gate.store(100)
        await asyncio.sleep(1.5)
    assert (await gate.status("out")).ledger.delivered == 100
    assert len(ids(path)) <= 200 < len(stored)


async def test_pause_resume_test_and_rewind(gate: Forwarding, tmp_path: Path) -> None:
    ask = gate.stores.requests.ask
    path = tmp_path / "out"
    async with gate.running(sink("out", "file", path=path)):
        stored = await gate.store(100, in_writes_of=10)
        await gate.until_done("out")
        assert await ask("out", Verb.PAUSE) == Answer(True, "paused")
        await gate.until("out", lambda status: status.state is State.PAUSED)
        stored = await gate.store(10)
        assert (await gate.status("out")).ledger.pending == 10
        assert await ask("out", Verb.TEST) == Answer(False, "not connected: paused; resume the sink first")
        assert await ask("out", Verb.RESUME) == Answer(True, "resumed")
        await gate.until_done("out")

        tested = await ask("out", Verb.TEST)
        assert tested is not None
        assert tested.done
        assert [line["alertCode"] for line in lines(path)].count("EVENTGATE-TEST") == 1
        assert (await gate.status("out")).ledger.delivered == 110

        assert await ask("out", Verb.REWIND, position=99) == Answer(False, "the journal ends at position 11")
        rewound = await ask("out", Verb.REWIND, position=4)
        facts = {"generation": 1, "events": 70, "seconds": 0.0}
        assert rewound == Answer(True, "generation 1 delivers 70 events again", facts)
        status = await until_replayed(gate, "out", 1)
        assert status.ledger == Ledger(stored=110, before=0, delivered=110, filtered=0, dead=0, expired=0, pending=0)
        assert replayed(status) == Ledger(stored=70, before=0, delivered=70, filtered=0, dead=0, expired=0, pending=0)
    assert ids(path)[111:] == [event.id for event in stored[40:]]
    assert [line.get("replay") for line in lines(path)] == [None] * 111 + [True] * 70


async def test_a_pause_outlives_a_restart(gate: Forwarding, tmp_path: Path) -> None:
    plan = sink("out", "file", path=tmp_path / "out")
    async with gate.running(plan):
        await gate.until("out", lambda status: status.state is State.RUNNING)
        await gate.stores.requests.ask("out", Verb.PAUSE)
    await gate.store(5)
    async with gate.running(plan):
        await gate.until("out", lambda status: status.state is State.PAUSED)
        await gate.stores.requests.ask("out", Verb.RESUME)
        await gate.until_done("out")


async def test_a_sink_nobody_runs_does_not_answer(gate: Forwarding, tmp_path: Path, pool: asyncpg.Pool) -> None:
    async with gate.running(sink("out", "file", path=tmp_path / "out")):
        pass
    assert await gate.stores.requests.ask("out", Verb.REWIND, position=0, timeout=0.2) is None
    assert await pool.fetchval("SELECT count(*) FROM sink_requests") == 0


async def test_events_gone_before_a_sink_came_are_counted_as_expired(
    gate: Forwarding, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    stored = await gate.store(300, in_writes_of=100)
    gone = {event.id for event in stored[50:120]}
    await pool.execute("DELETE FROM journal_payloads")
    await pool.execute("DELETE FROM events WHERE id = ANY($1::uuid[])", list(gone))
    async with gate.running(sink("out", "file", path=tmp_path / "out")):
        status = await gate.until_done("out")
    assert ids(tmp_path / "out") == [event.id for event in stored if event.id not in gone]
    assert (status.ledger.expired, status.ledger.delivered) == (70, 230)


async def test_kafka_through_the_loop_once_in_each_generation(gate: Forwarding, kafka: Broker) -> None:
    topic = f"forward-{uuid4()}"
    out = sink("out", "kafka", brokers=[kafka.bootstrap], topic=topic, partitions=2)
    async with gate.running(out):
        stored = await gate.store(900)
        await gate.until_done("out")
        rewound = await gate.stores.requests.ask("out", Verb.REWIND, position=1)
        assert rewound is not None
        assert rewound.done
        stored = await gate.store(100)
        status = await until_replayed(gate, "out", 1)
    records = [
        (header(record, "eg-id"), header(record, "eg-replay")) for record in await committed(kafka.bootstrap, topic)
    ]
    assert Counter(each for each, replay in records if replay is None) == Counter(str(event.id) for event in stored)
    assert Counter(each for each, replay in records if replay) == Counter(str(event.id) for event in stored[500:900])
    assert (status.ledger.before, status.ledger.delivered) == (0, 1000)
    assert replayed(status).delivered == 400


async def test_kafka_knows_better_than_a_database_that_forgot(
    gate: Forwarding, kafka: Broker, pool: asyncpg.Pool
) -> None:
    topic = f"forward-{uuid4()}"
    out = sink("out", "kafka", brokers=[kafka.bootstrap], topic=topic, partitions=2)
    async with gate.running(out):
        await gate.store(500)
        await gate.until_done("out")
    await pool.execute("DELETE FROM cursors")
    async with gate.running(out):
        stored = await gate.store(100)
        status = await gate.until_done("out")
    seen = [header(record, "eg-id") for record in await committed(kafka.bootstrap, topic)]
    assert sorted(seen) == sorted(str(event.id) for event in stored)
    assert status.ledger.delivered == 600


async def test_a_topic_that_was_deleted_asks_for_an_operator(gate: Forwarding, kafka: Broker) -> None:
    topic = f"forward-{uuid4()}"
    out = sink("out", "kafka", brokers=[kafka.bootstrap], topic=topic, partitions=2)
    async with gate.running(out):
        await gate.store(50)
        await gate.until_done("out")
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.delete_topics([topic])
    await admin.close()
    async with gate.running(out):
        status = await gate.until("out", lambda status: status.state is State.CURSOR_LOST)
        assert status.last_error is not None
        assert "rewind" in status.last_error
        stored = await gate.store(10)
        rewound = await gate.stores.requests.ask("out", Verb.REWIND, position=0)
        assert rewound is not None
        assert rewound.done
        await gate.until("out", lambda status: status.generation == 1 and status.ledger.pending == 0)
    seen = [header(record, "eg-id") for record in await committed(kafka.bootstrap, topic)]
    assert sorted(seen) == sorted(str(event.id) for event in stored)


async def test_a_dead_sink_slows_nobody_and_memory_stays_flat(gate: Forwarding, tmp_path: Path) -> None:
    """Promise 5, on a smaller scale than the benchmark's million."""
    events, process = 40_000, psutil.Process(os.getpid())

    async def timed() -> float:
        begun = time.monotonic()
        await gate.append(events // 2)
        await gate.until_done("alive")
        return time.monotonic() - begun

    alive = sink("alive", "file", path=tmp_path / "alive")
    dead = sink("dead", "relp", address="127.0.0.1:1")
    async with gate.running(alive):
        await timed()
        alone = await timed()
    async with gate.running(alive, dead):
        await gate.until("dead", lambda status: status.state is State.RETRYING)
        before = process.memory_info().rss
        beside = [await timed()]
        while beside[-1] > 1.5 * alone + 0.5 and len(beside) < 5:  # something else may have slowed it
            beside.append(await timed())
        grown = process.memory_info().rss - before
        status = await gate.status("dead")
    assert status.ledger.pending == status.ledger.stored == (2 + len(beside)) * (events // 2)
    assert status.ledger.balances
    assert status.cursor == Cursor(0, 0)
    assert min(beside) < 1.5 * alone + 0.5
    assert grown < 64 << 20
