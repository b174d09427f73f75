"""What every child process stands on: connections, the ear for notifications, the journal, the directory of sensors.

Touches PostgreSQL.
"""

from contextlib import AsyncExitStack
from typing import NamedTuple

import asyncpg

from eventgate.clock import Clock, SystemClock
from eventgate.db.listen import Listener
from eventgate.db.pool import open_pool
from eventgate.journal import announce
from eventgate.journal.reading import Journal
from eventgate.journal.tail import Tail
from eventgate.sensors import Directory
from eventgate.sensors import directory as sensors


class Ground(NamedTuple):
    """One of each in a process."""

    pool: asyncpg.Pool
    listener: Listener
    journal: Journal
    tail: Tail
    directory: Directory
    clock: Clock


async def lay_ground(stack: AsyncExitStack, database_url: str, *, connections: int, name: str) -> Ground:
    """Open what ``stack`` closes again. ``name`` shows in the database's list of who is connected."""
    clock = SystemClock()
    pool = await open_pool(database_url, size=connections, name=name)
    stack.callback(pool.terminate)  # whatever still holds one has been drained, or is beyond help
    listener = await stack.enter_async_context(Listener(database_url))
    journal = Journal(pool)
    directory = Directory(pool, clock)
    await listener.subscribe(announce.CHANNEL, journal.wake)
    await listener.subscribe(sensors.CHANNEL, directory.forget)
    return Ground(pool, listener, journal, Tail(journal), directory, clock)
