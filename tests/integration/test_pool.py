"""What comes through the pool, and what its driver's failures turn into."""

from uuid import UUID, uuid4

import asyncpg
import pytest

from eventgate.db.pool import open_pool, translated
from eventgate.errors import Unavailable


async def test_ids_are_plain(pool: asyncpg.Pool) -> None:
    sent = uuid4()
    assert type(await pool.fetchval("SELECT $1::uuid", sent)) is UUID
    assert await pool.fetchval("SELECT $1::uuid", str(sent)) == sent
    assert [type(each) for each in await pool.fetchval("SELECT $1::uuid[]", [sent, sent])] == [UUID, UUID]
    assert await pool.fetchval("SELECT $1::uuid", None) is None


async def test_a_lost_connection_is_unavailable(pool: asyncpg.Pool) -> None:
    with pytest.raises(Unavailable) as raised, translated():
        await pool.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert raised.value.code == "storage-unavailable"
    assert raised.value.__cause__ is not None
    assert await pool.fetchval("SELECT 1") == 1, "the pool mends itself"


async def test_a_mistake_is_no_outage(pool: asyncpg.Pool) -> None:
    with pytest.raises(asyncpg.UniqueViolationError), translated():
        await pool.execute("CREATE TEMP TABLE t (x integer PRIMARY KEY); INSERT INTO t VALUES (1), (1)")


async def test_nobody_there() -> None:
    with pytest.raises(Unavailable):
        await open_pool("postgresql://me@/db?host=/nonexistent", size=1)


async def test_what_was_begun_and_left_is_undone_before_the_next_has_the_connection(
    database_url: str, pool: asyncpg.Pool
) -> None:
    await pool.execute("CREATE TABLE left_behind (x integer)")
    alone = await open_pool(database_url, size=1)
    try:
        async with alone.acquire() as connection:
            await connection.transaction().start()
            await connection.execute("INSERT INTO left_behind VALUES (1)")
        async with alone.acquire() as connection:
            assert not connection.is_in_transaction()
            assert await connection.fetchval("SELECT count(*) FROM left_behind") == 0
    finally:
        await alone.close()


async def test_no_statement_costs_a_second_one(database_url: str, pool: asyncpg.Pool) -> None:
    """The driver's own way is to reset the session each time that a connection comes back."""
    alone = await open_pool(database_url, size=1, name="counted")
    try:
        for _ in range(3):
            await alone.fetchval("SELECT 'the last'")
        last = await pool.fetchval("SELECT query FROM pg_stat_activity WHERE application_name = 'counted'")
        assert last == "SELECT 'the last'"
    finally:
        await alone.close()
