"""Reading a real journal: from payloads, from events when those are gone, and what is gone there too."""

import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from benchmarks.rows import Site
from eventgate.clock import SystemClock
from eventgate.db.listen import Listener
from eventgate.event import Event
from eventgate.journal.appender import Appender
from eventgate.journal.batch import Batch
from eventgate.journal.cursors import Cursor
from eventgate.journal.reading import Journal
from eventgate.journal.tail import Tail

NOW = int(time.time() * 1000)
START = Cursor(0, 0)


@pytest.fixture
async def appender(database_url: str) -> AsyncIterator[Appender]:
    async with Appender(database_url, SystemClock(), connections=1) as running:
        yield running


def events_of(batches: list[Batch]) -> list[Event]:
    return [event for batch in batches for event in batch.events]


async def drop_payloads(pool: asyncpg.Pool) -> None:
    await pool.execute("DELETE FROM journal_payloads")


async def walk(reader: Journal | Tail, start: Cursor = START, **bounds: int) -> list[Batch]:
    """Read to the head in small steps, each from the end of the one before."""
    walked: list[Batch] = []
    cursor = start
    while batches := await reader.read(cursor, **bounds):
        walked += batches
        cursor = batches[-1].end
    return walked


async def test_an_empty_journal_has_nothing_to_read(pool: asyncpg.Pool) -> None:
    journal = Journal(pool)
    assert await journal.read(START) == []
    assert (await journal.head())[:3] == (0, 0, bytes(32))
    assert await journal.digest_at(0) == bytes(32)
    assert await journal.digest_at(1) is None
    assert await journal.stored_upto(START) == 0
    assert await journal.waiting_since(START) is None
    assert await journal.id() == await journal.id()


async def test_bounds_cut_between_batches_and_lose_nothing(pool: asyncpg.Pool, appender: Appender) -> None:
    writes = list(Site().writes(NOW, 10, 7))
    for write in writes:
        await appender.append(write)
    journal = Journal(pool)
    assert [len(await journal.read(START, max_events=number)) for number in (1, 7, 20, 21, 1_000)] == [1, 1, 2, 3, 10]
    assert len(await journal.read(START, max_bytes=1)) == 1
    for reader in (journal, Tail(journal), Tail(journal, max_bytes=30_000)):
        assert events_of(await walk(reader, max_events=15)) == [event for write in writes for event in write]


async def test_a_cursor_inside_a_batch_gets_the_rest_of_it(pool: asyncpg.Pool, appender: Appender) -> None:
    first, second = Site().writes(NOW, 2, 5)
    await appender.append(first)
    await appender.append(second)
    journal = Journal(pool)
    for reader in (journal, Tail(journal)):
        await reader.read(START)
        batches = await reader.read(Cursor(1, 2))
        assert events_of(batches) == first[3:] + second
        assert [place for batch in batches for place, _ in batch.placed()] == [
            (1, 3), (1, 4), (2, 0), (2, 1), (2, 2), (2, 3), (2, 4),
        ]  # fmt: skip
        assert [batch.expired for batch in batches] == [0, 0]
        assert events_of(await reader.read(Cursor(1, 4))) == second
        assert await reader.read(Cursor(2, 4)) == []


async def test_a_cursor_that_fell_off_reads_on_from_the_events(pool: asyncpg.Pool, appender: Appender) -> None:
    hostile = [
        event._replace(message="a\0b", data=b'{"ssid": "\\u0000"}', sequence=number)
        for number, event in enumerate(Site().write(NOW, 3))
    ]
    await appender.append(hostile)
    await appender.append(Site().write(NOW + 10, 4))
    journal = Journal(pool)
    before = await journal.read(START)
    await drop_payloads(pool)
    after = await journal.read(START)
    assert [batch._replace(events=[], indexes=[]) for batch in after] == [
        batch._replace(events=[], indexes=[]) for batch in before
    ]
    for kept, rebuilt in zip(events_of(before), events_of(after), strict=True):
        shown = kept._replace(message=(kept.message or "").replace("\0", "\ufffd"), data=b"", raw=b"")
        assert rebuilt._replace(data=b"", raw=b"") == shown
    assert events_of(after)[0].data == '{"ssid": "\ufffd"}'.encode()
    assert b'"ssid": "\xef\xbf\xbd"' in events_of(after)[0].raw
    assert events_of(await journal.read(Cursor(1, 1))) == events_of(after)[2:]


async def test_what_is_gone_from_the_events_too_is_counted_as_expired(pool: asyncpg.Pool, appender: Appender) -> None:
    await appender.append(Site().write(NOW, 5))
    await appender.append(Site().write(NOW + 10, 5))
    await drop_payloads(pool)
    await pool.execute("DELETE FROM events WHERE batch = (SELECT min(batch) FROM events) AND index IN (1, 3)")
    await pool.execute("DELETE FROM events WHERE batch = (SELECT max(batch) FROM events)")
    journal = Journal(pool)
    first, second = await journal.read(START)
    assert (list(first.indexes), first.expired, first.last) == ([0, 2, 4], 2, 4)
    assert (list(second.indexes), second.expired, second.end) == ([], 5, (2, 4))
    (rest, _) = await journal.read(Cursor(1, 1))
    assert (list(rest.indexes), rest.expired) == ([2, 4], 1)


async def test_counting_and_dating(pool: asyncpg.Pool, appender: Appender) -> None:
    await appender.append(Site().write(NOW, 5))
    await appender.append(Site().write(NOW + 10, 3))
    journal = Journal(pool)
    first, second = await journal.read(START)
    assert [await journal.stored_upto(Cursor(*at)) for at in ((0, 0), (1, 0), (1, 4), (2, 1), (2, 2))] == [
        0,
        1,
        5,
        7,
        8,
    ]
    assert await journal.waiting_since(START) == first.committed
    assert await journal.waiting_since(Cursor(1, 3)) == first.committed
    assert await journal.waiting_since(first.end) == second.committed
    assert await journal.waiting_since(second.end) is None
    assert await journal.position_before(first.committed) == 0
    assert await journal.position_before(second.committed + 1) == 2
    assert await journal.digest_at(1) == first.digest


async def test_neighbours_share_one_reading(pool: asyncpg.Pool, appender: Appender) -> None:
    for write in Site().writes(NOW, 20, 10):
        await appender.append(write)
    journal = Journal(pool)
    tail = Tail(journal)
    walks = await asyncio.gather(*(walk(tail, max_events=40) for _ in range(5)))
    decoded = {id(event) for one in walks for event in events_of(one)}
    assert len(decoded) == 200
    assert all(events_of(one) == events_of(walks[0]) for one in walks)


async def test_a_waiting_reader_hears_of_a_commit(database_url: str, pool: asyncpg.Pool, appender: Appender) -> None:
    journal = Journal(pool, poll_seconds=60)
    async with Listener(database_url) as listener:
        await listener.subscribe("eventgate_journal", journal.wake)
        waiting = asyncio.create_task(journal.wait(0, timeout=10))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await appender.append(Site().write(NOW, 1))
        assert await waiting


async def test_a_reader_never_sees_position_n_plus_1_before_n(database_url: str, pool: asyncpg.Pool) -> None:
    """Promise 2: under concurrent appends each look shows a prefix of the journal, without holes."""
    site = Site()
    running = True
    looks = 0

    async def look() -> None:
        nonlocal looks
        while running:
            row = await pool.fetchrow("SELECT count(*), max(position), sum(events), max(total) FROM journal")
            assert row[0] == (row[1] or 0)
            assert row[2] == row[3]
            looks += 1

    async with (
        Appender(database_url, SystemClock(), connections=2) as one,
        Appender(database_url, SystemClock(), connections=2) as other,
    ):
        looking = [asyncio.create_task(look()) for _ in range(2)]
        for burst in range(30):
            writes = site.writes(NOW + burst * 1_000, 20, 3)
            await asyncio.gather(*(appender.append(write) for write in writes for appender in (one, other)))
        running = False
        await asyncio.gather(*looking)
    assert looks > 20
    assert await pool.fetchval("SELECT count(*) FROM events") == 30 * 20 * 3
