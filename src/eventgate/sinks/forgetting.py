"""A sink that is configured no more leaves for good: its cursor, its totals, and all that was kept of it.

Touches PostgreSQL (the tables of sinks), and has the journal drop the cursor, so that retention waits for it no longer.
"""

from enum import StrEnum

import asyncpg

from eventgate.db.pool import transaction
from eventgate.journal.cursors import drop_reader
from eventgate.sinks.definition import reader
from eventgate.sinks.requests import Note


class Forgotten(StrEnum):
    """What came of it."""

    DONE = "done"
    UNKNOWN = "unknown"
    CONFIGURED = "configured"
    RUNNING = "running"
    """It was removed a moment ago, and its loop, here or in another installation, has not ended yet."""


async def forget(pool: asyncpg.Pool, sink: str, note: Note) -> Forgotten:
    """Delete a sink with its generations, dead letters, receipts and filters. Raises Unavailable."""
    async with transaction(pool) as connection:
        # Locked: a reload that brings the name back waits, and finds none of it.
        configured = await connection.fetchval("SELECT configured FROM sinks WHERE name = $1 FOR UPDATE", sink)
        if configured is None:
            return Forgotten.UNKNOWN
        if configured:
            return Forgotten.CONFIGURED
        if not await drop_reader(connection, reader(sink)):
            return Forgotten.RUNNING
        await connection.execute("DELETE FROM sinks WHERE name = $1", sink)  # the other tables follow
        await note(connection)
    return Forgotten.DONE
