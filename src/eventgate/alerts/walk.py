"""The walk of a search: window by window in the order of ids, until there is enough or the time is up.

Touches PostgreSQL (reads events).
"""

from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from eventgate.alerts.scope import Scope
from eventgate.alerts.windows import Windows
from eventgate.clock import Clock
from eventgate.db.pool import Row
from eventgate.errors import Unavailable

_LEAST_SECONDS = 0.1
"""No single window is given up earlier, so that a page gets somewhere however late it is."""

_PATIENCE = 3
"""After so many deadlines without the first window done, the database is not slow but stuck."""


@dataclass(slots=True)
class Walked:
    """What a walk found. ``stopped_at`` is None where it came to the end, else the last id bound it has passed:

    going newest first, everything from there on is searched; going oldest first, everything up to and including it.
    """

    rows: list[Row] = field(default_factory=list)
    stopped_at: UUID | None = None


async def walk(
    pool: asyncpg.Pool,
    clock: Clock,
    scope: Scope,
    windows: Windows,
    *,
    columns: str,
    limit: int,
    newest_first: bool,
    seconds: float,
) -> Walked:
    """Find up to ``limit`` rows in order; stops after so many seconds with what it has.

    A walk always finishes at least one window. Raises Unavailable where even that cannot be had.
    """
    statement = scope.ordered(columns, newest_first=newest_first)
    walked = Walked()
    passed: UUID | None = None
    started = clock.monotonic()
    async with pool.acquire() as connection:
        while windows and len(walked.rows) < limit:
            left = started + seconds - clock.monotonic()
            if passed is not None and left <= 0:
                walked.stopped_at = passed
                break
            if left < -_PATIENCE * seconds:
                raise Unavailable(
                    "search-too-slow", "The database is too slow to search at the moment. Try again shortly."
                )
            window = windows.take()
            parameters = scope.parameters(window)
            try:
                rows = await connection.fetch(
                    statement, *parameters, limit - len(walked.rows), timeout=max(left / 2, _LEAST_SECONDS)
                )
            except TimeoutError:
                windows.took_too_long(window)
                continue
            walked.rows += rows
            passed = window.low if newest_first else UUID(int=window.high.int - 1)
    return walked
