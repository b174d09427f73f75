"""Migrations on a real database: once each, by one replica at a time, never backwards."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from eventgate.db.migrate import migrate, migrations
from eventgate.errors import ConfigurationError


async def test_every_file_is_applied_once(database_url: str) -> None:
    assert await migrate(database_url) == []
    assert migrations(), "there is nothing to test without files"


async def test_two_replicas_at_once(database_url: str, tmp_path: Path) -> None:
    files = _files(tmp_path, "CREATE TABLE once ()")
    assert sorted(await asyncio.gather(migrate(database_url, files), migrate(database_url, files))) == [[], ["9001_t"]]


async def test_a_failing_file_leaves_nothing_behind(database_url: str, tmp_path: Path, pool: asyncpg.Pool) -> None:
    files = _files(tmp_path, "CREATE TABLE half (); SELECT nonsense")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await migrate(database_url, files)
    assert await pool.fetchval("SELECT to_regclass('half')") is None


async def test_a_newer_database_is_refused(database_url: str, tmp_path: Path) -> None:
    await migrate(database_url, _files(tmp_path, "SELECT 1"))
    with pytest.raises(ConfigurationError, match="9001_t, which this program does not know"):
        await migrate(database_url)


async def test_a_file_changed_after_it_was_applied_is_refused(database_url: str, tmp_path: Path) -> None:
    await migrate(database_url, _files(tmp_path, "SELECT 1"))
    with pytest.raises(ConfigurationError, match="9001_t was applied with other content"):
        await migrate(database_url, _files(tmp_path, "SELECT 2"))


def _files(directory: Path, sql: str) -> Path:
    for migration in migrations():
        (directory / f"{migration.number:04}_{migration.name}.sql").write_text(migration.sql)
    (directory / "9001_t.sql").write_text(sql)
    return directory
