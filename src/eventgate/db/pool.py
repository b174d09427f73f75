"""Connections to PostgreSQL, and the one place where its driver's failures turn into ours.

Touches PostgreSQL. jsonb travels as text; whoever wants objects decodes them in its own room.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import asyncpg

from eventgate.errors import Unavailable

CONNECT_SECONDS = 10.0

_UNREACHABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # the server shuts down, or was killed and recovers
    asyncpg.InsufficientResourcesError,  # too many connections, disk full, out of memory
    asyncpg.InterfaceError,  # the connection went away under a statement
    asyncpg.InternalClientError,  # the same, inside a COPY
    OSError,
    asyncio.TimeoutError,
)


async def open_pool(
    url: str, *, size: int, name: str = "eventgate", settings: dict[str, str] | None = None, command_timeout: float = 60
) -> asyncpg.Pool:
    """Open ``size`` connections at most, the first at once; ``name`` shows in ``pg_stat_activity``.

    ``settings`` are per session (``statement_timeout`` and the like); ``command_timeout`` is in seconds.
    Raises Unavailable where the database cannot be reached.
    """
    with translated():
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            timeout=CONNECT_SECONDS,
            command_timeout=command_timeout,
            init=_prepare,
            reset=_as_it_is,
            server_settings={"application_name": name, "timezone": "UTC", **(settings or {})},
        )


async def _prepare(connection: asyncpg.Connection) -> None:
    """Hand out ids as plain UUIDs: the driver's own subclass is refused by serialisers that go by exact type."""
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=_uuid_bytes, decoder=_uuid, format="binary")


async def _as_it_is(_connection: asyncpg.Connection) -> None:
    """Nothing of ours changes a session and leaves it so: spare every statement the round trip that would undo it.

    An open transaction was rolled back before.
    """


def _uuid_bytes(value: UUID | str) -> bytes:
    return (value if isinstance(value, UUID) else UUID(value)).bytes


def _uuid(value: bytes) -> UUID:
    return UUID(bytes=bytes(value))


@contextmanager
def translated() -> Iterator[None]:
    """Turn a database that is away into Unavailable, keeping the cause; everything else passes as it is.

    A statement that the database refuses (a constraint, a mistake in SQL) is no outage and is not touched.
    """
    try:
        yield
    except asyncpg.QueryCanceledError:  # a deadline of ours, answered by whoever set it
        raise
    except _UNREACHABLE as error:
        detail = "The database cannot be reached at the moment; nothing was stored. Try again shortly."
        raise Unavailable("storage-unavailable", detail) from error


@asynccontextmanager
async def transaction(pool: asyncpg.Pool) -> AsyncIterator[Any]:
    """A connection inside a transaction: committed at the end, undone where anything is raised. Raises Unavailable."""
    with translated():
        async with pool.acquire() as connection, connection.transaction():
            yield connection


async def fetch_within(pool: asyncpg.Pool, seconds: float, query: str, *arguments: Any) -> list["Row"]:
    """The rows, or Unavailable: ``seconds`` each for a free connection, for the answer, and for giving up on it.

    A database that hangs answers nothing, not even that a query is cancelled.
    """
    with translated():
        async with pool.acquire(timeout=seconds) as connection:
            rows: list[Row] = await connection.fetch(query, *arguments, timeout=seconds)
            return rows


Row = Any
"""A record as asyncpg returns it, which carries no types of its own."""
