"""When a key was last used: seen soon, written seldom, and nobody is woken for it."""

import asyncio
import urllib.request
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from eventgate.access import LastUsed, Principal
from eventgate.access.authenticator import CHANNEL
from eventgate.clock import ManualClock
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.db.pool import open_pool
from tests.integration.http_service import http_service
from tests.serving import Serving


@pytest.fixture
async def service(database_url, tmp_path):
    async with http_service(database_url, tmp_path) as running:
        yield running


def _principal(key: UUID | None) -> Principal:
    return Principal(company=UUID(int=1), user=None, key=key, scopes=frozenset())


async def _last_used(service) -> datetime | None:
    return await service.pool.fetchval("SELECT last_used_at FROM api_keys WHERE id = $1", UUID(service.made.key_id))


async def test_a_key_is_written_once_a_minute_and_wakes_nobody(service):
    clock, key, heard = ManualClock(), _principal(UUID(service.made.key_id)), []
    used = LastUsed(service.pool, clock)
    async with service.pool.acquire() as connection:
        await connection.add_listener(CHANNEL, lambda *told: heard.append(told))
        first = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
        used.note(_principal(None))
        used.note(key)
        await used.write()
        assert await _last_used(service) == first

        clock.advance(59)
        used.note(key)
        await used.write()
        assert await _last_used(service) == first

        clock.advance(1)
        used.note(key)
        await used.write()
        assert await _last_used(service) == first + timedelta(minutes=1)

        await connection.execute("SELECT 1")  # whatever was told before has arrived with this answer
        assert heard == []
        await connection.reset()
    untouched = "SELECT count(*) FROM api_keys WHERE last_used_at IS NULL AND updated_at = created_at"
    assert await service.pool.fetchval(untouched) == 1


async def test_two_workers_write_at_once(service):
    """Many keys, noted in different orders: neither waits for the other."""
    ids = [UUID(int=number) for number in range(1, 500)]
    await service.pool.executemany(
        """INSERT INTO api_keys (id, company, user_id, public_id, hash, scopes, api_version)
           SELECT $1, company, id, $2, $3, '{}', '2026-01-01' FROM users LIMIT 1""",
        [(each, f"p{each.int}", bytes(32)) for each in ids],
    )
    workers = [LastUsed(service.pool, ManualClock(1_763_726_400_000 + n * 3_600_000)) for n in range(3)]
    for turn in range(3):
        for number, worker in enumerate(workers):
            for each in ids[:: -1 if number % 2 else 1]:
                worker.note(_principal(each))
        await asyncio.gather(*(worker.write() for worker in workers))
        assert await service.pool.fetchval("SELECT count(last_used_at) FROM api_keys") == len(ids), turn


async def test_what_could_not_be_written_is_kept(service, database_url):
    clock = ManualClock()
    pool = await open_pool(database_url, size=1)
    async with AsyncExitStack() as stack:
        stack.callback(pool.terminate)
        used = LastUsed(pool, clock)
        used.note(_principal(UUID(service.made.key_id)))
        await pool.fetchval("SELECT 1")
        pids = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
        await service.pool.execute(f"{pids} current_database() AND application_name = 'eventgate'")
        await used.write()
        await used.write()
        assert await _last_used(service) is not None


def test_a_drain_writes_what_was_noted(public_path):
    """Long before the half minute is over."""

    async def ask(serving: Serving) -> datetime | None:
        async with EmbeddedPostgres(serving.data / "postgres") as postgres:
            connection = await asyncpg.connect(postgres.url)
            try:
                return await connection.fetchval(
                    "SELECT last_used_at FROM api_keys WHERE id = $1::text::uuid", serving.bootstrap["keyId"]
                )
            finally:
                await connection.close()

    before = datetime.now(UTC)
    with Serving(public_path) as serving:
        request = urllib.request.Request(f"{serving.url}/v2/edges", headers={"X-API-Key": serving.bootstrap["authKey"]})
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200
    found = asyncio.run(ask(serving))
    assert found is not None
    assert before - timedelta(seconds=1) <= found <= datetime.now(UTC)
