"""Brings a database to the version this program needs: numbered SQL files, forward only, each applied once.

Touches the table ``schema_migrations`` and whatever the files say.
"""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from eventgate.errors import ConfigurationError, FieldError, Unavailable

MIGRATIONS = Path(__file__).with_name("migrations")

# One number for every replica that migrates the same database; it spells "eventgat".
_LOCK = int.from_bytes(b"eventgat", "big")
_PATIENCE_SECONDS = 300.0

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number integer PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    checksum bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file ``NNNN_name.sql``; ``checksum`` is SHA-256 of its bytes."""

    number: int
    name: str
    sql: str
    checksum: bytes


def migrations(directory: Path = MIGRATIONS) -> list[Migration]:
    """The files of ``directory`` in their order."""
    found = []
    for path in sorted(directory.glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", path.name)
        assert match, f"{path.name} is not called NNNN_name.sql"
        content = path.read_bytes()
        found.append(Migration(int(match[1]), match[2], content.decode(), hashlib.sha256(content).digest()))
    assert len({each.number for each in found}) == len(found), "two migrations carry the same number"
    return found


async def migrate(url: str, directory: Path = MIGRATIONS) -> list[str]:
    """Apply what is missing, each file in a transaction of its own; the names of those applied.

    Safe beside other replicas doing the same. Raises ConfigurationError where the database is newer than the
    program or was made by files that have changed since.
    """
    connection = await asyncpg.connect(url)
    try:
        await _lock(connection)
        await connection.execute(_TABLE)
        rows = await connection.fetch("SELECT number, name, checksum FROM schema_migrations")
        applied = {row["number"]: (row["name"], row["checksum"]) for row in rows}
        pending = _pending(migrations(directory), applied)
        for migration in pending:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)",
                    migration.number, migration.name, migration.checksum,
                )  # fmt: skip
    finally:
        await connection.close()
    return [f"{migration.number:04}_{migration.name}" for migration in pending]


def _pending(known: list[Migration], applied: dict[int, tuple[str, bytes]]) -> list[Migration]:
    newer = sorted(set(applied) - {migration.number for migration in known})
    if newer:
        name = applied[newer[0]][0]
        raise _mistake(
            f"the database has migration {newer[0]:04}_{name}, which this program does not know; it is older"
        )
    for migration in known:
        if migration.number in applied and applied[migration.number][1] != migration.checksum:
            raise _mistake(f"migration {migration.number:04}_{migration.name} was applied with other content")
    return [migration for migration in known if migration.number not in applied]


def _mistake(detail: str) -> ConfigurationError:
    return ConfigurationError("database", [FieldError("schema_migrations", "version", detail)])


async def _lock(connection: asyncpg.Connection) -> None:
    """Take the migrations' lock for this session by asking again and again.

    Waiting inside the call would hold a snapshot, for which another replica's CREATE INDEX CONCURRENTLY waits in turn.
    """
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable("storage-unavailable", "another process has been migrating this database for too long")
        await asyncio.sleep(0.1)
