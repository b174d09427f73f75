"""Sinks as the database knows them: what is configured, the state of each, and its ledger.

Touches PostgreSQL (the table sinks), and asks the journal and the generations where each sink stands.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from eventgate.db.pool import Row, transaction, translated
from eventgate.journal.cursors import Cursor, Cursors, Standing
from eventgate.journal.reading import Journal
from eventgate.journal.times import timestamp_of
from eventgate.query.shown import shown_text
from eventgate.sinks.alarms import Alarm, Alarms
from eventgate.sinks.definition import SinkDefinition, State, reader, seconds_at
from eventgate.sinks.generations import Generation, Generations, Why
from eventgate.sinks.ledger import Ledger, OwnLedgers
from eventgate.sinks.shown import shown


@dataclass(frozen=True, slots=True)
class ReplayStatus:
    """What a sink delivers once more, in its present generation; ``seconds_left`` None where its rate is unbounded."""

    generation: Generation
    cursor: Cursor
    ledger: Ledger
    own: Ledger | None
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """One sink as API, console and CLI show it.

    ``definition`` has all of its keys, secrets veiled (``sinks/shown.py``).
    ``own`` is the ledger over its company's events alone; None for the operator's, and where those were not counted
    apart from the beginning. ``waiting_since`` is when the oldest event it has not finished was stored, in
    milliseconds, and ``own_since`` the same of its company's; None: there is none.
    ``changed_hands``: it was another company's or the operator's before, whose events its totals count as well.
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
    next_attempt_at: datetime | None
    replay_events_per_second: int
    cursor: Cursor
    generation: int
    ledger: Ledger
    own: Ledger | None
    replay: ReplayStatus | None
    waiting_since: int | None
    own_since: int | None
    changed_hands: bool
    configured: bool
    definition: Mapping[str, Any]
    alarms: Sequence[Alarm]


class SinkStore:
    """The table of sinks. Every call raises Unavailable where the database is away."""

    def __init__(self, pool: asyncpg.Pool, journal: Journal) -> None:
        self._pool = pool
        self._journal = journal
        self._cursors = Cursors(pool)
        self._generations = Generations(pool)
        self._alarms = Alarms(pool)
        self._own = OwnLedgers(pool, self._cursors, self._generations)

    async def configure(self, definitions: Sequence[tuple[SinkDefinition, str]]) -> None:
        """Make the table say what is configured: definitions, each with its transport's guarantee."""
        told = await asyncio.to_thread(
            lambda: [orjson.dumps(shown(definition)).decode() for definition, _ in definitions]
        )
        async with transaction(self._pool) as connection:
            names = [definition.name for definition, _ in definitions]
            await connection.execute(
                "UPDATE sinks SET configured = false, state = 'stopped' WHERE name <> ALL($1::text[])", names
            )
            await _change_hands(connection, {d.name: d.company for d, _ in definitions})
            await connection.executemany(
                """INSERT INTO sinks
                       (name, company, filter, format, transport, guarantee, replay_events_per_second, definition)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO UPDATE SET configured = true,
                   company = $2, filter = $3, format = $4, transport = $5, guarantee = $6,
                   replay_events_per_second = $7, definition = $8""",
                [
                    (d.name, d.company, list(d.filters), d.format, d.transport, g, d.replay_events_per_second, text)
                    for (d, g), text in zip(definitions, told, strict=True)
                ],
            )

    async def set_state(self, name: str, state: State, error: str | None, next_attempt_ms: int | None = None) -> None:
        """``error`` None keeps the last one on show, with its time. The next attempt is at a moment, or not planned.

        A disabled sink is kept as one that is paused (migration 15); ``disable`` has noted why.
        """
        kept = State.PAUSED if state is State.DISABLED else state
        with translated():
            await self._pool.execute(
                """UPDATE sinks SET state = $2, state_since = CASE WHEN state = $2 THEN state_since ELSE now() END,
                   last_error = coalesce($3, last_error), next_attempt_at = $4,
                   failed_at = CASE WHEN $3::text IS NULL THEN failed_at ELSE now() END WHERE name = $1""",
                name, kept, shown_text(error)[:2000] if error is not None else None,
                None if next_attempt_ms is None else timestamp_of(next_attempt_ms),
            )  # fmt: skip

    async def resting(self, names: Sequence[str]) -> dict[str, State]:
        """Which of these sinks are meant to rest, and how: paused by somebody, or disabled by their receiver."""
        with translated():
            rows = await self._pool.fetch(
                "SELECT name, disabled FROM sinks WHERE paused AND name = ANY($1::text[])", names
            )
        return {row["name"]: State.DISABLED if row["disabled"] else State.PAUSED for row in rows}

    async def disable(self, name: str) -> None:
        """From now on the sink is meant to rest, for its receiver wants nothing more."""
        with translated():
            await self._pool.execute("UPDATE sinks SET paused = true, disabled = true WHERE name = $1", name)

    async def all(self, company: UUID | None, *, configured: bool | None = True) -> list[SinkStatus]:
        """The sinks of one company, or all of them for the operator (None), by name.

        ``configured`` False: those that were removed from the configuration; None: both.
        """
        with translated():
            rows = await self._pool.fetch(
                """SELECT * FROM sinks WHERE ($1::uuid IS NULL OR company = $1)
                   AND ($2::boolean IS NULL OR configured = $2) ORDER BY name""",
                company, configured,
            )  # fmt: skip
        return [await self._status(row) for row in rows]

    async def get(self, name: str, company: UUID | None, *, configured: bool | None = True) -> SinkStatus | None:
        """One sink, None where there is none such that this company (None: the operator) may see."""
        with translated():
            row = await self._pool.fetchrow(
                """SELECT * FROM sinks WHERE name = $1 AND ($2::uuid IS NULL OR company = $2)
                   AND ($3::boolean IS NULL OR configured = $3)""",
                name, company, configured,
            )  # fmt: skip
        return await self._status(row) if row else None

    async def _status(self, row: Row) -> SinkStatus:
        name = row["name"]
        standing = await self._cursors.look(reader(name))
        return SinkStatus(
            name=name,
            company=row["company"],
            filters=row["filter"],
            format=row["format"],
            transport=row["transport"],
            guarantee=row["guarantee"],
            state=_state(row),
            state_since=row["state_since"],
            last_error=row["last_error"],
            failed_at=row["failed_at"],
            next_attempt_at=row["next_attempt_at"],
            replay_events_per_second=row["replay_events_per_second"],
            cursor=standing.cursor,
            generation=standing.generation,
            ledger=await self._live(name, standing),
            own=None if row["changed_hands"] else await self._own.live(name, row["company"], standing),
            replay=await self._replay(row, standing),
            waiting_since=await self._journal.waiting_since(standing.cursor),
            own_since=await self._own.waiting_since(row["company"], standing),
            changed_hands=row["changed_hands"],
            configured=row["configured"],
            definition=orjson.loads(row["definition"] or b"{}"),
            alarms=await self._alarms.of(name),
        )

    async def stored_between(self, after: Cursor, upto: Cursor, company: UUID | None) -> int:
        """How many events came after one place and up to another: of one company, or of all of them (None)."""
        if company is not None:
            return await self._own.between(company, after, upto)
        return max(await self._journal.stored_upto(upto) - await self._journal.stored_upto(after), 0)

    async def _live(self, name: str, standing: Standing) -> Ledger:
        stored = (await self._journal.head()).total
        finished = await self._journal.stored_upto(standing.cursor)
        before, _ = await self._generations.moved(name, standing.since)
        return Ledger(stored, before, **standing.totals._asdict(), pending=stored - finished)

    async def _replay(self, row: Row, standing: Standing) -> ReplayStatus | None:
        name, company, rate = row["name"], row["company"], row["replay_events_per_second"]
        generation = await self._generations.one(name, standing.generation)
        replay = standing.replay
        if generation is None or replay is None:
            return None
        if replay.done:
            pending = 0
        elif generation.why is Why.REDRIVE:
            pending = await self._generations.places_left(name, standing.generation, replay.cursor)
        else:
            ends, here = await self._journal.stored_upto(replay.until), await self._journal.stored_upto(replay.cursor)
            pending = ends - here
        ledger = Ledger(generation.events or 0, 0, **replay.totals._asdict(), pending=pending)
        own: Ledger | None = ledger
        if row["changed_hands"]:
            own = None
        elif generation.why is not Why.REDRIVE:
            own = await self._own.again(name, company, generation, replay)
        return ReplayStatus(generation, replay.cursor, ledger, own, seconds_at(rate, pending))


def _state(row: Row) -> State:
    """A sink that its receiver disabled is that, whether its loop runs or not."""
    if not row["configured"]:
        return State.STOPPED
    return State.DISABLED if row["paused"] and row["disabled"] else State(row["state"])


async def _change_hands(connection: asyncpg.Connection, companies: Mapping[str, UUID | None]) -> None:
    """A sink that gets another company keeps its cursor; what was counted and said for the former one goes."""
    rows = await connection.fetch(
        """UPDATE sinks s SET changed_hands = true, last_error = NULL, failed_at = NULL
           FROM unnest($1::text[], $2::uuid[]) AS wanted (name, company)
           WHERE s.name = wanted.name AND s.company IS DISTINCT FROM wanted.company RETURNING s.name""",
        list(companies), list(companies.values()),
    )  # fmt: skip
    names = [row["name"] for row in rows]
    await connection.execute("DELETE FROM sink_minutes WHERE sink = ANY($1::text[])", names)
    await connection.execute("DELETE FROM sink_alarms WHERE sink = ANY($1::text[])", names)
