"""One connection that hears PostgreSQL's notifications for a whole process, and comes back when it is lost.

A notification says only "look": whoever subscribes polls as well, and loses one poll interval at most.
Touches one connection of its own, since LISTEN belongs to a session.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import structlog

from eventgate.background import Background

_RETRY_SECONDS = 1.0
_log = structlog.get_logger()

Callback = Callable[[str], None]
"""Is called on the event loop with a notification's payload; must return at once."""


class Listener(Background):
    """An async context manager; ``subscribe`` before or after entering it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._callbacks: defaultdict[str, list[Callback]] = defaultdict(list)
        self._connection: asyncpg.Connection | None = None

    async def subscribe(self, channel: str, callback: Callback) -> None:
        """Call ``callback`` on each notification of ``channel``, and once with "" after each reconnection.

        The empty call says: something may have been missed.
        """
        fresh = channel not in self._callbacks
        self._callbacks[channel].append(callback)
        if fresh and self._connection is not None and not self._connection.is_closed():
            # Where this connection is lost, the next one brings the channel along.
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await self._connection.add_listener(channel, self._hear)

    async def _run(self) -> None:
        known = False
        while True:
            lost = asyncio.Event()
            try:
                connection = await asyncpg.connect(self._url, server_settings={"application_name": "eventgate listen"})
            except (asyncpg.PostgresError, OSError, TimeoutError):
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            try:
                connection.add_termination_listener(lambda _, lost=lost: lost.set())
                self._connection = connection
                for channel in list(self._callbacks):
                    await connection.add_listener(channel, self._hear)
                if known:
                    self._wake_everyone()
                known = True
                await lost.wait()
                _log.warning("listening connection lost")
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await asyncio.sleep(_RETRY_SECONDS)
            finally:
                self._connection = None
                connection.terminate()

    def _wake_everyone(self) -> None:
        for channel in self._callbacks:
            self._hear(None, 0, channel, "")

    def _hear(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        for callback in self._callbacks[channel]:
            callback(str(payload))
