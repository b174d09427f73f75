"""How many events a query selects: exactly where that is quick or insisted on, else at least so many.

Touches PostgreSQL (reads events).
"""

from typing import NamedTuple

import asyncpg

from eventgate.alerts.scope import Scope
from eventgate.alerts.windows import Windows
from eventgate.clock import Clock

ENOUGH = 10_000
"""Nobody reads further; from here on a total is a lower bound."""


class Total(NamedTuple):
    """A number of events, or the least it can be."""

    matches: int
    is_exact: bool


async def count(
    pool: asyncpg.Pool, clock: Clock, scope: Scope, windows: Windows, *, seconds: float, enough: int | None = ENOUGH
) -> Total:
    """Count for so many seconds at most, and up to ``enough``; None counts all there are."""
    limit = "" if enough is None else f"LIMIT {enough + 1}"
    statement = f"SELECT count(*) FROM (SELECT FROM events WHERE {scope.conditions} {limit}) AS found"  # noqa: S608 - ours
    counted = 0
    until = clock.monotonic() + seconds
    async with pool.acquire() as connection:
        while windows:
            left = until - clock.monotonic()
            if left <= 0:
                return Total(counted, is_exact=False)
            window = windows.take()
            started = clock.monotonic()
            try:
                counted += await connection.fetchval(statement, *scope.parameters(window), timeout=left)
            except TimeoutError:
                return Total(counted, is_exact=False)
            windows.took(clock.monotonic() - started)
            if enough is not None and counted > enough:
                return Total(enough, is_exact=False)
    return Total(counted, is_exact=True)
