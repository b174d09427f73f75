"""Events that a receiver will never take, kept with its reason.

Touches PostgreSQL (the table dead_letters). Written before the cursor passes them; a second writing changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from eventgate.db.pages import fetch_page
from eventgate.db.pool import Row, translated
from eventgate.journal.cursors import Cursor, Lane, Standing
from eventgate.journal.times import ms_of, timestamp_of
from eventgate.query import Field, FieldTable, Query
from eventgate.query.fieldtypes import Identifier, Number, OwnId, Text
from eventgate.query.paging import Page, PageRequest
from eventgate.query.shown import shown_text
from eventgate.query.times import Instant
from eventgate.telemetry import SINK_DEAD_FORGOTTEN

MOST_CHOSEN = 10_000
"""Letters that a filter may choose for one redrive: their ids travel in the request."""


class Letter(NamedTuple):
    """An event to give up: its place, whose it is, its id, and the reason in the receiver's words."""

    place: Cursor
    company: UUID
    event: UUID
    reason: str


class DeadLetter(NamedTuple):
    """One event that one sink gave up, in one generation; ``redriven_in`` is the one that last brought it again."""

    generation: int
    place: Cursor
    company: UUID
    event: UUID
    reason: str
    died_at: datetime
    redriven_in: int | None


LETTERS = FieldTable(
    (
        Field("id", OwnId(), lambda letter: letter.event, "event"),
        Field("companyId", Identifier(), lambda letter: letter.company, "company"),
        Field("reason", Text(), lambda letter: letter.reason, "reason"),
        Field("diedAt", Instant(), lambda letter: ms_of(letter.died_at), "died_at"),
        Field("generation", Number(), lambda letter: letter.generation, "generation"),
        Field("redrivenIn", Number(), lambda letter: letter.redriven_in, "redriven_in"),
    ),
    documents={},
    example_key="",
)
"""What can be asked of a letter in the filter language."""

_COLUMNS = "generation, position, index, company, event, reason, died_at, redriven_in"
# An event that died again after a redrive shows its last death.
_LAST_DEATHS = """
(SELECT DISTINCT ON (event, company) * FROM dead_letters WHERE sink = $1 AND ($2::uuid IS NULL OR company = $2)
 ORDER BY event, company, died_at DESC, generation DESC) AS letters
"""


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

    async def beyond(self, sink: str, standing: Standing) -> Mapping[Lane, Mapping[Cursor, str]]:
        """The letters of each lane's generation beyond where it stands, by place: whoever wrote them was cut short.

        Another place that keeps the progress may have counted them all the same, so they stay.
        """
        lanes = {Lane.LIVE: (standing.since, standing.cursor)}
        if standing.replay is not None:
            lanes[Lane.REPLAY] = (standing.generation, standing.replay.cursor)
        found: dict[Lane, dict[Cursor, str]] = {lane: {} for lane in Lane}
        with translated():
            for lane, (generation, cursor) in lanes.items():
                rows = await self._pool.fetch(
                    """SELECT position, index, reason FROM dead_letters
                       WHERE sink = $1 AND generation = $2 AND (position, index) > ($3, $4)""",
                    sink, generation, *cursor,
                )  # fmt: skip
                found[lane] = {Cursor(row["position"], row["index"]): row["reason"] for row in rows}
        return found

    async def page(self, sink: str, company: UUID | None, query: Query, asked: PageRequest) -> Page[DeadLetter]:
        """A sink's letters, newest event first; of one company, or of all where ``company`` is None."""
        test, values = query.tests(first_parameter=3)
        rows = f"{_LAST_DEATHS} WHERE {test}"
        found = await fetch_page(self._pool, _COLUMNS, rows, (sink, company, *values), asked, by="event")
        return found.of(_letter)

    async def selected(self, sink: str, company: UUID | None, query: Query) -> list[UUID]:
        """The events of the letters that a query selects, at most one more than ``MOST_CHOSEN``."""
        test, values = query.tests(first_parameter=3)
        statement = f"SELECT event FROM {_LAST_DEATHS} WHERE {test} ORDER BY event LIMIT {MOST_CHOSEN + 1}"  # noqa: S608 - our own SQL; every value is a parameter
        with translated():
            rows = await self._pool.fetch(statement, sink, company, *values)
        return [row["event"] for row in rows]

    async def count(self, sink: str, company: UUID | None, events: Sequence[UUID] | None) -> int:
        """How many letters there are of these events; None: that never went again."""
        with translated():
            counted: int = await self._pool.fetchval(
                """SELECT count(DISTINCT (position, index)) FROM dead_letters
                   WHERE sink = $1 AND ($2::uuid IS NULL OR company = $2)
                     AND CASE WHEN $3::uuid[] IS NULL THEN redriven_in IS NULL ELSE event = ANY ($3) END""",
                sink, company, events,
            )  # fmt: skip
        return counted

    async def one(self, sink: str, company: UUID | None, event: UUID) -> DeadLetter | None:
        """The last death of an event, None where it is no letter of this sink that the company may see."""
        statement = f"SELECT {_COLUMNS} FROM {_LAST_DEATHS} WHERE event = $3 ORDER BY died_at DESC LIMIT 1"  # noqa: S608 - our own SQL; every value is a parameter
        with translated():
            row = await self._pool.fetchrow(statement, sink, company, event)
        return _letter(row) if row else None

    async def at(self, sink: str, place: Cursor) -> list[DeadLetter]:
        """Every death of the event at a place, oldest first."""
        with translated():
            rows = await self._pool.fetch(
                f"""SELECT {_COLUMNS} FROM dead_letters
                    WHERE sink = $1 AND position = $2 AND index = $3 ORDER BY died_at, generation""",  # noqa: S608 - ours
                sink, *place,
            )  # fmt: skip
        return [_letter(row) for row in rows]


async def forget_letters(pool: asyncpg.Pool, *, older_than_ms: int) -> None:
    """Delete the letters from before a moment, and count them; those that a sink is about to bring again stay.

    The ledger keeps them as dead. Raises Unavailable.
    """
    with translated():
        gone = await pool.fetch(
            """WITH gone AS (
                   DELETE FROM dead_letters d WHERE died_at < $1 AND redriven_in IS DISTINCT FROM
                       (SELECT coalesce(max(generation), -1) FROM sink_generations g
                        WHERE g.sink = d.sink AND kind = 'redrive')
                   RETURNING sink)
               SELECT sink, count(*) AS letters FROM gone GROUP BY sink""",
            timestamp_of(older_than_ms),
        )
    for row in gone:
        SINK_DEAD_FORGOTTEN.labels(row["sink"]).inc(row["letters"])


def _letter(row: Row) -> DeadLetter:
    return DeadLetter(row["generation"], Cursor(row["position"], row["index"]), *list(row.values())[3:])


def _storable(reason: str) -> str:
    """A receiver's words are a stranger's text: PostgreSQL holds no U+0000, and a sentence is enough."""
    return shown_text(reason)[:2000]
