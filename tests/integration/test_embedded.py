"""The embedded PostgreSQL: made, stopped, killed, recovered, and refused with a sentence where it cannot run."""

from pathlib import Path

import asyncpg

from eventgate.db.embedded import EmbeddedPostgres


async def test_rows_survive_a_stop(public_path: Path) -> None:
    async with EmbeddedPostgres(public_path / "pg") as first:
        connection = await asyncpg.connect(first.url)
        await connection.execute("CREATE TABLE kept (value integer)")
        await connection.close()
    assert first.pid is None


async def test_pool(pool: asyncpg.Pool) -> None:
    assert await pool.fetchval("SELECT 1") == 1
