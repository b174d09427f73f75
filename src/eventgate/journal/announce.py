"""Tells readers to look: NOTIFY after a commit, on a connection of its own, many commits in one.

A NOTIFY inside the append would serialise all commits on PostgreSQL's queue. Losing one costs readers a poll interval.
Touches PostgreSQL.
"""

import asyncio

import asyncpg

from eventgate.background import end
from eventgate.db.pool import translated
from eventgate.errors import Unavailable

CHANNEL = "eventgate_journal"

_PAUSE_SECONDS = 0.005  # between two: what is committed meanwhile goes with the next
_RECONNECT_SECONDS = 1.0


class Announcer:
    """Announces that there is something new; never what."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; connects with the first news."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            await end(self._task)

    def announce(self) -> None:
        """Something was committed."""
        self._news.set()

    async def _run(self) -> None:
        connection = None
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                try:
                    with translated():
                        if connection is None:
                            connection = await asyncpg.connect(
                                self._url, timeout=5, command_timeout=5,
                                server_settings={"application_name": "eventgate-announce"},
                            )  # fmt: skip
                        await connection.execute(f"NOTIFY {CHANNEL}")
                    await asyncio.sleep(_PAUSE_SECONDS)
                except Unavailable:
                    if connection is not None:
                        connection.terminate()
                    connection = None
                    self._news.set()
                    await asyncio.sleep(_RECONNECT_SECONDS)
        finally:
            if connection is not None:
                connection.terminate()
