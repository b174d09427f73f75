"""The walk of a search: window by window in the order of ids, until there is enough or the time is up.

Touches PostgreSQL (reads events).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import asyncpg

from eventgate.alerts.scope import Scope
from eventgate.alerts.windows import Window, Windows
from eventgate.clock import Clock
from eventgate.db.pool import Row
from eventgate.errors import Unavailable

_LEAST_SECONDS = 0.1
"""No single window is given up earlier, so that a search gets somewhere however late it is."""

_PATIENCE_SECONDS = 5.0
"""So long after the deadline without one window done, the database is not slow but stuck."""

Answer = TypeVar("Answer")


async def visit(
    clock: Clock, windows: Windows, ask: Callable[[Window, float], Awaitable[Answer]], *, until: float
) -> AsyncIterator[tuple[Window, Answer]]:
    """Ask each window in turn until the clock says ``until``; at least one is always done.

    ``ask`` gets a window and how many seconds it may take. A window that takes too long is cut finer and asked again.
    Whatever is left of ``windows`` at the end was not searched. Raises Unavailable where not one window can be had.
    """
    visited = False
    while windows:
        left = until - clock.monotonic()
        if visited and left <= 0:
            return
        if left < -_PATIENCE_SECONDS:
            detail = "The database is too slow to search at the moment. Try again shortly."
            raise Unavailable("search-too-slow", detail)
        window = windows.take()
        started = clock.monotonic()
        try:
            answer = await ask(window, max(left / 2, _LEAST_SECONDS))
        except TimeoutError:
            windows.took_too_long(window)
            continue
        windows.took(clock.monotonic() - started)
        visited = True
        yield window, answer


@dataclass(slots=True)
class Walked:
    """What a walk found. ``stopped_at`` is None where it found enough or came to the end.

    Else, going newest first, everything from that id on was searched; oldest first, everything up to it.
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
    until: float,
) -> Walked:
    """Find up to ``limit`` rows in order; stops at the clock's ``until`` with what it has. Raises Unavailable."""
    statement = scope.ordered(columns, newest_first=newest_first)
    walked = Walked()
    passed: UUID | None = None
    async with pool.acquire() as connection:

        async def ask(window: Window, seconds: float) -> list[Row]:
            wanted = limit - len(walked.rows)
            # The driver has no types: what it fetches is Any.
            return await connection.fetch(statement, *scope.parameters(window), wanted, timeout=seconds)  # type: ignore[no-any-return]

        async for window, rows in visit(clock, windows, ask, until=until):
            walked.rows += rows
            passed = window.low if newest_first else UUID(int=window.high.int - 1)
            if len(walked.rows) >= limit:
                return walked
    if windows:
        walked.stopped_at = passed
    return walked
