"""Opens the generations of one sink's cursor: what people want delivered again gets a replay lane of its own.

Touches the tables of sinks and the cursor that this process owns. Called at safe places only: no window is on its way.
A generation is noted, entered and answered in one transaction: after a crash either all of it holds, or nothing does.
"""

from collections.abc import Callable
from typing import Any

from eventgate.forward.keeping import Keeping
from eventgate.forward.plan import Plan
from eventgate.journal.cursors import START, Cursor, Replay, Standing, Totals, after_all_of
from eventgate.journal.reading import Journal
from eventgate.sinks.generations import Enter, Generations, Opening, Selection, Why
from eventgate.sinks.requests import Answer, Request, Requests


class Rewinding:
    """One for each loop. Raises Unsure where the database is away while a generation is being opened."""

    def __init__(
        self, plan: Plan, keeping: Keeping, generations: Generations, requests: Requests, journal: Journal
    ) -> None:
        self._plan = plan
        self._keeping = keeping
        self._generations = generations
        self._requests = requests
        self._journal = journal

    async def rewind(self, request: Request, *, lost: bool) -> Answer:
        """Deliver again what came after a position: in a replay lane, or in the live one where its place is lost."""
        assert request.position is not None, "the table checks that a rewind has a position"
        head = await self._journal.head()
        if request.position > head.position:
            return Answer(False, f"the journal ends at position {head.position}")
        # A position whose row is gone has nothing left before it either: who starts there starts at the beginning.
        known = await self._journal.digest_at(request.position) is not None
        begins = after_all_of(request.position) if known else START.cursor
        return await (self._move(request, begins) if lost else self._replay(request, begins))

    async def redrive(self, request: Request) -> Answer:
        """Deliver dead letters again, in a replay lane that reads their places alone."""
        leaving = self._keeping.settled
        if refusal := await self._still_busy(request, leaving):
            return refusal
        opening = Opening(leaving.generation + 1, Why.REDRIVE, START.cursor, 0, 0, 0, request.asked_by)
        which = request.selection or Selection()
        await self._keeping.flush()
        with self._keeping.entering():
            enter = self._entering(request, lambda found: _replaying(leaving, found, after_all_of(found.upto)))
            opening = await self._generations.open_with_letters(self._plan.name, opening, leaving, which, enter)
        if not opening.events:
            return Answer(False, "there are no such dead letters, or they went again already")
        return self._entered(opening, _replaying(leaving, opening, after_all_of(opening.upto)))

    async def _replay(self, request: Request, begins: Cursor) -> Answer:
        leaving = self._keeping.settled
        if begins >= leaving.cursor:
            return Answer(False, f"nothing after position {request.position} was delivered yet")
        if refusal := await self._still_busy(request, leaving):
            return refusal
        before = await self._journal.stored_upto(begins)
        events = await self._journal.stored_upto(leaving.cursor) - before
        opening = Opening(
            leaving.generation + 1, Why.REPLAY, begins, leaving.cursor.position, before, events, request.asked_by
        )
        return await self._open(request, opening, leaving, _replaying(leaving, opening, leaving.cursor))

    async def _move(self, request: Request, begins: Cursor) -> Answer:
        leaving = self._keeping.standing
        again = await self._generations.moved(self._plan.name, leaving.since)
        opening = Opening(
            number=leaving.generation + 1,
            why=Why.MOVED,
            begins=begins,
            upto=max(leaving.cursor.position, again.replay_until),
            before=await self._journal.stored_upto(begins),
            events=(await self._journal.head()).total - await self._journal.stored_upto(begins),
            asked_by=request.asked_by,
        )
        return await self._open(request, opening, leaving, Standing(begins, Totals(), opening.number, opening.number))

    async def _open(self, request: Request, opening: Opening, leaving: Standing, standing: Standing) -> Answer:
        await self._keeping.flush()
        with self._keeping.entering():
            enter = self._entering(request, lambda _: standing)
            await self._generations.open(self._plan.name, opening, leaving, enter)
        return self._entered(opening, standing)

    def _entering(self, request: Request, standing_in: Callable[[Opening], Standing]) -> Enter:
        async def enter(connection: Any, opening: Opening) -> None:
            await self._keeping.enter(connection, standing_in(opening))
            await self._requests.answer(request, self._opened(opening), within=connection)

        return enter

    def _entered(self, opening: Opening, standing: Standing) -> Answer:
        """Whatever window's fate is not known yet, the receiver that keeps the progress knows when it is opened."""
        self._keeping.entered(standing)
        return self._opened(opening)

    async def _still_busy(self, request: Request, standing: Standing) -> Answer | None:
        replay = standing.replay
        if replay is None or replay.done or request.replace:
            return None
        here = f"position {replay.cursor.position} of {replay.until.position}"
        return Answer(False, f"generation {standing.generation} is still being delivered again, at {here}")

    def _opened(self, opening: Opening) -> Answer:
        what = "dead letters" if opening.why is Why.REDRIVE else "events"
        seconds = self._plan.definition.seconds_for(opening.events)
        facts = {"generation": opening.number, "events": opening.events, "seconds": seconds}
        return Answer(True, f"generation {opening.number} delivers {opening.events} {what} again", facts)


def _replaying(leaving: Standing, opening: Opening, until: Cursor) -> Standing:
    return leaving._replace(generation=opening.number, replay=Replay(opening.begins, until, Totals()))
