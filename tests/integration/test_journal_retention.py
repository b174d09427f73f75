"""Partitions and retention: made ahead, cooled once their day is over, dropped by age and bytes, gone counted."""

import time
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from benchmarks.rows import Site
from eventgate.clock import ManualClock, SystemClock
from eventgate.errors import FieldError
from eventgate.journal import partitions, retention
from eventgate.journal.appender import Appender
from eventgate.journal.chain import verify
from eventgate.journal.cursors import START, Cursor, Cursors, Standing, drop_reader
from eventgate.journal.housekeeping import Housekeeping, open_journal
from eventgate.journal.partitions import cool, ensure, partitions_of
from eventgate.journal.reading import Journal
from eventgate.journal.rejects import Rejected, Rejects
from eventgate.journal.retention import Policy
from eventgate.journal.times import timestamp_of
from eventgate.query.paging import Neighbour, PageRequest

NOW = int(time.time() * 1000)
DAY = 86_400_000


async def names(connection: asyncpg.Connection, table: str) -> list[str]:
    return [partition.name for partition in await partitions_of(connection, table)]


async def append(url: str, *days_ago: int, count: int = 3) -> None:
    """One batch for each day."""
    site = Site()
    async with Appender(url, SystemClock(), connections=1) as appender:
        for days in days_ago:
            await appender.append(site.write(NOW - days * DAY, count))


async def test_the_accepted_past_and_the_next_days_are_there_once_opened(database_url: str, pool: asyncpg.Pool) -> None:
    await open_journal(database_url, days_past=40)
    async with pool.acquire() as connection:
        days = await partitions_of(connection, "events")
        hours = await partitions_of(connection, "journal_payloads")
        assert (days[-1].begins - days[0].begins).days == 40 + partitions.DAYS_AHEAD
        assert len(days) == 40 + partitions.DAYS_AHEAD + 1
        assert hours[-1].begins > timestamp_of(NOW) + timedelta(hours=partitions.HOURS_AHEAD - 1)
        assert await ensure(connection, days_past=40) == 0


async def test_a_day_is_cooled_an_hour_after_its_end_and_once(database_url: str, pool: asyncpg.Pool) -> None:
    await append(database_url, 1)
    async with pool.acquire() as connection:
        yesterday = next(
            day
            for day in await partitions_of(connection, "events")
            if day.name == f"events_{timestamp_of(NOW - DAY):%Y%m%d}"
        )
        ends = yesterday.begins + timedelta(days=1)
        assert yesterday.name not in await cool(connection, ends + timedelta(minutes=59), at_most=1)
        assert await cool(connection, ends + timedelta(minutes=61), at_most=1) == [yesterday.name]
        assert yesterday.name not in await cool(connection, ends + timedelta(minutes=61), at_most=1)
        plan = await connection.fetch(
            f"""EXPLAIN SELECT 1 FROM {yesterday.name} WHERE lower(message COLLATE "C") LIKE '%nonce%'"""
        )
        assert "Seq Scan" in plan[0][0]
        await connection.execute("SET enable_seqscan = off")
        words = await connection.fetch(
            f"""EXPLAIN SELECT 1 FROM {yesterday.name} WHERE lower(message COLLATE "C") LIKE '%nonce%'"""
        )
        values = await connection.fetch(f"""EXPLAIN SELECT 1 FROM {yesterday.name} WHERE data @> '{{"channel": 6}}'""")
        await connection.execute("RESET enable_seqscan")
    assert any(f"{yesterday.name}_message_words" in line[0] for line in words)
    assert any(f"{yesterday.name}_data_values" in line[0] for line in values)


async def test_an_index_left_half_built_is_built_again(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        now = timestamp_of(NOW)
        (day,) = await cool(connection, now, at_most=1)
        await connection.execute(
            f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{day}_data_values'::regclass"
        )
        assert await cool(connection, now, at_most=1) == [day]
        assert await connection.fetchval(
            f"SELECT indisvalid FROM pg_index WHERE indexrelid = '{day}_data_values'::regclass"
        )


async def test_payloads_go_by_age_and_reading_goes_on(database_url: str, pool: asyncpg.Pool) -> None:
    await append(database_url, 0, 0)
    journal = Journal(pool)
    before = await journal.read(START.cursor)
    async with pool.acquire() as connection:
        later = timestamp_of(NOW + 9 * DAY)
        hours = await names(connection, "journal_payloads")
        assert await retention.drop_payloads(connection, Policy(payloads=timedelta(days=7)), timestamp_of(NOW)) == []
        assert await retention.drop_payloads(connection, Policy(payloads=timedelta(days=7)), later) == hours
        assert (await verify(connection)).without_payload == 2
    after = await journal.read(START.cursor)
    assert [[event.id for event in batch.events] for batch in after] == [
        [event.id for event in batch.events] for batch in before
    ]
    assert [batch.expired for batch in after] == [0, 0]


async def test_payloads_go_by_bytes_oldest_first_but_never_the_current_hour(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        hours = await names(connection, "journal_payloads")
        in_the_third = (await partitions_of(connection, "journal_payloads"))[2].begins + timedelta(minutes=1)
        assert await retention.drop_payloads(connection, Policy(payload_bytes=0), in_the_third) == hours[:2]
        assert await names(connection, "journal_payloads") == hours[2:]


async def test_old_days_go_and_what_went_is_counted_as_expired(database_url: str, pool: asyncpg.Pool) -> None:
    await append(database_url, 20, 10, 5, 0)
    cursors = Cursors(pool)
    claimed = await cursors.claim("slow", "here", 60)
    assert claimed
    journal = Journal(pool)
    (first, *_) = await journal.read(START.cursor)
    await cursors.save(claimed[0], Standing(first.end, START.totals, 0))
    async with pool.acquire() as connection:
        dropped = await retention.drop_events(connection, Policy(events=timedelta(days=8)), timestamp_of(NOW))
        assert f"events_{timestamp_of(NOW - 10 * DAY):%Y%m%d}" in dropped
        assert f"events_{timestamp_of(NOW - 5 * DAY):%Y%m%d}" not in dropped
        await connection.execute("DELETE FROM journal_payloads")
        assert (await verify(connection)).holds
    batches = await journal.read(first.end)
    assert [(batch.position, batch.expired, len(batch.events)) for batch in batches] == [
        (2, 3, 0),
        (3, 0, 3),
        (4, 0, 3),
    ]


async def test_the_journals_front_goes_with_its_events_and_the_chain_goes_on(
    database_url: str, pool: asyncpg.Pool
) -> None:
    await append(database_url, 20, 10, 5, 0)
    journal = Journal(pool)
    (_, second, *rest) = await journal.read(START.cursor)
    async with pool.acquire() as connection:
        await retention.drop_events(connection, Policy(events=timedelta(days=8)), timestamp_of(NOW))
        verdict = await verify(connection)
        assert (verdict.holds, verdict.first, verdict.last) == (True, 3, 4)
    assert await journal.digest_at(2) == second.digest
    assert await journal.stored_upto(second.end) == 6
    again = await journal.read(START.cursor)
    assert [(batch.position, batch.expired, batch.total) for batch in again] == [(3, 6, 9), (4, 0, 12)]
    assert [batch.events for batch in again] == [batch.events for batch in rest]
    await append(database_url, 0)
    async with pool.acquire() as connection:
        assert (await verify(connection)).holds


async def test_what_a_cursor_holds_goes_once_its_reader_is_dropped(database_url: str, pool: asyncpg.Pool) -> None:
    await append(database_url, 20, 15, 10, 0)
    journal = Journal(pool)
    await Cursors(pool).begin("old", Cursor(2, 0))
    async with pool.acquire() as connection:
        await retention.drop_events(connection, Policy(events=timedelta(days=8)), timestamp_of(NOW))
        assert await journal.digest_at(2), "it tells the reader how many events are gone"
        assert await drop_reader(connection, "old")
        await retention.drop_events(connection, Policy(events=timedelta(days=8)), timestamp_of(NOW))
        assert await connection.fetchval("SELECT min(position) FROM journal") == 4


async def test_an_interrupted_drop_is_finished(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        oldest = (await partitions_of(connection, "events"))[0]
        await connection.execute(
            "UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = $1::regclass", oldest.name
        )
        (pending, *_) = await partitions_of(connection, "events")
        assert pending.leaving
        await partitions.drop(connection, pending)
        assert oldest.name not in await names(connection, "events")


async def test_housekeeping_does_it_all(database_url: str, pool: asyncpg.Pool) -> None:
    await append(database_url, 20, 0)
    clock = ManualClock(NOW)
    rejects = Rejects(pool, clock)
    company = uuid4()
    await rejects.keep(company, uuid4(), "request", [Rejected(0, b"{}", [FieldError("", "code", "detail")])])
    clock.advance(8 * 86_400)
    await Housekeeping(database_url, clock, Policy(events=timedelta(days=20)), days_past=10).once()
    async with pool.acquire() as connection:
        assert f"events_{timestamp_of(NOW - 20 * DAY):%Y%m%d}" not in await names(connection, "events")
        indexes = await connection.fetchval("SELECT count(*) FROM pg_class WHERE relname LIKE 'events%message_words'")
    assert indexes == 2
    assert (await rejects.page(company, PageRequest())).total == 0


async def test_rejects_are_listed_newest_first_and_by_company(pool: asyncpg.Pool) -> None:
    clock = ManualClock(NOW)
    rejects = Rejects(pool, clock)
    mine, other, key = uuid4(), uuid4(), uuid4()
    problem = FieldError("/severity", "out-of-range", "said \0")
    for number in range(5):
        clock.advance(1)
        await rejects.keep(mine, key, f"request {number}", [Rejected(number, b"x" * 9_000, [problem])])
    await rejects.keep(other, key, "request", [Rejected(0, b"", [problem])])
    page = await rejects.page(mine, PageRequest(limit=3))
    newest, oldest = page.items[0], page.items[-1]
    assert [one.index for one in page.items] == [4, 3, 2]
    assert (page.total, page.next, page.previous) == (5, Neighbour(after=oldest.id), None)
    assert newest.problems == [FieldError("/severity", "out-of-range", "said \ufffd")]
    assert (len(newest.body), newest.rejected_at, newest.request_id) == (4_096, NOW + 5_000, "request 4")
    assert [one.index for one in (await rejects.page(mine, PageRequest(limit=3, after=oldest.id))).items] == [1, 0]
    assert [one.index for one in (await rejects.page(mine, PageRequest(limit=2, before=oldest.id))).items] == [4, 3]
    assert [one.index for one in (await rejects.page(mine, PageRequest(limit=2, offset=4))).items] == [0]
    await rejects.forget(older_than_ms=0, at_most=3)
    assert [(await rejects.page(whose, PageRequest())).total for whose in (mine, other)] == [2, 1]


@pytest.mark.parametrize("digits", ["events_20251121", "journal_payloads_2025112100"])
def test_a_partition_says_when_it_begins(digits: str) -> None:
    assert partitions._begin(digits) == timestamp_of(1_763_683_200_000)
