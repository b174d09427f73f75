"""The embedded PostgreSQL: made, stopped, killed, recovered, and refused with a sentence where it cannot run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from eventgate.db.account import Account, database_account
from eventgate.db.durability import demand_durable
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.db.program import binaries
from eventgate.errors import ConfigurationError


async def _ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_rows_survive_stop_and_kill(public_path: Path) -> None:
    async with EmbeddedPostgres(public_path / "pg") as postgres:
        await _ask(postgres.url, "CREATE TABLE kept AS SELECT 1 AS value")
    assert postgres.pid is None

    killed = EmbeddedPostgres(public_path / "pg")
    await killed.start()
    await _ask(killed.url, "INSERT INTO kept VALUES (2)")
    os.kill(killed.pid, signal.SIGKILL)
    assert await killed.exited() == -signal.SIGKILL
    await killed.stop()

    async with EmbeddedPostgres(public_path / "pg") as recovered:
        assert await _ask(recovered.url, "SELECT sum(value) FROM kept") == 3
        await demand_durable(recovered.url)


async def test_a_killed_initdb_leaves_nothing_in_the_way(public_path: Path) -> None:
    directory = public_path / "pg"
    half = directory / "cluster.new-123"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    async with EmbeddedPostgres(directory) as postgres:
        assert await _ask(postgres.url, "SELECT 1") == 1
    assert not half.exists()


async def test_it_dies_with_its_parent_and_the_next_start_waits_for_it(public_path: Path) -> None:
    program = """
import asyncio, sys
from pathlib import Path
from eventgate.db.embedded import EmbeddedPostgres

async def main():
    postgres = EmbeddedPostgres(Path(sys.argv[1]))
    await postgres.start()
    print(postgres.pid, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(public_path / "pg")], stdout=subprocess.PIPE, text=True
    ) as parent:
        orphan = int(parent.stdout.readline())
        parent.kill()
    async with EmbeddedPostgres(public_path / "pg") as postgres:
        assert postgres.pid != orphan
        assert not _runs(orphan)


async def test_a_long_path_gets_a_short_socket(public_path: Path) -> None:
    deep = public_path / ("d" * 100) / "pg"
    async with EmbeddedPostgres(deep) as postgres:
        assert await _ask(postgres.url, "SELECT 1") == 1


async def test_only_the_password_opens_it(public_path: Path) -> None:
    async with EmbeddedPostgres(public_path / "pg") as postgres:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(postgres.url, password="guessed")
        assert await _ask(postgres.url, "SHOW listen_addresses") == ""
        assert (public_path / "pg" / "password").stat().st_mode & 0o077 == 0


async def test_unsafe_settings_are_refused(cluster: EmbeddedPostgres) -> None:
    with pytest.raises(ConfigurationError, match="fsync: expected on, found off"):
        await demand_durable(cluster.url)


async def test_files_of_another_version_are_refused(public_path: Path) -> None:
    cluster = public_path / "pg" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(ConfigurationError, match="was written by PostgreSQL 17"):
        await EmbeddedPostgres(public_path / "pg").start()


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs the database as another account")
class TestAsRoot:
    async def test_the_server_has_no_rights_and_no_groups(self, public_path: Path) -> None:
        async with EmbeddedPostgres(public_path / "pg") as postgres:
            status = dict(
                line.split(":\t", 1) for line in Path(f"/proc/{postgres.pid}/status").read_text().splitlines()
            )
            account = database_account(public_path / "pg")
            assert status["Uid"].split() == [str(account.uid)] * 4
            assert status["Gid"].split() == [str(account.gid)] * 4
            assert status["Groups"].split() == []
            assert account.uid != 0

    async def test_a_directory_out_of_reach_is_named(self, public_path: Path) -> None:
        closed = public_path / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(ConfigurationError, match=f"cannot enter {closed}"):
            await EmbeddedPostgres(closed / "data" / "pg").start()

    async def test_programs_out_of_reach_are_copied(self, public_path: Path) -> None:
        class Shut(Account):
            def can(self, test: str, path: Path) -> bool:
                return False

        account = database_account(public_path / "pg")
        copy = binaries(Shut(account.name, account.uid, account.gid, other=True), public_path)
        assert public_path in copy.parents
        for program in ("postgres", "initdb"):
            said = subprocess.run([copy / program, "--version"], capture_output=True, check=True, **account.options())
            assert b"PostgreSQL) 18" in said.stdout
