"""Delivered once more, on a real journal: rewinds and redrives in a lane of their own, and sinks that begin late."""

import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from eventgate.forward.plan import Plan
from eventgate.journal.cursors import Cursor
from eventgate.journal.times import rfc3339_of
from eventgate.sinks.dead_letters import Letter
from eventgate.sinks.definition import State
from eventgate.sinks.generations import Selection, Why
from eventgate.sinks.ledger import Ledger
from eventgate.sinks.requests import Answer, Verb
from eventgate.sinks.store import SinkStatus
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.services.certificates import Certificates
from tests.services.kafka import Kafka
from tests.services.kafka_records import committed, header
from tests.services.relp_receiver import RelpReceiver
from tests.services.rsyslog import Rsyslog
from tests.unit.formats.strict_rfc5424 import params_of


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


def ids(path: Path) -> list[UUID]:
    return [UUID(json.loads(line)["id"]) for line in path.read_bytes().splitlines()] if path.exists() else []


def marked(path: Path) -> list[UUID]:
    """The ids of the lines that say that they go again, which no line of a live lane does."""
    found = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert all(line.get("replay", True) is True for line in found)
    return [UUID(line["id"]) for line in found if "replay" in line]


def into(path: Path, **more: object) -> Plan:
    return sink("out", "file", path=path, **more)


async def rewound(gate: Forwarding, position: int, *, replace: bool = False, name: str = "out") -> Answer:
    answer = await gate.stores.requests.ask(name, Verb.REWIND, position=position, replace=replace)
    assert answer is not None
    return answer


def replayed(status: SinkStatus) -> Ledger:
    assert status.replay is not None
    assert status.replay.ledger.balances, status.replay
    return status.replay.ledger


async def until_replayed(gate: Forwarding, generation: int = 1, name: str = "out") -> SinkStatus:
    def done(status: SinkStatus) -> bool:
        return status.generation == generation and status.replay is not None and not status.replay.ledger.pending

    await gate.until(name, done)
    return await gate.until_done(name)


async def test_what_is_new_does_not_wait_for_what_goes_again(gate: Forwarding, tmp_path: Path) -> None:
    old = await gate.store(400, in_writes_of=20)
    async with gate.running(into(tmp_path / "out", replay_events_per_second=200)):
        await gate.until_done("out")
        answer = await rewound(gate, 0)
        assert answer.facts == {"generation": 1, "events": 400, "seconds": 2.0}
        begun = time.monotonic()
        new = (await gate.store(30, in_writes_of=10))[400:]
        status = await gate.until_done("out")
        assert status.replay is not None
        left = status.replay
        assert 0 < left.ledger.pending <= 400
        assert left.seconds_left == round(left.ledger.pending / 200, 1)
        status = await until_replayed(gate)
        took = time.monotonic() - begun
    assert took > 1.2, "the rate bounds it"
    assert replayed(status) == Ledger(400, 0, delivered=400, filtered=0, dead=0, expired=0, pending=0)
    assert status.ledger == Ledger(430, 0, delivered=430, filtered=0, dead=0, expired=0, pending=0)
    written = ids(tmp_path / "out")
    assert Counter(written) == Counter(event.id for event in [*old, *old, *new])
    fresh = {event.id for event in new}
    assert [each for each in written[400:] if each not in fresh] == [event.id for event in old], "in order, in its lane"
    assert [each for each in written if each in fresh] == [event.id for event in new]
    assert marked(tmp_path / "out") == [event.id for event in old], "and nothing of the live lane"


async def test_what_goes_again_by_syslog_says_so_in_the_message_itself(
    gate: Forwarding, rsyslog: Rsyslog, certificates: Certificates
) -> None:
    ways = {"tcp": {}, "tls": {"ca_file": certificates.ca}, "relp": {}}
    plans = [
        sink(way, way, format="rfc5424", address=f"localhost:{rsyslog.ports[way]}", **more)
        for way, more in ways.items()
    ]
    await gate.store(60, in_writes_of=10)
    async with gate.running(*plans):
        for way in ways:
            await gate.until_done(way)
            assert (await rewound(gate, 2, name=way)).facts["events"] == 40
        stored = await gate.store(10)
        for way in ways:
            await until_replayed(gate, name=way)
    received = await rsyslog.wait_for(len(ways) * 110)
    for way in ways:
        told = [params_of(line["structured_data"]) for line in received if line["input"] == way]
        live, again = ([each for each in told if each.get("replay") == mark] for mark in (None, "true"))
        assert [each["id"] for each in live] == [str(event.id) for event in stored]
        assert [each["id"] for each in again] == [str(event.id) for event in stored[20:60]]


async def test_one_at_a_time_unless_it_shall_be_replaced(gate: Forwarding, tmp_path: Path) -> None:
    await gate.store(300, in_writes_of=10)
    async with gate.running(into(tmp_path / "out", replay_events_per_second=50)):
        await gate.until_done("out")
        assert await rewound(gate, 30) == Answer(False, "nothing after position 30 was delivered yet")
        assert (await rewound(gate, 0)).done
        refused = await rewound(gate, 10)
        assert not refused.done
        assert "generation 1 is still being delivered again, at position" in refused.detail
        assert (await rewound(gate, 29, replace=True)).facts == {"generation": 2, "events": 10, "seconds": 0.2}
        status = await until_replayed(gate, 2)
    first, second = reversed(await gate.stores.generations.of("out", status.generation))
    assert (first.number, first.why, first.begins, first.upto, first.events) == (1, Why.REPLAY, 0, 30, 300)
    assert first.totals is not None
    assert 0 <= first.totals.delivered < 300
    assert first.ended_at is not None
    assert (second.number, second.begins, second.upto, second.events, second.totals) == (2, 29, 30, 10, None)


async def test_history_beyond_the_payloads_is_read_from_the_events_and_what_is_gone_is_counted(
    gate: Forwarding, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    stored = await gate.store(300, in_writes_of=100)
    async with gate.running(into(tmp_path / "out")):
        await gate.until_done("out")
        gone = {event.id for event in stored[150:220]}
        await pool.execute("DELETE FROM journal_payloads")
        await pool.execute("DELETE FROM events WHERE id = ANY($1::uuid[])", list(gone))
        gate.stores.tail._batches.clear()
        assert (await rewound(gate, 1)).done
        status = await until_replayed(gate)
    assert replayed(status) == Ledger(200, 0, delivered=130, filtered=0, dead=0, expired=70, pending=0)
    assert ids(tmp_path / "out")[300:] == [event.id for event in stored[100:] if event.id not in gone]
    assert status.ledger.expired == 0


async def test_a_restart_in_the_middle_goes_on_in_both_lanes(gate: Forwarding, tmp_path: Path) -> None:
    await gate.store(300, in_writes_of=10)
    plan = into(tmp_path / "out", replay_events_per_second=100)
    async with gate.running(plan):
        await gate.until_done("out")
        assert (await rewound(gate, 0)).done
        await gate.until("out", lambda status: status.replay is not None and status.replay.ledger.delivered > 0)
    await gate.store(20)
    async with gate.running(into(tmp_path / "out")):
        status = await until_replayed(gate)
    written = Counter(ids(tmp_path / "out"))
    assert sorted(written.values()) == [1] * 20 + [2] * 300
    assert (status.ledger.delivered, replayed(status).delivered) == (320, 300)


async def test_a_sink_can_begin_now_or_at_a_moment_and_what_it_skips_is_before(
    gate: Forwarding, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    stored = await gate.store(30, in_writes_of=10)
    moment = rfc3339_of(await pool.fetchval("SELECT committed FROM journal WHERE position = 2"))
    plans = [
        sink("now", "file", path=tmp_path / "now", begin="now"),
        sink("then", "file", path=tmp_path / "then", begin=moment),
        sink("first", "file", path=tmp_path / "first"),
    ]
    async with gate.running(*plans):
        for name in ("now", "then", "first"):
            await gate.until(name, lambda status: status.state is State.RUNNING)
        stored = await gate.store(7)
        for name, before in (("now", 30), ("then", 10), ("first", 0)):
            status = await gate.until_done(name)
            assert (status.ledger.before, status.ledger.delivered) == (before, 37 - before)
            assert ids(tmp_path / name) == [event.id for event in stored[before:]]
    # Only where it never ran: begun once, it goes on from where it stands.
    await gate.store(3)
    async with gate.running(sink("first", "file", path=tmp_path / "first", begin="now")):
        await gate.until_done("first")
    assert len(ids(tmp_path / "first")) == 40


async def test_a_kafka_sink_can_begin_late(gate: Forwarding, kafka: Kafka) -> None:
    await gate.store(30, in_writes_of=10)
    topic = f"late-{uuid4()}"
    out = sink("out", "kafka", brokers=[kafka.bootstrap], topic=topic, partitions=2, begin="now")
    async with gate.running(out):
        await gate.until("out", lambda status: status.state is State.RUNNING)
        stored = await gate.store(7)
        await gate.until_done("out")
    async with gate.running(out):
        status = await gate.until_done("out")
    seen = [header(record, "eg-id") for record in await committed(kafka.bootstrap, topic)]
    assert sorted(seen) == sorted(str(event.id) for event in stored[30:])
    assert (status.ledger.before, status.ledger.delivered) == (30, 7)


async def test_a_cursor_of_the_version_before_goes_on_and_its_rewind_says_replay(
    gate: Forwarding, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    stored = await gate.store(30, in_writes_of=10)
    async with gate.running(into(tmp_path / "out")):
        pass
    # As it wrote them: rewound to position 1 after all had been delivered, and ten of the twenty are there again.
    await pool.execute(
        """UPDATE cursors SET position = 2, index = 9, delivered = 10, filtered = 0, dead = 0, expired = 0,
           generation = 1, since = NULL WHERE reader = 'sink:out'"""
    )
    await pool.execute("INSERT INTO sink_generations (sink, generation, before, replay_until) VALUES ('out', 1, 10, 3)")
    written = len(ids(tmp_path / "out"))
    async with gate.running(into(tmp_path / "out")):
        status = await gate.until_done("out")
        assert (status.generation, status.ledger.before, status.ledger.delivered) == (1, 10, 20)
        assert ids(tmp_path / "out")[written:] == [event.id for event in stored[20:]]
        assert marked(tmp_path / "out") == [event.id for event in stored[20:]], "by its live lane, set back"
        assert (await rewound(gate, 2)).facts == {"generation": 2, "events": 10, "seconds": 0.0}
        status = await until_replayed(gate, 2)
    assert (status.ledger.before, replayed(status).delivered) == (10, 10)


async def test_letters_that_a_replaced_redrive_never_came_to_go_with_the_next(gate: Forwarding, tmp_path: Path) -> None:
    stored = await gate.store(40, in_writes_of=10)
    ask = gate.stores.requests.ask
    async with gate.running(into(tmp_path / "out", replay_events_per_second=4)):
        await gate.until_done("out")
        letters = [
            Letter(place, event.company, event.id, "no")
            for batch in await gate.stores.journal.read(Cursor(0, 0))
            for place, event in batch.placed()
        ]
        await gate.stores.letters.write("out", 0, letters)
        assert (await ask("out", Verb.REDRIVE)).done
        await gate.until("out", lambda status: status.replay is not None and status.replay.ledger.delivered > 0)
        again = await ask("out", Verb.REDRIVE, replace=True)
        assert 0 < again.facts["events"] < 40, "those that went do not go once more"
        assert (await rewound(gate, 3, replace=True)).done
        left = await gate.stores.letters.count("out", None, None)
        assert 0 < left <= again.facts["events"]
    async with gate.running(into(tmp_path / "out")):
        await until_replayed(gate, 3)
        assert (await ask("out", Verb.REDRIVE)).facts["events"] == left
        status = await until_replayed(gate, 4)
    assert replayed(status).delivered == left
    assert Counter(ids(tmp_path / "out")) == Counter([e.id for e in stored] * 2 + [e.id for e in stored[30:]])
    assert Counter(marked(tmp_path / "out")) == Counter(e.id for e in [*stored, *stored[30:]])


async def test_dead_letters_go_again_alone_in_their_order(gate: Forwarding, tmp_path: Path, pool: asyncpg.Pool) -> None:
    async with RelpReceiver() as receiver:
        stored = await gate.store(60, in_writes_of=10)
        bad = {event.id for event in stored[5:45:8]}
        receiver.refuse = {str(each) for each in bad}
        plan = sink("out", "relp", address=f"127.0.0.1:{receiver.port}", header="none")
        async with gate.running(plan):
            status = await gate.until_done("out")
            assert status.ledger.dead == len(bad) == 5
            ask = gate.stores.requests.ask
            none = await ask("out", Verb.REDRIVE, selection=Selection([UUID(int=1)]))
            assert none == Answer(False, "there are no such dead letters, or they went again already")

            receiver.refuse = {str(stored[13].id)}
            gone = stored[21].id
            await pool.execute("DELETE FROM journal_payloads")
            await pool.execute("DELETE FROM events WHERE id = $1", gone)
            gate.stores.tail._batches.clear()
            before = len(receiver.taken)
            answer = await ask("out", Verb.REDRIVE)
            assert answer is not None
            assert answer.facts == {"generation": 1, "events": 5, "seconds": 0.0}
            status = await until_replayed(gate)
            assert replayed(status) == Ledger(5, 0, delivered=3, filtered=0, dead=1, expired=1, pending=0)
            assert receiver.taken[before:] == [str(stored[n].id) for n in (5, 29, 37)]
            assert status.ledger == Ledger(60, 0, delivered=55, filtered=0, dead=5, expired=0, pending=0)

            receiver.refuse = set()
            letters = [(letter["generation"], letter["event"]) for letter in await gate.deaths("out")]
            assert Counter(generation for generation, _ in letters) == {0: 5, 1: 1}
            chosen = await ask("out", Verb.REDRIVE, selection=Selection([stored[13].id]))
            assert chosen is not None
            assert chosen.facts == {"generation": 2, "events": 1, "seconds": 0.0}
            assert replayed(await until_replayed(gate, 2)).delivered == 1
            assert receiver.taken[-1] == str(stored[13].id)
            assert await ask("out", Verb.REDRIVE) == none
    assert status.replay is not None
    assert status.replay.generation.why is Why.REDRIVE
    assert status.cursor == Cursor(6, 9)


async def test_a_receiver_away_is_said_with_the_moment_of_the_next_attempt(gate: Forwarding) -> None:
    await gate.store(5)
    async with gate.running(sink("out", "relp", address="127.0.0.1:1")):
        status = await gate.until("out", lambda status: status.next_attempt_at is not None)
        assert status.state is State.RETRYING
        assert status.failed_at is not None
        assert status.next_attempt_at is not None
        assert 0 < (status.next_attempt_at - status.failed_at).total_seconds() < 31
    assert (await gate.status("out")).next_attempt_at is None
