"""What EventGate needs of its PostgreSQL, asked before the port opens.

An acknowledgement means "on disk": a server told not to wait for the disk is refused. So is a connection through a
pooler that shares sessions, since the journal needs session locks and LISTEN.
"""

import asyncio

import asyncpg

from eventgate.errors import ConfigurationError, FieldError

_OLDEST = 18
_ALLOWED = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_write", "remote_apply"),
    "server_encoding": ("UTF8",),
}
_ANSWER_SECONDS = 5.0
_CHANNEL = "eventgate_start"


async def demand_durable(url: str) -> None:
    """Raise ConfigurationError naming all that would lose acknowledged events or leave the journal without locks."""
    connection = await asyncpg.connect(url)
    try:
        problems = await _settings(connection) or await _sessions(connection, url)
    finally:
        await connection.close()
    if problems:
        raise ConfigurationError("database", problems)


async def _settings(connection: asyncpg.Connection) -> list[FieldError]:
    problems = []
    version = int(await connection.fetchval("SHOW server_version_num")) // 10_000
    if version < _OLDEST:
        problems.append(FieldError("server_version", "too-old", f"expected {_OLDEST} or newer, found {version}"))
    for name, allowed in _ALLOWED.items():
        found = await connection.fetchval("SELECT current_setting($1)", name)
        if found not in allowed:
            problems.append(FieldError(name, "unsafe", f"expected {' or '.join(allowed)}, found {found}"))
    return problems


async def _sessions(connection: asyncpg.Connection, url: str) -> list[FieldError]:
    """Send a word to ourselves over two connections while one of them holds a lock that the other must not get."""
    heard = asyncio.Event()
    await connection.add_listener(_CHANNEL, lambda *_: heard.set())
    lock = await connection.fetchval("SELECT pg_backend_pid()")
    await connection.fetchval("SELECT pg_advisory_lock($1)", lock)
    other = await asyncpg.connect(url)
    try:
        shared = await other.fetchval("SELECT pg_try_advisory_lock($1)", lock)
        await other.execute(f"NOTIFY {_CHANNEL}")
        async with asyncio.timeout(_ANSWER_SECONDS):
            await heard.wait()
    except TimeoutError:
        shared = True
    finally:
        await other.close()
    detail = "session locks and LISTEN do not work on this connection; connect to PostgreSQL itself, not to a pooler"
    return [FieldError("database.url", "pooled", detail)] if shared else []
