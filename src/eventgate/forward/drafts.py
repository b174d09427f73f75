"""From the journal to windows: what one lane of a sink wants of it, formatted, and how far each piece would bring it.

Touches the journal's tail and the registry of sensors, reading only. Holds one reading and one draft at a time.
"""

import asyncio
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from eventgate.event import SensorNames
from eventgate.forward.letters import LettersTail
from eventgate.forward.pieces import Piece, pieces, within
from eventgate.forward.plan import Plan
from eventgate.forward.transports import Limits, Outgoing
from eventgate.journal.cursors import Cursor, Lane, Standing
from eventgate.journal.tail import Tail
from eventgate.sensors.directory import Directory
from eventgate.sinks.dead_letters import Letter

_BREATH = 64
"""Events formatted before others get their turn on the event loop."""

_MOST_SCANNED = 20_000
"""Events looked at for one draft: a filter that lets almost nothing through still moves its cursor on."""


class _Skipped(NamedTuple):
    """How many events were passed over, by reason."""

    filtered: int = 0
    expired: int = 0
    unfit: int = 0
    foreign: int = 0


class Draft:
    """What may be delivered next, from a cursor on, built in journal order."""

    def __init__(self, start: Cursor, lane: Lane = Lane.LIVE) -> None:
        self.lane = lane
        self.start = start
        self.end = start
        self.events: list[Outgoing] = []
        self.unfit: list[Letter] = []
        """Events that will not be sent: dead letters, to be written before the cursor passes them."""
        self.scanned = 0
        self.size = 0
        self._skipped = _Skipped()
        self._skipped_before: list[_Skipped] = []

    def take(self, outgoing: Outgoing) -> None:
        self._skipped_before.append(self._skipped)
        self.events.append(outgoing)
        self.size += len(outgoing.body)
        self.end = outgoing.place

    def skip(self, upto: Cursor, *, filtered: int = 0, expired: int = 0, unfit: int = 0, foreign: int = 0) -> None:
        had = self._skipped
        self._skipped = _Skipped(
            had.filtered + filtered, had.expired + expired, had.unfit + unfit, had.foreign + foreign
        )
        self.end = upto

    @property
    def expired(self) -> int:
        return self._skipped.expired

    @property
    def moves(self) -> bool:
        """Whether there is anything to finish."""
        return self.end != self.start or self.expired > 0

    def standing(self, before: Standing, finished: int, refused: int = 0) -> Standing:
        """Where a sink stands whose lane stood at our start once the first ``finished`` events are done.

        ``before`` is where it stood; ``refused`` of the events are dead letters.
        """
        if finished == len(self.events):
            skipped, cursor = self._skipped, self.end
        elif finished:
            skipped, cursor = self._skipped_before[finished - 1], self.events[finished - 1].place
        else:
            return before
        _, totals = before.progress(self.lane)
        counted = totals._replace(
            delivered=totals.delivered + finished - refused,
            filtered=totals.filtered + skipped.filtered,
            dead=totals.dead + refused + skipped.unfit,
            expired=totals.expired + skipped.expired,
            foreign=totals.foreign + skipped.foreign,
        )
        return before.moved(self.lane, cursor, counted)


class Drafts:
    """Reads on from a cursor, draft by draft. After a failure ``restart`` from wherever the sink then stands."""

    def __init__(self, plan: Plan, limits: Limits, tail: Tail, directory: Directory, lane: Lane = Lane.LIVE) -> None:
        self.lane = lane
        self._plan = plan
        self._limits = limits
        self._tail = tail
        self._directory = directory
        self._cursor = Cursor(0, 0)
        self._replay_until = 0
        self._until: Cursor | None = None
        self._letters: LettersTail | None = None
        self._given_up: dict[Cursor, str] = {}
        self._pieces: Iterator[Piece] = iter(())
        self._names: dict[tuple[int, int], SensorNames] = {}

    def restart(
        self,
        cursor: Cursor,
        *,
        replay_until: int = 0,
        until: Cursor | None = None,
        letters: LettersTail | None = None,
    ) -> None:
        """Read on after ``cursor``, no further than ``until``; of the journal, or of the ``letters`` alone.

        Events up to position ``replay_until`` are marked as delivered once more.
        """
        self._cursor = cursor
        self._replay_until = replay_until
        self._until = until
        self._letters = letters
        self._given_up = {place: reason for place, reason in self._given_up.items() if place > cursor}
        self._pieces = iter(())

    def give_up(self, place: Cursor, reason: str) -> None:
        """Nobody will take this event: from now on it goes to the dead letters instead of into a draft."""
        self._given_up[place] = reason

    async def next(self, most: int, patience: float) -> Draft:
        """The next draft, of at most ``most`` events.

        It has what is there now, without waiting for more; at the journal's head it waits ``patience`` seconds at most
        and may come back empty. Raises Unavailable.
        """
        draft = Draft(self._cursor, self.lane)
        while await self._fill(draft, min(most, self._limits.events)):
            if self._until is not None:
                if draft.end >= self._until:
                    break
                if not await self._read(draft.end):
                    draft.skip(self._until)
                    break
                continue
            if draft.events and not await self._tail.wait(draft.end.position, 0):
                break
            if await self._read(draft.end):
                continue
            if draft.moves or not await self._tail.wait(draft.end.position, patience):
                break
        self._cursor = draft.end
        return draft

    async def _read(self, after: Cursor) -> bool:
        limits, source = self._limits, self._letters or self._tail
        batches = await source.read(after, max_events=limits.events, max_bytes=limits.bytes)
        # By number: a UUID hashes and compares in Python, slowly.
        companies = {event.company.int: event.company for batch in batches for event in batch.events}
        for company in companies.values():
            await self._directory.warm(company)
        self._names.clear()
        cut = pieces if self._letters is None else self._letters.pieces
        found = chain.from_iterable([cut(batch, after) for batch in batches])
        self._pieces = found if self._until is None else within(found, self._until)
        return bool(batches)

    async def _fill(self, draft: Draft, most: int) -> bool:
        """Add pieces to the draft; True when they ran out before the draft was full."""
        wants, encode, known, replay_until = self._plan.wants, self._plan.encode, self._names, self._replay_until
        encode_again = self._plan.encode_again
        largest, longest, company = self._limits.bytes, self._limits.event_bytes, self._plan.company
        for place, event, expired in self._pieces:
            if event is None:
                draft.skip(place, expired=expired)
                continue
            draft.scanned += 1
            if draft.scanned % _BREATH == 0:
                await asyncio.sleep(0)
            if company is not None and event.company != company:
                draft.skip(place, foreign=1)
                if draft.scanned >= _MOST_SCANNED:
                    return False
                continue
            names = known.get((event.company.int, event.sensor.int)) or self._called(event.company, event.sensor)
            if wants(event, names):
                replay = place[0] <= replay_until
                body = encode_again(event, names) if replay else encode(event, names)
                reason = self._given_up.get(place) if self._given_up else None
                if longest is not None and len(body) > longest:
                    reason = f"its {len(body)} octets in this format are more than the {longest} the transport carries"
                if reason is not None:
                    draft.unfit.append(Letter(place, event.company, event.id, reason))
                    draft.skip(place, unfit=1)
                elif draft.events and draft.size + len(body) > largest:
                    self._pieces = chain([(place, event, expired)], self._pieces)
                    return False
                else:
                    draft.take(Outgoing(event, names, place, body, replay))
            else:
                draft.skip(place, filtered=1)
            if len(draft.events) == most or draft.scanned >= _MOST_SCANNED:
                return False
        return True

    def _called(self, company: UUID, sensor: UUID) -> SensorNames:
        """Look a sensor up, once for each reading of the journal."""
        names = self._names[company.int, sensor.int] = self._directory.names(company, sensor)
        return names
