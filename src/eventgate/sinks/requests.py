"""What people want of a delivery loop: a row to ask, a row to answer, and a notification to look.

Touches PostgreSQL (the table sink_requests, and the desired state in sinks).
"""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import asyncpg

from eventgate.db.pool import transaction, translated

CHANNEL = "eventgate_sinks"
_LOOK_SECONDS = 0.05
_KEPT_DAYS = 7


class Verb(StrEnum):
    """What may be asked."""

    PAUSE = "pause"
    RESUME = "resume"
    REWIND = "rewind"
    """Deliver again everything after a position; 0 is the beginning."""
    TEST = "test"
    """Send one event that is marked as a test."""


class Request(NamedTuple):
    """One wish. ``position`` goes with a rewind."""

    id: int
    sink: str
    verb: Verb
    position: int | None
    asked_by: UUID | None


class Answer(NamedTuple):
    """What the loop did about it, in a sentence."""

    done: bool
    detail: str


class Requests:
    """Both ends of the table: ``ask`` for API and console, ``waiting`` and ``answer`` for the loop."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def ask(
        self, sink: str, verb: Verb, *, position: int | None = None, asked_by: UUID | None = None, timeout: float = 5.0
    ) -> Answer | None:
        """Ask the loop and wait for its answer; None when it gave none in ``timeout`` seconds.

        To pause and to resume are states to be reached: they hold even if the loop answers too late. A rewind or a
        test that nobody answered is withdrawn.
        """
        async with transaction(self._pool) as connection:
            if verb in (Verb.PAUSE, Verb.RESUME):
                await connection.execute("UPDATE sinks SET paused = $2 WHERE name = $1", sink, verb is Verb.PAUSE)
            number = await connection.fetchval(
                "INSERT INTO sink_requests (sink, verb, position, asked_by) VALUES ($1, $2, $3, $4) RETURNING id",
                sink, verb, position, asked_by,
            )  # fmt: skip
            await connection.execute(
                "DELETE FROM sink_requests WHERE answered_at < now() - make_interval(days => $1)", _KEPT_DAYS
            )
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, sink)
        deadline = asyncio.get_running_loop().time() + timeout
        while asyncio.get_running_loop().time() < deadline:
            with translated():
                row = await self._pool.fetchrow(
                    "SELECT done, answer FROM sink_requests WHERE id = $1 AND answered_at IS NOT NULL", number
                )
            if row:
                return Answer(row["done"], row["answer"])
            await asyncio.sleep(_LOOK_SECONDS)
        with translated():
            await self._pool.execute("DELETE FROM sink_requests WHERE id = $1 AND answered_at IS NULL", number)
        return None

    async def waiting(self, sinks: Sequence[str]) -> list[Request]:
        """What nobody has answered yet, oldest first."""
        with translated():
            rows = await self._pool.fetch(
                """SELECT id, sink, verb, position, asked_by FROM sink_requests
                   WHERE answered_at IS NULL AND sink = ANY($1::text[]) ORDER BY id""",
                sinks,
            )
        return [Request(row["id"], row["sink"], Verb(row["verb"]), row["position"], row["asked_by"]) for row in rows]

    async def answer(self, request: Request, answer: Answer) -> None:
        with translated():
            await self._pool.execute(
                "UPDATE sink_requests SET answered_at = now(), done = $2, answer = $3 WHERE id = $1",
                request.id, *answer,
            )  # fmt: skip
