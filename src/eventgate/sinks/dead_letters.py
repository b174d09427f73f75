"""Events that a receiver will never take, kept with its reason.

Touches PostgreSQL (the table dead_letters). Written before the cursor passes them; a second writing changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from eventgate.db.pool import translated
from eventgate.journal.cursors import Cursor
from eventgate.query.shown import shown_text


class Letter(NamedTuple):
    """An event to give up: its place, whose it is, its id, and the reason in the receiver's words."""

    place: Cursor
    company: UUID
    event: UUID
    reason: str


class DeadLetter(NamedTuple):
    """One event that one sink gave up, in one generation of its cursor."""

    generation: int
    place: Cursor
    company: UUID
    event: UUID
    reason: str
    died_at: datetime


class DeadLetters:
    """The dead letters of all sinks. Every call raises Unavailable where the database is away."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def write(self, sink: str, generation: int, letters: Sequence[Letter]) -> None:
        """Keep these letters; those that are there already stay as they are."""
        rows = [
            (sink, generation, place.position, place.index, company, event, _storable(reason))
            for place, company, event, reason in letters
        ]
        with translated():
            await self._pool.executemany(
                """INSERT INTO dead_letters (sink, generation, position, index, company, event, reason)
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING""",
                rows,
            )

    async def of(
        self, sink: str, company: UUID | None, *, after: Cursor | None = None, limit: int = 100
    ) -> list[DeadLetter]:
        """A page of a sink's dead letters, oldest first; of one company, or of all where ``company`` is None."""
        with translated():
            rows = await self._pool.fetch(
                """SELECT generation, position, index, company, event, reason, died_at FROM dead_letters
                   WHERE sink = $1 AND ($2::uuid IS NULL OR company = $2) AND (position, index) > ($3, $4)
                   ORDER BY position, index, generation LIMIT $5""",
                sink, company, *(after or Cursor(0, 0)), limit,
            )  # fmt: skip
        return [
            DeadLetter(generation, Cursor(position, index), *rest)
            for generation, position, index, *rest in (row.values() for row in rows)
        ]


def _storable(reason: str) -> str:
    """A receiver's words are a stranger's text: PostgreSQL holds no U+0000, and a sentence is enough."""
    return shown_text(reason)[:2000]
