"""Notifications, and what happens when the connection that hears them is lost."""

import asyncio

import asyncpg

from eventgate.db.listen import Listener
from tests.patience import PATIENCE


async def test_it_hears_and_comes_back(pool: asyncpg.Pool, database_url: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with Listener(database_url) as listener:
        await listener.subscribe("eventgate_test", heard.put_nowait)
        await _notify_until_heard(pool, heard, "first")
        await pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'eventgate listen' AND datname = current_database()"
        )
        assert await asyncio.wait_for(heard.get(), PATIENCE) == "", (
            "a reconnection says that something may have been missed"
        )
        await _notify_until_heard(pool, heard, "second")


async def _notify_until_heard(pool: asyncpg.Pool, heard: asyncio.Queue[str], word: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while heard.empty():
            await pool.execute(f"NOTIFY eventgate_test, '{word}'")
            await asyncio.sleep(0.05)
    assert await heard.get() == word
    while not heard.empty():
        heard.get_nowait()
