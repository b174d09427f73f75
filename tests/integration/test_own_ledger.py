"""A company's sink has a ledger over the company's own events, and it balances at every place it can stand at."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from benchmarks.rows import Site
from eventgate.access import Principal
from eventgate.api.sinks import counted
from eventgate.event import Event
from eventgate.journal.companies import CompanyTotals
from eventgate.journal.cursors import Cursor
from eventgate.sinks.minutes import LedgerMinutes
from eventgate.sinks.requests import Verb
from eventgate.sinks.store import SinkStatus
from tests.integration.forwarding import Forwarding, forwarding, sink


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


async def mixed(gate: Forwarding, events: int, companies: int = 3) -> list[Event]:
    """Events of several companies side by side in each batch; all there are by now, in order."""
    start = int(time.time() * 1000) - 3_600_000
    sites = [Site(companies=1, sensors=2, seed=company) for company in range(companies)]
    for first in range(0, events, 10):
        writes = [site.write(start + time.monotonic_ns() % 1_000_000 + first, 10) for site in sites]
        await asyncio.gather(*(gate.appender.append(write) for write in writes))
    return await gate.stored()


def company_of(events: list[Event]) -> UUID:
    return min({event.company for event in events})


async def delivered_again(gate: Forwarding) -> SinkStatus:
    """Rewind the sink to the beginning, and wait until its lane is done."""
    answer = await gate.stores.requests.ask("out", Verb.REWIND, position=0)
    assert answer is not None
    assert answer.done, answer.detail
    return await gate.until("out", lambda now: now.replay is not None and now.replay.ledger.pending == 0)


async def test_the_journal_knows_how_many_events_of_a_company_come_up_to_any_place(gate: Forwarding) -> None:
    await mixed(gate, 60)
    totals, counted = CompanyTotals(gate.pool), {}
    cursor = Cursor(0, 0)
    while batches := await gate.stores.journal.read(cursor):
        for batch in batches:
            for place, event in batch.placed():
                counted[event.company] = counted.get(event.company, 0) + 1
                for company, events in counted.items():
                    assert await totals.stored_upto(company, place) == events
            cursor = batch.end
    assert {company: await totals.stored(company) for company in counted} == counted
    assert len(counted) == 3


async def test_a_company_s_ledger_balances_and_the_operator_s_too(gate: Forwarding, tmp_path: Path) -> None:
    events = await mixed(gate, 100)
    company = company_of(events)
    mine = [event for event in events if event.company == company]
    chosen = [event for event in mine if (event.severity or 0) > 5]
    plan = sink("out", "file", path=tmp_path / "out", filters=("severity·>·5",), company=company)
    async with gate.running(plan):
        status = await gate.until_done("out")
    own, whole = status.own, status.ledger
    assert own is not None
    assert own.balances
    assert (own.stored, own.delivered, own.filtered) == (len(mine), len(chosen), len(mine) - len(chosen))
    assert (own.expired, own.pending, own.foreign, status.own_since) == (0, 0, 0, None)
    assert whole.balances
    assert (whole.stored, whole.filtered, whole.foreign) == (len(events), own.filtered, len(events) - len(mine))

    end, beginning = status.cursor, Cursor(0, 0)
    assert await gate.stores.sinks.stored_between(beginning, end, company) == len(mine)
    assert await gate.stores.sinks.stored_between(beginning, end, None) == len(events)

    others = await mixed(gate, 20)
    status = await gate.status("out")
    assert status.own is not None
    assert status.own.balances
    assert status.own.pending == len([event for event in others if event.company == company]) - len(mine)
    assert status.own_since is not None

    # Once more, in a lane of its own.
    async with gate.running(plan):
        await gate.until_done("out")
        status = await delivered_again(gate)
    assert status.replay is not None
    again, own = status.replay.own, status.own
    assert again is not None
    assert own is not None
    assert again.balances
    assert (again.stored, again.delivered, again.pending) == (own.stored, own.delivered, 0)


async def test_a_sink_that_gets_another_company_tells_it_nothing_of_the_former_one(
    gate: Forwarding, tmp_path: Path
) -> None:
    events = await mixed(gate, 60)
    former, new = sorted({event.company for event in events})[:2]
    minutes, sinks, now = LedgerMinutes(gate.pool), gate.stores.sinks, int(time.time() * 1000)
    async with gate.running(sink("out", "file", path=tmp_path / "out", company=former)):
        status = await gate.until_done("out")
        assert (status.own is not None, status.changed_hands) == (True, False)
        await minutes.note("out", now, 0, status.ledger, status.own)
        await sinks.set_state("out", status.state, "of the former company")
    await mixed(gate, 30)
    async with gate.running(sink("out", "file", path=tmp_path / "out", company=new)):
        await gate.until_done("out")
        status = await delivered_again(gate)
    assert status.replay is not None
    assert (status.own, status.replay.own, status.changed_hands) == (None, None, True)
    assert status.ledger.balances
    assert status.replay.ledger.balances
    assert status.last_error is None
    assert await minutes.newest("out") is None
    company = Principal(new, None, None, frozenset())
    assert not any(counted(status.ledger, None, company, changed_hands=True).values())


async def test_a_company_s_sink_that_cannot_deliver_says_what_waits_of_its_own(
    gate: Forwarding, tmp_path: Path
) -> None:
    events = await mixed(gate, 30)
    company = company_of(events)
    async with gate.running(sink("out", "tcp", address="127.0.0.1:1", company=company)):
        status = await gate.until("out", lambda status: status.state.value == "retrying")
    assert status.own is not None
    mine = len([event for event in events if event.company == company])
    assert (status.own.stored, status.own.pending, status.own.balances) == (mine, mine, True)


async def test_an_older_version_that_still_appends_counts_too(gate: Forwarding) -> None:
    """It calls the procedure by its old signature."""
    await mixed(gate, 10, companies=1)
    row = await gate.pool.fetchrow("SELECT * FROM events LIMIT 1")
    batch = 1_000_000
    async with gate.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            """INSERT INTO events SELECT (jsonb_populate_record(e, jsonb_build_object(
                   'batch', $1::bigint, 'index', 0, 'id', $2::uuid))).* FROM events e WHERE id = $3""",
            batch, UUID(int=row["id"].int + 1), row["id"],
        )  # fmt: skip
        await connection.execute(
            "CALL journal_append($1, 1, 1, '\\x00', $2, $2, '\\x00')", batch, UUID(int=row["id"].int + 1)
        )
    assert await CompanyTotals(gate.pool).stored(row["company"]) == 11
