"""Appending to a real PostgreSQL: groups, repeats over processes, refusals, outages."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from benchmarks.rows import Site
from eventgate.clock import SystemClock
from eventgate.errors import CallerError, Unavailable
from eventgate.journal import commit
from eventgate.journal.appender import Appender
from eventgate.journal.cursors import Cursor
from eventgate.journal.outcome import Appended, Status
from eventgate.journal.reading import Journal
from eventgate.journal.rows import COLUMNS, copy_body, pack
from tests.patience import PATIENCE


@asynccontextmanager
async def appending(url: str, connections: int = 2, **options: float) -> AsyncIterator[Appender]:
    async with Appender(url, SystemClock(), connections=connections, **options) as appender:  # type: ignore[arg-type]
        yield appender


@pytest.fixture
def now() -> int:
    return int(time.time() * 1000)


def statuses(appended: Appended) -> list[Status]:
    return [outcome.status for outcome in appended.outcomes]


async def test_what_was_appended_is_read_back(database_url: str, pool: asyncpg.Pool, now: int) -> None:
    writes = list(Site().writes(now, 5, 20))
    async with appending(database_url) as appender:
        for write in writes:
            appended = await appender.append(write)
            assert statuses(appended) == [Status.ACCEPTED] * 20
    journal = Journal(pool)
    batches = await journal.read(Cursor(0, 0))
    assert [batch.position for batch in batches] == [1, 2, 3, 4, 5]
    assert [list(batch.events) for batch in batches] == writes
    assert [batch.total for batch in batches] == [20, 40, 60, 80, 100]
    assert await journal.head() == (5, 100, batches[-1].digest, batches[-1].committed)


async def test_writes_that_wait_are_committed_together(database_url: str, pool: asyncpg.Pool, now: int) -> None:
    async with appending(database_url, connections=1) as appender:
        appended = await asyncio.gather(*(appender.append(write) for write in Site().writes(now, 100, 3)))
    positions = {one.receipt.position for one in appended if one.receipt}
    assert len(positions) < 5
    assert await pool.fetchval("SELECT max(position) FROM journal") == len(positions)
    for one in appended:
        assert {outcome.position for outcome in one.outcomes} == {one.receipt.position if one.receipt else None}


async def test_another_process_s_events_are_duplicates_and_conflicts(database_url: str, now: int) -> None:
    first, second, third = Site().write(now, 3)
    async with appending(database_url) as one, appending(database_url) as other:
        stored = await one.append([first, second])
        changed = second._replace(content_digest=b"x" * 32)
        appended = await other.append([first, changed, third])
    assert statuses(appended) == [Status.DUPLICATE, Status.CONFLICT, Status.ACCEPTED]
    assert [outcome[1:] for outcome in appended.outcomes] == [*[outcome[1:] for outcome in stored.outcomes], (2, 0)]
    assert appended.receipt
    assert appended.receipt.position == 2


async def test_a_retry_in_flight_on_another_worker_is_stored_once_and_fails_nobody_else(
    database_url: str, pool: asyncpg.Pool, now: int
) -> None:
    """The same writes at the same moment through four appenders, among writes of others."""
    site = Site()
    retried = list(site.writes(now, 40, 5))
    others = [list(site.writes(now + 1_000 * number, 40, 5)) for number in range(1, 5)]
    async with (
        appending(database_url, 1) as a, appending(database_url, 1) as b,
        appending(database_url, 1) as c, appending(database_url, 1) as d,
    ):  # fmt: skip
        appended = await asyncio.gather(
            *(
                appender.append(write)
                for mine, appender in zip(others, (a, b, c, d), strict=True)
                for pair in zip(retried, mine, strict=True)
                for write in pair
            )
        )
    for number in range(40):
        times = [appended[turn * 80 + 2 * number] for turn in range(4)]
        assert (
            sorted(status.value for one in times for status in statuses(one)) == ["accepted"] * 5 + ["duplicate"] * 15
        )
        assert len({tuple(outcome[1:] for outcome in one.outcomes) for one in times}) == 1
        for turn in range(4):
            assert statuses(appended[turn * 80 + 2 * number + 1]) == [Status.ACCEPTED] * 5
    assert await pool.fetchval("SELECT count(*) FROM events") == 40 * 5 * 5
    assert await pool.fetchval("SELECT total FROM journal ORDER BY position DESC LIMIT 1") == 40 * 5 * 5


async def test_one_event_that_postgres_refuses_fails_its_own_write_alone(database_url: str, now: int) -> None:
    site = Site()
    poisoned = [event._replace(data=b'{"a":') for event in site.write(now, 1)]
    good = list(site.writes(now + 100, 12, 2))
    async with appending(database_url, 1) as appender:
        first = asyncio.create_task(appender.append(good[0]))
        fates = await asyncio.gather(
            *(appender.append(write) for write in [*good[1:6], poisoned, *good[6:]]), return_exceptions=True
        )
        assert statuses(await first) == [Status.ACCEPTED] * 2
    refused = fates.pop(5)
    assert isinstance(refused, CallerError)
    assert (refused.status, refused.code) == (422, "not-storable")
    assert all(isinstance(fate, Appended) and statuses(fate) == [Status.ACCEPTED] * 2 for fate in fates)


async def test_a_day_without_a_partition_gets_one(database_url: str, pool: asyncpg.Pool, now: int) -> None:
    old = Site().write(now - 400 * 86_400_000, 3, step_ms=86_400_000)
    async with appending(database_url) as appender:
        assert statuses(await appender.append(old)) == [Status.ACCEPTED] * 3
    assert await pool.fetchval("SELECT count(*) FROM events") == 3


async def test_an_hour_without_a_partition_gets_one(database_url: str, pool: asyncpg.Pool, now: int) -> None:
    for name in await pool.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'journal_payloads'::regclass"
    ):
        await pool.execute(f"DROP TABLE {name[0]}")
    async with appending(database_url) as appender:
        assert statuses(await appender.append(Site().write(now, 1))) == [Status.ACCEPTED]


async def test_a_connection_cut_at_any_time_costs_nobody_anything(
    database_url: str, pool: asyncpg.Pool, now: int
) -> None:
    """The server ends our connections again and again while writes go on: all are accepted, once."""
    site = Site()
    cut = written = answered = 0
    accepted: set[Status] = set()

    async def writer() -> None:
        nonlocal written, answered
        while cut < 12:
            written += 1
            accepted.update(statuses(await appender.append(site.write(now + written * 10, 4))))
            answered += 1

    async def cutter() -> None:
        nonlocal cut
        while cut < 12:
            before = answered
            while answered == before:  # a cut before anything got through proves nothing and only wears out patience
                await asyncio.sleep(0.01)
            cut += await pool.fetchval(
                """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE application_name = 'eventgate-append' AND datname = current_database()"""
            )

    async with appending(database_url) as appender:
        await asyncio.gather(cutter(), *(writer() for _ in range(6)))
    assert accepted == {Status.ACCEPTED}
    assert await pool.fetchval("SELECT count(*) FROM events") == written * 4
    assert await pool.fetchval("SELECT total FROM journal ORDER BY position DESC LIMIT 1") == written * 4


async def test_each_waiter_of_a_failed_group_gets_an_exception_of_its_own(database_url: str, now: int) -> None:
    async with appending(database_url, 1, patience=0.0) as appender:
        appender._committers[0]._url = "postgresql://nobody@127.0.0.1:1/nothing"
        await appender._committers[0].close()
        fates = await asyncio.gather(
            *(appender.append(write) for write in Site().writes(now, 5, 1)), return_exceptions=True
        )
    assert all(isinstance(fate, Unavailable) and fate.code == "storage-unavailable" for fate in fates)
    assert len({id(fate) for fate in fates}) == 5
    assert appender.backlog == 0


async def test_ids_that_another_transaction_holds_fail_their_own_group_alone(
    database_url: str, pool: asyncpg.Pool, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventgate.journal.commit._CLASH_SECONDS", 0.0)
    monkeypatch.setitem(commit._SETTINGS, "lock_timeout", "100ms")
    site = Site()
    held, free = site.write(now, 1), site.write(now + 10, 1)
    async with appending(database_url, 1, group_events=1) as appender, pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection._copy_in(f"COPY events ({COLUMNS}) FROM STDIN (FORMAT binary)", copy_body(-1, pack(held)), 5)
        fates = await asyncio.gather(appender.append(held), appender.append(free), return_exceptions=True)
        await transaction.rollback()
        assert isinstance(fates[0], Unavailable)
        assert fates[0].code == "busy"
        assert isinstance(fates[1], Appended)
        assert statuses(await appender.append(held)) == [Status.ACCEPTED]


async def test_leaving_commits_what_waits(database_url: str, pool: asyncpg.Pool, now: int) -> None:
    async with appending(database_url, 1) as appender:
        tasks = [asyncio.create_task(appender.append(write)) for write in Site().writes(now, 50, 2)]
        await asyncio.sleep(0)
    assert [statuses(await task) for task in tasks] == [[Status.ACCEPTED] * 2] * 50
    with pytest.raises(Unavailable):
        await appender.append(Site().write(now + 9_000, 1))


async def test_nothing_appended_is_nothing_stored(database_url: str, pool: asyncpg.Pool) -> None:
    async with appending(database_url) as appender:
        assert await appender.append([]) == ([], None)
    assert await pool.fetchval("SELECT count(*) FROM journal") == 0


async def test_a_commit_is_announced(database_url: str, pool: asyncpg.Pool, now: int) -> None:
    heard = asyncio.Event()
    async with pool.acquire() as connection, appending(database_url) as appender:
        await connection.add_listener("eventgate_journal", lambda *_: heard.set())
        await appender.append(Site().write(now, 1))
        await asyncio.wait_for(heard.wait(), PATIENCE)
        await connection.reset()
