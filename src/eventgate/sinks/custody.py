"""Where an event is, from the point of view of each sink: told from cursor, deliveries, letters and filters.

Touches the tables of sinks, reading only. What no row tells is worked out and said to be so.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import asyncpg

from eventgate.event import SensorNames
from eventgate.journal.cursors import START, Cursor, Cursors, Standing, after_all_of
from eventgate.journal.finding import Committed
from eventgate.journal.times import timestamp_of
from eventgate.query import parse_filters
from eventgate.sinks.dead_letters import DeadLetter, DeadLetters
from eventgate.sinks.definition import reader
from eventgate.sinks.deliveries import Deliveries, Handover, Passed
from eventgate.sinks.generations import Generations
from eventgate.sinks.store import SinkStatus


class Fate(StrEnum):
    """What one sink did with one event."""

    PENDING = "pending"
    BEFORE = "before"
    """The sink began after it."""
    FILTERED = "filtered"
    DELIVERED = "delivered"
    DEAD = "dead"


class Custody(NamedTuple):
    """An event and one sink.

    ``condition`` is the first of the filter's that did not hold, None where the event was another company's or no
    condition is known to have failed; ``filter_changed`` says whether the sink has another filter by now.
    ``receipt_kept`` False: it was delivered, by what cursor and filter say, and a crash took the receipt.
    ``again``: a replay that has not come to it yet will deliver it once more.
    """

    sink: SinkStatus
    fate: Fate
    handovers: Sequence[Handover] = ()
    deaths: Sequence[DeadLetter] = ()
    condition: str | None = None
    filter_changed: bool = False
    receipt_kept: bool = True
    again: bool = False


class CustodyOf:
    """Tells what sinks did with an event. Every call raises Unavailable where the database is away."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._cursors = Cursors(pool)
        self._generations = Generations(pool)
        self._deliveries = Deliveries(pool)
        self._letters = DeadLetters(pool)

    async def by(self, sink: SinkStatus, found: Committed, names: SensorNames) -> Custody:
        """What one sink did with an event of a company that it serves."""
        place, standing = found.place, await self._cursors.look(reader(sink.name))
        passed = await self._deliveries.of(sink.name, place)
        deaths = await self._letters.at(sink.name, place)
        taken = [handover for handover in passed.handovers if handover.taken]
        told = Custody(sink, Fate.PENDING, taken, deaths, again=_comes_again(standing, place))
        if taken and not (deaths and _died_after(taken, deaths)):
            return told._replace(fate=Fate.DELIVERED)
        if standing.cursor < place:
            return told
        if deaths:
            return told._replace(fate=Fate.DEAD)
        if passed.left_out_at is None and place <= await self._began(sink, standing):
            return told._replace(fate=Fate.BEFORE)
        return await self._left_out(told, found, names, passed)

    async def _began(self, sink: SinkStatus, standing: Standing) -> Cursor:
        generation = await self._generations.one(sink.name, standing.since)
        return after_all_of(generation.begins or 0) if generation else START.cursor

    async def _left_out(self, told: Custody, found: Committed, names: SensorNames, passed: Passed) -> Custody:
        """The cursor is beyond it, and nobody noted a delivery: it was filtered, or its receipt is lost."""
        history = await self._deliveries.filters(told.sink.name)
        at = found.committed if passed.left_out_at is None else passed.left_out_at
        then = _filter_at(history, timestamp_of(at)) or told.sink.filters
        changed = list(then) != list(told.sink.filters)
        condition = failing(then, found, names)
        if condition is None and passed.left_out_at is None:
            return told._replace(fate=Fate.DELIVERED, receipt_kept=False)
        return told._replace(fate=Fate.FILTERED, condition=condition, filter_changed=changed)


def failing(filters: Sequence[str], found: Committed, names: SensorNames) -> str | None:
    """The first condition that does not hold of an event; None where all do."""
    for text in filters:
        if not parse_filters([text]).matcher()(found.event, names):
            return text
    return None


def _filter_at(history: Sequence[tuple[datetime, Sequence[str]]], moment: datetime) -> Sequence[str] | None:
    """The filter at a moment; the first one where none is so old, None where there is none at all."""
    if not history:
        return None
    return next((told for since, told in reversed(history) if since <= moment), history[0][1])


def _died_after(taken: Sequence[Handover], deaths: Sequence[DeadLetter]) -> bool:
    """Whether the last word is that nobody took it."""
    return max(death.died_at for death in deaths) > timestamp_of(max(handover.at for handover in taken))


def _comes_again(standing: Standing, place: Cursor) -> bool:
    replay = standing.replay
    return replay is not None and replay.cursor < place <= replay.until
