"""Deletes what access keeps for a time only: sessions that have run out, counts of attempts, places not seen for long.

Touches PostgreSQL through their own modules. One process does it, and two at once would do no harm.
"""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

import asyncpg
import structlog

from eventgate.access.sessions.sessions import Sessions
from eventgate.access.signin.throttle import Throttle
from eventgate.errors import Unavailable

_EVERY_SECONDS = 60.0

_log = structlog.get_logger()


class Sweeping:
    """Sweeps every minute while entered."""

    def __init__(self, sessions: Sessions, throttle: Throttle) -> None:
        self._sessions = sessions
        self._throttle = throttle
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="sweeping")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None, "left without having been entered"
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def once(self) -> None:
        """Raises Unavailable."""
        await self._sessions.forget()
        await self._throttle.forget()

    async def _run(self) -> None:
        while True:
            try:
                await self.once()
            except (Unavailable, asyncpg.PostgresError) as error:
                _log.warning("sweeping failed", error=str(error))
            await asyncio.sleep(_EVERY_SECONDS)
