"""Custody on real receivers: what is said of an event is where its receiver has it."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from eventgate.event import Event, SensorNames
from eventgate.forward.plan import Plan
from eventgate.journal.cursors import START, Cursor
from eventgate.query import Query
from eventgate.query.paging import PageRequest
from eventgate.sinks.custody import Custody, CustodyOf, Fate
from eventgate.sinks.dead_letters import Letter, forget_letters
from eventgate.sinks.definition import State
from eventgate.sinks.deliveries import forget_deliveries
from eventgate.sinks.generations import Opening, Selection, Why
from eventgate.sinks.requests import Verb
from eventgate.telemetry import SINK_DEAD_FORGOTTEN
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.services.kafka import Kafka
from tests.services.kafka_records import Record, committed, header
from tests.services.rsyslog import Rsyslog

NAMES = SensorNames("serial", None)


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


async def custody(gate: Forwarding, name: str, event: Event) -> Custody:
    found = await gate.stores.journal.find(event.company, event.id)
    assert found is not None
    return await CustodyOf(gate.pool).by(await gate.status(name), found, NAMES)


async def ask(gate: Forwarding, name: str, verb: Verb, **wish: object) -> None:
    answer = await gate.stores.requests.ask(name, verb, **wish)
    assert answer is not None
    assert answer.done, answer


def into(kafka: Kafka, topic: str, **keys: object) -> Plan:
    return sink("kafka", "kafka", brokers=[kafka.bootstrap], topic=topic, partitions=3, **keys)


def places(records: list[Record]) -> dict[str, list[tuple[int, int]]]:
    """Partition and offset of every record of each event."""
    found: dict[str, list[tuple[int, int]]] = {}
    for record in records:
        found.setdefault(header(record, "eg-id") or "", []).append((record.partition, record.offset))
    return {event: sorted(there) for event, there in found.items()}


async def test_a_consumer_finds_every_event_where_custody_says(gate: Forwarding, kafka: Kafka) -> None:
    """Of windows of many batches a partition, of later ones, and after a rewind, each generation for itself."""
    topic = f"custody-{uuid4()}"
    async with gate.running(into(kafka, topic, max_message_bytes=20_000)):
        events = await gate.store(900)
        await gate.until_done("kafka")
        events = await gate.store(40, in_writes_of=1)
        await gate.until_done("kafka")
        await ask(gate, "kafka", Verb.REWIND, position=1)
        await gate.until("kafka", lambda status: status.replay is not None and status.replay.ledger.pending == 0)
    records = await committed(kafka.bootstrap, topic)
    there = places(records)
    for event in events[::13] + events[-40:]:
        told = await custody(gate, "kafka", event)
        assert told.fate is Fate.DELIVERED, (event.id, told)
        receipts = [handover.receipt for handover in told.handovers]
        assert {receipt["topic"] for receipt in receipts} == {topic}
        assert sorted((receipt["partition"], receipt["offset"]) for receipt in receipts) == there[str(event.id)]
        assert [(handover.generation, handover.lane) for handover in told.handovers] in (
            [(0, "live")], [(0, "live"), (1, "replay")],
        )  # fmt: skip
    again = Counter(len(offsets) for offsets in there.values())
    assert again[2] > 0
    rows = await gate.pool.fetchval("SELECT count(*) FROM deliveries")
    assert rows < len(records) / 10, "a row for each stretch, never for each event"


async def test_relp_tells_its_transaction_and_a_file_where_its_lines_are(
    gate: Forwarding, rsyslog: Rsyslog, tmp_path: Path
) -> None:
    events = await gate.store(300)
    relp = sink("siem", "relp", format="rfc5424", address=f"localhost:{rsyslog.ports['relp']}")
    path = tmp_path / "lines"
    async with gate.running(relp, sink("file", "file", path=path)):
        for name in ("siem", "file"):
            await gate.until_done(name)
    transactions = [(await custody(gate, "siem", event)).handovers[0].receipt["transaction"] for event in events[::7]]
    assert transactions == list(range(transactions[0], transactions[0] + 7 * len(transactions), 7))
    receipt = (await custody(gate, "file", events[123])).handovers[0].receipt
    assert receipt["path"] == str(path)
    written = path.read_bytes()[receipt["from"] : receipt["to"]]
    assert str(events[123].id).encode() in written


async def test_what_a_filter_left_out_is_told_by_the_filter_of_that_time(gate: Forwarding, tmp_path: Path) -> None:
    events = await gate.store(200)
    worst = "severity\u00b7>\u00b77"
    async with gate.running(sink("file", "file", path=tmp_path / "lines", filters=(worst,))):
        await gate.until_done("file")
    mild = next(event for event in events if (event.severity or 0) <= 7)
    bad = next(event for event in events if (event.severity or 0) > 7)
    told = await custody(gate, "file", mild)
    assert (told.fate, told.condition, told.filter_changed) == (Fate.FILTERED, worst, False)
    assert (await custody(gate, "file", bad)).fate is Fate.DELIVERED
    async with gate.running(sink("file", "file", path=tmp_path / "lines")):
        (late,) = (await gate.store(1))[-1:]
        await gate.until_done("file")
    told = await custody(gate, "file", mild)
    assert (told.fate, told.condition, told.filter_changed) == (Fate.FILTERED, worst, True)
    assert (await custody(gate, "file", late)).fate is Fate.DELIVERED


async def test_a_filter_that_lets_nothing_through_is_told_too(gate: Forwarding, tmp_path: Path) -> None:
    nothing = "severity\u00b7>\u00b790"
    async with gate.running(
        sink("file", "file", path=tmp_path / "lines", filters=("severity\u00b7>\u00b7-1", nothing))
    ):
        events = await gate.store(50)
        await gate.until_done("file")
    alert = next(event for event in events if event.severity is not None)
    assert (await custody(gate, "file", alert)).condition == nothing
    assert await gate.pool.fetchval("SELECT count(*) FROM deliveries") == 1, "the way over them is one row"


async def test_what_has_not_been_delivered_yet_is_pending(gate: Forwarding, tmp_path: Path) -> None:
    (event,) = await gate.store(1)
    async with gate.running(sink("file", "file", path=tmp_path / "absent" / "lines")):
        await gate.until("file", lambda status: status.last_error is not None)
        assert (await custody(gate, "file", event)).fate is Fate.PENDING


async def test_what_came_before_a_sink_began_is_said_to(gate: Forwarding, tmp_path: Path) -> None:
    (event,) = await gate.store(1)
    begin_now = sink("file", "file", path=tmp_path / "lines", begin="now")
    async with gate.running(begin_now):
        await gate.until("file", lambda status: status.state is State.RUNNING)
        (later,) = (await gate.store(1))[-1:]
        await gate.until("file", lambda status: status.ledger.delivered == 1)
    assert (await custody(gate, "file", event)).fate is Fate.BEFORE
    assert (await custody(gate, "file", later)).fate is Fate.DELIVERED


async def test_a_lost_receipt_is_said_to_be_and_a_forgotten_one_as_well(gate: Forwarding, tmp_path: Path) -> None:
    (event,) = await gate.store(1)
    async with gate.running(sink("file", "file", path=tmp_path / "lines")):
        await gate.until_done("file")
    assert (await custody(gate, "file", event)).receipt_kept
    await forget_deliveries(gate.pool, older_than_ms=event.received + 86_400_000)
    assert await gate.pool.fetchval("SELECT count(*) FROM deliveries") == 0
    told = await custody(gate, "file", event)
    assert (told.fate, told.receipt_kept, list(told.handovers)) == (Fate.DELIVERED, False, [])


async def test_an_event_that_died_and_was_brought_again(gate: Forwarding, rsyslog: Rsyslog) -> None:
    """It died because it was too long for the sink; the sink was given more room, and the letter redriven."""
    events = await gate.store(30)
    sizes = sorted(len(event.raw) for event in events)
    address = f"localhost:{rsyslog.ports['relp']}"
    narrow = sink("siem", "relp", address=address, max_message_bytes=sizes[-1] + 60)
    async with gate.running(narrow):
        status = await gate.until_done("siem")
        assert status.ledger.dead > 0
        letters = await gate.deaths("siem")
        dead = next(event for event in events if event.id == letters[0]["event"])
        told = await custody(gate, "siem", dead)
        assert told.fate is Fate.DEAD
        assert "more than" in told.deaths[0].reason
    async with gate.running(sink("siem", "relp", address=address)):
        await ask(gate, "siem", Verb.REDRIVE)
        await gate.until("siem", lambda status: status.replay is not None and status.replay.ledger.pending == 0)
    told = await custody(gate, "siem", dead)
    assert told.fate is Fate.DELIVERED
    assert [(handover.generation, handover.lane) for handover in told.handovers] == [(1, "replay")]
    assert [death.redriven_in for death in told.deaths] == [1]


async def _stays(_connection: object, _opening: Opening) -> None:
    """The cursor does not matter here."""


async def test_old_letters_are_forgotten_and_counted_but_not_those_that_are_about_to_go_again(
    gate: Forwarding, tmp_path: Path
) -> None:
    events = await gate.store(4)
    async with gate.running(sink("file", "file", path=tmp_path / "lines")):
        await gate.until_done("file")
    letters = [Letter(Cursor(1, number), event.company, event.id, "no") for number, event in enumerate(events)]
    await gate.stores.letters.write("file", 0, letters)
    opening = Opening(1, Why.REDRIVE, START.cursor, 0, 0, 0, None)
    which = Selection([events[0].id, events[1].id])
    leaving = START._replace(cursor=Cursor(9, 9))
    await gate.stores.generations.open_with_letters("file", opening, leaving, which, _stays)
    forgotten = SINK_DEAD_FORGOTTEN.labels("file")
    before = forgotten._value.get()
    await forget_letters(gate.pool, older_than_ms=events[0].received - 86_400_000)
    assert len(await gate.deaths("file")) == 4, "they are young"
    await forget_letters(gate.pool, older_than_ms=events[0].received + 86_400_000)
    assert [letter["event"] for letter in await gate.deaths("file")] == which.events
    assert forgotten._value.get() - before == 2


async def test_a_company_is_told_of_its_own_letters_alone(gate: Forwarding, tmp_path: Path) -> None:
    """As the operator's sinks hold them beside one another."""
    events = await gate.store(2)
    async with gate.running(sink("file", "file", path=tmp_path / "lines")):
        await gate.until_done("file")
    mine, theirs = uuid4(), uuid4()
    pairs = zip(events, (mine, theirs), strict=True)
    letters = [Letter(Cursor(1, number), company, event.id, "no") for number, (event, company) in enumerate(pairs)]
    await gate.stores.letters.write("file", 0, letters)
    everything, asked = Query(), PageRequest()
    page = await gate.stores.letters.page("file", mine, everything, asked)
    assert ([letter.event for letter in page.items], page.total) == ([events[0].id], 1)
    assert (await gate.stores.letters.page("file", None, everything, asked)).total == 2
    assert await gate.stores.letters.one("file", mine, events[1].id) is None
    assert await gate.stores.letters.selected("file", mine, everything) == [events[0].id]
    assert await gate.stores.letters.count("file", mine, [event.id for event in events]) == 1
