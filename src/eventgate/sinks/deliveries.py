"""What was handed over where: one row for each stretch of the journal that a lane of a sink finished.

Touches PostgreSQL (the tables deliveries and sink_filters). Rows are written beside the cursor and read by whoever asks
where an event went; one that a crash took before it was written is missing, and nothing else depends on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
import orjson

from eventgate.db.pool import translated
from eventgate.journal.cursors import Cursor
from eventgate.journal.times import ms_of, timestamp_of
from eventgate.protocols.relp import LARGEST_TXNR
from eventgate.sinks.places import Places

_AT_ONCE = 20_000
_REPEATS = 16
"""Rows of one lane that may hold the same place: after each crash of a sink that is at least once there is one more."""


class Handed(NamedTuple):
    """A window that was handed over: when, how many events of it are finished, and what the receiver said.

    ``refused`` are the numbers, within the window, of events that it did not take.
    """

    at: int
    events: int
    refused: Sequence[int]
    told: Mapping[str, Any]


class Stretch(NamedTuple):
    """Everything after one cursor up to another: ``windows`` one after the other, their ``places`` encoded."""

    generation: int
    lane: str
    after: Cursor
    until: Cursor
    noted_at: int
    places: bytes
    windows: Sequence[Handed]


class Handover(NamedTuple):
    """One event handed over: when, in which generation and lane, and the receipt; ``taken`` False: it was refused."""

    at: int
    generation: int
    lane: str
    taken: bool
    receipt: Mapping[str, Any]


class Passed(NamedTuple):
    """What the stretches that hold a place say of it: the times it was handed over, and when it was left out."""

    handovers: Sequence[Handover]
    left_out_at: int | None


class Deliveries:
    """The stretches of all sinks. Every call raises Unavailable where the database is away."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def write(self, sink: str, stretches: Sequence[Stretch]) -> None:
        """Keep stretches. They are not synced at once: what a failing machine takes is a receipt, and no event."""
        rows = [
            (*stretch[:2], *stretch.after, *stretch.until, timestamp_of(stretch.noted_at), stretch.places,
             orjson.dumps([window._asdict() for window in stretch.windows]).decode())
            for stretch in stretches
        ]  # fmt: skip
        with translated():
            await self._pool.execute(
                """INSERT INTO deliveries (sink, generation, lane, after_position, after_index, until_position,
                                           until_index, noted_at, places, windows)
                   SELECT $1, s.* FROM (SELECT set_config('synchronous_commit', 'off', true)) AS quick,
                   unnest($2::bigint[], $3::text[], $4::bigint[], $5::integer[], $6::bigint[], $7::integer[],
                          $8::timestamptz[], $9::bytea[], $10::jsonb[]) AS s""",
                sink, *map(list, zip(*rows, strict=True)),
            )  # fmt: skip

    async def of(self, sink: str, place: Cursor) -> Passed:
        """What became of the event at a place, as far as it is kept, in the order of time."""
        with translated():
            rows = await self._pool.fetch(
                """SELECT d.* FROM (
                       SELECT DISTINCT g.generation, l.lane FROM (SELECT 0 AS generation UNION ALL
                           SELECT generation FROM sink_generations WHERE sink = $1) g,
                           (VALUES ('live'), ('replay')) AS l (lane)) AS lanes,
                   LATERAL (SELECT * FROM deliveries WHERE sink = $1 AND generation = lanes.generation
                            AND lane = lanes.lane AND (until_position, until_index) >= ($2, $3)
                            ORDER BY until_position, until_index LIMIT $4) AS d
                   WHERE (d.after_position, d.after_index) < ($2, $3) ORDER BY d.noted_at""",
                sink, *place, _REPEATS,
            )  # fmt: skip
        handovers: list[Handover] = []
        left_out_at = None
        for row in rows:
            found = Places(row["places"])
            if (number := found.number(place)) is None:
                left_out_at = ms_of(row["noted_at"])
            else:
                windows = [Handed(**window) for window in orjson.loads(row["windows"])]
                handovers.append(_handover(row["generation"], row["lane"], windows, found, number))
        return Passed(handovers, left_out_at)

    async def filters(self, sink: str) -> list[tuple[datetime, Sequence[str]]]:
        """Every filter that a sink had, with the moment it came, oldest first."""
        with translated():
            rows = await self._pool.fetch("SELECT since, filter FROM sink_filters WHERE sink = $1 ORDER BY since", sink)
        return [(row["since"], row["filter"]) for row in rows]


async def forget_deliveries(pool: asyncpg.Pool, *, older_than_ms: int) -> None:
    """Delete what was noted before a moment, a bounded number of rows at a time. Raises Unavailable."""
    with translated():
        while await pool.fetchval(
            """WITH gone AS (DELETE FROM deliveries WHERE ctid = ANY (ARRAY(
                   SELECT ctid FROM deliveries WHERE noted_at < $1 LIMIT $2)) RETURNING 1)
               SELECT count(*) FROM gone""",
            timestamp_of(older_than_ms), _AT_ONCE,
        ) == _AT_ONCE:  # fmt: skip
            pass


def _handover(generation: int, lane: str, windows: Sequence[Handed], found: Places, number: int) -> Handover:
    first, window = next((first, window) for first, window in _numbered(windows) if number < first + window.events)
    mine = number - first
    receipt = receipt_of(window.told, mine, found.slot(number, first))
    return Handover(window.at, generation, lane, mine not in window.refused, receipt)


def receipt_of(told: Mapping[str, Any], number: int, slot: tuple[int, int] | None) -> dict[str, Any]:
    """What a receiver said of one event of a window, by its number there; ``slot`` as ``Places.slot`` says it."""
    receipt = {name: value for name, value in told.items() if name not in ("offsets", "transaction", "requests")}
    receipt |= next((said for first, said in reversed(told.get("requests", ())) if first <= number), {})
    if (transaction := told.get("transaction")) is not None:
        receipt["transaction"] = (transaction + number - 1) % LARGEST_TXNR + 1
    if slot is not None:
        partition, before = slot
        receipt |= {"partition": partition, "offset": _offset(told["offsets"][str(partition)], before)}
    return receipt


def _numbered(windows: Sequence[Handed]) -> Iterator[tuple[int, Handed]]:
    """Each window with the number of its first event."""
    first = 0
    for window in windows:
        yield first, window
        first += window.events


def _offset(batches: Sequence[Sequence[int]], before: int) -> int:
    """The offset of the record that has so many of its window before it in its partition.

    ``batches`` are [records before, offset of the first]: what others write to the topic may stand between two.
    """
    records, base = next(batch for batch in reversed(batches) if batch[0] <= before)
    return base + before - records
