"""Cursors: how far each reader of the journal has come, and who may move them.

A reader has one owner at a time. Owning is a lease with an epoch: whoever claims a lapsed lease raises the epoch, and
the former owner's updates, which name the old one, then change nothing. Touches the table ``cursors``.
"""

from enum import StrEnum
from typing import Any, NamedTuple, Self

import asyncpg

from eventgate.db.pool import Row, translated
from eventgate.errors import EventGateError


class Cursor(NamedTuple):
    """The last event a reader has finished: ``index`` in the batch at ``position``. (0, 0) is before the first."""

    position: int
    index: int  # type: ignore[assignment]  # a tuple has a method of that name, which nobody wants of a cursor


class Totals(NamedTuple):
    """What became of the events up to a cursor; with it they are one atom."""

    delivered: int = 0
    filtered: int = 0
    dead: int = 0
    expired: int = 0
    foreign: int = 0
    """Other companies' events, which a company's sink passes over without looking at them."""


class Lane(StrEnum):
    """A sink reads in two lanes: what is new, and beside it what is delivered once more."""

    LIVE = "live"
    REPLAY = "replay"


class Replay(NamedTuple):
    """How far the replay lane has come on its way up to ``until``, and what became of the events on the way."""

    cursor: Cursor
    until: Cursor
    totals: Totals = Totals()

    @property
    def done(self) -> bool:
        return self.cursor >= self.until


class Standing(NamedTuple):
    """Where a reader stands: its live lane's cursor and totals and, beside them, its replay lane.

    The generation goes up by one each time an operator wants something delivered again: ``replay`` is the lane of this
    generation, done or not, None where it has none. ``since`` is the generation that set the live cursor itself.
    """

    cursor: Cursor
    totals: Totals
    generation: int
    since: int = 0
    replay: Replay | None = None

    def progress(self, lane: Lane) -> tuple[Cursor, Totals]:
        """One lane's cursor and totals."""
        if lane is Lane.LIVE:
            return self.cursor, self.totals
        assert self.replay is not None, "there is no replay lane"
        return self.replay.cursor, self.replay.totals

    def moved(self, lane: Lane, cursor: Cursor, totals: Totals) -> Self:
        """The same with one lane further on."""
        if lane is Lane.LIVE:
            return self._replace(cursor=cursor, totals=totals)
        assert self.replay is not None, "there is no replay lane"
        return self._replace(replay=self.replay._replace(cursor=cursor, totals=totals))


START = Standing(Cursor(0, 0), Totals(), 0)
"""Where a reader begins that never read anything."""

_LAST_INDEX = (1 << 31) - 2
"""Beyond any batch's last, and one more still fits PostgreSQL's integer."""


def after_all_of(position: int) -> Cursor:
    """The cursor of a reader that has finished everything up to ``position``, however many events are there."""
    return Cursor(position, _LAST_INDEX) if position else START.cursor


class NotOwner(EventGateError):
    """Somebody else owns the reader by now: stop, and deliver nothing more."""


class Ownership(NamedTuple):
    """The right to move one reader's cursor, until the lease runs out."""

    reader: str
    epoch: int


class Cursors:
    """The cursors of all readers. Every call raises Unavailable where the database is away."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def claim(self, reader: str, owner: str, lease_seconds: float) -> tuple[Ownership, Standing] | None:
        """Become the owner of ``reader``, or None while another's lease runs.

        ``owner`` names the installation, not the process: a restart of the same takes over at once, and the epoch
        shuts out what is left of the former process.
        """
        with translated():
            await self._pool.execute("INSERT INTO cursors (reader) VALUES ($1) ON CONFLICT DO NOTHING", reader)
            row = await self._pool.fetchrow(
                """UPDATE cursors SET epoch = epoch + 1, owner = $2, lease_until = now() + make_interval(secs => $3)
                   WHERE reader = $1 AND (lease_until < now() OR owner = $2) RETURNING *""",
                reader, owner, lease_seconds,
            )  # fmt: skip
        return (Ownership(reader, row["epoch"]), _standing(row)) if row else None

    async def renew(self, mine: Ownership, lease_seconds: float) -> None:
        """Keep the lease for so much longer. Raises NotOwner."""
        await self._update(mine, "lease_until = now() + make_interval(secs => $3)", lease_seconds)

    async def save(self, mine: Ownership, standing: Standing, *, within: Any = None) -> None:
        """Move the cursor and its totals, in one row; on the connection ``within`` in its transaction.

        Where other companies' events were never counted apart, they stay among the filtered. Raises NotOwner.
        """
        replay = standing.replay
        lane = (*replay.cursor, *replay.until, *replay.totals) if replay else (None,) * 9
        await self._update(
            mine,
            """position = $3, index = $4, delivered = $5, dead = $7, expired = $8, generation = $10,
               filtered = $6::bigint + CASE WHEN foreign_events IS NULL THEN $9::bigint ELSE 0 END,
               since = $11, replay_position = $12, replay_index = $13, replay_until_position = $14,
               replay_until_index = $15, replay_delivered = $16, replay_filtered = $17, replay_dead = $18,
               replay_expired = $19, replay_foreign_events = $20,
               foreign_events = CASE WHEN foreign_events IS NULL THEN NULL ELSE $9::bigint END, updated_at = now()""",
            *standing.cursor, *standing.totals, standing.generation, standing.since, *lane, within=within,
        )  # fmt: skip

    async def kept_by(self, mine: Ownership) -> str | None:
        """Who keeps the progress, as ``keep_with`` noted; None where nobody did."""
        with translated():
            found: str | None = await self._pool.fetchval("SELECT kept_by FROM cursors WHERE reader = $1", mine.reader)
        return found

    async def keep_with(self, mine: Ownership, keeper: str) -> None:
        """Note who keeps the progress from now on; '' for this table. Raises NotOwner."""
        await self._update(mine, "kept_by = $3", keeper)

    async def release(self, mine: Ownership) -> None:
        """Let the next owner in at once. Harmless where somebody else owns the reader already."""
        with translated():
            await self._pool.execute(
                "UPDATE cursors SET lease_until = '-infinity', owner = NULL WHERE reader = $1 AND epoch = $2", *mine
            )

    async def begin(self, reader: str, cursor: Cursor, *, within: Any = None) -> None:
        """Make a reader that begins after ``cursor``; one that is there already stays as it is."""
        with translated():
            await (within or self._pool).execute(
                "INSERT INTO cursors (reader, position, index) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                reader, *cursor,
            )  # fmt: skip

    async def known(self, reader: str) -> bool:
        """Whether a reader ever ran."""
        with translated():
            found: bool = await self._pool.fetchval("SELECT EXISTS (SELECT FROM cursors WHERE reader = $1)", reader)
        return found

    async def counts_foreign(self, reader: str) -> bool:
        """Whether other companies' events are counted apart for a reader: for an older one they are not."""
        with translated():
            told: bool | None = await self._pool.fetchval(
                "SELECT foreign_events IS NOT NULL FROM cursors WHERE reader = $1", reader
            )
        return told is not False

    async def look(self, reader: str) -> Standing:
        """Where a reader stands, for anybody; ``START`` where it never ran."""
        with translated():
            row = await self._pool.fetchrow("SELECT * FROM cursors WHERE reader = $1", reader)
        return _standing(row) if row else START

    async def _update(self, mine: Ownership, assignments: str, *values: object, within: Any = None) -> None:
        with translated():
            done = await (within or self._pool).execute(
                f"UPDATE cursors SET {assignments} WHERE reader = $1 AND epoch = $2",  # noqa: S608 - our own text
                *mine, *values,
            )  # fmt: skip
        if done != "UPDATE 1":
            raise NotOwner(f"{mine.reader} has another owner since epoch {mine.epoch}")


async def drop_reader(connection: asyncpg.Connection, reader: str) -> bool:
    """Remove a reader's cursor, inside a transaction; False while somebody owns it.

    What it held, retention may drop from then on.
    """
    await connection.execute("DELETE FROM cursors WHERE reader = $1 AND lease_until < now()", reader)
    owned: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM cursors WHERE reader = $1)", reader)
    return not owned


def _standing(row: Row) -> Standing:
    totals = Totals(row["delivered"], row["filtered"], row["dead"], row["expired"], row["foreign_events"] or 0)
    generation = row["generation"]
    replay = None
    if row["replay_position"] is not None:
        replay = Replay(
            Cursor(row["replay_position"], row["replay_index"]),
            Cursor(row["replay_until_position"], row["replay_until_index"]),
            Totals(
                row["replay_delivered"],
                row["replay_filtered"],
                row["replay_dead"],
                row["replay_expired"],
                row["replay_foreign_events"] or 0,
            ),
        )
    since = generation if row["since"] is None else row["since"]
    return Standing(Cursor(row["position"], row["index"]), totals, generation, since, replay)
