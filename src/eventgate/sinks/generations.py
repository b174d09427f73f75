"""The generations of each sink's cursor: what each delivers once more, and what became of it.

Touches PostgreSQL (the table sink_generations, and which dead letters a generation takes). A row is written in the
transaction in which the cursor enters its generation.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from eventgate.db.pool import transaction, translated
from eventgate.journal.cursors import Cursor, Standing, Totals


class Why(StrEnum):
    """What a generation was opened for."""

    MOVED = "moved"
    """The live cursor itself was set: for a sink that began late, or lost it."""
    REPLAY = "replay"
    """A range of the journal once more, in the replay lane."""
    REDRIVE = "redrive"
    """Dead letters once more, in the replay lane."""


class Opening(NamedTuple):
    """A generation to be opened.

    ``before`` counts the events stored before the place it begins at, ``events`` those in its range; of kind moved,
    those up to position ``upto`` are delivered once more.
    """

    number: int
    why: Why
    begins: Cursor
    upto: int
    before: int
    events: int
    asked_by: UUID | None


class Generation(NamedTuple):
    """A generation as it is shown. ``totals`` is None while they stand in the cursor."""

    number: int
    why: Why
    begins: int | None
    upto: int
    events: int | None
    totals: Totals | None
    began_at: datetime
    ended_at: datetime | None


class Moved(NamedTuple):
    """Of a generation that set the live cursor: what was stored before its place, and up to where it delivers again."""

    before: int
    replay_until: int


class Selection(NamedTuple):
    """Which dead letters: those of these events, or all that never went again; of one company, or of all."""

    events: Sequence[UUID] | None = None
    company: UUID | None = None


Enter = Callable[[Any, Opening], Awaitable[None]]
"""Moves the cursor into a generation that is being opened, on the connection and in the transaction that notes it."""


class Generations:
    """The generations of all sinks. Every call raises Unavailable where the database is away."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def open(self, sink: str, opening: Opening, leaving: Standing, enter: Enter) -> None:
        """Note a generation, and what came of the one that the sink leaves, and enter it."""
        async with transaction(self._pool) as connection:
            await _open(connection, sink, opening, leaving)
            await enter(connection, opening)

    async def open_with_letters(
        self, sink: str, opening: Opening, leaving: Standing, which: Selection, enter: Enter
    ) -> Opening:
        """Note a generation that takes the chosen dead letters, and enter it; returned with its range.

        Empty, it is neither noted nor entered.
        """
        async with transaction(self._pool) as connection:
            # Taken by an opening of an older version that never came to be, they are free again.
            await connection.execute(
                "UPDATE dead_letters SET redriven_in = NULL WHERE sink = $1 AND redriven_in = $2", sink, opening.number
            )
            await connection.execute(
                """UPDATE dead_letters SET redriven_in = $2 WHERE sink = $1 AND generation < $2
                   AND ($3::uuid[] IS NULL OR event = ANY($3)) AND ($4::uuid IS NULL OR company = $4)
                   AND ($3::uuid[] IS NOT NULL OR redriven_in IS NULL
                        OR redriven_in = $7 AND (position, index) > ($8, $9))
                   AND (position, index) <= ($5, $6)""",
                sink, opening.number, which.events, which.company, *leaving.cursor, *_left(leaving),
            )  # fmt: skip
            taken = await connection.fetchrow(
                """SELECT count(DISTINCT (position, index)) AS events, max(position) AS upto FROM dead_letters
                   WHERE sink = $1 AND redriven_in = $2""",
                sink, opening.number,
            )  # fmt: skip
            opening = opening._replace(events=taken["events"], upto=taken["upto"] or 0)
            if opening.events:
                await _open(connection, sink, opening, leaving)
                await enter(connection, opening)
        return opening

    async def places(self, sink: str, generation: int, after: Cursor, limit: int) -> list[Cursor]:
        """The places of the dead letters that a generation takes, in order, a page of them."""
        with translated():
            rows = await self._pool.fetch(
                """SELECT DISTINCT position, index FROM dead_letters
                   WHERE sink = $1 AND redriven_in = $2 AND (position, index) > ($3, $4)
                   ORDER BY position, index LIMIT $5""",
                sink, generation, *after, limit,
            )  # fmt: skip
        return [Cursor(*row.values()) for row in rows]

    async def places_left(self, sink: str, generation: int, after: Cursor) -> int:
        """How many of them come after a place."""
        with translated():
            left: int = await self._pool.fetchval(
                """SELECT count(DISTINCT (position, index)) FROM dead_letters
                   WHERE sink = $1 AND redriven_in = $2 AND (position, index) > ($3, $4)""",
                sink, generation, *after,
            )  # fmt: skip
        return left

    async def one(self, sink: str, number: int) -> Generation | None:
        with translated():
            row = await self._pool.fetchrow(
                f"SELECT {_COLUMNS} FROM sink_generations WHERE sink = $1 AND generation = $2",  # noqa: S608 - our own
                sink, number,
            )  # fmt: skip
        return _shown(row) if row else None

    async def of(self, sink: str, upto: int) -> list[Generation]:
        """The generations of a sink up to the one its cursor is in, newest first."""
        with translated():
            rows = await self._pool.fetch(
                f"""SELECT {_COLUMNS} FROM sink_generations
                    WHERE sink = $1 AND generation <= $2 ORDER BY generation DESC""",  # noqa: S608 - our own
                sink, upto,
            )  # fmt: skip
        return [_shown(row) for row in rows]

    async def moved(self, sink: str, since: int) -> Moved:
        """Where the live lane began: what the generation ``since`` noted, nothing where nobody ever set the cursor."""
        with translated():
            row = await self._pool.fetchrow(
                "SELECT before, replay_until FROM sink_generations WHERE sink = $1 AND generation = $2", sink, since
            )
        return Moved(*row.values()) if row else Moved(0, 0)


def _left(leaving: Standing) -> tuple[int, int, int]:
    """The generation that is left, and the place its replay lane came to: no letter is in one that has none."""
    return leaving.generation, *(leaving.replay.cursor if leaving.replay else leaving.cursor)


_COLUMNS = """generation, kind, from_position, coalesce(until_position, replay_until), events,
              delivered, filtered, dead, expired, foreign_events, began_at, ended_at"""


def _shown(row: asyncpg.Record) -> Generation:
    number, kind, begins, upto, events, *counts, began_at, ended_at = row.values()
    totals = None if ended_at is None else Totals(*(count or 0 for count in counts))
    return Generation(number, Why(kind), begins, upto, events, totals, began_at, ended_at)


async def _open(connection: asyncpg.Connection, sink: str, opening: Opening, leaving: Standing) -> None:
    # The dead letters that the generation took which is left before it came to them never went again.
    await connection.execute(
        """UPDATE dead_letters SET redriven_in = NULL
           WHERE sink = $1 AND redriven_in = $2 AND (position, index) > ($3, $4)""",
        sink, *_left(leaving),
    )  # fmt: skip
    moved = opening.why is Why.MOVED
    await connection.execute(
        """INSERT INTO sink_generations
               (sink, generation, kind, before, replay_until, from_position, until_position, events, asked_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (sink, generation) DO UPDATE
           SET kind = $3, before = $4, replay_until = $5, from_position = $6, until_position = $7, events = $8,
               asked_by = $9, began_at = now()""",
        sink, opening.number, opening.why.value, opening.before, opening.upto if moved else 0,
        opening.begins.position, opening.upto, opening.events, opening.asked_by,
    )  # fmt: skip
    ended = [(leaving.generation, leaving.replay.totals)] if leaving.replay else []
    if moved and leaving.since != opening.number:
        ended.append((leaving.since, leaving.totals))
    await connection.executemany(
        """UPDATE sink_generations SET delivered = $3, filtered = $4, dead = $5, expired = $6, foreign_events = $7,
                  ended_at = now()
           WHERE sink = $1 AND generation = $2""",
        [(sink, number, *totals) for number, totals in ended],
    )
