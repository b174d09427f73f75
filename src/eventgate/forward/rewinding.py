"""Opens the generations of one sink's cursor: what people want delivered again gets a replay lane of its own.

Touches the tables of sinks and the cursor that this process owns. Called at safe places only: no window is on its way.
"""

from eventgate.forward.keeping import Keeping
from eventgate.forward.plan import Plan
from eventgate.journal.cursors import START, Cursor, Replay, Standing, Totals, after_all_of
from eventgate.journal.reading import Journal
from eventgate.sinks.generations import Generations, Opening, Selection, Why
from eventgate.sinks.requests import Answer, Request


class Rewinding:
    """One for each loop."""

    def __init__(self, plan: Plan, keeping: Keeping, generations: Generations, journal: Journal) -> None:
        self._plan = plan
        self._keeping = keeping
        self._generations = generations
        self._journal = journal

    async def rewind(self, request: Request, *, lost: bool) -> Answer:
        """Deliver again what came after a position: in a replay lane, or in the live one where nobody knows its place.

        The generation is noted before the standing enters it. A crash in between leaves the standing as it was.
        """
        assert request.position is not None, "the table checks that a rewind has a position"
        await self._keeping.flush()  # an opening whose answer got lost is undone before its note is written over
        head = await self._journal.head()
        if request.position > head.position:
            return Answer(False, f"the journal ends at position {head.position}")
        # A position whose row is gone has nothing left before it either: who starts there starts at the beginning.
        known = await self._journal.digest_at(request.position) is not None
        begins = after_all_of(request.position) if known else START.cursor
        return await (self._move(request, begins) if lost else self._replay(request, begins))

    async def redrive(self, request: Request) -> Answer:
        """Deliver dead letters again, in a replay lane that reads their places alone."""
        await self._keeping.flush()
        leaving = self._keeping.settled
        if refusal := await self._still_busy(request, leaving):
            return refusal
        opening = Opening(leaving.generation + 1, Why.REDRIVE, START.cursor, 0, 0, 0, request.asked_by)
        which = request.selection or Selection()
        opening = await self._generations.open_with_letters(self._plan.name, opening, leaving, which)
        if not opening.events:
            return Answer(False, "there are no such dead letters, or they went again already")
        await self._open(leaving, opening, after_all_of(opening.upto))
        return self._opened(opening, "dead letters")

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
        await self._generations.open(self._plan.name, opening, leaving)
        await self._open(leaving, opening, leaving.cursor)
        return self._opened(opening, "events")

    async def _open(self, leaving: Standing, opening: Opening, until: Cursor) -> None:
        """Whatever window's fate is not known yet, the receiver that keeps the progress knows when it is opened."""
        await self._keeping.adopt(
            leaving._replace(generation=opening.number, replay=Replay(opening.begins, until, Totals()))
        )
        # Only now: until the new generation is entered, the one before it still brings them.
        await self._generations.release_letters(self._plan.name, leaving)

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
        await self._generations.open(self._plan.name, opening, leaving)
        await self._keeping.adopt(Standing(begins, Totals(), opening.number, opening.number))
        return self._opened(opening, "events")

    async def _still_busy(self, request: Request, standing: Standing) -> Answer | None:
        replay = standing.replay
        if replay is None or replay.done or request.replace:
            return None
        here = f"position {replay.cursor.position} of {replay.until.position}"
        return Answer(False, f"generation {standing.generation} is still being delivered again, at {here}")

    def _opened(self, opening: Opening, what: str) -> Answer:
        seconds = self._plan.definition.seconds_for(opening.events)
        facts = {"generation": opening.number, "events": opening.events, "seconds": seconds}
        return Answer(True, f"generation {opening.number} delivers {opening.events} {what} again", facts)
