"""Sinks as the database knows them: what is configured, the state of each, and its ledger.

Touches PostgreSQL (the tables sinks and sink_generations) and asks the journal where each sink's cursor stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from eventgate.db.pool import Row, transaction, translated
from eventgate.journal.cursors import Cursor, Cursors, Standing
from eventgate.journal.reading import Journal
from eventgate.query.shown import shown_text
from eventgate.sinks.definition import SinkDefinition, State, reader


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where every stored event is, from one sink's point of view.

    ``stored = before + delivered + filtered + dead + expired + pending``; ``before`` is what was stored before the
    place that the present generation began at (0 unless somebody moved the cursor).
    """

    stored: int
    before: int
    delivered: int
    filtered: int
    dead: int
    expired: int
    pending: int

    @property
    def balances(self) -> bool:
        counted = self.before + self.delivered + self.filtered + self.dead + self.expired + self.pending
        return self.stored == counted


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """One sink as API, console and CLI show it.

    ``waiting_since`` is when the oldest event it has not finished was stored, in milliseconds; None: there is none.
    """

    name: str
    company: UUID | None
    filters: Sequence[str]
    format: str
    transport: str
    guarantee: str
    state: State
    state_since: datetime
    last_error: str | None
    failed_at: datetime | None
    cursor: Cursor
    generation: int
    ledger: Ledger
    waiting_since: int | None


class SinkStore:
    """The table of sinks. Every call raises Unavailable where the database is away."""

    def __init__(self, pool: asyncpg.Pool, journal: Journal) -> None:
        self._pool = pool
        self._journal = journal
        self._cursors = Cursors(pool)

    async def configure(self, definitions: Sequence[tuple[SinkDefinition, str]]) -> None:
        """Make the table say what is configured: definitions, each with its transport's guarantee."""
        async with transaction(self._pool) as connection:
            names = [definition.name for definition, _ in definitions]
            await connection.execute(
                "UPDATE sinks SET configured = false, state = 'stopped' WHERE name <> ALL($1::text[])", names
            )
            await connection.executemany(
                """INSERT INTO sinks (name, company, filter, format, transport, guarantee)
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO UPDATE SET configured = true,
                   company = $2, filter = $3, format = $4, transport = $5, guarantee = $6""",
                [(d.name, d.company, list(d.filters), d.format, d.transport, g) for d, g in definitions],
            )

    async def set_state(self, name: str, state: State, error: str | None) -> None:
        """``error`` None keeps the last one on show, with its time."""
        with translated():
            await self._pool.execute(
                """UPDATE sinks SET state = $2, state_since = CASE WHEN state = $2 THEN state_since ELSE now() END,
                   last_error = coalesce($3, last_error),
                   failed_at = CASE WHEN $3::text IS NULL THEN failed_at ELSE now() END WHERE name = $1""",
                name, state, shown_text(error)[:2000] if error is not None else None,
            )  # fmt: skip

    async def paused(self, names: Sequence[str]) -> set[str]:
        """Which of these sinks are meant to rest."""
        with translated():
            rows = await self._pool.fetch("SELECT name FROM sinks WHERE paused AND name = ANY($1::text[])", names)
        return {row["name"] for row in rows}

    async def begin_generation(
        self, name: str, generation: int, *, before: int, replay_until: int, asked_by: UUID | None
    ) -> None:
        """Note a generation before the cursor moves into it; noted again, the later word counts."""
        with translated():
            await self._pool.execute(
                """INSERT INTO sink_generations (sink, generation, before, replay_until, asked_by)
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (sink, generation) DO UPDATE
                   SET before = $3, replay_until = $4, asked_by = $5, began_at = now()""",
                name, generation, before, replay_until, asked_by,
            )  # fmt: skip

    async def replay_until(self, name: str, generation: int) -> int:
        """Up to which position this generation delivers once more; 0 for the first."""
        with translated():
            return (
                await self._pool.fetchval(
                    "SELECT replay_until FROM sink_generations WHERE sink = $1 AND generation = $2", name, generation
                )
                or 0
            )

    async def all(self, company: UUID | None) -> list[SinkStatus]:
        """The configured sinks of one company, or all of them for the operator (None), by name."""
        with translated():
            rows = await self._pool.fetch(
                "SELECT * FROM sinks WHERE configured AND ($1::uuid IS NULL OR company = $1) ORDER BY name", company
            )
        return [await self._status(row) for row in rows]

    async def get(self, name: str, company: UUID | None) -> SinkStatus | None:
        """One configured sink, None where there is none that this company (None: the operator) may see."""
        with translated():
            row = await self._pool.fetchrow(
                "SELECT * FROM sinks WHERE configured AND name = $1 AND ($2::uuid IS NULL OR company = $2)",
                name, company,
            )  # fmt: skip
        return await self._status(row) if row else None

    async def _status(self, row: Row) -> SinkStatus:
        standing = await self._cursors.look(reader(row["name"]))
        since = await self._journal.waiting_since(standing.cursor)
        return SinkStatus(
            name=row["name"],
            company=row["company"],
            filters=row["filter"],
            format=row["format"],
            transport=row["transport"],
            guarantee=row["guarantee"],
            state=State(row["state"]),
            state_since=row["state_since"],
            last_error=row["last_error"],
            failed_at=row["failed_at"],
            cursor=standing.cursor,
            generation=standing.generation,
            ledger=await self._ledger(row["name"], standing),
            waiting_since=since,
        )

    async def _ledger(self, name: str, standing: Standing) -> Ledger:
        stored = (await self._journal.head()).total
        finished = await self._journal.stored_upto(standing.cursor)
        with translated():
            before = await self._pool.fetchval(
                "SELECT before FROM sink_generations WHERE sink = $1 AND generation = $2", name, standing.generation
            )
        return Ledger(stored, before or 0, *standing.totals, pending=stored - finished)
