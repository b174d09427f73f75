"""From the journal to windows: what one lane of a sink wants of it, formatted, and how far each piece would bring it.

Touches the journal's tail, reading only. Holds one reading and one draft at a time.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate, chain

from eventgate.forward.chunks import Chunk, chunks, within
from eventgate.forward.letters import LettersTail
from eventgate.forward.pages import Page, Pages, Skipped
from eventgate.forward.plan import Plan
from eventgate.forward.transports import Limits, Outgoing
from eventgate.journal.cursors import Cursor, Lane, Standing
from eventgate.journal.tail import Tail
from eventgate.sinks.dead_letters import Letter

_MOST_SCANNED = 20_000
"""Events looked at for one draft: a filter that lets almost nothing through still moves its cursor on."""


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
        self._skipped = Skipped()
        self._turns: list[int] = []
        self._skipped_then: list[Skipped] = []
        """What was passed over before event number ``_turns[n]`` and the ones after it."""

    def add(self, page: Page) -> None:
        """Add a page whole."""
        had = len(self.events)
        for number, _, skipped, letter in page.skips:
            self._skip(had + number, skipped)
            if letter is not None:
                self.unfit.append(letter)
        self.events += page.events
        self.size += page.size
        self.scanned += page.scanned
        self.end = page.end

    def pass_to(self, end: Cursor) -> None:
        """There is nothing more up to ``end``."""
        self.end = end

    def _skip(self, number: int, skipped: Skipped) -> None:
        self._skipped = self._skipped.plus(skipped)
        if self._turns and self._turns[-1] == number:
            self._skipped_then[-1] = self._skipped
        else:
            self._turns.append(number)
            self._skipped_then.append(self._skipped)

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
            turn = bisect_left(self._turns, finished)
            skipped = self._skipped_then[turn - 1] if turn else Skipped()
            cursor = self.events[finished - 1].place
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

    def __init__(self, plan: Plan, limits: Limits, tail: Tail, pages: Pages, lane: Lane = Lane.LIVE) -> None:
        self.lane = lane
        self._plan = plan
        self._limits = limits
        self._tail = tail
        self._pages = pages
        self._cursor = Cursor(0, 0)
        self._replay_until = 0
        self._until: Cursor | None = None
        self._letters: LettersTail | None = None
        self._given_up: dict[Cursor, str] = {}
        self._chunks: Iterator[Chunk] = iter(())
        self._left: Page | None = None
        """What the last draft had no room for."""

    def restart(
        self,
        cursor: Cursor,
        *,
        replay_until: int = 0,
        until: Cursor | None = None,
        letters: LettersTail | None = None,
        dead: Mapping[Cursor, str] | None = None,
    ) -> None:
        """Read on after ``cursor``, no further than ``until``; of the journal, or of the ``letters`` alone.

        Events up to position ``replay_until`` are marked as delivered once more. Those that have a letter already stay
        ``dead``, for the reason in it, whoever wrote it.
        """
        self._cursor = cursor
        self._replay_until = replay_until
        self._until = until
        self._letters = letters
        self._given_up = {place: reason for place, reason in self._given_up.items() if place > cursor}
        self._given_up |= dead or {}
        self._chunks, self._left = iter(()), None

    def let_go(self) -> None:
        """Hold nothing of the journal until the next ``restart``: a receiver may be away for days."""
        self._chunks, self._left = iter(()), None

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
                    draft.pass_to(self._until)
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
        cut = chunks if self._letters is None else self._letters.chunks
        found = chain.from_iterable([cut(batch, after) for batch in batches])
        self._chunks = found if self._until is None else within(found, self._until)
        return bool(batches)

    async def _fill(self, draft: Draft, most: int) -> bool:
        """Add pages to the draft; True when they ran out before the draft was full."""
        while (page := await self._next()) is not None:
            room = most - len(draft.events)
            if draft.size + page.size > self._limits.bytes or len(page.events) > room:
                room = min(room, self._room(draft, page))
                if not room:
                    self._left = page
                    return False
                page, self._left = page.cut(room)
            draft.add(page)
            if self._left is not None or len(draft.events) == most or draft.scanned >= _MOST_SCANNED:
                return False
        return True

    def _room(self, draft: Draft, page: Page) -> int:
        """How many of a page's events a draft has room for, by their octets: one at least where it has none yet."""
        left = self._limits.bytes - draft.size
        fit = sum(size <= left for size in accumulate(len(outgoing.body) for outgoing in page.events))
        return fit or (0 if draft.events else 1)

    async def _next(self) -> Page | None:
        """The next page, None where all that was read is used up."""
        page, self._left = self._left, None
        if page is not None:
            return page
        chunk = next(self._chunks, None)
        if chunk is None:
            return None
        replay = chunk.end.position <= self._replay_until
        shared = self._letters is None
        page = self._pages.kept(self._plan, chunk, replay=replay) if shared else None
        if page is None:
            page = await self._pages.make(self._plan, chunk, replay=replay, share=shared)
            await asyncio.sleep(0)  # others have their turn on the event loop
        return self._fit(page)

    def _fit(self, page: Page) -> Page:
        """The page without what this sink's receiver will never take."""
        limit = self._limits.event_bytes
        if not self._given_up and (limit is None or page.longest <= limit):
            return page
        unfit: dict[int, str] = {}
        for number, outgoing in enumerate(page.events):
            size = len(outgoing.body)
            if limit is not None and size > limit:
                unfit[number] = f"its {size} octets in this format are more than the {limit} the transport carries"
            elif (reason := self._given_up.get(outgoing.place)) is not None:
                unfit[number] = reason
        return page.without(unfit) if unfit else page
